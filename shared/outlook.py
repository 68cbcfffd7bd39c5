"""What a migration does next, decided from everything that is known. Pure.

One look at the order, the progress, the target's position and the plan gives one outlook: an
action for the orchestration, and the words that users see meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from shared import standby, stopping
from shared.backupset import BackupSet, BackupType
from shared.chain import (
    DatabaseState,
    Goal,
    MissingFamilies,
    Plan,
    PlanStatus,
    Step,
    TargetPosition,
    find_named,
    plan_restore,
)
from shared.explain import Explanation, clipped, explain_missing_full, explain_plan, name_of
from shared.records import FileRecord, MigrationOrder, MigrationProgress
from shared.stop_point import StopPoint
from shared.stopping import stop_of
from shared.vocabulary import BlockingReason, MigrationState, MigrationStatus, RestoreState


class Action(str, Enum):
    """What the orchestration does next."""

    RESTORE = "restore"
    STAND_BY = "standBy"
    RECOVER = "recover"
    CLEAN_UP = "cleanUp"
    WAIT = "wait"
    FINISH = "finish"


class Known(NamedTuple):
    """What is known of the backups of one migration's database.

    `sets` are merged over their families. `named` is the file that ends the migration, if it has
    arrived. `verifying` are the files of which more is to be read, and `hoped` the sets that
    there would be if that were done. `held` tells until when sets that would be next are delayed.
    `last` is the set that was restored last, if a stop point may ask for it again.
    """

    sets: Sequence[BackupSet]
    named: FileRecord | None = None
    verifying: Sequence[FileRecord] = ()
    hoped: Sequence[BackupSet] = ()
    held: Mapping[UUID, datetime] = MappingProxyType({})
    last: BackupSet | None = None


class Outlook(NamedTuple):
    """The next action and the words for it; `pause_s` is how long it has time before that."""

    action: Action
    status: MigrationStatus
    state: MigrationState
    restore_state: RestoreState
    plan: Plan
    waiting_for: str | None = None
    blocking: Explanation | None = None
    pause_s: float = 0.0

    @property
    def digest(self) -> str:
        """A short text that changes when the outlook changes."""
        steps = [str(step.backup.backup_set_guid) for step in self.plan.steps[:1]]
        parts = [self.action, self.status, self.state, self.waiting_for, self.blocking, steps]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


NO_PLAN = Plan(PlanStatus.IDLE)

# Of the custom status; a character takes up to four bytes there.
_NAME = 250
_SENTENCE = 1000


def goal_of(order: MigrationOrder, *, without: Iterable[UUID] = ()) -> Goal:
    """Return where the migration ends: where the cutover says, else at the offline one's backup.

    `without` are ids of sets that are not to be used for now.
    """
    last = order.cutover.last_backup_name if order.cutover else None
    stop = stop_of(order)
    return Goal(
        stop_at=stop.time if stop else None,
        stop_lsn=stop.lsn if stop else None,
        without=frozenset(without),
        last_backup=last or (order.last_backup_name if order.offline else None),
        database_name=order.source_database_name,
    )


def position_of(progress: MigrationProgress) -> TargetPosition:
    """Return where the target stands, as far as is known without asking it.

    It is that of the last look, moved on by what was restored since; a database that is open by
    now stands where it was opened.
    """
    position = progress.position or TargetPosition(state=DatabaseState.ABSENT)
    last = progress.last_restored
    if last is None:
        if position.state.goes_on:
            return position
        return TargetPosition(state=DatabaseState.ABSENT)
    if position.redo_start_lsn is not None and position.redo_start_lsn >= last.last_lsn:
        if position.state.goes_on:
            return position
        return position.model_copy(update={"state": DatabaseState.RESTORING})
    full = progress.full_backup
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=last.last_lsn,
        redo_start_fork_guid=last.recovery_fork_id,
        differential_base_lsn=position.differential_base_lsn,
        differential_base_guid=position.differential_base_guid
        or (full.backup_set_guid if full else None),
    )


def status_by_order(order: MigrationOrder, progress: MigrationProgress) -> MigrationStatus | None:
    """Return the status that an accepted cancel or cutover keeps until it is done, or None."""
    if order.cancel is not None:
        return MigrationStatus.CANCELING
    if order.cutover is not None or progress.recovering:
        return MigrationStatus.COMPLETING
    return None


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
        return _recovering(NO_PLAN)
    plan = plan_restore(known.sets, position, goal_of(order))
    if plan.status is PlanStatus.COMPLETE and not plan.steps and _ends_by_itself(order):
        return _recovering(plan)
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
        return _recovering(NO_PLAN)
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
            return _verifying(order, progress, file)
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


def said(action: Action, progress: MigrationProgress) -> Outlook:
    """Return the outlook that was written down last, with what it asks for now."""
    return Outlook(action, progress.status, progress.state, progress.restore_state, NO_PLAN)


def winding_up(progress: MigrationProgress) -> Outlook:
    """Return the outlook of a rehearsal whose end is settled: its database is dropped first."""
    canceled = progress.rehearsal and progress.rehearsal.verdict is MigrationStatus.CANCELED
    return Outlook(
        Action.CLEAN_UP,
        MigrationStatus.CANCELING if canceled else MigrationStatus.COMPLETING,
        MigrationState.CLEANING_UP,
        RestoreState.WAITING,
        NO_PLAN,
        waiting_for="the scratch database to be removed from the target",
    )


def _recovering(plan: Plan) -> Outlook:
    return Outlook(
        Action.RECOVER,
        MigrationStatus.COMPLETING,
        MigrationState.RECOVERING,
        RestoreState.COMPLETING_MIGRATION,
        plan,
    )


def _opened(
    order: MigrationOrder, progress: MigrationProgress, position: TargetPosition
) -> Outlook | None:
    """Return the outlook of a migration that has opened its database, or was about to."""
    if progress.aftermath is not None:
        return verifying(order, progress)
    if progress.recovering and position.state in (DatabaseState.ONLINE, DatabaseState.OTHER):
        # OTHER while it is being recovered, too.
        return _recovering(NO_PLAN)
    return None


def verifying(order: MigrationOrder, progress: MigrationProgress) -> Outlook:
    """Return the outlook of a migration whose database is open: it can only succeed by now."""
    return Outlook(
        Action.RECOVER,
        status_by_order(order, progress) or MigrationStatus.COMPLETING,
        MigrationState.VERIFYING_TARGET,
        RestoreState.COMPLETING_MIGRATION,
        NO_PLAN,
        waiting_for=progress.waiting_for,
    )


def held(
    order: MigrationOrder, progress: MigrationProgress, why: Explanation, plan: Plan = NO_PLAN
) -> Outlook:
    """Return the outlook of a migration that cannot go on until somebody acts."""
    return Outlook(
        Action.WAIT,
        status_by_order(order, progress) or MigrationStatus.IN_PROGRESS,
        MigrationState.BLOCKED,
        RestoreState.BLOCKED,
        plan,
        waiting_for=why.reason,
        blocking=why,
    )


_RESTORING = {
    BackupType.DATABASE: MigrationState.RESTORING_FULL_BACKUP,
    BackupType.DIFFERENTIAL: MigrationState.RESTORING_DIFFERENTIAL_BACKUP,
    BackupType.LOG: MigrationState.RESTORING_LOG_BACKUP,
}


def restoring(order: MigrationOrder, backup: BackupSet, plan: Plan) -> Outlook:
    """Return the outlook of a migration that restores `backup`, now or next."""
    if order.cutover is None:
        return Outlook(
            Action.RESTORE,
            MigrationStatus.RESTORING,
            _RESTORING[backup.backup_type],
            RestoreState.RESTORING,
            plan,
        )
    return Outlook(
        Action.RESTORE,
        MigrationStatus.COMPLETING,
        MigrationState.RESTORING_TAIL,
        RestoreState.RESTORING,
        plan,
    )


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


def _verifying(order: MigrationOrder, progress: MigrationProgress, file: FileRecord) -> Outlook:
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


def cutover_has_expired(order: MigrationOrder, now: datetime) -> bool:
    """Tell whether a cutover has waited in vain for the backup it named."""
    cutover = order.cutover
    # Going on without one that has a stop point would restore what the stop was to keep out.
    waits = cutover is not None and cutover.awaited and cutover.stop is None
    return cutover is not None and waits and now > cutover.expires_on


def custom_status(
    order: MigrationOrder, progress: MigrationProgress, outlook: Outlook
) -> dict[str, object]:
    """Return the durable custom status: a small object of fixed keys.

    Durable Functions ends an instance whose custom status is longer than 16 KiB.
    """
    last = progress.last_restored
    steps = outlook.plan.steps
    return {
        "database": order.target_database,
        "target": order.target,
        "migrationStatus": outlook.status.value,
        "migrationState": outlook.state.value,
        "restoredSets": progress.restored_sets,
        "restoredUpTo": None
        if last is None
        else {"fileName": clipped(last.files[0], _NAME), "lastLSN": str(last.last_lsn)},
        "next": clipped(name_of(steps[0].backup), _NAME) if steps else None,
        "plannedSets": len(steps),
        "waitingFor": clipped(outlook.waiting_for, _SENTENCE) if outlook.waiting_for else None,
        "blockingReasonCode": outlook.blocking.code.value if outlook.blocking else None,
        "action": clipped(outlook.blocking.action, _SENTENCE) if outlook.blocking else None,
        "simulatedTarget": progress.server.simulated if progress.server else None,
    }
