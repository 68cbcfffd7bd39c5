"""Decides what a migration does next, from everything that is known. Pure.

One look at the order, the progress, the target's position and the plan gives one outlook: an
action for the orchestration, and why it is that.
"""

from __future__ import annotations

from shared import standby, stopping
from shared.backupset import BackupSet, BackupType
from shared.chain import (
    DatabaseState,
    MissingFamilies,
    Plan,
    PlanStatus,
    Step,
    TargetPosition,
    find_named,
    plan_restore,
)
from shared.explain import Explanation, explain_missing_full, explain_plan, name_of
from shared.outlook import (
    NO_PLAN,
    Action,
    Known,
    Outlook,
    goal_of,
    held,
    recovering,
    restoring,
    said,
    status_by_order,
    verifying_target,
    winding_up,
)
from shared.records import FileRecord, MigrationOrder, MigrationProgress
from shared.stop_point import StopPoint
from shared.stopping import stop_of
from shared.vocabulary import BlockingReason, MigrationState, MigrationStatus, RestoreState


def look_ahead(
    order: MigrationOrder,
    progress: MigrationProgress,
    position: TargetPosition,
    known: Known,
) -> Outlook:
    """Decide what comes next for a migration."""
    ahead = _look_ahead(order, progress, position, known)
    if ahead.action is Action.WAIT and standby.is_due(order, progress, position):
        return ahead._replace(action=Action.STAND_BY)
    return ahead


def _look_ahead(
    order: MigrationOrder,
    progress: MigrationProgress,
    position: TargetPosition,
    known: Known,
) -> Outlook:
    if progress.status.is_final or progress.is_winding_up:
        return said(Action.FINISH, progress) if progress.status.is_final else winding_up(progress)
    if (opened := _opened(order, progress, position)) is not None:
        return opened
    if order.cancel is not None:
        return Outlook(
            Action.CLEAN_UP,
            MigrationStatus.CANCELING,
            MigrationState.CLEANING_UP,
            RestoreState.INITIALIZING if not progress.begun else RestoreState.WAITING,
            NO_PLAN,
            waiting_for="the half-restored database to be removed from the target",
        )
    if stranger := _stranger(order, progress, position):
        return held(order, progress, stranger)
    if (stop := stop_of(order)) is not None:
        return _to_stop_point(order, progress, position, known, stop)
    if order.cutover is not None and not order.cutover.awaited and progress.last_restored:
        # It was accepted for what the target holds, whatever becomes of the files meanwhile.
        return recovering(NO_PLAN)
    plan = plan_restore(known.sets, position, goal_of(order))
    if plan.status is PlanStatus.COMPLETE and not plan.steps and _ends_by_itself(order):
        return recovering(plan)
    return _going_on(order, progress, position, known, plan)


def _to_stop_point(
    order: MigrationOrder,
    progress: MigrationProgress,
    position: TargetPosition,
    known: Known,
    stop: StopPoint,
) -> Outlook:
    """Return the outlook of a cutover with a stop point; it recovers nowhere else."""
    if stopping.is_reached(progress, stop):
        return recovering(NO_PLAN)
    if known.last is not None and stopping.to_repeat(progress, stop) == known.last.backup_set_guid:
        return restoring(order, known.last, Plan(PlanStatus.READY, (Step(known.last),)))
    if passed := stopping.explain_passed(progress, stop):
        return held(order, progress, passed)
    known = known._replace(
        sets=stopping.not_restored(known.sets, progress),
        hoped=stopping.not_restored(known.hoped, progress),
    )
    plan = plan_restore(known.sets, position, goal_of(order))
    outlook = _going_on(order, progress, position, known, plan)
    if outlook.action is not Action.WAIT or outlook.blocking or known.verifying:
        return outlook
    if progress.last_restored is None:
        return outlook
    return held(order, progress, stopping.explain_short(progress, stop), plan)._replace(
        state=MigrationState.WAIT_FOR_LOG_BACKUP
    )


def _going_on(
    order: MigrationOrder,
    progress: MigrationProgress,
    position: TargetPosition,
    known: Known,
    plan: Plan,
) -> Outlook:
    """Return the outlook of a migration that has not reached its end: a restore, or a wait."""
    if known.held and (delayed := _delayed(order, position, known, plan)) is not None:
        return delayed
    if plan.steps:
        return restoring(order, plan.steps[0].backup, plan)
    if known.verifying:
        known = known._replace(sets=known.hoped)
        plan = plan_restore(known.sets, position, goal_of(order))
        if (file := _awaited(plan, known)) is not None:
            return _verifying_file(order, progress, file)
    return _waiting(order, progress, plan, known)


def _ends_by_itself(order: MigrationOrder) -> bool:
    return order.cutover is not None or order.offline


_NOT_ADOPTED = (
    " It is not adopted either: only one that is restoring, with a full restored to its end, and of"
    " the same family as the backups in the folder."
)


def _stranger(
    order: MigrationOrder, progress: MigrationProgress, position: TargetPosition
) -> Explanation | None:
    """Return why the database on the target is not this migration's to touch, or None."""
    name, state = order.target_database, position.state
    if not progress.begun:
        if state is DatabaseState.ABSENT:
            return None
        return Explanation(
            BlockingReason.TARGET_DATABASE_EXISTS,
            f"The target already has a database {name!r} ({state.value.lower()}) that this"
            " migration did not create. It is never overwritten."
            + (_NOT_ADOPTED if order.adopt else ""),
            "Rename or drop that database, or cancel and start again with another target name.",
        )
    if state is DatabaseState.ONLINE:
        what = "was recovered by somebody else, so no further backup can be restored (error 3117)"
    elif state is DatabaseState.STANDBY and not order.restore_options.standby:
        what = "was put into standby by somebody else"
    elif state is DatabaseState.OTHER:
        what = "is neither restoring nor online"
    elif state is DatabaseState.ABSENT and progress.restored_sets:
        what = "was dropped by somebody else"
    else:
        return None
    return Explanation(
        BlockingReason.CONCURRENT_CHANGE,
        f"The database {name!r} on the target {what}.",
        "Cancel this migration and start it again, or put the database back as it was.",
    )


def _opened(
    order: MigrationOrder, progress: MigrationProgress, position: TargetPosition
) -> Outlook | None:
    """Return the outlook of a migration that has opened its database, or was about to."""
    if progress.aftermath is not None:
        return verifying_target(order, progress)
    if progress.recovering and position.state in (DatabaseState.ONLINE, DatabaseState.OTHER):
        # OTHER while it is being recovered, too.
        return recovering(NO_PLAN)
    return None


def _waiting(
    order: MigrationOrder, progress: MigrationProgress, plan: Plan, known: Known
) -> Outlook:
    """Nothing can be restored now: say what is missing."""
    last = progress.last_restored.files[0] if progress.last_restored else None
    if why := _named_is_of_no_use(known):
        return held(order, progress, why, plan)
    goal = goal_of(order).last_backup
    absent = goal if goal and find_named(known.sets, goal) is None else None
    if why := explain_plan(plan, after=last):
        if absent:
            why = why._replace(reason=f"{why.reason} The last backup {absent!r} is not here.")
        outlook = held(order, progress, why, plan)
        if isinstance(plan.waiting_for, MissingFamilies) and order.cutover is None:
            return _uploading(outlook, plan.waiting_for.backup)
        return outlook
    if plan.status is PlanStatus.NO_BASE:
        return _without_full(order, progress, plan, known)
    if absent:
        return _waiting_for_named(order, progress, plan, absent)
    return Outlook(
        Action.WAIT,
        MigrationStatus.IN_PROGRESS if order.offline else MigrationStatus.READY_FOR_CUTOVER,
        MigrationState.WAIT_FOR_LOG_BACKUP,
        RestoreState.RESTORE_COMPLETED,
        plan,
        waiting_for="your cutover; the tail of the log is restored"
        if plan.status is PlanStatus.COMPLETE
        else "the next log or differential backup, or your cutover",
    )


def _awaited(plan: Plan, known: Known) -> FileRecord | None:
    """Return the file that is to be restored next, once it is verified, or None."""
    by_name = {file.name: file for file in known.verifying}
    files = (file for step in plan.steps for file in step.backup.files)
    return next((by_name[file.name] for file in files if file.name in by_name), None)


def _verifying_file(
    order: MigrationOrder, progress: MigrationProgress, file: FileRecord
) -> Outlook:
    """Nothing can be restored before more was read of a file."""
    full = file.claimed is not None and file.claimed.backup_type is BackupType.DATABASE
    return Outlook(
        Action.WAIT,
        status_by_order(order, progress) or MigrationStatus.IN_PROGRESS,
        MigrationState.WAIT_FOR_FULL_BACKUP if full else MigrationState.WAIT_FOR_LOG_BACKUP,
        RestoreState.WAITING,
        NO_PLAN,
        waiting_for=f"the verification of {file.name!r} (level {order.verify})",
    )


def _delayed(
    order: MigrationOrder, position: TargetPosition, known: Known, plan: Plan
) -> Outlook | None:
    """Return the outlook while all that could be restored is too young; None if something is not.

    A held differential does not keep logs from being restored that lead the same way.
    """
    differentials = {
        s.backup_set_guid
        for s in known.sets
        if s.backup_type is BackupType.DIFFERENTIAL and s.backup_set_guid in known.held
    }
    without = plan_restore(known.sets, position, goal_of(order, without=differentials))
    if without.steps and without.steps[0].backup.backup_set_guid not in known.held:
        return restoring(order, without.steps[0].backup, without)
    held = [s for s in known.sets if s.backup_set_guid in known.held]
    first = min(held, key=lambda s: known.held[s.backup_set_guid], default=None)
    if first is None:
        return None
    until = known.held[first.backup_set_guid]
    lifted = "" if order.offline else ", or your cutover"
    return Outlook(
        Action.WAIT,
        MigrationStatus.IN_PROGRESS if order.offline else MigrationStatus.READY_FOR_CUTOVER,
        MigrationState.WAIT_FOR_RESTORE_DELAY,
        RestoreState.WAITING,
        plan,
        waiting_for=f"the restore delay of {order.restore_delay_minutes} minutes:"
        f" {name_of(first)!r} is held until {until:%Y-%m-%d %H:%M:%S} UTC{lifted}",
    )


def _uploading(outlook: Outlook, incomplete: BackupSet) -> Outlook:
    full = incomplete.backup_type is BackupType.DATABASE
    return outlook._replace(
        status=(
            MigrationStatus.UPLOADING_FULL_BACKUP if full else MigrationStatus.UPLOADING_LOG_BACKUP
        ),
        state=MigrationState.WAIT_FOR_STRIPES,
    )


def _without_full(
    order: MigrationOrder, progress: MigrationProgress, plan: Plan, known: Known
) -> Outlook:
    if any(s.backup_type is not BackupType.DATABASE for s in known.sets):
        return held(order, progress, explain_missing_full(), plan)._replace(
            state=MigrationState.WAIT_FOR_FULL_BACKUP
        )
    return Outlook(
        Action.WAIT,
        status_by_order(order, progress) or MigrationStatus.IN_PROGRESS,
        MigrationState.WAIT_FOR_FULL_BACKUP,
        RestoreState.WAITING,
        plan,
        waiting_for="a full backup in the migration's folder",
    )


def _waiting_for_named(
    order: MigrationOrder, progress: MigrationProgress, plan: Plan, name: str
) -> Outlook:
    last = progress.last_restored
    so_far = f"everything up to {last.files[0]} is restored" if last else "nothing is restored yet"
    if order.cutover is not None:
        why = Explanation(
            BlockingReason.LAST_BACKUP_NOT_FOUND,
            f"The cutover waits for the last backup {name!r}, which has not arrived; {so_far}.",
            f"Upload {name!r} to the migration's folder, or check the name (if several files have"
            " it, a path below the folder tells which).",
        )
        return held(order, progress, why, plan)._replace(state=MigrationState.WAIT_FOR_LOG_BACKUP)
    return Outlook(
        Action.WAIT,
        MigrationStatus.IN_PROGRESS,
        MigrationState.WAIT_FOR_LOG_BACKUP,
        RestoreState.WAITING,
        plan,
        waiting_for=f"the last backup {name!r}, which has not arrived; {so_far}",
    )


def _named_is_of_no_use(known: Known) -> Explanation | None:
    """Tell why the file that ends the migration is here and cannot be restored, or return None."""
    file = known.named
    if file is None:
        return None
    if file.refusal is not None:
        return Explanation(
            BlockingReason.FILE_INVALID,
            f"The last backup {file.name!r} cannot be used: {file.refusal.reason}",
            file.refusal.action,
        )
    backup = file.backup
    if backup is None or any(s.backup_set_guid == backup.backup_set_guid for s in known.sets):
        return None
    return Explanation(
        BlockingReason.FILE_INVALID,
        f"The last backup {file.name!r} is of another database: {backup.database_name!r} from"
        f" {backup.server_name!r}.",
        "Upload this database's own backup under that name, or name another file.",
    )
