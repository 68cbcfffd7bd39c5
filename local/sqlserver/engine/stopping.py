"""Stopping a roll forward before the end of a log: STOPAT and its kin. Pure.

Source: Microsoft Learn, "RESTORE Statements - Arguments" and "Recover to a Specific Point in
Time". The bytes tell when a log backup began, not when each of its records was written: between
the moment that the database has reached and the start of the log backup, time is taken to run
evenly over the LSNs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from local.sqlserver.engine.model import Position
from local.sqlserver.errors import refuse
from shared.backupset import BackupHeader, BackupType
from shared.lsn import Lsn

_LSN = re.compile(r"lsn:(\d{1,25}|0x[0-9a-f]{1,8}:[0-9a-f]{1,8}:[0-9a-f]{1,4})", re.IGNORECASE)


@dataclass(frozen=True)
class StopPoint:
    """Where to stop: at a time, or at or before a mark. A mark is a name or `lsn:n`.

    A mark that was set before `after` does not count.
    """

    time: datetime | None = None
    mark: str | None = None
    before: bool = False
    after: datetime | None = None

    @property
    def is_named(self) -> bool:
        """Whether it is the name of a mark, which only logs know."""
        return self.mark is not None and not self.mark.lower().startswith("lsn:")

    def lsn(self, marks: Mapping[str, Lsn]) -> Lsn | None:
        """Return the LSN of the mark; None for a name that no log has. Raises 4334."""
        if self.mark is None or self.is_named:
            return marks.get((self.mark or "").casefold())
        match = _LSN.fullmatch(self.mark)
        if not match:
            raise refuse(4334)
        text = match[1]
        if text.lower().startswith("0x"):
            vlf, block, slot = (int(part, 16) for part in text.split(":"))
            return Lsn.of(vlf, block, slot)
        return Lsn(int(text))


def check_data(point: StopPoint, header: BackupHeader, marks: Mapping[str, Lsn]) -> None:
    """Raise 3145, 4338 or 4340 if a full or differential cannot lead to this point."""
    if point.is_named:
        raise refuse(4340)
    if header.recovery_model == "SIMPLE":
        raise refuse(3145)
    end = header.backup_finish_date
    if point.time is not None and end is not None and point.time < end:
        raise refuse(4338)
    lsn = point.lsn(marks)
    if lsn is not None and lsn < header.last_lsn:
        raise refuse(4338)


def stop_in_log(
    point: StopPoint, position: Position, header: BackupHeader, marks: Mapping[str, Lsn]
) -> Lsn | None:
    """Return where in a log the roll forward ends; None if the point lies behind the log.

    Raises 4335 or 4338 if the database is beyond the point, 4341 for a log with bulk-logged
    changes, in which nobody can stop.
    """
    if point.time is not None:
        stop = _at_time(point.time, position, header)
    else:
        lsn = point.lsn(marks)
        if lsn is not None and point.after is not None:
            lsn = lsn if _was_set_since(point.after, lsn, position, header) else None
        stop = None if lsn is None else _at_mark(lsn, position, header, before=point.before)
    if stop is not None and header.has_bulk_logged_data:
        raise refuse(4341)
    return stop


def _was_set_since(after: datetime, lsn: Lsn, position: Position, header: BackupHeader) -> bool:
    """Tell whether a mark was set at a time or later, by where it lies between the backups."""
    if position.reached is None or after <= position.reached:
        return True
    since = _at_time(after, position, header)
    return since is not None and lsn >= since


def _at_mark(lsn: Lsn, position: Position, header: BackupHeader, *, before: bool) -> Lsn | None:
    if lsn < position.redo_start_lsn:
        raise refuse(4338)
    if lsn >= header.last_lsn:
        return None
    vlf, block, slot = lsn.parts
    return lsn if before else Lsn.of(vlf, block, slot + 1)


def _at_time(time: datetime, position: Position, header: BackupHeader) -> Lsn | None:
    reached, end = position.reached, header.backup_start_date
    if reached is not None and time < reached:
        raise refuse(4335)
    if end is None or time >= end:
        return None
    start, last = int(position.redo_start_lsn), int(header.last_lsn)
    if reached is None or end <= reached:
        return position.redo_start_lsn
    share = (time - reached) / (end - reached)
    return Lsn(start + int((last - start) * share))


def reached_by(header: BackupHeader) -> datetime | None:
    """Return the moment up to which a whole set brings a database."""
    if header.backup_type is BackupType.LOG:
        return header.backup_start_date
    return header.backup_finish_date
