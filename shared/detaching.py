"""Restores that the server does by itself: begun, followed, taken away.

Every function may run again after a crash between any two lines: a batch that runs is found
before another is begun.
"""

from __future__ import annotations

import logging
import time
from itertools import chain
from typing import NamedTuple

from shared.backupset import BackupSet, BackupType
from shared.batches import find_set, is_beside_plan
from shared.errors import TargetError, TargetUnavailable
from shared.looking import Sight
from shared.outlook import Outlook
from shared.stopping import lacks_stop
from shared.targets import Batch, RestoreOrder, Target
from shared.targets.faults import is_path_refused
from shared.vocabulary import RestoreRunner
from shared.work import PictureIsStale, Pinned, Work

_LOG = logging.getLogger(__name__)

# How long a batch is waited for at its start, how long its sets are looked at before, and how
# many there are at most.
_PATIENCE_S = 1.0
_PREPARE_S = 20.0
_BATCH_SETS = 30


class _Prepared(NamedTuple):
    """What a batch is made of, and the set behind it that the target refuses to read, if any."""

    sets: list[BackupSet]
    orders: list[RestoreOrder]
    refused: tuple[BackupSet, Pinned, TargetError] | None = None


def follow(work: Work, target: Target, sight: Sight, batch: Batch) -> Outlook:
    """Let a batch go on, or take away one that is over or not wanted any more."""
    own, now = batch.operation_id == work.order.operation_id, work.progress
    known = (sight.known.sets, now.batch)
    if (
        batch.running
        and not lacks_stop(work.order, now)
        and not is_beside_plan(batch, sight.ahead, now.last_restored, chain.from_iterable(known))
    ):
        return sight.outlook
    reached = own and not batch.running and work.note_stops(batch.stops)
    target.end_batch(batch)
    if reached:
        return work.look(target).outlook
    backup = find_set(batch.failed, *known)
    if batch.error is None or backup is None or not own:
        return work.look(target).outlook
    _LOG.warning("a batch failed at %s: %s", batch.failed, batch.error.message)
    if not isinstance(batch.error, TargetError) or isinstance(batch.error, TargetUnavailable):
        raise batch.error
    if is_path_refused(batch.error) and now.brings_files != backup.backup_set_guid:
        work.stored.update(brings_files=backup.backup_set_guid)
        return work.look(target).outlook
    pinned = work.pin(backup)
    if pinned is None:
        return work.look(target).outlook
    return work.after_refusal(target, backup, pinned, batch.error)


def detach(work: Work, target: Target, sight: Sight) -> Outlook:
    """Start a batch: a full or a differential alone, or the logs that follow each other.

    What is over within a moment is seen at once, so a short log costs no wait.
    """
    ready = _prepare(work, target, sight)
    if not ready.orders:
        refused = ready.refused
        return work.after_refusal(target, *refused) if refused else work.look(target).outlook
    work.claim(target)
    work.stored.update(
        current=work.started(ready.sets[0]),
        batch=tuple(ready.sets),
        batch_stop=ready.orders[0].stop,
        restores_with=RestoreRunner.AGENT,
    )
    target.start_batch(work.order.operation_id, ready.orders)
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        batch = target.find_batch(work.order.target_database)
        if batch is None or not batch.running:
            break
        time.sleep(_PATIENCE_S / 10)
    sight = work.look(target)
    return sight.outlook if sight.batch is None else follow(work, target, sight, sight.batch)


def _prepare(work: Work, target: Target, sight: Sight) -> _Prepared:
    """Make the orders for the next sets that one batch may restore."""
    deadline = time.monotonic() + _PREPARE_S
    steps = sight.outlook.plan.steps[: min(work.place.settings.batch_sets, _BATCH_SETS)]
    ready = _Prepared([], [])
    for backup in (step.backup for step in steps):
        is_log = backup.backup_type is BackupType.LOG
        if (ready.orders and not is_log) or time.monotonic() > deadline:
            break
        pinned = work.pin(backup)
        if pinned is None or work.is_held(backup, pinned):
            break
        try:
            ready.orders.append(work.order_to_restore(target, backup, pinned))
        except PictureIsStale:
            break
        except TargetUnavailable:
            raise
        except TargetError as error:
            return ready._replace(refused=(backup, pinned, error))
        ready.sets.append(backup)
        stop = ready.orders[-1].stop
        if not is_log or (stop is not None and stop.mark is not None):
            # No header tells which log holds a mark, so none is begun before the last one's answer.
            break
    return ready
