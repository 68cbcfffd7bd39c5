"""When a timer trigger runs: NCRONTAB expressions and time spans. Pure; all times are UTC.

Source: Microsoft Learn, "Timer trigger for Azure Functions", NCRONTAB expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from croniter import (  # type: ignore[import-untyped]  # ships no types
    CroniterError,
    croniter,
)

from local.host.settings import parse_time_span

NextRun = Callable[[datetime], datetime]
"""Returns the first time after the given one at which a function is to run."""

_VALUE = r"(?:\*|\d{1,2}|[A-Za-z]{3,9})(?:-(?:\d{1,2}|[A-Za-z]{3,9}))?(?:/\d{1,4})?"
_FIELD = re.compile(rf"{_VALUE}(?:,{_VALUE}){{0,60}}")


def parse_schedule(text: str) -> NextRun:
    """Read a schedule: six fields beginning with seconds, five without them, or a time span.

    Raises:
        ValueError: it is none, or never comes to pass.
    """
    if ":" in text:
        interval = timedelta(seconds=parse_time_span(text))
        if not interval:
            raise ValueError(f"{text!r} is no time to wait")
        return lambda after: after + interval
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6 or not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError(
            f"{text!r} is no schedule, expected six fields "
            "{second} {minute} {hour} {day} {month} {day of week}, or a time span"
        )
    expression = " ".join(re.sub(r"([A-Za-z]{3})[A-Za-z]*", r"\1", field) for field in fields)

    def next_run(after: datetime) -> datetime:
        # Both day fields must fit, unlike in cron, where one of them is enough.
        times = croniter(expression, after, datetime, day_or=False, second_at_beginning=True)
        following: datetime = times.get_next()
        return following

    try:
        next_run(datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
    except CroniterError as error:
        raise ValueError(f"{text!r} is no schedule: {error}") from error
    return next_run
