"""Functions with a timer trigger: one run at a time each, missed runs made up for once.

When a schedule is monitored, the hub knows when the next run is due. A host that was down at that
time, or was killed before the run ended, runs the function at its next start, with `past_due` set.
A run that lasts beyond the time of the next one is followed by it at once.
Source: the timer extension (TimerListener, ScheduleMonitor of azure-webjobs-sdk-extensions).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter
from starlette.concurrency import run_in_threadpool

from local.host.app import App, Function, Trigger
from local.host.client import HubClient
from local.host.errors import SettingsError
from local.host.history import parse_timestamp, timestamp
from local.host.invocation import RetryContext, Runner
from local.host.ncrontab import Schedule, parse_schedule
from local.host.queries import HubQueries
from local.host.settings import expand
from local.host.writer import utc_now

_LOG = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 60.0  # a clock that was set, or a machine that slept, is noticed after this
_LATE = timedelta(seconds=1)
_CLOCK_SET_BACK_S = 60.0  # less is an adjustment, after which no run must come twice
_NEVER = "0001-01-01T00:00:00.000000Z"


@dataclass(eq=False)
class TimerFunction:
    """A timer trigger. `monitored` says whether its runs are kept in the hub."""

    function: Function
    schedule: Schedule
    monitored: bool
    run_on_startup: bool
    running: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: str = _NEVER


class _Clock:
    """Watches the wall clock, beside one that nobody can set."""

    def __init__(self) -> None:
        self._lead_s = _lead_s(utc_now())

    def was_set_back(self, now: datetime) -> bool:
        """Tell whether the clock was set back by much since this was last told."""
        lead_s = _lead_s(now)
        set_back = self._lead_s - lead_s > _CLOCK_SET_BACK_S
        if set_back or lead_s > self._lead_s:
            self._lead_s = lead_s
        return set_back


def _lead_s(now: datetime) -> float:
    return now.timestamp() - time.monotonic()


def find_timers(app: App, settings: Mapping[str, str]) -> list[TimerFunction]:
    """Return the functions with a timer trigger.

    Raises:
        SettingsError: a schedule is not valid, or names an app setting that is not set.
    """
    timers = []
    for function in app.triggered_by(Trigger.TIMER):
        text = expand(str(function.binding["schedule"]), settings)
        try:
            schedule = parse_schedule(text)
        except ValueError as error:
            raise SettingsError(f"function {function.name!r}: {error}") from error
        now = utc_now()
        following = schedule.next_run(now)
        # As in Azure: what runs more than once a minute is not worth a write each time.
        often = schedule.next_run(following) - following < timedelta(minutes=1)
        timers.append(
            TimerFunction(
                function,
                schedule,
                monitored=function.binding.get("useMonitor") is not False and not often,
                run_on_startup=function.binding.get("runOnStartup") is True,
            )
        )
    return timers


class Timers:
    """Runs the timer functions. Lives on the loop that serves HTTP."""

    def __init__(
        self,
        timers: list[TimerFunction],
        client: HubClient,
        queries: HubQueries,
        runner: Runner,
    ) -> None:
        self._timers = {one.function.name: one for one in timers}
        self._client = client
        self._queries = queries
        self._runner = runner
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False

    def start(self) -> None:
        """Begin to watch the clock."""
        self._tasks = [asyncio.create_task(self._serve(one)) for one in self._timers.values()]

    def stop(self) -> None:
        """Start no more runs; one that runs goes on. From any thread."""
        self._stopped = True

    async def run_by_hand(self, name: str) -> None:
        """Run a timer function now, after the run that may be under way."""
        timer = self._timers[name]
        await self._run(timer, timer.schedule.next_run(utc_now()), past_due=False)

    async def _serve(self, timer: TimerFunction) -> None:
        due = await self._recall(timer)
        now = utc_now()
        if timer.run_on_startup and due > now:
            due = await self._run_scheduled(timer, now, due, past_due=False)
        else:
            await self._store(timer, due)
        overrun = False
        clock = _Clock()
        while True:
            due = await self._wait(timer, due, clock)
            if self._stopped:
                return
            now = utc_now()
            # What had to wait for the run before it has not been missed.
            missed = now - due > _LATE and not overrun
            due = await self._run_scheduled(timer, max(now, due), due, past_due=missed)
            overrun = utc_now() >= due

    async def _recall(self, timer: TimerFunction) -> datetime:
        """Return when the function is due, which may be in the past."""
        due = timer.schedule.next_run(utc_now())
        if not timer.monitored:
            return due
        stored = await run_in_threadpool(self._queries.schedule, timer.function.name)
        if stored is None:
            return due
        timer.last = stored.last
        following = parse_timestamp(stored.following)
        since = stored.updated if stored.last == _NEVER else stored.last
        expected = timer.schedule.next_run(parse_timestamp(since))
        # Another schedule than the one that was stored has missed nothing.
        return min(due, following) if abs(expected - following) < _LATE else due

    async def _wait(self, timer: TimerFunction, due: datetime, clock: _Clock) -> datetime:
        """Wait until a run is due; returns when that was, as the clock may be set meanwhile."""
        while True:
            now = utc_now()
            if clock.was_set_back(now):
                due = min(due, timer.schedule.next_run(now))
            if now >= due:
                return due
            await asyncio.sleep(min((due - now).total_seconds(), _LONGEST_SLEEP_S))

    async def _run_scheduled(
        self, timer: TimerFunction, now: datetime, due: datetime, *, past_due: bool
    ) -> datetime:
        """Run a function, note that it ran `now`, and return when the next run is due."""
        await self._run(timer, due, past_due=past_due)
        following = timer.schedule.next_run(now)
        timer.last = timestamp(now)
        await self._store(timer, following)
        return following

    async def _run(self, timer: TimerFunction, due: datetime, *, past_due: bool) -> None:
        async with timer.running:
            status = {"Last": timer.last, "LastUpdated": timer.last, "Next": timestamp(due)}
            request = {
                "IsPastDue": past_due,
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": status if timer.monitored else None,
            }
            datum = Datum(json.dumps(request), "json")
            value = TimerRequestConverter.decode(datum, trigger_metadata=None)
            await self._invoke(timer.function, value)

    async def _invoke(self, function: Function, value: Any) -> None:
        """Call a function, and again as its retry policy says."""
        policy = function.retry
        retry: RetryContext | None = None
        for count in itertools.count():
            error = await self._try(function, value, retry)
            wait_s = policy.wait_s(count) if policy is not None else None
            if error is None or policy is None or wait_s is None:
                return
            retry = RetryContext(count + 1, policy.most, error)
            await asyncio.sleep(wait_s)
            if self._stopped:
                return

    async def _try(
        self, function: Function, value: Any, retry: RetryContext | None
    ) -> Exception | None:
        try:
            await self._runner.invoke(function, value, retry_context=retry)
        except Exception as error:  # the next run may do better; the log says what happened
            _LOG.exception("function=%s failed", function.name)
            return error
        return None

    async def _store(self, timer: TimerFunction, due: datetime) -> None:
        if timer.monitored:
            stored = self._client.put_schedule(timer.function.name, timer.last, timestamp(due))
            await asyncio.wrap_future(stored)
