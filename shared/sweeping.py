"""What the periodic check finds: blobs that nobody announced, migrations with something to do."""

from __future__ import annotations

import logging
from typing import NamedTuple

from shared.arrivals import unchecked_blobs
from shared.blob_event import FinishedBlob
from shared.errors import BackhaulError
from shared.folder import owner_of
from shared.looking import has_news, read_migration
from shared.workplace import Workplace

_LOG = logging.getLogger(__name__)
_BLOBS_AT_A_TIME = 1000


class Survey(NamedTuple):
    """What is to be done.

    `unchecked` blobs come with the folder of their migration, "" if none. `active` are the ids of
    all migrations that go on, `restless` of those to be woken, `targets` the names of theirs.
    """

    unchecked: list[tuple[FinishedBlob, str]]
    active: list[str]
    restless: list[str]
    targets: list[str]


def survey(place: Workplace) -> Survey:
    """Compare the container with the catalog, and each migration with what it last decided."""
    orders = place.catalog.list_orders()
    folders = [order.folder for order in orders]
    unchecked = [
        (blob, owner_of(blob.name, folders) or "")
        for blob, _ in zip(unchecked_blobs(place), range(_BLOBS_AT_A_TIME), strict=False)
    ]
    active, restless, targets = [], [], set()
    for migration_id in [order.id for order in orders]:
        order, stored = read_migration(place, migration_id)
        if stored.now.status.is_final:
            continue
        active.append(order.id)
        targets.add(order.target)
        try:
            if has_news(place, order, stored.now):
                restless.append(order.id)
        except BackhaulError as error:
            # One migration's trouble must not keep the others from being looked at.
            _LOG.warning("migration %s could not be looked at: %s", order.id, error.message)
    return Survey(unchecked, active, restless, sorted(targets))
