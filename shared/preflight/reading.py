"""Whether the target will let the database be read between restores, if that is asked for. Pure."""

from __future__ import annotations

from shared.preflight.found import Found, failed, passed, quoted
from shared.records import PreflightCheck
from shared.vocabulary import BlockingReason

_NAME = "standby"


def standby(found: Found) -> PreflightCheck:
    """Check versions and rights; where they do not suffice, backups are restored all the same."""
    header, server, conditions = found.header, found.server, found.conditions
    if not found.standby:
        return passed(_NAME, "The database is not to be read before the cutover.")
    if header is not None and header.database_version < server.database_version:
        return failed(
            _NAME,
            BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
            f"The backup (database version {header.database_version}) is older than the target"
            f" ({server.database_version}), which cannot let the database be read before its"
            " recovery has upgraded it (error 3180).",
            "Nothing is to be done; to look at the data before the cutover, name a target of the"
            " source's version.",
            required=False,
        )
    if not conditions.may_end_sessions:
        return failed(
            _NAME,
            BlockingReason.TARGET_REFUSED,
            f"The login {conditions.login!r} may not end the sessions of those who read the"
            " database; restores wait until they have left.",
            f"Let an administrator run: GRANT ALTER ANY CONNECTION TO {quoted(conditions.login)}",
            required=False,
        )
    return passed(_NAME, "The database can be read while the migration waits.")
