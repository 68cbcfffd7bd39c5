"""Takes the scratch database of a rehearsal away, and ends it with what was measured.

What a rehearsal restores is its own: it is known by the name, which has a part of the attempt's id,
and by the server's restore history, in which nobody else restored to it.
"""

from __future__ import annotations

import logging
import time
from uuid import UUID

from shared.chain import DatabaseState
from shared.looking import gather, take_over_history
from shared.outlook import Outlook
from shared.records import Rehearsal
from shared.rehearsal import downtime_s, failure_of, measured, timed
from shared.targets import Target
from shared.vocabulary import MigrationStatus
from shared.work import Work

_LOG = logging.getLogger(__name__)


def wind_up(work: Work, target: Target) -> Outlook:
    """Stop what runs for a rehearsal, drop its database, and end it with what was settled.

    May run again after a crash between any two lines: the database is dropped once, and whoever
    finds it absent goes on.
    """
    if not work.progress.is_winding_up:
        outlook = work.end(MigrationStatus.CANCELED)
        if work.progress.status.is_final:
            return outlook
    database, operation = work.order.target_database, work.order.operation_id
    batch = target.find_batch(database)
    if batch is not None and batch.operation_id == operation:
        target.end_batch(batch)
    check = target.opened(database).find_check(operation)
    if check is not None:
        target.opened(database).end_check(check)
    left = _why_left(work, target)
    began = time.monotonic()
    if left is None:
        target.drop_scratch(database, work.progress.history_id)
        if target.read_position(database).state is not DatabaseState.ABSENT:
            left = "it is not as the rehearsal left it"
    so_far = _with_figures(work, time.monotonic() - began)
    verdict, failure = so_far.verdict or MigrationStatus.CANCELED, so_far.failure
    if left is not None:
        verdict = MigrationStatus.FAILED
        failure = failure_of(
            f"The scratch database {database!r} is still on the target: {left}.",
            "Drop it yourself if nobody needs it.",
        )
    work.stored.update(rehearsal=so_far)
    _LOG.info("rehearsed database=%s verdict=%s", database, verdict)
    return work.end(verdict, failure)


def _why_left(work: Work, target: Target) -> str | None:
    """Return why the scratch database is not ours to drop any more, None if it is."""
    place, order = work.place, work.order
    sets = gather(place, order, work.progress)[1].sets
    if take_over_history(place, order, work.stored, target, sets) is not None:
        return "somebody else restored to it"
    is_open = target.read_position(order.target_database).state is DatabaseState.ONLINE
    if is_open and not work.progress.recovering:
        return "somebody else opened it"
    return None


def _with_figures(work: Work, drop_s: float) -> Rehearsal:
    """Return the rehearsal with how long each step took, its database gone."""
    so_far = work.progress.rehearsal or Rehearsal()
    restored = work.place.catalog.list_restored(work.order.operation_id)
    sizes = _sizes(work)
    found = measured(restored, sizes, so_far.recovery_seconds)
    expected = downtime_s(restored, sizes, found)
    return so_far.model_copy(
        update={
            "gone": True,
            "steps": timed(restored, work.progress, drop_s),
            "measured": found,
            "expected_cutover_seconds": None if expected is None else round(expected, 3),
        }
    )


def _sizes(work: Work) -> dict[UUID, int]:
    sizes: dict[UUID, int] = {}
    for file in work.place.catalog.list_files(work.order.folder):
        if file.header is not None:
            guid = file.header.backup_set_guid
            sizes[guid] = sizes.get(guid, 0) + file.size
    return sizes
