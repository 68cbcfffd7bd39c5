"""Who waits for the end of an instance is told, once, and leaves nothing behind."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from local.host.endings import Endings
from tests.host.running_host import RunningHost


def test_all_who_wait_are_told() -> None:
    endings = Endings()
    first, second, other = endings.expect("a"), endings.expect("a"), endings.expect("b")
    endings.tell("a")
    assert first.done()
    assert second.done()
    assert not other.done()


def test_an_end_is_not_remembered() -> None:
    endings = Endings()
    endings.tell("a")
    assert not endings.expect("a").done()


def test_who_gives_up_is_forgotten() -> None:
    endings = Endings()
    stays, leaves = endings.expect("a"), endings.expect("a")
    leaves.cancel()
    endings.tell("a")
    assert stays.result() is None
    endings.expect("b").cancel()
    assert endings._waiting == {}


def test_start_and_wait_is_told_however_the_instance_ends(durable: RunningHost) -> None:
    query = {"timeout": "20", "pollingInterval": "20"}
    path = "orchestrators/through_event/endings-told"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(durable.manage, "POST", path, query)
        durable.wait("endings-told", "Running")
        begin = time.monotonic()
        durable.manage("POST", "instances/endings-told/terminate", {"reason": "enough"})
        assert waiting.result().json()["runtimeStatus"] == "Terminated"
    assert time.monotonic() - begin < 5
