"""The point in the source's log at which a cutover ends: a time, an LSN, or a mark. Pure.

A time is local to the source server, as the dates in its backups are, and has no zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from shared.json_model import Json
from shared.lsn import Lsn

_TICKS = 300
_MICROSECONDS = 1_000_000
_FIRST_YEAR = 1753


def _local(moment: datetime) -> datetime:
    """Return a time as SQL Server's datetime holds it, never a later one: 1/300 s is one tick."""
    if moment.tzinfo is not None:
        raise ValueError(
            "give it in local time of the source server, as its backups' dates are, without a zone"
        )
    if moment.year < _FIRST_YEAR:
        raise ValueError(f"SQL Server's datetime begins with the year {_FIRST_YEAR}")
    ticks = moment.microsecond * _TICKS // _MICROSECONDS
    # A tick is shown with three digits, and what is shown is read as the same tick again.
    shown = [_shown(tick) for tick in (ticks - 1, ticks, ticks + 1)]
    return moment.replace(microsecond=max(each for each in shown if each <= moment.microsecond))


def _shown(tick: int) -> int:
    return round(tick * 1000 / _TICKS) * 1000


LocalTime = Annotated[datetime, AfterValidator(_local)]


class StopPoint(Json):
    """`stopAt` of a cutover: everything up to here is restored, and nothing behind it.

    With `before` the marked transaction itself, or the log record at the LSN, is left out. A mark
    may be used several times; the first one that was set at `after` or later counts.
    """

    time: LocalTime | None = None
    lsn: Lsn | None = None
    mark: str | None = Field(default=None, min_length=1, max_length=128)
    before: bool = False
    after: LocalTime | None = None

    @model_validator(mode="after")
    def _is_one_point(self) -> StopPoint:
        if [self.time, self.lsn, self.mark].count(None) != 2:
            raise ValueError("give exactly one of time, lsn and mark")
        if self.before and self.time is not None:
            raise ValueError("before belongs to lsn or mark; a time needs no such choice")
        if self.after is not None and self.mark is None:
            raise ValueError("after belongs to mark")
        if self.mark is not None and self.mark.lower().startswith("lsn:"):
            raise ValueError("give an LSN as lsn, not as the name of a mark")
        return self

    @property
    def plain(self) -> datetime | Lsn | None:
        """The point as headers can tell whether a backup reaches it; None for a mark."""
        return self.time if self.time is not None else self.lsn

    def __str__(self) -> str:
        if self.time is not None:
            return f"the time {self.time.isoformat(sep=' ')} (local to the source)"
        which = f"LSN {self.lsn}" if self.lsn is not None else f"mark {self.mark!r}"
        since = f", set at {self.after.isoformat(sep=' ')} or later" if self.after else ""
        return ("the point before " if self.before else "") + which + since
