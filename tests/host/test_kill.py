"""What a host that was killed with SIGKILL had promised is kept by the next one."""

from __future__ import annotations

import contextlib
import random
import time

import httpx
import pytest

from tests.host.conftest import StartHost
from tests.host.running_host import eventually


def test_killed_in_a_turn(new_host: StartHost) -> None:
    host = new_host().start()
    instance = host.begin("sluggish", instance="in-a-turn")
    eventually(lambda: host.trace(instance))
    host.kill()
    host.start()
    assert host.wait(instance)["output"] == ["Hello before!", "Hello after!"]


def test_killed_in_an_activity(new_host: StartHost) -> None:
    host = new_host().start()
    instance = host.begin("retried", {"trace": "a", "until": "go"})
    eventually(lambda: host.trace("a"))
    host.kill()
    (host.traces / "go").touch()
    host.start()
    assert host.wait(instance)["output"] == "a 2"


def test_killed_before_a_timer_is_due(new_host: StartHost) -> None:
    host = new_host().start()
    instance = host.begin("timer", 1.0)
    cancelled = host.begin("event_or_timeout", 0.8)
    host.raise_event(cancelled, "Go")
    host.wait(cancelled)
    eventually(lambda: host.history(instance)[1:])
    host.kill()
    time.sleep(1.2)
    host.start()
    assert host.wait(instance)["output"] >= 1.0
    assert host.status(cancelled)["output"] == "Hello event!"


def test_killed_while_suspended(new_host: StartHost) -> None:
    host = new_host().start()
    instance = host.begin("two_waits")
    host.wait(instance, "Running")
    host.manage("POST", f"instances/{instance}/suspend")
    host.raise_event(instance, "A", 1)
    host.kill()
    host.start()
    host.raise_event(instance, "B", 2)
    time.sleep(0.2)
    assert host.status(instance)["runtimeStatus"] == "Suspended"
    host.manage("POST", f"instances/{instance}/resume")
    assert host.wait(instance)["output"] == [1, 2]


def test_what_was_accepted_is_carried_out_after_a_kill(new_host: StartHost) -> None:
    """An answer to a request is a promise, even if the kill comes with the next instruction."""
    host = new_host().start()
    begun = [host.begin("fan_out", 5, f"promised-{n}") for n in range(30)]
    host.kill()
    host.start()
    waiting = host.begin("through_event")
    host.raise_event(waiting, "Value", "kept")
    host.manage("POST", "entities/counter/kept", {"op": "add"}, content='"{\\"by\\": 3}"')
    host.kill()
    host.start()
    assert host.wait(waiting)["output"] == ["str", "kept"]
    assert eventually(lambda: host.manage("GET", "entities/counter/kept").text == "3")
    assert {host.wait(instance)["output"] for instance in begun} == {20}


@pytest.mark.parametrize("torn", [1, 24, 5000])
def test_write_that_a_power_cut_tore_is_forgotten(new_host: StartHost, torn: int) -> None:
    """What was answered stays; what was being written without an answer may be gone."""
    host = new_host().start()
    instances = [host.begin("two_waits", instance=f"torn-{n}") for n in range(10)]
    host.kill()
    with (host.data / "hub.db-wal").open("ab") as log:
        log.write(random.Random(torn).randbytes(torn))  # noqa: S311 - not for secrets
    host.start()
    for instance in instances:
        host.raise_event(instance, "A", 1)
        host.raise_event(instance, "B", 2)
        assert host.wait(instance)["output"] == [1, 2]


@pytest.mark.parametrize("seed", range(2))
def test_random_kills_change_no_result(new_host: StartHost, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    host = new_host().start()
    instances = [f"run-{n}" for n in range(8)]
    for instance in instances:
        host.begin("everything", instance=instance)
        host.raise_event(instance, "Early", instance)
    stream = host.begin("stream", {"count": 20, "taken": []})
    raised = 0
    for _ in range(4):
        for _ in range(5):
            host.raise_event(stream, f"Item{raised}", raised)
            raised += 1
        time.sleep(chance.uniform(0.0, 0.15))
        host.kill()
        host.start()
    assert host.wait(stream)["output"] == list(range(20))
    for instance in instances:
        expected = _result_of_everything(instance)
        assert host.wait(instance, timeout_s=40)["output"] == expected
        assert all(host.trace(f"{instance}-{n}") >= 1 for n in range(4))


def _result_of_everything(instance: str) -> list[object]:
    steps: list[object] = []
    for n in range(4):
        steps += [f"{instance}-{n}", 11 * (n + 1)]
    return [*steps, [0, 8, 16], "", 44]


def test_stop_waits_for_what_runs(new_host: StartHost) -> None:
    host = new_host().start()
    instance = host.begin("retried", {"trace": "a", "seconds": 0.5})
    eventually(lambda: host.trace("a"))
    assert host.stop() == 0
    host.start()
    assert host.wait(instance)["output"] == "a 1"


def test_stop_does_not_wait_for_ever(new_host: StartHost) -> None:
    host = new_host().start("--grace", "0.2")
    instance = host.begin("retried", {"trace": "a", "until": "go"})
    eventually(lambda: host.trace("a"))
    begin = time.monotonic()
    assert host.stop() == 0
    assert time.monotonic() - begin < 3
    assert "outstanding=1 still run" in host.log.read_text()
    (host.traces / "go").touch()
    host.start()
    assert host.wait(instance)["output"] == "a 2"


def test_drained_host_starts_no_work(new_host: StartHost) -> None:
    host = new_host().start()
    master = {"x-functions-key": host.keys["master"]}

    def drain() -> dict[str, object]:
        state: dict[str, object] = host.http.get("/admin/host/drain/status", headers=master).json()
        return state

    instance = host.begin("retried", {"trace": "a", "until": "go"})
    eventually(lambda: host.trace("a"))
    assert drain()["state"] == "Disabled"
    assert host.http.post("/admin/host/drain", headers=master).status_code == 202
    assert eventually(lambda: drain()["state"] == "InProgress")
    later = host.begin("echo")
    (host.traces / "go").touch()
    eventually(lambda: drain() == {"state": "Completed", "outstandingInvocations": 0})
    assert [host.status(one)["runtimeStatus"] for one in (instance, later)] == [
        "Running",
        "Pending",
    ]
    host.kill()
    host.start()
    assert host.wait(later)["runtimeStatus"] == "Completed"
    assert host.wait(instance)["output"] == "a 1"


def test_host_that_cannot_write_stops_and_loses_nothing(new_host: StartHost) -> None:
    host = new_host().start(file_bytes=600_000)
    accepted: list[str] = []
    with contextlib.suppress(AssertionError, httpx.TransportError):
        accepted.extend(host.begin("echo", "x" * 20_000, f"big-{n}") for n in range(200))
    assert 0 < len(accepted) < 200
    assert host.wait_for_exit() == 1
    assert "the task hub cannot be written; the host stops" in host.log.read_text()
    host.start()
    for instance in accepted:
        assert host.wait(instance)["runtimeStatus"] == "Completed"
