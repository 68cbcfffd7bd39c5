"""What the periodic check finds: blobs that nobody announced, migrations with something to do."""

from __future__ import annotations

import logging
from typing import NamedTuple

from shared.arrivals import unchecked_blobs
from shared.blob_event import FinishedBlob
from shared.errors import BackhaulError
from shared.looking import glance
from shared.workplace import Workplace

_LOG = logging.getLogger(__name__)
_BLOBS_AT_A_TIME = 1000


class Survey(NamedTuple):
    """What is to be done: blobs to check, and the ids of migrations that are to be woken.

    `busy` are the ids of those that may hold a restore slot, or wait for one.
    """

    unchecked: list[FinishedBlob]
    restless: list[str]
    busy: frozenset[str]


def survey(place: Workplace) -> Survey:
    """Compare the container with the catalog, and each migration with what it last decided.

    Takes the records away that were to go once their cancel was carried out, and those of
    rehearsals whose migration is gone.
    """
    unchecked = [
        blob for blob, _ in zip(unchecked_blobs(place), range(_BLOBS_AT_A_TIME), strict=False)
    ]
    restless, busy = [], set()
    listed = place.catalog.list_migrations()
    known = {order.id for order, _ in listed}
    for order, progress in listed:
        if progress.status.is_final:
            deleted = order.cancel is not None and order.cancel.delete
            if deleted or (order.rehearsal and order.rehearsal.migration_id not in known):
                place.catalog.delete_migration(order)
            continue
        try:
            seen = glance(place, order, progress)
        except BackhaulError as error:
            # One migration's trouble must not keep the others from being looked at.
            _LOG.warning("migration %s could not be looked at: %s", order.id, error.message)
            busy.add(order.id)
            continue
        if seen.busy:
            busy.add(order.id)
        if seen.restless:
            restless.append(order.id)
    return Survey(unchecked, restless, frozenset(busy))
