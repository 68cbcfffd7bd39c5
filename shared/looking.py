"""Looks where a migration stands: order, catalog, and the target's own position and history.

What was restored is asked of the target, never remembered: a restore that ended while nobody
listened is found in the server's history, one that did not is planned again from the position
that the server reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from shared.backupset import BackupSet, BackupType, merge_families
from shared.batches import current_restore, find_set, remaining, with_batch
from shared.catalog import StoredProgress
from shared.chain import DatabaseState, TargetPosition, find_named, plan_restore
from shared.deciding import look_ahead
from shared.delaying import hold_back
from shared.errors import RequestError, StorageError
from shared.examining import examined, wants_renewal
from shared.explain import Explanation
from shared.folder import is_migration_id, owner_of, sort_contents
from shared.lsn import Lsn
from shared.outlook import (
    Action,
    Known,
    Outlook,
    cutover_has_expired,
    goal_of,
    held,
    position_of,
)
from shared.records import (
    Blocking,
    FileRecord,
    MigrationOrder,
    MigrationProgress,
    RestoredBackup,
    SourceDatabase,
)
from shared.stop_point import StopPoint
from shared.stopping import lacks_stop, stop_of, trial_of
from shared.targets import Batch, RestoredSet, Target
from shared.vocabulary import BlockingReason, MigrationStatus, VerificationLevel
from shared.workplace import Workplace

_WINDOW = 500
_FULL = "D"

# A restore that has gone on for so long did not fail for what it failed of before.
_SURE_S = 60.0


@dataclass(frozen=True)
class Sight:
    """One look at a migration: what was seen, and what follows from it.

    `ahead` is what would come next without the batch that the server works on.
    """

    order: MigrationOrder
    position: TargetPosition
    known: Known
    outlook: Outlook
    ahead: Outlook
    batch: Batch | None


def read_migration(place: Workplace, migration_id: str) -> tuple[MigrationOrder, StoredProgress]:
    """Return the order and the progress of a migration; raises RequestError for an unknown one."""
    known = is_migration_id(migration_id)
    found = place.catalog.read_migration(migration_id) if known else None
    if found is None:
        raise RequestError(
            404,
            "MigrationNotFound",
            f"there is no migration {migration_id[:80]!r}",
            action="list the migrations to see their ids",
        )
    return found


def look(place: Workplace, order: MigrationOrder, stored: StoredProgress, target: Target) -> Sight:
    """Look at the target and the catalog, take over what was restored, and decide what is next.

    Writes the outlook down, so that the API shows it and the periodic check can tell a change.
    """
    # First the batch, then what it restored: what it says to be over is in the history.
    batch = target.find_batch(order.target_database)
    position = target.read_position(order.target_database)
    source, known = gather(place, order, stored.now)
    if order.adopt and not stored.now.begun and not order.cancel:
        adopt(place, order, stored, target, position, known)
    stranger = take_over_history(place, order, stored, target, known.sets)
    if not stored.now.begun:
        stranger = _rival(place, order)
    position = _settled(position, order, stored)
    known = hold_back(place, order, position, known)
    ahead = outlook = (
        held(order, stored.now, stranger)
        if stranger and not order.cancel and stored.now.aftermath is None
        else look_ahead(order, stored.now, position, known)
    )
    ahead = outlook = examined(
        place, order, stored, target, position, ahead, at_work=batch is not None
    )
    current = None
    if batch is not None:
        rest = remaining(batch, stored.now.last_restored)
        backup = find_set(rest[0] if rest else None, known.sets, stored.now.batch)
        outlook = with_batch(order, stored.now, ahead, batch, backup)
        if batch.running and lacks_stop(order, stored.now):
            outlook = outlook._replace(pause_s=0.0)
        if batch.running and backup is not None:
            current = current_restore(batch, backup, stored.now.current, place.now())
    if outlook.action is Action.WAIT and cutover_has_expired(order, place.now()):
        return look(place, _withdraw_cutover(place, order, stored), stored, target)
    stored.update(
        **words_of(outlook, stored.now, place),
        source=source,
        server=stored.now.server or target.read_server(),
        position=position,
        current=current,
        failing_since=None if _is_well(outlook, batch) else stored.now.failing_since,
        # It tells of the last attempt to complete; this one has got past it.
        complete_error=None if order.cutover else stored.now.complete_error,
        pending_logs=_pending(outlook, BackupType.LOG),
        pending_differentials=_pending(outlook, BackupType.DIFFERENTIAL),
    )
    return Sight(order, position, known, outlook, ahead, batch)


def _is_well(outlook: Outlook, batch: Batch | None) -> bool:
    """Tell whether the target has shown that it works: it is at it, or nothing is left to do."""
    at_work = batch is not None and batch.running and batch.elapsed_s > _SURE_S
    return at_work or outlook.action in (Action.WAIT, Action.STAND_BY)


def _rival(place: Workplace, order: MigrationOrder) -> Explanation | None:
    """Return why another migration goes first to the same database, or None.

    Names ignore case on servers. Orders are written before anybody restores, so of two that were
    given at the same moment at least one sees the other.
    """
    for other, now in place.catalog.list_migrations():
        same = (other.target, other.target_database.casefold()) == (
            order.target,
            order.target_database.casefold(),
        )
        first = now.begun or (other.created_on, other.id) < (order.created_on, order.id)
        if same and other.id != order.id and first and not now.status.is_final:
            return Explanation(
                BlockingReason.TARGET_DATABASE_EXISTS,
                f"Migration {other.id!r} already restores to the database"
                f" {order.target_database!r} on the target.",
                "Cancel one of the two migrations, and start it again with another target name.",
            )
    return None


def words_of(outlook: Outlook, progress: MigrationProgress, place: Workplace) -> dict[str, object]:
    """Return the fields of the progress that show an outlook."""
    why, old = outlook.blocking, progress.blocking
    blocking = None
    if why is not None:
        # How much is free on a disk changes all the time.
        same = why[:1] if why.code is BlockingReason.TARGET_STORAGE_FULL else why[:2]
        since = old.since if old and (old.code, old.reason)[: len(same)] == same else place.now()
        blocking = Blocking(code=why.code, reason=why.reason, action=why.action, since=since)
    return {
        "status": outlook.status,
        "state": outlook.state,
        "restore_state": outlook.restore_state,
        "waiting_for": outlook.waiting_for,
        "queue_place": None,
        "blocking": blocking,
        "outlook": outlook.digest,
    }


class Glance(NamedTuple):
    """What a migration would do now, as far as can be told without its target.

    `busy` means that it has work to do or is doing it, `restless` that it is to be woken.
    """

    busy: bool
    restless: bool


def glance(place: Workplace, order: MigrationOrder, progress: MigrationProgress) -> Glance:
    """Tell whether a migration has work to do, or would decide otherwise than it last did.

    Whoever has work is woken although it may be at it: nobody else notices that it is not. So is
    one that waits for the target or for storage, since only a new try can tell.
    """
    if progress.status is MigrationStatus.RETRIABLE:
        hours, since = place.settings.retriable_hours, progress.retriable_since or place.now()
        asked = order.cancel is not None or order.retries > progress.retries
        late = place.now() - since > timedelta(hours=hours)
        return Glance(busy=progress.current is not None, restless=asked or late)
    if progress.aftermath is not None:
        return Glance(busy=False, restless=True)
    if progress.blocking is not None and progress.blocking.code in _TRY_AGAIN:
        return Glance(busy=progress.current is not None, restless=True)
    _, known = gather(place, order, progress)
    position = position_of(progress)
    ahead = look_ahead(order, progress, position, hold_back(place, order, position, known))
    busy = ahead.action not in (Action.WAIT, Action.FINISH) or progress.current is not None
    changed = ahead.digest != progress.outlook or cutover_has_expired(order, place.now())
    return Glance(busy, busy or changed or wants_renewal(progress, place.now()))


_TRY_AGAIN = frozenset(
    {
        BlockingReason.TARGET_NOT_READY,
        BlockingReason.TARGET_REFUSED,
        BlockingReason.RESTORE_OPTIONS_REFUSED,
        BlockingReason.TARGET_STORAGE_FULL,
        BlockingReason.TARGET_DATABASE_EXISTS,
        BlockingReason.CERTIFICATE_MISSING,
        BlockingReason.VERSION_NOT_SUPPORTED,
        BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
        BlockingReason.STORAGE_ACCESS_DENIED,
        BlockingReason.CONCURRENT_CHANGE,
    }
)


def gather(
    place: Workplace, order: MigrationOrder, progress: MigrationProgress
) -> tuple[SourceDatabase | None, Known]:
    """Read what the catalog knows of the backups that matter from here on.

    That is every full and differential, the log restored last, which tells what line of history
    the target is on, and the next logs: as many as one window holds, or all of them if those do
    not lead on. The work does not grow with what is restored already.
    """
    redo = progress.last_restored.last_lsn if progress.last_restored else progress.adopted_at
    before = None if redo is None else Lsn(redo - 1)
    # Its own folder too, for an order that is not written down.
    folders = [order.folder, *(other.folder for other in place.catalog.list_orders())]
    parts = place.catalog.data_backups(order.folder)
    usable = any(part.backup_type is BackupType.DATABASE for part in parts)
    window = _WINDOW if usable or redo is not None else 1
    named = _find_named_file(place, order, folders)
    unread: list[FileRecord] = []
    if order.verify is not VerificationLevel.HEADER:
        unread = place.catalog.files_being_verified(order.folder)
    logs, whole = place.catalog.logs_after(order.folder, before, window)
    source, known = _known(order, progress, [*parts, *logs], named, unread, folders)
    if not (whole or window == 1 or _leads_on(order, progress, known)):
        logs, _ = place.catalog.logs_after(order.folder, before, None)
        source, known = _known(order, progress, [*parts, *logs], named, unread, folders)
    return source, known._replace(last=_last_under_stop(place, order, progress))


def _last_under_stop(
    place: Workplace, order: MigrationOrder, progress: MigrationProgress
) -> BackupSet | None:
    """Return the set that was restored last, if that was under a stop point; None without one."""
    last = progress.last_restored
    if stop_of(order) is None or last is None or last.stop is None:
        return None
    files = [place.catalog.read_file(order.folder, name) for name in last.files]
    merged = merge_families(part for file in files if file and (part := file.claimed))
    return next((s for s in merged if s.backup_set_guid == last.backup_set_guid), None)


def _leads_on(order: MigrationOrder, progress: MigrationProgress, known: Known) -> bool:
    """Tell whether a part of the logs is enough to plan with: a position is known and it moves."""
    position = position_of(progress)
    if position.reached is None:
        return False
    return bool(plan_restore(known.sets, position, goal_of(order)).steps)


def _known(
    order: MigrationOrder,
    progress: MigrationProgress,
    parts: Sequence[BackupSet],
    named: FileRecord | None,
    unread: Sequence[FileRecord],
    folders: Sequence[str],
) -> tuple[SourceDatabase | None, Known]:
    if named is not None and named.backup is not None:
        parts = [*parts, named.backup]
    mine = [part for part in parts if owner_of(part.files[0].name, folders) == order.folder]
    contents = sort_contents(merge_families(mine), progress.source, order.source_database_name)
    known = Known(sets=contents.own, named=named)
    if verifying := [file for file in unread if owner_of(file.name, folders) == order.folder]:
        mine += [part for file in verifying if (part := file.claimed)]
        hoped = sort_contents(merge_families(mine), contents.source, order.source_database_name)
        known = known._replace(verifying=verifying, hoped=hoped.own)
    return contents.source, known


def _find_named_file(
    place: Workplace, order: MigrationOrder, folders: Sequence[str]
) -> FileRecord | None:
    """Return the file that ends the migration, once it has arrived, usable or not."""
    name = goal_of(order).last_backup
    if name is None:
        return None
    path = f"{order.folder}/{name}" if order.folder else name
    for exact in (path, name):
        if (file := place.catalog.read_file(order.folder, exact)) is not None:
            return file
    tail = "/" + name.casefold()
    files = [
        file
        for known in place.catalog.list_versions(order.folder)
        if ("/" + known).casefold().endswith(tail) and owner_of(known, folders) == order.folder
        if (file := place.catalog.read_file(order.folder, known)) is not None
    ]
    found = find_named(merge_families(b for file in files if (b := file.claimed)), name)
    if found is not None:
        return next(file for file in files if file.name == found.files[0].name)
    refused = [file for file in files if file.refusal]
    return refused[0] if len(refused) == 1 else None


def _settled(
    position: TargetPosition, order: MigrationOrder, stored: StoredProgress
) -> TargetPosition:
    """Take a set that the server's history holds as restored to its very end.

    Servers report the point to go on from a few slots beside the LastLSN of the last set, and of
    a database in standby none. A set that ended at a stop point is the exception: where that is,
    is written down.
    """
    progress, stop = stored.now, stop_of(order)
    if position.state is DatabaseState.STANDBY and progress.begun:
        return position_of(progress).model_copy(update={"state": position.state})
    trial = trial_of(progress, stop) if stop else None
    if trial is not None and trial.reached and position.redo_start_lsn is not None:
        found = trial.model_copy(update={"lsn": position.redo_start_lsn})
        stored.update(stop_trial=found)
        return position
    last = progress.last_restored.last_lsn if progress.last_restored else progress.adopted_at
    redo = position.redo_start_lsn
    if last is None or redo is None or redo >= last:
        return position
    return position.model_copy(update={"redo_start_lsn": Lsn(last)})


def take_over_history(
    place: Workplace,
    order: MigrationOrder,
    stored: StoredProgress,
    target: Target,
    sets: Sequence[BackupSet],
) -> Explanation | None:
    """Record what the server's history has restored since the last look.

    `sets` are those that the migration knows of; what it last asked for counts even if its files
    were replaced meanwhile. Returns why the database is not ours any more if somebody else
    restored something to it.
    """
    if not stored.now.begun:
        return None
    by_guid = {backup.backup_set_guid: backup for backup in (*sets, *stored.now.batch)}
    for row in target.read_restore_history(order.target_database, stored.now.history_id):
        backup = by_guid.get(row.backup_set_guid)
        last = stored.now.last_restored
        if last is not None and last.backup_set_guid == row.backup_set_guid:
            again = last.model_copy(update={"stop": _stop_of(stored.now, row)})
            stored.update(history_id=row.restore_history_id, last_restored=again)
        elif backup is None or (row.restore_type == _FULL and stored.now.full_backup is not None):
            # We restore one full, and the server sees to it that it is restored once.
            return _restored_by_others(order, row)
        else:
            _record(place, stored, backup, row)
    return None


def adopt(
    place: Workplace,
    order: MigrationOrder,
    stored: StoredProgress,
    target: Target,
    position: TargetPosition,
    known: Known,
) -> None:
    """Take over a database that somebody else left restoring, if it is of the same family.

    What was restored since its last full counts as restored, as far as the files are here; the
    rest nobody can name. An empty folder does not tell which family it is to be.
    """
    if position.reached is None or not known.sets or _rival(place, order):
        return
    rows = target.read_restore_history(order.target_database, 0)
    fulls = [index for index, row in enumerate(rows) if row.restore_type == _FULL]
    since = rows[fulls[-1] :] if fulls else ()
    families = {row.family_guid for row in since} | {each.family_guid for each in known.sets}
    if len(families) != 1:
        return
    stored.update(
        begun=True, adopted_at=since[-1].last_lsn, history_id=since[-1].restore_history_id
    )
    by_guid = {backup.backup_set_guid: backup for backup in known.sets}
    for row in since:
        if backup := by_guid.get(row.backup_set_guid):
            _record(place, stored, backup, row)
    stored.update(history_id=since[-1].restore_history_id)


def _restored_by_others(order: MigrationOrder, row: RestoredSet) -> Explanation:
    return Explanation(
        BlockingReason.CONCURRENT_CHANGE,
        f"Somebody else restored the backup set {row.backup_set_guid} to the database"
        f" {order.target_database!r} on the target.",
        "Cancel this migration (the database is then left alone) and start it again.",
    )


def _record(place: Workplace, stored: StoredProgress, backup: BackupSet, row: RestoredSet) -> None:
    now, progress = place.now(), stored.now
    current = progress.current
    timed = current is not None and current.backup_set_guid == backup.backup_set_guid
    restored = RestoredBackup(
        number=progress.restored_sets + 1,
        backup_set_guid=backup.backup_set_guid,
        backup_type=backup.backup_type,
        files=tuple(file.name for file in backup.files),
        last_lsn=backup.last_lsn,
        recovery_fork_id=backup.recovery_fork_id,
        backup_finish_date=backup.backup_finish_date,
        stop=_stop_of(progress, row),
        restored_on=now,
        seconds=(now - current.started_on).total_seconds() if current and timed else None,
    )
    place.catalog.add_restored(progress.operation_id, restored)
    full = restored if backup.backup_type is BackupType.DATABASE else progress.full_backup
    stored.update(
        history_id=row.restore_history_id,
        restored_sets=restored.number,
        full_backup=full,
        last_restored=restored,
        current=None,
        access_denied=False,
        failing_since=None,
    )


def _stop_of(progress: MigrationProgress, row: RestoredSet) -> StopPoint | None:
    """Return the stop point that a set was restored under, if the server's history says so, too."""
    asked = any(backup.backup_set_guid == row.backup_set_guid for backup in progress.batch)
    return progress.batch_stop if asked and row.under_stop else None


def _withdraw_cutover(
    place: Workplace, order: MigrationOrder, stored: StoredProgress
) -> MigrationOrder:
    """End a cutover that waited too long for the backup it named; the migration goes on."""
    vain = order.cutover
    name = vain.last_backup_name if vain else ""
    stored.update(
        complete_error=f"The cutover ended: {name!r} could not be restored in time. Nothing was"
        " lost, the migration goes on."
    )
    changed = place.catalog.change_order(
        order.id,
        lambda old: old.model_copy(update={"cutover": None}) if old.cutover == vain else old,
    )
    if changed is None:
        raise StorageError(f"migration {order.id!r} vanished from the catalog")
    return changed


def _pending(outlook: Outlook, kind: BackupType) -> int:
    steps = outlook.plan.steps if outlook.action is not Action.FINISH else ()
    return sum(step.backup.backup_type is kind for step in steps)
