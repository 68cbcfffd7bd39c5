"""Finds a place for every file of a migration: restored, queued, skipped or unusable. Pure.

Each is counted once, and the last two say why. The plan is made anew from what the catalog knows
and the target's last known position, so no connection to the target is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.backupset import BackupSet, merge_families
from shared.chain import Plan, plan_restore
from shared.estimating import MEGABYTE
from shared.folder import below, sort_contents
from shared.ignoring import IGNORED_BECAUSE, Used, ignore_reason
from shared.models import BackupFileInfo, BackupSetInfo, InvalidFile
from shared.outlook import goal_of, position_of
from shared.records import FileRecord, MigrationOrder, MigrationProgress, RestoredBackup
from shared.restore_rules import Reason
from shared.stopping import is_reached, stop_of
from shared.vocabulary import (
    FileStatus,
    IgnoreReason,
    InvalidReason,
    MigrationStatus,
    SetStatus,
)

_FILE_STATUS = {
    SetStatus.NONE: FileStatus.ARRIVED,
    SetStatus.SKIPPED: FileStatus.IGNORED,
    SetStatus.QUEUED: FileStatus.UPLOADED,
    SetStatus.RESTORING: FileStatus.RESTORING,
    SetStatus.RESTORED: FileStatus.RESTORED,
}


@dataclass(frozen=True)
class Account:
    """Every file of a migration, accounted for; `files` has them by name."""

    plan: Plan
    files: Mapping[str, FileRecord]
    sets: list[BackupSetInfo]
    invalid: list[InvalidFile]
    counts: Counter[SetStatus] = field(default_factory=Counter)
    sizes: Counter[SetStatus] = field(default_factory=Counter)

    def of_type(self, word: str, status: SetStatus) -> int:
        """Count the sets of a type with a status."""
        return sum(s.backup_type == word and s.restore_status is status for s in self.sets)


def take_account(
    order: MigrationOrder,
    progress: MigrationProgress,
    files: Sequence[FileRecord],
    restored: Sequence[RestoredBackup],
) -> Account:
    """Find a place for every file of a migration.

    What is being verified counts in the plan as if it were good.
    """
    by_name = {file.name: file for file in files}
    merged = merge_families(part for file in files if (part := file.claimed) is not None)
    contents = sort_contents(merged, progress.source, order.source_database_name)
    when = {r.backup_set_guid: r for r in restored}
    # How a restored log ended is known; its header alone could tell of a stop point otherwise.
    is_stopping = stop_of(order) is not None
    ahead = [s for s in contents.own if not (is_stopping and s.backup_set_guid in when)]
    plan = plan_restore(ahead, position_of(progress), goal_of(order))
    teller = _Teller(order, progress, plan, when)
    sets = [teller.describe(s, [by_name[f.name] for f in s.files]) for s in contents.own]
    sets.extend(teller.describe_copy(s, by_name[f.name]) for s in contents.own for f in s.copies)
    own = contents.source.database_name if contents.source else order.source_database_name
    invalid = [_refused(file, order) for file in files if file.refusal is not None]
    invalid.extend(
        _of_other_database(by_name[file.name], backup, own or order.target_database, order)
        for backup in contents.foreign
        for file in (*backup.files, *backup.copies)
    )
    sets.sort(key=lambda s: (s.last_lsn, s.first_lsn, str(s.backup_set_id)), reverse=True)
    invalid.sort(key=lambda f: f.file_name)
    account = Account(plan, by_name, sets, invalid)
    for info in sets:
        for file in info.list_of_backup_files:
            account.counts[info.restore_status] += 1
            account.sizes[info.restore_status] += file.total_size
    return account


class _Teller:
    """Tells the state of each set of a migration."""

    def __init__(
        self,
        order: MigrationOrder,
        progress: MigrationProgress,
        plan: Plan,
        restored: dict[UUID, RestoredBackup],
    ) -> None:
        self._order = order
        self._canceled = progress.status is MigrationStatus.CANCELED
        self._current = progress.current
        self._plan = plan
        self._restored = restored
        stop, last = stop_of(order), progress.last_restored
        stopped = stop is not None and is_reached(progress, stop)
        self._stopped_by = last.last_lsn if last is not None and stopped else None
        self._planned = {step.backup.backup_set_guid for step in plan.steps}
        used: list[RestoredBackup | BackupSet] = [*restored.values()]
        used.extend(step.backup for step in plan.steps)
        self._used = Used.by(used)

    def describe(self, backup: BackupSet, files: Sequence[FileRecord]) -> BackupSetInfo:
        status, reasons = self._state_of(backup)
        if status is SetStatus.QUEUED and any(file.verifying for file in files):
            status = SetStatus.NONE
        return self._info(backup, files, status, reasons)

    def describe_copy(self, backup: BackupSet, file: FileRecord) -> BackupSetInfo:
        """Describe a file that is a second copy of a family of a set."""
        return self._info(backup, [file], SetStatus.SKIPPED, [IgnoreReason.ALREADY_RESTORED])

    def _state_of(self, backup: BackupSet) -> tuple[SetStatus, list[IgnoreReason]]:
        guid = backup.backup_set_guid
        if guid in self._restored:
            return SetStatus.RESTORED, []
        if self._current and guid == self._current.backup_set_guid:
            return SetStatus.RESTORING, []
        if self._stopped_by is not None and backup.last_lsn > self._stopped_by:
            return SetStatus.SKIPPED, [IgnoreReason.BEYOND_STOP_POINT]
        rejection = self._plan.rejected.get(guid)
        if guid in self._planned or rejection is None:
            return SetStatus.QUEUED, []
        if rejection.reason is Reason.INCOMPLETE_SET:
            return SetStatus.NONE, []
        if rejection.reason is Reason.GAP:
            return SetStatus.QUEUED, []
        reason = ignore_reason(backup, rejection, self._used, behind_end=self._behind_end())
        return SetStatus.SKIPPED, [reason]

    def _behind_end(self) -> IgnoreReason:
        """Return why what lies behind the end of the migration is ignored."""
        cutover = self._order.cutover
        if cutover is None:
            return IgnoreReason.AFTER_LAST_BACKUP
        if cutover.stop is not None:
            return IgnoreReason.BEYOND_STOP_POINT
        return IgnoreReason.ARRIVED_AFTER_CUTOVER

    def _info(
        self,
        backup: BackupSet,
        files: Sequence[FileRecord],
        status: SetStatus,
        reasons: list[IgnoreReason],
    ) -> BackupSetInfo:
        header = files[0].header
        assert header is not None  # noqa: S101 for the type checker: usable files have headers
        restored = self._restored.get(backup.backup_set_guid)
        file_status = _FILE_STATUS[status]
        if self._canceled and status in (SetStatus.NONE, SetStatus.QUEUED):
            file_status = FileStatus.CANCELED
        return BackupSetInfo(
            backup_set_id=backup.backup_set_guid,
            backup_type=backup.backup_type.word,
            first_lsn=backup.first_lsn,
            last_lsn=backup.last_lsn,
            checkpoint_lsn=backup.checkpoint_lsn,
            database_backup_lsn=backup.database_backup_lsn,
            differential_base_lsn=backup.differential_base_lsn,
            recovery_fork_id=backup.recovery_fork_id,
            backup_start_date=backup.backup_start_date,
            backup_finish_date=backup.backup_finish_date,
            list_of_backup_files=[
                BackupFileInfo(
                    file_name=below(file.name, self._order.folder),
                    status=file_status,
                    total_size=file.size,
                    family_sequence_number=file.label.family_sequence_number if file.label else 1,
                    e_tag=file.etag,
                    arrived_on=file.arrived_on,
                    checked_on=file.checked_on,
                    verified=file.verified,
                    verification_notes=list(file.notes),
                )
                for file in files
            ],
            is_backup_restored=status is SetStatus.RESTORED,
            is_copy_only=backup.is_copy_only,
            backup_size=header.backup_size,
            compressed_backup_size=header.compressed_backup_size,
            has_backup_checksums=backup.has_backup_checksums,
            family_count=backup.family_count,
            number_of_stripes=backup.family_count,
            database_name=backup.database_name,
            server_name=header.server_name,
            backup_size_mb=round(header.backup_size / MEGABYTE, 3),
            restore_status=status,
            restore_start_date=self._begun_on(status, restored),
            restore_finish_date=restored.restored_on if restored else None,
            ignore_reasons=[IGNORED_BECAUSE[reason] for reason in reasons],
            ignore_reason_codes=reasons,
        )

    def _begun_on(self, status: SetStatus, restored: RestoredBackup | None) -> datetime | None:
        if status is SetStatus.RESTORING and self._current:
            return self._current.started_on
        if status is not SetStatus.RESTORED or restored is None or restored.seconds is None:
            return None
        return restored.restored_on - timedelta(seconds=restored.seconds)


def _refused(file: FileRecord, order: MigrationOrder) -> InvalidFile:
    assert file.refusal is not None  # noqa: S101 for the type checker: the caller has checked
    return InvalidFile(
        file_name=below(file.name, order.folder),
        reason_code=file.refusal.code,
        reason=file.refusal.reason,
        action=file.refusal.action,
        detected_on=file.checked_on,
        backup_set_id=file.header.backup_set_guid if file.header else None,
    )


def _of_other_database(
    file: FileRecord, backup: BackupSet, own: str, order: MigrationOrder
) -> InvalidFile:
    return InvalidFile(
        file_name=below(file.name, order.folder),
        reason_code=InvalidReason.WRONG_DATABASE,
        reason=f"It is a backup of {backup.database_name!r} from {backup.server_name!r}; this"
        f" folder holds {own!r}.",
        action=f"Move it to the folder of {backup.database_name!r}: one folder, one database.",
        detected_on=file.checked_on,
        backup_set_id=backup.backup_set_guid,
    )
