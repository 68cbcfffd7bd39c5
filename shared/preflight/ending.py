"""Whether the target can do what is asked for once the database is open. Pure."""

from __future__ import annotations

from shared.preflight.found import Found, failed, passed, quoted, unknown
from shared.records import PreflightCheck
from shared.vocabulary import BlockingReason

_NAME = "afterRecovery"
_OLDEST_LEVEL = 100  # of SQL Server 2014 and later


def after_recovery(found: Found) -> PreflightCheck:
    """Check that the owner is a login and the target has the level: the database opens anyway."""
    wanted, highest = found.after, found.server.highest_compatibility_level
    level = wanted.compatibility_level
    if level is not None and highest is not None and not _OLDEST_LEVEL <= level <= highest:
        return failed(
            _NAME,
            BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
            f"The compatibility level {level} is asked for, and the target has {_OLDEST_LEVEL} to"
            f" {highest}; the database will keep its own.",
            "Set the level yourself after the migration, or cancel and start again with another.",
            required=False,
        )
    if wanted.owner is None:
        return passed(_NAME, "No owner is asked for that the target might not have.")
    if found.owner_is_login is None:
        return unknown(
            _NAME, f"The app's login does not see whether {wanted.owner!r} is a login."
        ).model_copy(update={"required": False})
    if found.owner_is_login:
        return passed(_NAME, f"{wanted.owner!r} is a login of the target.")
    return failed(
        _NAME,
        BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
        f"{wanted.owner!r}, who is to own the database, is no login of the target.",
        f"Create the login {quoted(wanted.owner)} before the cutover.",
        required=False,
    )
