"""What SQL Server accepts next: the rules of RESTORE for one set and one position. Pure.

Source: Microsoft Learn, "Restore and Recovery Overview", "Apply Transaction Log Backups",
"Recovery Paths", and the list of Database Engine errors 3000-4999.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.differential_base import Base, KnownFulls, is_base_of
from shared.lsn import Lsn


class Reason(str, Enum):
    """Why a set is not restored."""

    ALREADY_COVERED = "already_covered"
    SUPERSEDED = "superseded"
    GAP = "gap"
    WRONG_BASE = "wrong_base"
    WRONG_FORK = "wrong_fork"
    INCOMPLETE_SET = "incomplete_set"
    APPENDED_MEDIA = "appended_media"
    UNSUPPORTED_TYPE = "unsupported_type"
    DAMAGED = "damaged"
    AFTER_TARGET = "after_target"
    BULK_LOGGED_STOP = "bulk_logged_stop"
    MIXED_DATABASES = "mixed_databases"
    FILE_UNREADABLE = "file_unreadable"
    TARGET_EXISTS = "target_exists"
    BAD_HEADER = "bad_header"
    AMBIGUOUS_DATABASE = "ambiguous_database"
    NOT_WANTED = "not_wanted"


class Rejection(NamedTuple):
    """Why a set is not restored, and the number a server raises if it is tried, if any."""

    reason: Reason
    error: int | None = None


class Reached(NamedTuple):
    """A point that a restore has reached. Unknown parts are None and never refuse anything.

    The exception is the base: a differential that cannot be matched with it is refused. After a
    copy-only full it is None, because no differential names such a full as its base.
    """

    redo: Lsn
    fork: UUID | None
    base_lsn: Lsn | None
    base_guid: UUID | None

    @property
    def base(self) -> Base:
        """The differential base."""
        return Base(self.base_lsn, self.base_guid)


RESTORABLE = (BackupType.DATABASE, BackupType.DIFFERENTIAL, BackupType.LOG)


def flaw_of(backup: BackupSet) -> Rejection | None:
    """Return what makes a set unusable at any position, or None."""
    if backup.backup_type not in RESTORABLE:
        return Rejection(Reason.UNSUPPORTED_TYPE)
    if backup.position != 1:
        return Rejection(Reason.APPENDED_MEDIA)
    if backup.is_damaged:
        return Rejection(Reason.DAMAGED, 3182)
    if backup.last_lsn < backup.first_lsn:
        return Rejection(Reason.BAD_HEADER)
    if backup.missing_families:
        return Rejection(Reason.INCOMPLETE_SET, 3132)
    return None


def refusal_at(reached: Reached, backup: BackupSet) -> Rejection | None:
    """Return why a differential or log does not fit at a position, or None if it does."""
    if backup.backup_type is BackupType.DIFFERENTIAL:
        return _differential_refusal(reached, backup)
    return _log_refusal(reached, backup)


def _differential_refusal(reached: Reached, backup: BackupSet) -> Rejection | None:
    if not is_base_of(reached.base, backup):
        return Rejection(Reason.WRONG_BASE, 3136)
    if backup.last_lsn <= reached.redo:
        return Rejection(Reason.ALREADY_COVERED, 3120)
    if _differ(backup.recovery_fork_id, reached.fork):
        return Rejection(Reason.WRONG_FORK, 4330)
    return None


def _log_refusal(reached: Reached, log: BackupSet) -> Rejection | None:
    if log.last_lsn <= reached.redo:
        return Rejection(Reason.ALREADY_COVERED, 4326)
    if log.first_lsn > reached.redo:
        return Rejection(Reason.GAP, 4305)
    if not _on_path(reached, log):
        return Rejection(Reason.WRONG_FORK, 4330)
    return None


def _on_path(reached: Reached, log: BackupSet) -> bool:
    """Tell whether a log continues the recovery path of the target.

    A log that crosses to another fork fits before the fork point on the old one, or behind it
    on the new one; any other log fits on its own fork only.
    """
    first, last, point = log.first_recovery_fork_id, log.recovery_fork_id, log.fork_point_lsn
    if reached.fork is None or first is None or last is None:
        return True
    if reached.fork == first:
        return first == last or point is None or reached.redo <= point
    return reached.fork == last and (point is None or reached.redo >= point)


def holds_stop(log: BackupSet, stop_at: datetime | Lsn | None) -> bool:
    """Tell whether a log may hold a stop time, if any: it was finished then or later.

    The finish is only an upper bound for what is in a log. A stop close to it may turn out to lie
    in the next log (message 4322). A stop at an LSN is in the log that ends behind it.
    """
    if isinstance(stop_at, Lsn):
        return log.last_lsn > stop_at
    finish = log.backup_finish_date
    return stop_at is not None and finish is not None and finish >= stop_at


def is_bulk_inside(log: BackupSet, stop_at: datetime | Lsn | None) -> bool:
    """Tell whether a stop would lie inside a log with bulk-logged changes, not at its end."""
    return (
        log.has_bulk_logged_data and holds_stop(log, stop_at) and log.backup_finish_date != stop_at
    )


def after(reached: Reached | None, backup: BackupSet, fulls: KnownFulls) -> Reached:
    """Return the position after a set was restored; `reached` may be None for a full only."""
    fork = backup.recovery_fork_id
    if backup.backup_type is BackupType.DATABASE or reached is None:
        if backup.is_copy_only:
            return Reached(backup.last_lsn, fork, None, None)
        return Reached(backup.last_lsn, fork, backup.checkpoint_lsn, backup.backup_set_guid)
    base = reached.base
    if backup.backup_type is BackupType.LOG:
        base = fulls.rolled_over(reached.redo, backup) or base
    return Reached(backup.last_lsn, fork, *base)


def _differ(one: UUID | None, other: UUID | None) -> bool:
    return one is not None and other is not None and one != other
