"""Takes orders of rehearsals. A refusal is a RequestError, as for any other order."""

from __future__ import annotations

from uuid import uuid4

from shared.chain import ABSENT, plan_restore
from shared.errors import RequestError
from shared.folder import rehearsal_id
from shared.looking import gather, read_migration
from shared.models import RehearseRequest
from shared.ordering import refuse_stale
from shared.outlook import goal_of
from shared.records import MigrationOrder, MigrationProgress
from shared.rehearsal import measured_by, order_of
from shared.workplace import Workplace


def order_rehearsal(place: Workplace, migration: str, request: RehearseRequest) -> str:
    """Order a rehearsal of a migration, with what can be restored now; return its id.

    While one is under way, the same again is answered with that.
    """
    order, stored = read_migration(place, migration)
    refuse_stale(order, request.migration_operation_id)
    _refuse_ended(order, stored.now)
    old = place.catalog.read_migration(rehearsal_id(order.id))
    if old is not None and not old[1].now.status.is_final:
        return old[0].id
    before = measured_by((old[0], old[1].now)) if old else None
    blank = MigrationProgress(operation_id=order.operation_id, source=stored.now.source)
    known = gather(place, order, blank)[1]
    steps = plan_restore(known.sets, ABSENT, goal_of(order)).steps
    if not steps:
        raise RequestError(
            409,
            "RehearsalNotPossible",
            "nothing can be restored to a new database: no usable full backup is in the folder",
            action="rehearse once a full backup is there; files that were removed from the"
            " container after their restore are missing for a rehearsal",
        )
    wish = order_of(
        order,
        stored.now,
        steps[-1].backup,
        operation=uuid4(),
        now=place.now(),
        before=before,
    )
    if old is None:
        place.catalog.create_order(wish)
    else:
        # Somebody else may be faster, and has ordered the same.
        place.catalog.replace_ended(wish, old[0])
    return wish.id


def _refuse_ended(order: MigrationOrder, progress: MigrationProgress) -> None:
    if order.rehearsal is not None:
        raise RequestError(
            409,
            "RehearsalNotPossible",
            f"{order.id!r} is a rehearsal itself",
            action="name the migration that is to be rehearsed",
        )
    if progress.status.is_final or order.cutover or order.cancel:
        raise RequestError(
            409,
            "RehearsalNotPossible",
            f"the migration is {progress.status}, or on its way to its end",
            action="rehearse before the cutover; restart a migration that has ended",
        )
