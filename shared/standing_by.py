"""Lets a database be read while its migration waits.

Every set is restored WITH NORECOVERY, whatever carries restores out. Once nothing is left to do the
database is put into standby by a statement of its own, and taken back before the next restore; so a
crash anywhere in between leaves one of two states that the next look tells apart.
"""

from __future__ import annotations

import logging

from shared.chain import DatabaseState, TargetPosition
from shared.errors import TargetError, TargetUnavailable
from shared.outlook import Action, Outlook
from shared.records import StandbyRefusal
from shared.standby import UPGRADE_NEEDED
from shared.targets import Target
from shared.work import Work

_LOG = logging.getLogger(__name__)


def stand_by(work: Work, target: Target) -> Outlook:
    """Let the database be read. A target that refuses does not hold the migration up."""
    database = work.order.target_database
    try:
        target.stand_by(database, work.order.restore_options.log_folder)
    except TargetUnavailable:
        raise
    except TargetError as error:
        _LOG.warning("%r cannot be read meanwhile: %s", database, error.message)
        work.stored.update(standby_refusal=_refusal(work, error))
    else:
        work.stored.update(standby_refusal=None)
    outlook = work.look(target).outlook
    if outlook.action is Action.STAND_BY:
        # Whoever shuts down ends a statement without an error; the orchestration would go round.
        raise TargetUnavailable(
            f"database {database!r} is restoring still, after it was to be read",
            action="It is tried again; if it stays, look at the server's error log.",
        )
    return outlook


def is_ours(work: Work, position: TargetPosition) -> bool:
    """Tell whether a database is as this migration leaves one that it has half restored."""
    if position.state is DatabaseState.STANDBY:
        return work.order.restore_options.standby
    return position.state is DatabaseState.RESTORING


def _refusal(work: Work, error: TargetError) -> StandbyRefusal:
    progress = work.progress
    last, server = progress.last_restored, progress.server
    reason, action = error.message, error.action
    if error.number == UPGRADE_NEEDED:
        newer = f" ({server.product_version})" if server else ""
        reason = (
            f"The backups are of an older version than the target{newer}, and the database is"
            f" upgraded by its recovery only: it cannot be read before (error {UPGRADE_NEEDED})."
        )
        action = (
            "Nothing is to be done; to look at the data before the cutover, name a target of the"
            " source's version."
        )
    return StandbyRefusal(
        reason=reason,
        action=action,
        sql_error_number=error.number,
        last_lsn=last.last_lsn if last else progress.adopted_at,
    )
