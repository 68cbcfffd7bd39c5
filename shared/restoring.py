"""Changes the target: restores what the plan says, recovers, or takes a failed attempt away.

Every function may run again after a crash between any two lines, and first looks where the
database stands. Nothing is ever restored over a database that this migration did not create.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from shared.backupset import BackupSet
from shared.chain import DatabaseState
from shared.completing import complete
from shared.deciding import look_ahead
from shared.detaching import detach, follow
from shared.errors import RequestError, StorageError, TargetError, TargetUnavailable
from shared.looking import Sight, take_over_history
from shared.outlook import NO_PLAN, Action, Known, Outlook, position_of
from shared.records import CurrentRestore, Rehearsal
from shared.standing_by import is_ours, stand_by
from shared.stopping import lacks_stop, stop_of
from shared.targets import RestoreStopped, Target, Watch
from shared.vocabulary import MigrationState, MigrationStatus, RestoreRunner, RestoreState
from shared.winding_up import wind_up
from shared.work import PictureIsStale, Pinned, Turn, Work
from shared.workplace import Workplace

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 1.0


def take_turn(place: Workplace, migration_id: str) -> Turn:
    """Look at a migration and say what comes next."""
    try:
        work = Work.begin(place, migration_id)
    except RequestError:
        # It was deleted: there is nothing left to do for whoever was at it.
        return Turn(Action.FINISH, {"migrationStatus": None}, "", 1)
    if (resting := work.rest()) is not None:
        return work.turn(resting)
    now = work.progress
    if now.status.is_final or now.aftermath or (work.order.cancel and not now.begun):
        return work.turn(look_ahead(work.order, now, position_of(now), Known(sets=())))
    return work.on_target(lambda target: work.look(target).outlook)


def restore_batch(place: Workplace, migration_id: str) -> Turn:
    """Restore what the plan says, or see how far the server is with it.

    Where the server works by itself this ends within seconds, and the turn says when to look
    again. Else it restores set by set, until the batch's time is over or all is done.
    """
    work = Work.begin(place, migration_id)
    return work.on_target(lambda target: _restore(work, target))


def recover(place: Workplace, migration_id: str) -> Turn:
    """Open the database on the target and do what follows, or see how far that is.

    What takes long there is left to the server, as restores are; the turn says when to look again.
    """
    work = Work.begin(place, migration_id)
    return work.on_target(lambda target: _recover(work, target))


def clean_up(place: Workplace, migration_id: str) -> Turn:
    """Carry out a cancel: drop the half-restored database, unless it is to be kept or is open.

    Without a cancel it only looks: it may run again, late, when the migration was started anew.
    """
    try:
        work = Work.begin(place, migration_id)
    except RequestError:
        # It was deleted: there is nothing left to do for whoever was at it.
        return Turn(Action.FINISH, {"migrationStatus": None}, "", 1)
    if (resting := work.rest()) is not None:
        return work.turn(resting)
    if work.order.rehearsal is not None and not work.progress.status.is_final:
        return _clean_up_rehearsal(work)
    if work.progress.status.is_final or work.order.cancel is None:
        return take_turn(place, migration_id)
    if not work.progress.begun:
        return work.turn(work.end(MigrationStatus.CANCELED))
    return work.on_target(lambda target: _clean_up(work, target))


def _clean_up_rehearsal(work: Work) -> Turn:
    """Drop the scratch database of a rehearsal that is canceled or at its end."""
    if not work.progress.is_winding_up and work.order.cancel is None:
        return take_turn(work.place, work.order.id)
    if not work.progress.begun:
        return work.turn(work.end(MigrationStatus.CANCELED))
    return work.on_target(lambda target: wind_up(work, target))


def note_queued(place: Workplace, migration_id: str, number: int) -> Turn:
    """Show that a migration waits for a restore slot, and at which place."""
    return _wait_in_queue(Work.begin(place, migration_id), number)


def _restore(work: Work, target: Target) -> Outlook:
    """Restore the steps of one plan, or follow the batch that does; returns the outlook."""
    sight = work.look(target)
    if sight.outlook.action is Action.STAND_BY:
        return stand_by(work, target)
    if sight.outlook.action is not Action.RESTORE:
        return sight.outlook
    if sight.batch is not None:
        return follow(work, target, sight, sight.batch)
    if sight.position.state is DatabaseState.STANDBY:
        target.stop_standing_by(work.order.target_database)
        sight = work.look(target)
        if sight.outlook.action is not Action.RESTORE or sight.batch is not None:
            return sight.outlook
    work.place.let_target_read(target, work.order.target, renew=work.progress.access_denied)
    if target.detaches():
        return detach(work, target, sight)
    return _restore_here(work, target, sight)


def _restore_here(work: Work, target: Target, sight: Sight) -> Outlook:
    """Restore the steps of the plan on our own connection, until the time is over."""
    deadline = time.monotonic() + work.place.settings.batch_seconds
    for step in sight.outlook.plan.steps[: work.place.settings.batch_sets]:
        pinned = work.pin(step.backup)
        if pinned is None or work.is_held(step.backup, pinned):
            break
        try:
            if _restore_one(work, target, step.backup, pinned, sight.known.sets):
                break
        except (PictureIsStale, RestoreStopped):
            break
        except TargetUnavailable:
            raise
        except TargetError as error:
            return work.after_refusal(target, step.backup, pinned, error)
        if time.monotonic() > deadline or _has_new_orders(work):
            break
    return work.look(target).outlook


def _has_new_orders(work: Work) -> bool:
    return work.read_order() != work.order


def _restore_one(
    work: Work, target: Target, backup: BackupSet, pinned: Pinned, sets: Sequence[BackupSet]
) -> bool:
    """Restore one set; returns whether it has reached the stop point of its order."""
    order = work.order_to_restore(target, backup, pinned)
    work.claim(target)
    started = work.started(backup)
    work.stored.update(
        current=started,
        batch=(backup,),
        batch_stop=order.stop,
        restores_with=RestoreRunner.INLINE,
    )
    reached = target.restore(order, _watch(work, started))
    # First this, or a crash would leave open how a restored set has ended.
    work.note_stops({backup.backup_set_guid: reached})
    take_over_history(work.place, work.order, work.stored, target, sets)
    _LOG.info(
        "restored database=%s backup_set=%s last_lsn=%s seconds=%.1f",
        work.order.target_database,
        backup.backup_set_guid,
        backup.last_lsn,
        (work.place.now() - started.started_on).total_seconds(),
    )
    return reached


def _watch(work: Work, started: CurrentRestore) -> Watch:
    """Show the progress of a restore every few seconds, and stop it for a cancel."""
    shown = time.monotonic()

    def watch(percent: float) -> bool:
        nonlocal shown
        if time.monotonic() - shown < _WATCH_SECONDS:
            return True
        shown = time.monotonic()
        try:
            order = work.read_order()
            if order is None or order.cancel or order.operation_id != work.order.operation_id:
                return False
            if lacks_stop(order, work.progress):
                return False
            work.stored.update(current=started.model_copy(update={"percent": percent}))
        except StorageError as error:
            _LOG.warning("progress of %s is not shown: %s", work.order.id, error.message)
        return True

    return watch


def _recover(work: Work, target: Target) -> Outlook:
    """Recover the database if that is what comes next, and do what follows then."""
    if work.progress.aftermath is None or work.progress.status.is_final:
        outlook = work.look(target).outlook
        if outlook.action is not Action.RECOVER:
            return outlook
        if work.progress.aftermath is None and not _open(work, target):
            return work.look(target).outlook
    return complete(work, target)


def _open(work: Work, target: Target) -> bool:
    """Send the statement that opens the database, and see how long it takes.

    Returns False if the stop point was replaced at the last moment: whoever does that sees that
    we recover, or we see it.
    """
    first = not work.progress.recovering
    work.stored.update(recovering=True)
    if first and stop_of(work.order) is not None and _has_new_orders(work):
        work.stored.update(recovering=False)
        return False
    began = time.monotonic()
    target.recover(work.order.target_database)
    seconds = time.monotonic() - began
    _LOG.info("recovered database=%s seconds=%.3f", work.order.target_database, seconds)
    if work.order.rehearsal is not None and first:
        so_far = work.progress.rehearsal or Rehearsal()
        work.stored.update(rehearsal=so_far.model_copy(update={"recovery_seconds": seconds}))
    return True


def _clean_up(work: Work, target: Target) -> Outlook:
    """Drop what this migration half restored; an open database is never dropped."""
    sight = work.look(target)
    if sight.batch is not None and sight.batch.operation_id == work.order.operation_id:
        target.end_batch(sight.batch)
        sight = work.look(target)
    if sight.outlook.action is not Action.CLEAN_UP or work.order.cancel is None:
        return sight.outlook
    stranger = take_over_history(work.place, work.order, work.stored, target, sight.known.sets)
    if is_ours(work, sight.position) and not work.order.cancel.keep_target and stranger is None:
        target.drop(work.order.target_database)
    left = target.read_position(work.order.target_database).state
    work.stored.update(left_as=_LEFT.get(left))
    return work.end(MigrationStatus.CANCELED)


_LEFT = {
    DatabaseState.RESTORING: "restoring",
    DatabaseState.STANDBY: "in standby",
    DatabaseState.ONLINE: "open",
    DatabaseState.OTHER: "neither open nor restoring",
}


def _wait_in_queue(work: Work, number: int) -> Turn:
    """Write down that others restore to the same target first."""
    if work.progress.status.is_final or work.progress.aftermath:
        return take_turn(work.place, work.order.id)
    settings = work.place.settings.targets.get(work.order.target)
    outlook = Outlook(
        Action.WAIT,
        work.progress.status,
        MigrationState.WAIT_FOR_RESTORE_SLOT,
        RestoreState.WAITING,
        NO_PLAN,
        waiting_for=f"a restore slot of target {work.order.target!r}, which restores"
        f" {settings.restore_slots if settings else 1} databases at a time; place {number} in the"
        " queue, behind those of a higher priority and those that lag more",
    )
    work.stored.update(state=outlook.state, waiting_for=outlook.waiting_for, queue_place=number)
    return work.turn(outlook)
