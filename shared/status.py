"""Builds the status JSON of a migration from what the catalog holds. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.account import Account, take_account
from shared.backupset import BackupType
from shared.chain import MissingFamilies, MissingLog, Plan, PlanStatus
from shared.estimating import MEGABYTE, Estimates, Pending, age_s, done_of, estimate
from shared.folder import below
from shared.models import (
    AzureBlobLocation,
    BackupConfiguration,
    ChainGap,
    CutoverStop,
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
from shared.outlook import status_by_order
from shared.preflight import listed
from shared.readiness import Scan, judge_readiness
from shared.records import (
    FileRecord,
    Measured,
    MigrationOrder,
    MigrationProgress,
    RestoredBackup,
)
from shared.rehearsal import describe_rehearsal, measured_by, rehearsed_of
from shared.standby import describe_standby
from shared.stopping import stop_of, trial_of
from shared.to_do import describe_recovered, describe_steps, list_to_do
from shared.verifying import percent_of
from shared.vocabulary import (
    SetStatus,
)


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
    rehearsal: tuple[MigrationOrder, MigrationProgress] | None = None,
    now: datetime | None = None,
) -> Migration:
    """Return a migration with all its details, and its newest rehearsal if there was one.

    Without `now` nothing is told that depends on it.
    """
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
                _expect(order, progress, account, restored, measured_by(rehearsal), now),
            ),
            "last_rehearsal": describe_rehearsal(*rehearsal) if rehearsal else None,
        }
    )
    return short.model_copy(update={"properties": properties})


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
        restore_delay_minutes=order.restore_delay_minutes,
        verify=order.verify,
        after_recovery=order.after_recovery,
        restore_options=order.restore_options,
        restart_of=order.restart_of,
        rehearsal_of=order.rehearsal.migration_id if order.rehearsal else None,
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
    failed_after = progress.aftermath.failed if progress.aftermath else 0
    return MigrationStatusWarnings(
        restore_blocking_reason=why.reason if why else None,
        restore_blocking_reason_code=why.code if why else None,
        complete_restore_error_message=progress.complete_error,
        file_upload_blocking_error_count=0,
        warning_count=sum(item is not None for item in shown) + failed_after,
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
        cutover_stop=_stop(order, progress),
        restores_with=progress.restores_with,
        standby=describe_standby(order, progress),
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
        preflight=listed(progress.preflight),
        cutover_readiness=judge_readiness(
            order, progress, account.sets, account.invalid, gap, up_to, verifying, scan
        ).model_copy(
            update={
                "data_loss_window_seconds": _whole(expected.data_loss_s),
                "estimated_cutover_seconds": _whole(expected.cutover_s),
                "estimate_basis": expected.cutover_basis,
            }
        ),
        after_recovery=describe_steps(progress.aftermath),
        recovered_database=describe_recovered(progress.aftermath, progress.server),
        to_do=list_to_do(order, progress),
    )


def _expect(
    order: MigrationOrder,
    progress: MigrationProgress,
    account: Account,
    restored: Sequence[RestoredBackup],
    found: Measured | None,
    now: datetime | None,
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
    expected = estimate(
        restored, pending, sizes, awaits_tail=awaits_tail, rehearsed=rehearsed_of(found)
    )
    last = progress.last_restored
    file = account.files.get(last.files[0]) if last else None
    if last is None or file is None or now is None:
        return expected
    return expected._replace(data_loss_s=age_s(last.backup_finish_date, file.time_zone, now))


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else math.ceil(seconds)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)


def _stop(order: MigrationOrder, progress: MigrationProgress) -> CutoverStop | None:
    stop = stop_of(order)
    if stop is None:
        return None
    trial = trial_of(progress, stop)
    reached = trial is not None and trial.reached is True
    return CutoverStop(stop_at=stop, reached=reached, reached_lsn=trial.lsn if trial else None)


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
