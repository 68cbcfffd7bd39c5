"""What is to come of a history of backups, by the plain rules of RESTORE and not by the planner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from shared.backupset import BackupSet, BackupType


def judge(sets: Iterable[BackupSet], newest: UUID, restored: Sequence[UUID]) -> bool:
    """Hold what a server has restored, in order, against all backups that a source took.

    Returns whether it has reached the end of the newest; else it stands on a line of history that
    the source has given up since. Raises AssertionError if something was restored twice, does not
    fit behind what came before it, or was left out.
    """
    by_guid = {each.backup_set_guid: each for each in sets}
    assert restored, "nothing was restored"
    assert len(restored) == len(set(restored)), f"restored twice: {restored}"
    first, *others = [by_guid[guid] for guid in restored]
    assert first.backup_type is BackupType.DATABASE, f"it began with {_named(first)}"
    at = first
    for backup in others:
        assert _fits(backup, at, first), f"{_named(backup)} was restored behind {_named(at)}"
        at = backup
    left = [_named(each) for each in by_guid.values() if _fits(each, at, first)]
    assert not left, f"left out behind {_named(at)}: {left}"
    end = by_guid[newest]
    if at.recovery_fork_id == end.recovery_fork_id:
        assert at.last_lsn == end.last_lsn, f"it ends at {_named(at)}, not at {_named(end)}"
        return True
    return False


def _fits(backup: BackupSet, at: BackupSet, full: BackupSet) -> bool:
    """Tell whether a backup leads on from `at`, restored last; `full` is what it began with."""
    if backup.last_lsn <= at.last_lsn or not _is_of_one_line(backup, at):
        return False
    if backup.backup_type is BackupType.DIFFERENTIAL:
        return backup.differential_base_guid == full.backup_set_guid
    return backup.backup_type is BackupType.LOG and backup.first_lsn <= at.last_lsn


def _is_of_one_line(backup: BackupSet, at: BackupSet) -> bool:
    """Tell whether a backup holds the history that `at` ends with."""
    if backup.recovery_fork_id == at.recovery_fork_id:
        return True
    point = backup.fork_point_lsn
    crosses = backup.first_recovery_fork_id == at.recovery_fork_id
    return crosses and point is not None and at.last_lsn <= point


def _named(backup: BackupSet) -> str:
    return f"{backup.backup_type.word} {backup.files[0].name} to LSN {backup.last_lsn}"
