"""What DATEADD and DATEDIFF compute, and msdb's way of writing moments as numbers. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from local.sqlserver.errors import not_simulated, refuse

_SECONDS = {"hour": 3600, "minute": 60, "second": 1}
_PARTS = {
    "dd": "day",
    "d": "day",
    "hh": "hour",
    "mi": "minute",
    "n": "minute",
    "ss": "second",
    "s": "second",
    "ms": "millisecond",
}


def _part(name: str) -> str:
    part = _PARTS.get(name, name)
    if part not in (*_SECONDS, "day", "millisecond"):
        raise not_simulated(f"the date part {name}")
    return part


def add(name: str, number: int, moment: datetime) -> datetime:
    """Return DATEADD; raises SqlError 517 beyond the years that there are."""
    part = _part(name)
    try:
        if part == "day":
            return moment + timedelta(days=number)
        if part == "millisecond":
            return moment + timedelta(milliseconds=number)
        return moment + timedelta(seconds=number * _SECONDS[part])
    except OverflowError:
        raise refuse(517) from None


def difference(name: str, start: datetime, end: datetime) -> int:
    """Return DATEDIFF: how many boundaries of the part lie between two moments."""
    part = _part(name)
    if part == "day":
        return (end.date() - start.date()).days
    if part == "millisecond":
        return (end - start) // timedelta(milliseconds=1)
    seconds = _SECONDS[part]
    return _ordinal(end, seconds) - _ordinal(start, seconds)


def _ordinal(moment: datetime, seconds: int) -> int:
    return (
        moment.toordinal() * 86400 + moment.hour * 3600 + moment.minute * 60 + moment.second
    ) // seconds


def agent_moment(date: int, time: int) -> datetime | None:
    """Return msdb.dbo.agent_datetime of YYYYMMDD and HHMMSS; None for no date."""
    if date == 0:
        return None
    try:
        return datetime(  # noqa: DTZ001 the server's own datetime has no zone
            date // 10_000,
            date // 100 % 100,
            date % 100,
            time // 10_000,
            time // 100 % 100,
            time % 100,
        )
    except ValueError:
        raise refuse(241) from None
