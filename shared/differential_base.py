"""The differential base of a database: the full backup that a differential holds the changes since.

It is identified by the GUID of the full or by its checkpoint LSN. Pure.
Source: Microsoft Learn, "Differential Backups (SQL Server)", "sys.master_files".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.lsn import Lsn


class Base(NamedTuple):
    """A differential base, as far as it is known. One that is not known cannot be matched."""

    lsn: Lsn | None
    guid: UUID | None


def is_base_of(base: Base, differential: BackupSet) -> bool:
    """Tell whether a differential was taken on a base.

    The GUID decides if both are known, else the checkpoint LSN.
    """
    if base.guid is not None and differential.differential_base_guid is not None:
        return base.guid == differential.differential_base_guid
    return base.lsn is not None and base.lsn == _named_lsn(differential)


def _named_lsn(differential: BackupSet) -> Lsn:
    return differential.differential_base_lsn or differential.database_backup_lsn


class KnownFulls:
    """The conventional full backups that are known, usable or not, by their checkpoints."""

    def __init__(self, sets: Iterable[BackupSet]) -> None:
        """Take the full backups from `sets`; a copy-only one is never a base."""
        self._fulls = sorted(
            (s for s in sets if s.backup_type is BackupType.DATABASE and not s.is_copy_only),
            key=lambda s: (s.checkpoint_lsn, s.backup_set_guid),
        )
        self._checkpoints = [s.checkpoint_lsn for s in self._fulls]

    def rolled_over(self, redo: Lsn, log: BackupSet) -> Base | None:
        """Return the base that a log leaves behind when it is applied from `redo`, if a new one.

        Rolling through the checkpoint of a conventional full makes that full the base, as it
        happened at the source. The log names the latest such checkpoint itself, so that of a full
        that nobody has uploaded counts as well, though its GUID is not known then.
        """
        begin, end = (bisect_left(self._checkpoints, lsn) for lsn in (redo, log.last_lsn))
        passed = (full for full in reversed(self._fulls[begin:end]) if _is_passed_by(log, full))
        newest = next(passed, None)
        named = log.database_backup_lsn
        if redo <= named < log.last_lsn and (newest is None or named > newest.checkpoint_lsn):
            return Base(named, None)
        return Base(newest.checkpoint_lsn, newest.backup_set_guid) if newest else None


def _is_passed_by(log: BackupSet, full: BackupSet) -> bool:
    """Tell whether a log holds the checkpoint of a full, not another fork's at the same LSN."""
    fork = _fork_at(log, full.checkpoint_lsn)
    return fork is None or full.recovery_fork_id in (None, fork)


def _fork_at(log: BackupSet, lsn: Lsn) -> UUID | None:
    """Return the fork that a log is on at an LSN; one that crosses may not tell where it does."""
    if log.first_recovery_fork_id == log.recovery_fork_id:
        return log.recovery_fork_id
    if log.fork_point_lsn is None:
        return None
    return log.first_recovery_fork_id if lsn < log.fork_point_lsn else log.recovery_fork_id


class DifferentialsByBase:
    """Differential backups, found by their base."""

    def __init__(self, differentials: Sequence[BackupSet]) -> None:
        """Index `differentials`; what is found keeps their order."""
        self._by_guid: dict[UUID | None, list[BackupSet]] = {}
        self._by_lsn: dict[Lsn, list[BackupSet]] = {}
        for backup in differentials:
            self._by_guid.setdefault(backup.differential_base_guid, []).append(backup)
            self._by_lsn.setdefault(_named_lsn(backup), []).append(backup)

    def on(self, base: Base) -> list[BackupSet]:
        """Return the differentials that were taken on a base."""
        by_guid = self._by_guid.get(base.guid, []) if base.guid else []
        by_lsn = self._by_lsn.get(base.lsn, []) if base.lsn else []
        found = {s.backup_set_guid: s for s in (*by_guid, *by_lsn) if is_base_of(base, s)}
        return list(found.values())
