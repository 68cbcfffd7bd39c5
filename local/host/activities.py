"""Activities under way: which wait for a place, which run, which run too long.

An activity runs at least once: it is forgotten only when its end is in the hub, so one that a
kill interrupts runs again at the next start.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from local.host.history import Event, EventType, decode, event, timestamp
from local.host.hub import Hub
from local.host.turns import Activity
from local.host.writer import Writer, utc_now

_LOG = logging.getLogger(__name__)
_WORTH_A_LINE_MS = 100  # a line for each of thousands of quick ones would cost a fifth of the speed

RunActivity = Callable[[str, str], "Future[str]"]
"""Starts the activity of a name with an input text; the future gives its result text."""


class ActivityFailed(Exception):
    """An activity raised. `reason` and `details` are what the orchestrator gets to see."""

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


@dataclass(eq=False)
class _Run:
    instance: str
    execution: str
    activity: Activity
    began: float = 0.0
    deadline: float | None = None


class Activities:
    """Runs at most `limit` activities at a time. A part of the writer."""

    def __init__(
        self,
        writer: Writer,
        hub: Hub,
        run: RunActivity,
        *,
        limit: int,
        timeout_s: float | None,
        on_end: Callable[[str, str, Event], None],
    ) -> None:
        self._writer = writer
        self._hub = hub
        self._run = run
        self._limit = limit
        self._timeout_s = timeout_s
        self._on_end = on_end
        self._waiting: deque[_Run] = deque()
        self._running: dict[_Run, Future[str]] = {}  # the longest running first

    def add(self, instance: str, execution: str, activity: Activity) -> None:
        """Run an activity, once the transaction that asks for it is on disk."""
        self._waiting.append(_Run(instance, execution, activity))

    def drop(self, instance: str) -> None:
        """Forget the activities of an instance that wait for a place."""
        if any(run.instance == instance for run in self._waiting):
            self._waiting = deque(run for run in self._waiting if run.instance != instance)

    def recover(self) -> None:
        """Run again what has no end in the hub."""
        for instance, execution, encoded in self._hub.open_activities():
            scheduled = decode([encoded])[0]
            input_text = json.loads(scheduled["Input"])[0]
            activity = Activity(scheduled["EventId"], scheduled["Name"], input_text)
            self.add(instance, execution, activity)

    def tick(self) -> None:
        """Give up on activities that run longer than functions may."""
        now = time.time()
        for run, future in list(self._running.items()):
            if run.deadline is None or run.deadline > now:
                break
            del self._running[run]
            future.cancel()
            limit = f"{self._timeout_s:g} s"
            reason = f"Timeout value of {limit} exceeded by function '{run.activity.name}'"
            _LOG.error("activity=%s instance_id=%s timed out", run.activity.name, run.instance)
            self._fail(run, ActivityFailed(reason, "a thread cannot be stopped; it may still run"))

    def dispatch(self) -> None:
        """Fill the places that are free."""
        while self._waiting and len(self._running) < self._limit:
            run = self._waiting.popleft()
            run.began = time.time()
            run.deadline = None if self._timeout_s is None else run.began + self._timeout_s
            future = self._run(run.activity.name, run.activity.input)
            self._running[run] = future
            future.add_done_callback(partial(self._ended, run))

    def settle(self) -> None:
        """Nothing to do: what waits here is in the hub."""

    def next_due(self) -> float | None:
        """Return when the longest running activity has had its time."""
        return next((run.deadline for run in self._running), None)

    def busy(self) -> int:
        """Return how many activities run."""
        return len(self._running)

    def _ended(self, run: _Run, future: Future[str]) -> None:
        """Runs on the thread of the activity."""
        self._writer.post(partial(self._conclude, run, future))
        if future.cancelled():
            return
        took_ms = (time.time() - run.began) * 1000
        known = (run.activity.name, run.instance, took_ms)
        error = future.exception()
        if error is None:
            level = logging.INFO if took_ms >= _WORTH_A_LINE_MS else logging.DEBUG
            _LOG.log(level, "activity=%s instance_id=%s duration_ms=%.1f succeeded", *known)
        else:
            why = str(error).partition("\n")[0]
            _LOG.warning("activity=%s instance_id=%s duration_ms=%.1f failed: %s", *known, why)

    def _conclude(self, run: _Run, future: Future[str]) -> None:
        if self._running.pop(run, None) is None:
            return
        if future.cancelled():  # not by us, or it would not be among those that run
            self._fail(run, ActivityFailed("the activity cancelled itself", ""))
            return
        error = future.exception()
        if error is None:
            end = EventType.TASK_COMPLETED
            at = timestamp(utc_now())
            one = event(end, at, TaskScheduledId=run.activity.id, Result=future.result())
            self._on_end(run.instance, run.execution, one)
        elif isinstance(error, ActivityFailed):
            self._fail(run, error)
        else:
            self._fail(run, ActivityFailed(f"{type(error).__name__}: {error}", ""))

    def _fail(self, run: _Run, error: ActivityFailed) -> None:
        one = event(
            EventType.TASK_FAILED,
            timestamp(utc_now()),
            TaskScheduledId=run.activity.id,
            Reason=f"Activity function '{run.activity.name}' failed:  {error.reason}",
            Details=error.details,
        )
        self._on_end(run.instance, run.execution, one)
