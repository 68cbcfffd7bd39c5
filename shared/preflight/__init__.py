"""Whether a target can take a database, check by check, before anything is restored. Pure.

A check that cannot be made is unknown and holds nothing up: the server itself has the last word.
Source of what RESTORE needs: Microsoft Learn, "RESTORE Statements", "Permissions" and "SQL Server
Backup to URL".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.errors import BackhaulError, ConfigurationError, TargetUnavailable
from shared.models import PreflightCheckInfo
from shared.preflight import access, ending, reading, room, server
from shared.preflight.found import Access, Found, failed, number_of
from shared.preflight.room import reserved_by
from shared.records import Preflight, PreflightCheck
from shared.vocabulary import BlockingReason

__all__ = [
    "Access",
    "Found",
    "judge",
    "listed",
    "out_of_reach",
    "renewed",
    "reserved_by",
]

_LOGIN_FAILED = frozenset(
    {4060, 4064, 18401, 18450, 18451, 18452, 18456, 18470, 18486, 18487, 18488}
)
_SOON = timedelta(hours=1)

_CHECKS: tuple[Callable[[Found], PreflightCheck], ...] = (
    server.connection,
    server.permissions,
    server.database_name,
    server.edition,
    server.version,
    access.container_access,
    access.certificates,
    server.features,
    room.folders,
    room.free_space,
    server.agent,
    reading.standby,
    ending.after_recovery,
)


def judge(found: Found) -> Preflight:
    """Make every check, in the order in which a failed one is told."""
    return Preflight(
        checked_on=found.now,
        full=found.header.backup_set_guid if found.header else None,
        checks=tuple(check(found) for check in _CHECKS),
        needs=room.needs(found),
        renew_on=access.renew_on(found),
    )


def listed(preflight: Preflight | None) -> list[PreflightCheckInfo]:
    """Return the checks as they are shown; none before they were made."""
    if preflight is None:
        return []
    return [
        PreflightCheckInfo(
            name=check.name,
            state=check.state,
            message=check.message,
            action=check.action or None,
            required=check.required,
            checked_on=preflight.checked_on,
        )
        for check in preflight.checks
    ]


def renewed(before: Preflight, found: Found) -> Preflight:
    """Return a preflight with only the access to the container judged anew."""
    now, soon = access.container_access(found), found.now + _SOON
    again = max(access.renew_on(found) or soon, soon) if found.access.is_managed else None
    checks = tuple(now if check.name == now.name else check for check in before.checks)
    return before.model_copy(update={"checks": checks, "renew_on": again})


def out_of_reach(error: BackhaulError, now: datetime) -> Preflight | None:
    """Return the preflight of a target that could not be logged in to; None for other errors."""
    number = number_of(error)
    if isinstance(error, TargetUnavailable) and (number is None or number in _LOGIN_FAILED):
        code = BlockingReason.TARGET_NOT_READY
    elif isinstance(error, ConfigurationError) or number in _LOGIN_FAILED:
        code = BlockingReason.TARGET_REFUSED
    else:
        return None
    check = failed("connection", code, error.message, error.action)
    return Preflight(checked_on=now, checks=(check,))
