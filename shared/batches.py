"""A batch that the server works on, held against what the migration wants. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.explain import Explanation
from shared.outlook import Action, Outlook, held, restoring
from shared.records import CurrentRestore, MigrationOrder, MigrationProgress, RestoredBackup
from shared.targets import Batch
from shared.vocabulary import BlockingReason

_SOONEST_S, _LATEST_S = 1.0, 30.0
_PART_OF_ELAPSED = 0.1


def pause_s(elapsed_s: float) -> float:
    """Return in how many seconds to look at a batch again: the longer it runs, the later.

    Looking at a tenth of the time that has passed, a restore is noticed at its end after at most
    a tenth more than it took, and one of hours is looked at twice a minute.
    """
    return min(max(elapsed_s * _PART_OF_ELAPSED, _SOONEST_S), _LATEST_S)


def remaining(batch: Batch, last: RestoredBackup | None) -> tuple[UUID, ...]:
    """Return the sets that a batch still has to restore, when `last` is what was restored last."""
    if last is None or last.backup_set_guid not in batch.sets:
        return batch.sets
    return batch.sets[batch.sets.index(last.backup_set_guid) + 1 :]


def is_beside_plan(
    batch: Batch, ahead: Outlook, last: RestoredBackup | None, known: Iterable[BackupSet]
) -> bool:
    """Tell whether a running batch is to be stopped, since the migration wants something else.

    For what came since, a cutover for instance, may end before the batch does. Only logs are
    given up for another plan: what they have restored stays, and the next is soon begun again.
    """
    if ahead.action is Action.RECOVER:
        return True
    rest = remaining(batch, last)
    logs = {s.backup_set_guid for s in known if s.backup_type is BackupType.LOG}
    if not rest or rest[0] not in logs:
        return False
    return tuple(s.backup.backup_set_guid for s in ahead.plan.steps[: len(rest)]) != rest


def with_batch(
    order: MigrationOrder,
    progress: MigrationProgress,
    ahead: Outlook,
    batch: Batch,
    current: BackupSet | None,
) -> Outlook:
    """Return the outlook of a migration whose database has a batch; `ahead` is the one without.

    A batch is followed until it is over and removed, whatever comes then. Only a cancel does not
    wait for it. One of an earlier attempt is let go on: nobody asked for it to be stopped.
    """
    if ahead.action in (Action.CLEAN_UP, Action.FINISH):
        return ahead
    if not batch.running:
        return ahead._replace(action=Action.RESTORE)
    if batch.operation_id != order.operation_id:
        return held(order, progress, _of_earlier_attempt(order, batch))
    outlook = ahead if ahead.blocking or current is None else restoring(order, current, ahead.plan)
    return outlook._replace(action=Action.RESTORE, pause_s=pause_s(batch.elapsed_s))


def current_restore(
    batch: Batch, backup: BackupSet, before: CurrentRestore | None, now: datetime
) -> CurrentRestore:
    """Return the set that a batch restores now, as it is shown."""
    same = before is not None and before.backup_set_guid == backup.backup_set_guid
    return CurrentRestore(
        backup_set_guid=backup.backup_set_guid,
        backup_type=backup.backup_type,
        files=tuple(file.name for file in backup.files),
        started_on=before.started_on if before and same else now,
        percent=max(batch.percent, before.percent) if before and same else batch.percent,
    )


def find_set(guid: UUID | None, *known: Sequence[BackupSet]) -> BackupSet | None:
    """Return the set of an id, from the first of several lists that has it."""
    return next((s for sets in known for s in sets if s.backup_set_guid == guid), None)


def _of_earlier_attempt(order: MigrationOrder, batch: Batch) -> Explanation:
    return Explanation(
        BlockingReason.CONCURRENT_CHANGE,
        f"A job of an earlier attempt (operation {batch.operation_id}) still restores to the"
        f" database {order.target_database!r} on the target.",
        "It goes on by itself once that job has ended; to hurry it, stop the job on the server.",
    )
