"""The shapes of `apps/shapes` on `durabletask` with its in-memory backend and its own worker.

Runs in a virtual environment of its own and knows nothing of this project. `serve` is the engine;
`drive` reads a job in JSON from each line of its input, and answers with the seconds it took. They
are processes of their own, as the embedded host and its client are.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from durabletask import entities, task
from durabletask.client import TaskHubGrpcClient
from durabletask.testing import create_test_backend
from durabletask.worker import TaskHubGrpcWorker

Steps = Generator[Any, Any, Any]
_PATIENCE_S = 120
_QUIET = logging.getLogger("quiet")  # its lines for each step would cost it speed


def step(context: task.ActivityContext, value: int) -> int:
    """Do next to nothing."""
    return value + 1


def chain(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps:
    """Run activities one after the other."""
    value = 0
    for _ in range(given["length"]):
        value = yield context.call_activity(step, input=value)
    return value


def fan_out(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps:
    """Run activities all at once."""
    width = given["width"]
    values = yield task.when_all([context.call_activity(step, input=one) for one in range(width)])
    return sum(values)


def signals(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps:
    """Signal an entity many times, then ask it what it has counted."""
    counter_id = entities.EntityInstanceId("counter", given["key"])
    for _ in range(given["count"]):
        context.signal_entity(counter_id, "add", {"by": 1})
    total = yield context.call_entity(counter_id, "get")
    return total


def counter(context: entities.EntityContext, given: dict[str, Any] | None) -> int:
    """Count."""
    total: int = context.get_state(int, 0)
    if context.operation == "add" and given is not None:
        total += given["by"]
        context.set_state(total)
    return total


def serve() -> None:
    """Run the engine until its input ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backend = create_test_backend(port=port)
    worker = TaskHubGrpcWorker(host_address=f"localhost:{port}", logger=_QUIET)
    for one in (chain, fan_out, signals):
        worker.add_orchestrator(one)
    worker.add_activity(step)
    worker.add_entity(counter)
    worker.start()
    print(port, flush=True)
    sys.stdin.read()
    worker.stop()
    backend.stop()


class Driver:
    """Asks the engine for work, and waits until it is done."""

    def __init__(self, address: str) -> None:
        self._client = TaskHubGrpcClient(host_address=address, logger=_QUIET)

    def workflows(self, shape: str, given: dict[str, Any], count: int, at_once: int) -> None:
        """Run `count` workflows, `at_once` at a time; each batch is started, then waited for."""
        for first in range(0, count, at_once):
            names = [
                self._client.schedule_new_orchestration(
                    shape, input={**given, "key": f"{given.get('key')}-{first + i}"}
                )
                for i in range(min(at_once, count - first))
            ]
            for name in names:
                self._completed(name)

    def signals(self, key: str, count: int, at_once: int) -> None:
        """Send signals from `at_once` threads, and wait until the entity has counted them."""
        counter_id = entities.EntityInstanceId("counter", key)

        def send(_: int) -> None:
            self._client.signal_entity(counter_id, "add", {"by": 1})

        if at_once == 1:
            for one in range(count):
                send(one)
        else:
            with ThreadPoolExecutor(at_once) as pool:
                list(pool.map(send, range(count)))
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            found = self._client.get_entity(counter_id)
            if found is not None and int(found.get_state(int) or 0) == count:
                return
            time.sleep(0.002)
        raise TimeoutError(f"the entity did not count {count} signals")

    def _completed(self, name: str) -> None:
        state = self._client.wait_for_orchestration_completion(name, timeout=_PATIENCE_S)
        if state is None:
            raise LookupError(f"the engine lost instance {name}")
        state.raise_if_failed()


def drive(address: str) -> None:
    """Do the jobs that come in, a line each."""
    driver = Driver(address)
    jobs: dict[str, Callable[..., None]] = {
        "workflows": driver.workflows,
        "signals": driver.signals,
    }
    for line in sys.stdin:
        job = json.loads(line)
        begin = time.perf_counter()
        jobs[job.pop("job")](**job)
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    _QUIET.setLevel(logging.ERROR)
    if sys.argv[1] == "serve":
        serve()
    else:
        drive(sys.argv[2])
