"""A rehearsal: a migration's backups are restored, recovered and checked, then dropped. Pure.

It is a migration of its own, offline, whose database is dropped whatever becomes of it: however
it would end, it first winds up. It changes nothing that the migration depends on, and never waits
for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.after_recovery import AfterRecovery
from shared.aftermath import Aftermath
from shared.backupset import BackupSet, BackupType
from shared.estimating import Rehearsed, estimate
from shared.folder import below, rehearsal_id
from shared.models import LastRehearsal, MigrationFailure, RehearsalStepInfo
from shared.outlook import Outlook, status_by_order
from shared.paths import LONGEST, beside, utf16_units
from shared.records import (
    CancelOrder,
    Failure,
    Measured,
    MigrationOrder,
    MigrationProgress,
    Rehearsal,
    RehearsalOf,
    RestoredBackup,
    TimedStep,
)
from shared.restore_options import RestoreOptions
from shared.targets import tsql
from shared.vocabulary import (
    AfterStep,
    BlockingReason,
    DatabaseCheck,
    FailureCode,
    MigrationStatus,
    RehearsalStep,
    StepState,
)

LOWEST_PRIORITY = -1000
"""Behind every migration, whose requests have -10 at the least."""

_PASSING = frozenset({BlockingReason.TARGET_NOT_READY, BlockingReason.STORAGE_ACCESS_DENIED})
_RESTORES = {
    BackupType.DATABASE: RehearsalStep.RESTORE_FULL,
    BackupType.DIFFERENTIAL: RehearsalStep.RESTORE_DIFFERENTIAL,
    BackupType.LOG: RehearsalStep.RESTORE_LOGS,
}


def scratch_name(database: str, operation: UUID) -> str:
    """Return the name of a scratch database: new for each rehearsal, no longer than a name may be.

    The database's own name comes first, so that people know what it is.
    """
    suffix = _suffix(operation)
    room, kept = tsql.NAME_LENGTH - len(suffix), ""
    for character in database:
        room -= 2 if ord(character) > 0xFFFF else 1
        if room < 0:
            break
        kept += character
    return kept + suffix


def scratch_options(options: RestoreOptions, operation: UUID) -> RestoreOptions:
    """Return the options of a migration for its rehearsal: files on the same disks, other names.

    What is not about places and speed is not for a scratch database.
    A file whose path would be too long goes to the folder that the others of its kind go to.
    """
    moves = {name: beside(path, _suffix(operation)) for name, path in options.move_files.items()}
    fitting = {name: path for name, path in moves.items() if utf16_units(path) <= LONGEST}
    return RestoreOptions(
        data_folder=options.data_folder,
        log_folder=options.log_folder,
        move_files=fitting,
        max_transfer_size=options.max_transfer_size,
        buffer_count=options.buffer_count,
        block_size=options.block_size,
    )


def _suffix(operation: UUID) -> str:
    return f"_rehearsal_{operation.hex[:8]}"


def order_of(
    migration: MigrationOrder,
    progress: MigrationProgress,
    last: BackupSet,
    *,
    operation: UUID,
    now: datetime,
    before: Measured | None,
) -> MigrationOrder:
    """Return the order to rehearse a migration up to a set that can be restored now."""
    source = progress.source
    return MigrationOrder(
        id=rehearsal_id(migration.id),
        operation_id=operation,
        target=migration.target,
        target_database=scratch_name(migration.target_database, operation),
        folder=migration.folder,
        offline=True,
        last_backup_name=last.files[0].name,
        source_database_name=source.database_name if source else migration.source_database_name,
        created_on=now,
        priority=LOWEST_PRIORITY,
        verify=migration.verify,
        restore_options=scratch_options(migration.restore_options, operation),
        after_recovery=AfterRecovery(check_database=DatabaseCheck.FULL),
        rehearsal=RehearsalOf(
            migration_id=migration.id, operation_id=migration.operation_id, before=before
        ),
    )


def overtaken(
    order: MigrationOrder, parent: tuple[MigrationOrder, MigrationProgress] | None
) -> MigrationOrder:
    """Return the order of a rehearsal, canceled if its migration has gone on to its end.

    From the cutover on all that the target can do is for the migration itself.
    """
    if order.rehearsal is None or order.cancel is not None:
        return order
    if parent is not None:
        migration, now = parent
        same = migration.operation_id == order.rehearsal.operation_id
        ends = migration.cutover or migration.cancel or now.recovering or now.status.is_final
        if same and not ends:
            return order
    return order.model_copy(
        update={"cancel": CancelOrder(keep_target=False, requested_on=order.created_on)}
    )


def winds_up(
    order: MigrationOrder,
    progress: MigrationProgress,
    status: MigrationStatus,
    failure: Failure | None,
) -> Rehearsal | None:
    """Return what is written down of a rehearsal that would end now, None if it may.

    It may not while its database may be on the target. What was settled first stays.
    """
    so_far = progress.rehearsal or Rehearsal()
    if order.rehearsal is None or so_far.gone or not progress.begun:
        return None
    if so_far.verdict is not None:
        return so_far
    if order.cancel is not None:
        status, failure = MigrationStatus.CANCELED, None
    elif (damage := found_damage(progress.aftermath)) is not None:
        status, failure = MigrationStatus.FAILED, damage
    return so_far.model_copy(update={"verdict": status, "failure": failure})


def ends_for(order: MigrationOrder, progress: MigrationProgress, code: BlockingReason) -> bool:
    """Tell whether a rehearsal fails for what a migration would wait for people."""
    if order.rehearsal is None or progress.is_winding_up:
        return False
    again = code is BlockingReason.STORAGE_ACCESS_DENIED and progress.access_denied
    return again or code not in _PASSING


def failure_of(
    reason: str, action: str, code: BlockingReason | None = None, number: int | None = None
) -> Failure:
    """Return why a rehearsal failed."""
    if code is BlockingReason.TARGET_STORAGE_FULL:
        action += " A rehearsal needs room on the target for a second copy of the database."
    return Failure(
        code=FailureCode.REHEARSAL_FAILED, message=reason, action=action, sql_error_number=number
    )


def failure_to_go_on(outlook: Outlook) -> Failure:
    """Return why a rehearsal failed that has nothing to do and is not done."""
    why = outlook.blocking
    if why is not None:
        return failure_of(why.reason, why.action, why.code)
    return failure_of(
        f"The rehearsal cannot go on: it would wait for {outlook.waiting_for}.",
        "Look at the migration, and rehearse it again when its backups are all there.",
    )


def timed(
    restored: Sequence[RestoredBackup], progress: MigrationProgress, drop_s: float
) -> tuple[TimedStep, ...]:
    """Return how long each step took that was done and measured."""
    rehearsal = progress.rehearsal or Rehearsal()
    seconds: dict[RehearsalStep, float] = {}
    for backup in restored:
        name = _RESTORES[backup.backup_type]
        seconds[name] = seconds.get(name, 0.0) + (backup.seconds or 0.0)
    if rehearsal.recovery_seconds is not None:
        seconds[RehearsalStep.RECOVER] = rehearsal.recovery_seconds
    if (check_s := _check_s(progress.aftermath)) is not None:
        seconds[RehearsalStep.CHECK_DATABASE] = check_s
    seconds[RehearsalStep.DROP] = drop_s
    return tuple(
        TimedStep(name=name, seconds=round(seconds[name], 3))
        for name in RehearsalStep
        if name in seconds
    )


def _check_s(aftermath: Aftermath | None) -> float | None:
    """Return how long the check took: from the end of the step before it to its own."""
    if aftermath is None or (check := aftermath.step(AfterStep.CHECK_DATABASE)) is None:
        return None
    before = aftermath.steps[aftermath.steps.index(check) - 1].ended_on
    if before is None or check.ended_on is None:
        return None
    return (check.ended_on - before).total_seconds()


def found_damage(aftermath: Aftermath | None) -> Failure | None:
    """Return why a rehearsal failed whose database was opened, and is not good."""
    check = aftermath.step(AfterStep.CHECK_DATABASE) if aftermath else None
    if check is None or check.state is not StepState.FAILED:
        return None
    return failure_of(check.message, check.action or "", number=check.sql_error_number)


def measured(
    restored: Sequence[RestoredBackup], sizes: Mapping[UUID, int], recovery_s: float | None
) -> Measured | None:
    """Return what later estimates rest on, None if the database was not recovered."""
    restore_s = sum(backup.seconds or 0.0 for backup in restored)
    if recovery_s is None or restore_s <= 0:
        return None
    return Measured(
        size_bytes=sum(sizes.get(backup.backup_set_guid, 0) for backup in restored),
        restore_seconds=restore_s,
        recovery_seconds=recovery_s,
    )


def downtime_s(
    restored: Sequence[RestoredBackup], sizes: Mapping[UUID, int], found: Measured | None
) -> float | None:
    """Return how long a cutover would take: a last log, the recovery, and what the app adds."""
    rehearsed = rehearsed_of(found)
    if rehearsed is None:
        return None
    return estimate(restored, [], sizes, awaits_tail=True, rehearsed=rehearsed).cutover_s


def rehearsed_of(found: Measured | None) -> Rehearsed | None:
    """Return what was measured as estimates take it."""
    if found is None:
        return None
    return Rehearsed(found.size_bytes, found.restore_seconds, found.recovery_seconds)


def measured_by(rehearsal: tuple[MigrationOrder, MigrationProgress] | None) -> Measured | None:
    """Return what the newest rehearsal that came so far has measured."""
    if rehearsal is None:
        return None
    order, now = rehearsal
    newest = now.rehearsal.measured if now.rehearsal else None
    return newest or (order.rehearsal.before if order.rehearsal else None)


def describe_rehearsal(order: MigrationOrder, progress: MigrationProgress) -> LastRehearsal:
    """Return `lastRehearsal` of a migration: its newest rehearsal, under way or ended."""
    so_far = progress.rehearsal or Rehearsal()
    status = progress.status
    if not status.is_final:
        status = status_by_order(order, progress) or status
    last, why = progress.last_restored, progress.failure or so_far.failure
    ended = progress.status.is_final
    return LastRehearsal(
        id=order.id,
        migration_operation_id=order.operation_id,
        migration_status=status,
        database=order.target_database,
        started_on=order.created_on,
        ended_on=progress.ended_on,
        waiting_for=None if ended else progress.waiting_for,
        restored_sets=progress.restored_sets,
        last_restored_filename=below(last.files[0], order.folder) if last else None,
        steps=[RehearsalStepInfo(name=step.name, seconds=step.seconds) for step in so_far.steps],
        total_seconds=round(sum(step.seconds for step in so_far.steps), 3) if ended else None,
        expected_cutover_seconds=so_far.expected_cutover_seconds,
        failure=MigrationFailure(
            code=why.code,
            message=why.message,
            action=why.action,
            sql_error_number=why.sql_error_number,
            file=below(why.file, order.folder) if why.file else None,
        )
        if why
        else None,
    )
