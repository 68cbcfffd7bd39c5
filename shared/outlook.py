"""What a migration does next, and the words that users see meanwhile. Pure.

An outlook is what one look comes to; `shared.deciding` says which one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.chain import (
    DatabaseState,
    Goal,
    Plan,
    PlanStatus,
    TargetPosition,
)
from shared.explain import Explanation, clipped, name_of
from shared.records import FileRecord, MigrationOrder, MigrationProgress
from shared.stopping import stop_of
from shared.vocabulary import MigrationState, MigrationStatus, RestoreState


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


def recovering(plan: Plan) -> Outlook:
    """Return the outlook of a migration whose database is to be opened."""
    return Outlook(
        Action.RECOVER,
        MigrationStatus.COMPLETING,
        MigrationState.RECOVERING,
        RestoreState.COMPLETING_MIGRATION,
        plan,
    )


def verifying_target(order: MigrationOrder, progress: MigrationProgress) -> Outlook:
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
