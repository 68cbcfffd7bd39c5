"""A step of an orchestration with 3,000 history events, beside the SDK's replay of that history.

The step is that of a running host: from one activity's scheduling to the next one's, with
everything that the host does for it. The replay is what the SDK alone takes to go over a history
of the same length, in this process: once as it is, and once with the host's faster timestamps.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import azure.durable_functions as df

from bench.figures import Figure, Run, at_most
from bench.host import SHAPES, HostProcess, resident_mib
from local.host.history import EventType, encode, event, for_sdk, timestamp
from local.host.sdk_speed import speed_up_replay

EVENTS = 3000
_EVENTS_A_STEP = 4  # turn started, activity completed, next one scheduled, turn completed
_STEPS = 20  # measured, around the wanted length
_REPLAYS = 7
_BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def measure(run: Run) -> Iterator[Figure]:
    """Yield times of step and replay, and how many times more the step takes."""
    events = run.much(EVENTS, 200)
    length = events // _EVENTS_A_STEP
    steps, replays, memory = [], [], []
    replay = _Replay(length)
    with HostProcess(SHAPES, run.folder) as host:
        client = host.client()
        for number in range(run.runs):
            run.say(f"run {number + 1} of {run.runs}")
            instance = client.start("chain", {"length": length + _STEPS // 2})
            client.wait(instance)
            content = client.send("GET", f"instances/{instance}?showHistory=true")[1]
            steps.append(_step_ms(json.loads(content)["historyEvents"]))
            replays.append(replay.time_ms())
            memory.append(resident_mib(host.pid))
        client.close()
    speed_up_replay()
    faster = [replay.time_ms() for _ in range(run.runs)]
    yield Figure(f"a step at {events:,} events, of the running host", "ms", steps)
    yield Figure("the SDK's replay of that history", "ms", replays)
    yield Figure("the same with the host's faster timestamps", "ms", faster)
    ratios = [step / one for step, one in zip(steps, replays, strict=True)]
    yield Figure("step / replay", "times", ratios, at_most(1.2))
    yield Figure("memory of the host afterwards", "MiB", memory)


def _step_ms(history: list[dict[str, Any]]) -> float:
    """Return the time between the last activities' schedulings."""
    times = sorted(
        datetime.fromisoformat(one["ScheduledTime"].rstrip("Z"))
        for one in history
        if "ScheduledTime" in one
    )[-_STEPS:]
    return (times[-1] - times[0]).total_seconds() * 1000 / (len(times) - 1)


class _Replay:
    """The SDK's replay of a chain of `length` activities, called as the host calls it."""

    def __init__(self, length: int) -> None:
        self._handle = df.Orchestrator.create(_chain)
        self._context = _context(length)

    def time_ms(self) -> float:
        """Return the time of one replay: the median of some."""
        times = []
        for _ in range(_REPLAYS):
            begin = time.perf_counter()
            self._handle(self._context)
            times.append((time.perf_counter() - begin) * 1000)
        return statistics.median(times)


def _chain(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """As in `apps/shapes`."""
    value = 0
    for _ in range(context.get_input()["length"]):
        value = yield context.call_activity("step", value)
    return value


def _context(length: int) -> str:
    """Return the context of the turn in which the activity after `length` others is scheduled."""
    given = json.dumps(json.dumps({"length": length + 1}))
    times = [timestamp(_BEGIN + n * timedelta(milliseconds=7)) for n in range(length + 1)]
    arrivals = [
        event(EventType.EXECUTION_STARTED, times[0], Name="chain", Version=None, Input=given),
        *(
            event(EventType.TASK_COMPLETED, at, TaskScheduledId=n, Result=str(n + 1))
            for n, at in enumerate(times[1:])
        ),
    ]
    events = []
    for number, (at, arrival) in enumerate(zip(times, arrivals, strict=True)):
        step = event(EventType.TASK_SCHEDULED, at, number, Name="step", Input=f'["{number}"]')
        started = event(EventType.ORCHESTRATOR_STARTED, at)
        events += [started, arrival, step, event(EventType.ORCHESTRATOR_COMPLETED, at)]
    texts = [encode(one) for one in events]
    last = len(texts) - _EVENTS_A_STEP
    history = for_sdk(texts[:last], texts[last : last + 2])
    head = {
        "instanceId": "replayed",
        "isReplaying": True,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
    }
    return f'{json.dumps(head)[:-1]}, "input": {given}, "history": {history}}}'
