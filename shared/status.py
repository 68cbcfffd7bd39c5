"""Builds the status JSON of a migration from what the catalog holds. Pure.

The status accounts for every file: each is restored, restoring, queued, skipped or unusable, and
the last two say why. It is planned anew from the catalog and the target's last known position, so
it needs no connection to the target.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.backupset import BackupSet, BackupType, merge_families
from shared.chain import MissingFamilies, MissingLog, Plan, PlanStatus, plan_restore
from shared.estimating import MEGABYTE, Estimates, Pending, done_of, estimate
from shared.folder import below, sort_contents
from shared.ignoring import IGNORED_BECAUSE, Used, ignore_reason
from shared.models import (
    AzureBlobLocation,
    BackupConfiguration,
    BackupFileInfo,
    BackupSetInfo,
    ChainGap,
    InvalidFile,
    Migration,
    MigrationFailure,
    MigrationProperties,
    MigrationStatusDetails,
    MigrationStatusWarnings,
    MissingStripes,
    OfflineConfiguration,
    RestoredUpTo,
    SourceLocation,
    TargetServer,
    VerifyingFile,
)
from shared.outlook import goal_of, position_of, status_by_order
from shared.readiness import Scan, judge_readiness
from shared.records import FileRecord, MigrationOrder, MigrationProgress, RestoredBackup
from shared.restore_rules import Reason
from shared.verifying import percent_of
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


def summarise(order: MigrationOrder, progress: MigrationProgress) -> Migration:
    """Return the entry of a migration in a list: everything but the details."""
    return Migration(
        id=order.id, name=order.target_database, properties=_properties(order, progress)
    )


def describe(
    order: MigrationOrder,
    progress: MigrationProgress,
    files: Sequence[FileRecord],
    restored: Sequence[RestoredBackup],
    container: str,
    scan: Scan,
) -> Migration:
    """Return a migration with all its details."""
    account = take_account(order, progress, files, restored)
    short = summarise(order, progress)
    properties = short.properties.model_copy(
        update={
            "backup_configuration": _location(order, container),
            "migration_status_details": _details(
                order,
                progress,
                files,
                account,
                container,
                scan,
                _expect(order, progress, account, restored),
            ),
        }
    )
    return short.model_copy(update={"properties": properties})


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
    plan = plan_restore(contents.own, position_of(progress), goal_of(order))
    when = {r.backup_set_guid: r for r in restored}
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
        rejection = self._plan.rejected.get(guid)
        if guid in self._planned or rejection is None:
            return SetStatus.QUEUED, []
        if rejection.reason is Reason.INCOMPLETE_SET:
            return SetStatus.NONE, []
        if rejection.reason is Reason.GAP:
            return SetStatus.QUEUED, []
        behind_end = (
            IgnoreReason.ARRIVED_AFTER_CUTOVER
            if self._order.cutover is not None
            else IgnoreReason.AFTER_LAST_BACKUP
        )
        reason = ignore_reason(backup, rejection, self._used, behind_end=behind_end)
        return SetStatus.SKIPPED, [reason]

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


def _properties(order: MigrationOrder, progress: MigrationProgress) -> MigrationProperties:
    server, source = progress.server, progress.source
    ordered = None if progress.status.is_final else status_by_order(order, progress)
    return MigrationProperties(
        scope=order.target,
        migration_status=ordered or progress.status,
        started_on=order.created_on,
        ended_on=progress.ended_on,
        source_database_name=source.database_name if source else order.source_database_name,
        source_server_name=source.server_name if source else None,
        migration_operation_id=order.operation_id,
        priority=order.priority,
        adopt=order.adopt,
        verify=order.verify,
        restart_of=order.restart_of,
        migration_failure_error=_failure(progress, order.folder),
        backup_configuration=_location(order, None),
        offline_configuration=OfflineConfiguration(
            offline=order.offline, last_backup_name=order.last_backup_name
        ),
        target_server=TargetServer(
            server_name=server.server_name,
            product_version=server.product_version,
            edition=server.edition,
            simulated=server.simulated,
        )
        if server
        else None,
        migration_status_warnings=_warnings(progress),
        restored_up_to=_up_to(progress.last_restored),
    )


def _failure(progress: MigrationProgress, folder: str) -> MigrationFailure | None:
    why = progress.failure
    if why is None:
        return None
    return MigrationFailure(
        code=why.code,
        message=why.message,
        action=why.action,
        sql_error_number=why.sql_error_number,
        file=below(why.file, folder) if why.file else None,
    )


def _location(order: MigrationOrder, container: str | None) -> BackupConfiguration:
    return BackupConfiguration(
        source_location=SourceLocation(
            azure_blob=AzureBlobLocation(blob_container_name=container, folder=order.folder)
        )
    )


def _warnings(progress: MigrationProgress) -> MigrationStatusWarnings:
    why = progress.blocking
    shown = (why, progress.complete_error, progress.failure)
    return MigrationStatusWarnings(
        restore_blocking_reason=why.reason if why else None,
        restore_blocking_reason_code=why.code if why else None,
        complete_restore_error_message=progress.complete_error,
        file_upload_blocking_error_count=0,
        warning_count=sum(item is not None for item in shown),
    )


def _details(
    order: MigrationOrder,
    progress: MigrationProgress,
    files: Sequence[FileRecord],
    account: Account,
    container: str,
    scan: Scan,
    expected: Estimates,
) -> MigrationStatusDetails:
    last, why, current = progress.last_restored, progress.blocking, progress.current
    newest = max(files, key=lambda file: (file.arrived_on, file.name), default=None)
    infos = {info.backup_set_id: info for info in account.sets if info.is_backup_restored}
    up_to = _up_to(last)
    gap = _gap(account.plan, last, order.folder)
    done, whole = _sizes(account, progress)
    verifying = _verifying(files, order.folder)
    return MigrationStatusDetails(
        migration_state=progress.state,
        restore_state=progress.restore_state,
        blob_container_name=container,
        is_full_backup_restored=progress.has_full,
        full_backup_set_info=infos.get(progress.full_backup.backup_set_guid)
        if progress.full_backup
        else None,
        last_restored_backup_set_info=infos.get(last.backup_set_guid) if last else None,
        active_backup_sets=account.sets,
        waiting_for=progress.waiting_for,
        restore_queue_place=progress.queue_place,
        restore_blocking_reason=why.reason if why else None,
        restore_blocking_reason_code=why.code if why else None,
        restore_blocking_action=why.action if why else None,
        restore_blocked_since=why.since if why else None,
        complete_restore_error_message=progress.complete_error,
        restores_with=progress.restores_with,
        current_restoring_filename=below(current.files[0], order.folder) if current else None,
        current_restore_percent_completed=current.percent if current else None,
        restore_percent_completed=round(100 * done / whole, 1) if whole else None,
        current_restored_size=round(done / MEGABYTE, 3),
        current_restore_plan_size=round(whole / MEGABYTE, 3),
        last_restored_filename=below(last.files[0], order.folder) if last else None,
        last_restored_file_time=last.restored_on if last else None,
        last_uploaded_file_name=below(newest.name, order.folder) if newest else None,
        last_uploaded_file_time=newest.arrived_on if newest else None,
        pending_log_backups_count=account.of_type(BackupType.LOG.word, SetStatus.QUEUED),
        pending_diff_backups_count=account.of_type(BackupType.DIFFERENTIAL.word, SetStatus.QUEUED),
        detected_files=len(files),
        queued_files=account.counts[SetStatus.QUEUED] + account.counts[SetStatus.NONE],
        skipped_files=account.counts[SetStatus.SKIPPED],
        restoring_files=account.counts[SetStatus.RESTORING],
        restored_files=account.counts[SetStatus.RESTORED],
        unrestorable_files=len(account.invalid),
        invalid_files=[file.file_name for file in account.invalid],
        invalid_file_details=account.invalid,
        chain_gap=gap,
        waiting_for_stripes=_missing_stripes(account),
        verifying_files=verifying,
        restored_up_to=up_to,
        estimated_restore_seconds_remaining=_whole(expected.remaining_s),
        estimated_cutover_seconds=_whole(expected.cutover_s),
        estimate_basis=expected.basis,
        restore_throughput_mbps=_rounded(expected.throughput_mbps),
        cutover_readiness=judge_readiness(
            order, progress, account.sets, account.invalid, gap, up_to, verifying, scan
        ).model_copy(
            update={
                "estimated_cutover_seconds": _whole(expected.cutover_s),
                "estimate_basis": expected.cutover_basis,
            }
        ),
    )


def _expect(
    order: MigrationOrder,
    progress: MigrationProgress,
    account: Account,
    restored: Sequence[RestoredBackup],
) -> Estimates:
    """Estimate what is left to do of a migration that goes on."""
    if progress.status.is_final or order.cancel is not None:
        return Estimates()
    sizes: dict[UUID, int] = {}
    for info in account.sets:
        size = sum(file.total_size for file in info.list_of_backup_files)
        # Copies of files are listed by themselves.
        sizes[info.backup_set_id] = max(size, sizes.get(info.backup_set_id, 0))
    pending = [
        Pending(sizes.get(guid, 0), done_of(progress.current, guid))
        for guid in (step.backup.backup_set_guid for step in account.plan.steps)
    ]
    is_open = not order.offline and order.cutover is None
    awaits_tail = is_open and account.plan.status is not PlanStatus.COMPLETE
    return estimate(restored, pending, sizes, awaits_tail=awaits_tail)


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)


def _up_to(last: RestoredBackup | None) -> RestoredUpTo | None:
    if last is None:
        return None
    return RestoredUpTo(last_lsn=last.last_lsn, backup_finish_date=last.backup_finish_date)


def _gap(plan: Plan, last: RestoredBackup | None, folder: str) -> ChainGap | None:
    missing = plan.waiting_for
    if not isinstance(missing, MissingLog):
        return None
    after = plan.steps[-1].backup.files[0].name if plan.steps else last and last.files[0]
    return ChainGap(
        after_file_name=below(after, folder) if after else None,
        after_last_lsn=missing.lsn,
        before_file_name=below(missing.before.files[0].name, folder) if missing.before else None,
        before_first_lsn=missing.before.first_lsn if missing.before else None,
    )


def _sizes(account: Account, progress: MigrationProgress) -> tuple[float, float]:
    """Return the bytes that are restored, and those that are when the present plan is done."""
    planned = {step.backup.backup_set_guid for step in account.plan.steps}
    queued = sum(
        file.total_size
        for info in account.sets
        if info.restore_status is SetStatus.QUEUED and info.backup_set_id in planned
        for file in info.list_of_backup_files
    )
    restored, restoring = (account.sizes[s] for s in (SetStatus.RESTORED, SetStatus.RESTORING))
    percent = progress.current.percent if progress.current else 0.0
    return restored + restoring * percent / 100, restored + restoring + queued


def _verifying(files: Sequence[FileRecord], folder: str) -> list[VerifyingFile]:
    return [
        VerifyingFile(
            file_name=below(file.name, folder),
            level=file.verifying.level,
            percent_completed=percent_of(file.verifying),
            total_size=file.size,
        )
        for file in sorted(files, key=lambda file: file.name)
        if file.verifying is not None
    ]


def _missing_stripes(account: Account) -> list[MissingStripes]:
    missing = account.plan.waiting_for
    if not isinstance(missing, MissingFamilies):
        return []
    return [
        MissingStripes(
            backup_set_id=missing.backup.backup_set_guid,
            family_count=missing.backup.family_count,
            present_sequence_numbers=[f.family_sequence_number for f in missing.backup.files],
            missing_sequence_numbers=list(missing.families),
            waiting_since=min(account.files[f.name].arrived_on for f in missing.backup.files),
        )
    ]
