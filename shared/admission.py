"""Tells whether a migration could be created and its target take the database. Changes nothing."""

from __future__ import annotations

from shared.deciding import look_ahead
from shared.errors import ConfigurationError, TargetError
from shared.examining import examine, first_full
from shared.looking import gather
from shared.models import MigrationRequest, PreflightReport
from shared.ordering import propose_migration
from shared.preflight import listed, out_of_reach
from shared.records import MigrationOrder, MigrationProgress, Preflight
from shared.workplace import Workplace


def check_migration(place: Workplace, request: MigrationRequest) -> PreflightReport:
    """Return the checks that a new migration would begin with; raises what creating it would.

    Of the backups those count that the app has read: it reads a file when it arrives.
    """
    preflight = _examine(place, propose_migration(place, request))
    return PreflightReport(ready=preflight.failed is None, checks=listed(preflight))


def _examine(place: Workplace, order: MigrationOrder) -> Preflight:
    under_way = place.catalog.read_migration(order.id)
    progress = under_way[1].now if under_way else MigrationProgress(operation_id=order.operation_id)
    if progress.status.is_final:
        progress = MigrationProgress(operation_id=order.operation_id)
    try:
        with place.target(order.target) as target:
            position = target.read_position(order.target_database)
            _, known = gather(place, order, progress)
            ahead = look_ahead(order, progress, position, known)
            # Whether a database can be taken over shows when its history is compared.
            adoptable = order.adopt and position.reached is not None
            _, preflight = examine(
                place,
                order,
                target,
                first_full(ahead),
                progress,
                position,
                None if adoptable else ahead.blocking,
                only_look=True,
            )
            return preflight
    except (TargetError, ConfigurationError) as error:
        unseen = out_of_reach(error, place.now())
        if unseen is None:
            raise
        return unseen
