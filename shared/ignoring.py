"""Why a good backup set is not restored, in the words that users see. Pure.

The planner's reasons are those of RESTORE; users know finer ones, which tell what the set was
made superfluous by. The status of a migration and a plan of a folder say the same of a set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.backupset import BackupSet, BackupType
from shared.lsn import Lsn
from shared.records import RestoredBackup
from shared.restore_rules import Reason, Rejection
from shared.vocabulary import IgnoreReason

IGNORED_BECAUSE = {
    IgnoreReason.OLDER_THAN_FULL_BACKUP: "it ends before the full backup that is restored does",
    IgnoreReason.COVERED_BY_DIFFERENTIAL: "the restored differential holds everything in it",
    IgnoreReason.SUPERSEDED_DIFFERENTIAL: "a newer differential is used",
    IgnoreReason.DIFFERENTIAL_AFTER_LOG: "logs beyond its end are restored already",
    IgnoreReason.NOT_BASED_ON_THIS_FULL: "it is based on another full backup",
    IgnoreReason.LATER_FULL_BACKUP: "restoring began with another full backup, whose logs go on",
    IgnoreReason.NOTHING_TO_APPLY: "the sets that are restored hold everything in it",
    IgnoreReason.ALREADY_RESTORED: "it is a second copy of a file of the same backup set",
    IgnoreReason.OTHER_RECOVERY_FORK: "it is of another recovery fork of the database",
    IgnoreReason.AFTER_LAST_BACKUP: "it lies behind the named last backup",
    IgnoreReason.ARRIVED_AFTER_CUTOVER: "it lies behind the last backup of the cutover",
    IgnoreReason.BEYOND_STOP_POINT: "it lies behind the stop point",
}


class Used(NamedTuple):
    """How far the sets reach that are, or are to be, restored: fulls, differentials, and all."""

    full_end: Lsn | None
    differential_end: Lsn | None
    end: Lsn | None

    @classmethod
    def by(cls, sets: Iterable[RestoredBackup | BackupSet]) -> Used:
        """Return how far these sets reach."""
        ends: dict[BackupType, Lsn] = {}
        for backup in sets:
            known = ends.get(backup.backup_type, backup.last_lsn)
            ends[backup.backup_type] = max(known, backup.last_lsn)
        return cls(
            ends.get(BackupType.DATABASE),
            ends.get(BackupType.DIFFERENTIAL),
            max(ends.values(), default=None),
        )


def ignore_reason(
    backup: BackupSet, rejection: Rejection, used: Used, *, behind_end: IgnoreReason
) -> IgnoreReason:
    """Return why a set is ignored; `behind_end` is the word for sets behind the requested end.

    Not for sets that may still be restored: behind a gap, or with files missing.
    """
    kind, reason = backup.backup_type, rejection.reason
    if reason is Reason.WRONG_FORK:
        return IgnoreReason.OTHER_RECOVERY_FORK
    if reason is Reason.AFTER_TARGET and not _within(backup, used.end):
        return behind_end
    if _within(backup, used.full_end):
        return IgnoreReason.OLDER_THAN_FULL_BACKUP
    if kind is BackupType.DATABASE:
        return IgnoreReason.LATER_FULL_BACKUP
    if reason is Reason.WRONG_BASE:
        return IgnoreReason.NOT_BASED_ON_THIS_FULL
    if kind is BackupType.DIFFERENTIAL:
        if reason is Reason.SUPERSEDED or _within(backup, used.differential_end):
            return IgnoreReason.SUPERSEDED_DIFFERENTIAL
        return IgnoreReason.DIFFERENTIAL_AFTER_LOG
    if _within(backup, used.differential_end):
        return IgnoreReason.COVERED_BY_DIFFERENTIAL
    return IgnoreReason.NOTHING_TO_APPLY


def _within(backup: BackupSet, end: Lsn | None) -> bool:
    return end is not None and backup.last_lsn <= end
