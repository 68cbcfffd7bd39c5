"""RESTORE as SQL Server does it, from its rules alone: one set and one position at a time.

`Server` says of one restore after the other what a server would: the number of an error, or a new
position. It uses nothing of the planner but the model of a backup set.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupSet, BackupType

FULL, DIFFERENTIAL, LOG = BackupType.DATABASE, BackupType.DIFFERENTIAL, BackupType.LOG


class Checkpoint(NamedTuple):
    """The checkpoint of a conventional full backup; its GUID is not known if the full is not."""

    lsn: int
    guid: UUID | None
    fork: UUID | None


class Place(NamedTuple):
    """Where a restoring database stands."""

    redo: int
    fork: UUID | None
    base: Checkpoint | None


def checkpoints_of(sets: Sequence[BackupSet]) -> list[Checkpoint]:
    """Return the checkpoints of the conventional full backups among some sets."""
    return [
        Checkpoint(s.checkpoint_lsn, s.backup_set_guid, s.recovery_fork_id)
        for s in sets
        if s.backup_type is FULL and not s.is_copy_only
    ]


class Server:
    """One database on a server, restored WITH NORECOVERY, set after set."""

    def __init__(self, checkpoints: Sequence[Checkpoint], place: Place | None = None) -> None:
        self.checkpoints = checkpoints
        self.place = place

    def restore(self, backup: BackupSet, stop_at: datetime | None = None) -> int | None:
        """Restore a set and return None, or return the number of the error and change nothing."""
        if len(backup.files) < backup.family_count:
            return 3132
        if backup.is_damaged:
            return 3182
        if backup.backup_type is FULL:
            return self._begin(backup)
        if self.place is None:
            return 3118
        if backup.backup_type is DIFFERENTIAL:
            error = refuse_differential(self.place, backup)
        else:
            error = refuse_log(self.place, backup) or _refuse_stop(backup, stop_at)
        if error is None:
            self.place = self._after(self.place, backup)
        return error

    def _begin(self, full: BackupSet) -> int | None:
        if self.place is not None:
            return 3159
        base = None
        if not full.is_copy_only:
            base = Checkpoint(full.checkpoint_lsn, full.backup_set_guid, full.recovery_fork_id)
        self.place = Place(full.last_lsn, full.recovery_fork_id, base)
        return None

    def _after(self, place: Place, backup: BackupSet) -> Place:
        base = place.base
        if backup.backup_type is LOG:
            # The log names the latest full that it knows of, even one that nobody else knows.
            named = Checkpoint(backup.database_backup_lsn, None, None)
            crossed = [
                point
                for point in (named, *self.checkpoints)
                if place.redo <= point.lsn < backup.last_lsn and _lies_on(point, backup)
            ]
            base = max(crossed, key=lambda p: (p.lsn, str(p.guid or "")), default=base)
        return Place(backup.last_lsn, backup.recovery_fork_id, base)


def _lies_on(point: Checkpoint, log: BackupSet) -> bool:
    """Tell whether a log holds a checkpoint, rather than another fork's at the same LSN."""
    first, last = log.first_recovery_fork_id, log.recovery_fork_id
    if point.fork is None or last is None:
        return True
    if first == last or log.fork_point_lsn is None:
        return point.fork in (first, last)
    return point.fork == (first if point.lsn < log.fork_point_lsn else last)


def refuse_differential(place: Place, backup: BackupSet) -> int | None:
    if place.base is None:
        return 3136
    if place.base.guid is not None and backup.differential_base_guid is not None:
        fits = place.base.guid == backup.differential_base_guid
    else:
        fits = place.base.lsn == (backup.differential_base_lsn or backup.database_backup_lsn)
    if not fits:
        return 3136
    if backup.last_lsn <= place.redo:
        return 3120
    if None not in (place.fork, backup.recovery_fork_id) and place.fork != backup.recovery_fork_id:
        return 4330
    return None


def refuse_log(place: Place, log: BackupSet) -> int | None:
    if log.last_lsn <= place.redo:
        return 4326
    if log.first_lsn > place.redo:
        return 4305
    first, last, point = log.first_recovery_fork_id, log.recovery_fork_id, log.fork_point_lsn
    if place.fork is None or first is None or last is None:
        return None
    if first == last:
        return None if place.fork == first else 4330
    if place.fork == first and (point is None or place.redo <= point):
        return None
    if place.fork == last and (point is None or place.redo >= point):
        return None
    return 4330


def _refuse_stop(log: BackupSet, stop_at: datetime | None) -> int | None:
    return 4341 if stop_at is not None and is_bulk_inside(log, stop_at) else None


def is_bulk_inside(log: BackupSet, stop_at: datetime) -> bool:
    finish = log.backup_finish_date
    return log.has_bulk_logged_data and finish is not None and finish > stop_at
