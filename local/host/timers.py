"""Functions with a timer trigger: one run at a time each, missed runs made up for once.

When a schedule is monitored, the hub knows when the next run is due. A host that was down at that
time, or was killed before the run ended, runs the function at its next start, with `past_due` set.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter
from starlette.concurrency import run_in_threadpool

from local.host.app import App, Function, Trigger
from local.host.client import HubClient
from local.host.errors import SettingsError
from local.host.history import parse_timestamp, timestamp
from local.host.invocation import Runner
from local.host.ncrontab import NextRun, parse_schedule
from local.host.queries import HubQueries
from local.host.settings import expand
from local.host.writer import utc_now

_LOG = logging.getLogger(__name__)
_LONGEST_SLEEP_S = 60.0  # a clock that was set, or a machine that slept, is noticed after this
_LATE = timedelta(seconds=1)
_NEVER = "0001-01-01T00:00:00.000000Z"


@dataclass(eq=False)
class TimerFunction:
    """A timer trigger. `monitored` says whether its runs are kept in the hub."""

    function: Function
    next_run: NextRun
    monitored: bool
    run_on_startup: bool
    running: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: str = _NEVER


def find_timers(app: App, settings: Mapping[str, str]) -> list[TimerFunction]:
    """Return the functions with a timer trigger.

    Raises:
        SettingsError: a schedule is not valid, or names an app setting that is not set.
    """
    timers = []
    for function in app.triggered_by(Trigger.TIMER):
        text = expand(str(function.binding["schedule"]), settings)
        try:
            next_run = parse_schedule(text)
        except ValueError as error:
            raise SettingsError(f"function {function.name!r}: {error}") from error
        now = utc_now()
        following = next_run(now)
        # As in Azure: what runs more than once a minute is not worth a write each time.
        often = next_run(following) - following < timedelta(minutes=1)
        timers.append(
            TimerFunction(
                function,
                next_run,
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
        now = utc_now()
        await self._run(timer, timer.next_run(now), past_due=False)

    async def _serve(self, timer: TimerFunction) -> None:
        due = timer.next_run(utc_now())
        stored = None
        if timer.monitored:
            stored = await run_in_threadpool(self._queries.schedule, timer.function.name)
        if stored is not None:
            timer.last = stored.last
            due = min(due, parse_timestamp(stored.following))
        if timer.run_on_startup and due > utc_now():
            await self._run(timer, due, past_due=False)
        await self._store(timer, due)
        while True:
            while (left := (due - utc_now()).total_seconds()) > 0:
                await asyncio.sleep(min(left, _LONGEST_SLEEP_S))
            if self._stopped:
                return
            following = timer.next_run(utc_now())
            await self._run(timer, following, past_due=utc_now() - due > _LATE)
            due = max(following, timer.next_run(utc_now()))
            await self._store(timer, due)

    async def _run(self, timer: TimerFunction, following: datetime, *, past_due: bool) -> None:
        async with timer.running:
            request = {
                "IsPastDue": past_due,
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": {
                    "Last": timer.last,
                    "LastUpdated": timer.last,
                    "Next": timestamp(following),
                },
            }
            timer.last = timestamp(utc_now())
            datum = Datum(json.dumps(request), "json")
            value = TimerRequestConverter.decode(datum, trigger_metadata=None)
            try:
                await self._runner.invoke(timer.function, value)
            except Exception:  # the next run may do better; the log says what happened
                _LOG.exception("function=%s failed", timer.function.name)

    async def _store(self, timer: TimerFunction, due: datetime) -> None:
        if timer.monitored:
            stored = self._client.put_schedule(timer.function.name, timer.last, timestamp(due))
            await asyncio.wrap_future(stored)
