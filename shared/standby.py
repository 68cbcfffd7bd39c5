"""Whether a database is to be read while its migration waits, and how that is told. Pure."""

from __future__ import annotations

from shared.chain import DatabaseState, TargetPosition
from shared.models import StandbyInfo
from shared.records import MigrationOrder, MigrationProgress
from shared.vocabulary import StandbyState

UPGRADE_NEEDED = 3180
"""The number of the refusal that stays: the backup is of an older version than the target."""


def is_due(order: MigrationOrder, progress: MigrationProgress, position: TargetPosition) -> bool:
    """Tell whether a migration that waits lets its database be read first.

    Not on the way to the end, where it would only cost time. A refusal holds until something more
    was restored; that of an older version for good, since only the recovery upgrades a database.
    """
    wanted = order.restore_options.standby and progress.begun
    ends = order.cutover is not None or order.cancel is not None or progress.recovering
    at_rest = position.state is DatabaseState.RESTORING and position.reached is not None
    return wanted and not ends and at_rest and not _is_refused(progress)


def describe_standby(order: MigrationOrder, progress: MigrationProgress) -> StandbyInfo | None:
    """Return how it stands with reading the database between restores; None if that is no topic."""
    is_over = progress.aftermath is not None or progress.status.is_final
    if is_over or not order.restore_options.standby:
        return None
    position, why = progress.position, progress.standby_refusal
    if position is not None and position.state is DatabaseState.STANDBY:
        return StandbyInfo(state=StandbyState.READABLE)
    if why is None:
        return StandbyInfo(state=StandbyState.NOT_READABLE)
    return StandbyInfo(
        state=StandbyState.REFUSED,
        reason=why.reason,
        action=why.action,
        sql_error_number=why.sql_error_number,
    )


def _is_refused(progress: MigrationProgress) -> bool:
    why, last = progress.standby_refusal, progress.last_restored
    if why is None:
        return False
    reached = last.last_lsn if last else progress.adopted_at
    return why.sql_error_number == UPGRADE_NEEDED or why.last_lsn == reached
