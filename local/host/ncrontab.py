"""When a timer trigger runs: NCRONTAB expressions and time spans. Pure; all times are UTC.

Sources: Microsoft Learn, "Timer trigger for Azure Functions"; the NCrontab library, which Azure
Functions reads expressions with (CrontabFieldImpl, CrontabField). It differs from cron: both day
fields must fit, Sunday is 0 and never 7, a range from the higher to the lower value is read the
other way round, `5/10` goes on from 5 to the end, and of names any beginning will do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import Protocol

from local.host.settings import parse_time_span

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAY = timedelta(days=1)
_LONGEST_GAP_DAYS = 41 * 366
"""A leap day falls on a given weekday every 28 years, around 2100 every 40."""

_MOST_TEXT = 1000  # characters


class Schedule(Protocol):
    """Says when a function runs."""

    def next_run(self, after: datetime) -> datetime:
        """Return the first time after this one at which the function is to run."""


@dataclass(frozen=True)
class Interval:
    """A time span: the time from one run to the next."""

    length: timedelta

    def next_run(self, after: datetime) -> datetime:
        """Return the time that is one interval later."""
        return after + self.length


@dataclass(frozen=True)
class Cron:
    """An NCRONTAB expression: the values that fit, each field in ascending order.

    Weekdays count from Sunday, 0, to Saturday, 6.
    """

    seconds: Sequence[int]
    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int]
    months: Sequence[int]
    weekdays: Sequence[int]

    def next_run(self, after: datetime) -> datetime:
        """Return the next whole second that all fields fit. ValueError: there is none."""
        utc = after.astimezone(timezone.utc)
        if self._fits(utc):
            later = self._time_after(utc.time())
            if later is not None:
                return datetime.combine(utc, later, timezone.utc)
        day = utc
        for _ in range(_LONGEST_GAP_DAYS):
            day += _DAY
            if self._fits(day):
                first = time(self.hours[0], self.minutes[0], self.seconds[0])
                return datetime.combine(day, first, timezone.utc)
        raise ValueError("it never comes to pass")

    def _fits(self, day: datetime) -> bool:
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.weekdays
        )

    def _time_after(self, now: time) -> time | None:
        """Return the first time later on the same day."""
        for hour in self.hours:
            if hour > now.hour:
                return time(hour, self.minutes[0], self.seconds[0])
            if hour < now.hour:
                continue
            for minute in self.minutes:
                if minute > now.minute:
                    return time(hour, minute, self.seconds[0])
                if minute < now.minute:
                    continue
                for second in self.seconds:
                    if second > now.second:
                        return time(hour, minute, second)
        return None


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: Sequence[str] = ()

    def parse(self, text: str) -> tuple[int, ...]:
        """Return the values of a list of values and ranges, with or without steps."""
        found: set[int] = set()
        for item in text.split(","):
            found |= self._parse_item(item)
        return tuple(sorted(found))

    def _parse_item(self, item: str) -> set[int]:
        span, slash, step_text = item.partition("/")
        if slash and not re.fullmatch(r"[0-9]{1,9}", step_text):
            raise ValueError(f"{step_text!r} is no step of the {self.name}")
        step = max(int(step_text), 1) if slash else 1
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = self.low, self.high
        elif dash:
            low, high = sorted((self._value(first), self._value(last)))
        else:
            low = self._value(span)
            high = self.high if slash else low
        return set(range(low, high + 1, step))

    def _value(self, text: str) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text):
            value = int(text)
            if self.low <= value <= self.high:
                return value
        elif text:
            for place, name in enumerate(self.names):
                if name.startswith(text.lower()):
                    return self.low + place
        names = f", or {', '.join(self.names)}" if self.names else ""
        raise ValueError(f"the {self.name} has {text!r}, expected {self.low} to {self.high}{names}")


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


def parse_schedule(text: str) -> Schedule:
    """Read a schedule: six fields beginning with seconds, five without them, or a time span.

    Raises:
        ValueError: it is none, or never comes to pass.
    """
    if len(text) > _MOST_TEXT:
        raise ValueError(f"a schedule of {len(text)} characters; at most {_MOST_TEXT} are read")
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) == 1:
        return _parse_interval(fields[0])
    if len(fields) != 6:
        raise _no_schedule(text)
    try:
        cron = Cron(*(field.parse(part) for field, part in zip(_FIELDS, fields, strict=True)))
        cron.next_run(datetime(2000, 1, 1, tzinfo=timezone.utc))
    except ValueError as error:
        raise ValueError(f"{text!r} is no schedule: {error}") from error
    return cron


def _parse_interval(text: str) -> Interval:
    try:
        length = timedelta(seconds=parse_time_span(text))
    except ValueError as error:
        raise _no_schedule(text) from error
    if not length:
        raise ValueError(f"{text!r} is no time to wait")
    return Interval(length)


def _no_schedule(text: str) -> ValueError:
    return ValueError(
        f"{text!r} is no schedule, expected six fields "
        "{second} {minute} {hour} {day} {month} {day of week}, or a time span"
    )
