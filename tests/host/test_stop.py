"""Stopping in order: what runs may end, within the grace time; what does not, runs again."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import httpx

from tests.host.conftest import StartHost
from tests.host.running_host import RunningHost, eventually


def _terminate(host: RunningHost, number: int = signal.SIGTERM) -> tuple[int, float]:
    """Send a signal; returns the exit status, and how long that took."""
    begin = time.monotonic()
    host.signal(number)
    return host.wait_for_exit(), time.monotonic() - begin


def _restoring(host: RunningHost) -> bool:
    return host.trace("begun") > host.trace("restored")


def test_running_activity_may_end(new_host: StartHost) -> None:
    host = new_host("inside").start()
    host.begin("migrate", 1.5, "sales")
    eventually(lambda: host.trace("begun") == 3)
    status, took_s = _terminate(host)
    assert (status, host.trace("restored")) == (0, 3)
    assert took_s < 5
    host.start()
    assert host.wait("sales")["runtimeStatus"] == "Completed"
    assert host.trace("begun") == 3, "nothing ran again"


def test_activity_that_takes_too_long_runs_again(new_host: StartHost) -> None:
    host = new_host("inside").start("--grace", "0.3")
    host.begin("migrate", 3, "sales")
    eventually(lambda: host.trace("begun") == 3)
    status, took_s = _terminate(host, signal.SIGINT)
    assert status == 0
    assert took_s < 2.5
    assert "outstanding=1 still run and will run again at the next start" in host.log.read_text()
    host.start()
    assert host.wait("sales")["runtimeStatus"] == "Completed"
    assert (host.trace("begun"), host.trace("restored")) == (4, 3)


def test_second_signal_stops_at_once(new_host: StartHost) -> None:
    host = new_host("inside").start("--grace", "60")
    host.begin("migrate", 60, "sales")
    eventually(lambda: host.trace("begun") == 3)
    host.signal(signal.SIGTERM)
    eventually(lambda: "stopping: no new work" in host.log.read_text())
    status, took_s = _terminate(host)
    assert status == 1
    assert took_s < 1
    host.start()
    assert host.status("sales")["runtimeStatus"] == "Running"
    eventually(lambda: host.trace("begun") == 4)


def _ask(host: RunningHost, path: str, answers: list[Any]) -> threading.Thread:
    def ask() -> None:
        try:
            params = {"code": host.keys["host"]["default"]}
            answers.append(httpx.get(f"{host.url}/api/{path}", params=params, timeout=30).text)
        except httpx.TransportError as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_request_under_way_is_answered(new_host: StartHost) -> None:
    host = new_host("inside").start()
    answers: list[Any] = []
    asking = _ask(host, "slow/1.2", answers)
    eventually(lambda: host.trace("asked") == 1)
    status, took_s = _terminate(host)
    asking.join()
    assert (status, answers) == (0, ["slept 1.2 s"])
    assert took_s < 4


def test_request_that_takes_too_long_is_cut_off(new_host: StartHost) -> None:
    host = new_host("inside").start("--grace", "0.3")
    answers: list[Any] = []
    asking = _ask(host, "slow/20", answers)
    eventually(lambda: host.trace("asked") == 1)
    status, took_s = _terminate(host)
    asking.join()
    assert status == 0
    assert took_s < 3
    assert answers != ["slept 20 s"]
    assert "outstanding=1 functions are cut off" in host.log.read_text()


def test_idle_host_stops_at_once(new_host: StartHost) -> None:
    host = new_host("inside").start("--grace", "60")
    host.begin("tell", "waits for an event")
    status, took_s = _terminate(host)
    assert status == 0
    assert took_s < 1.5
