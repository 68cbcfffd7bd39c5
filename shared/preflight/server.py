"""Whether the server itself fits: login, edition, version, kinds of files, Agent. Pure."""

from __future__ import annotations

from shared.acceptance import RELEASES
from shared.preflight.found import NO_FULL, Found, failed, in_bytes, passed, quoted, unknown
from shared.records import PreflightCheck
from shared.vocabulary import BlockingReason

# Azure SQL Database, Synapse (dedicated, serverless), Managed Instance: SERVERPROPERTY.
_WITHOUT_NORECOVERY = frozenset({5, 6, 8, 11})
_EXPRESS = 4
_EXPRESS_BYTES = 10 * 1024**3
_EXPRESS_BYTES_2025 = 50 * 1024**3


def connection(found: Found) -> PreflightCheck:
    """Tell which server it is; without a connection nothing is found out about it."""
    server = found.server
    return passed(
        "connection",
        f"{server.server_name}, {server.edition} {server.product_version}, as"
        f" {found.conditions.login!r}.",
    )


def permissions(found: Found) -> PreflightCheck:
    """Check the permissions to create databases, and to see what was restored to them."""
    login = found.conditions.login
    if found.conditions.may_create_databases and not found.conditions.may_read_history:
        return failed(
            "permissions",
            BlockingReason.TARGET_REFUSED,
            f"The login {login!r} may not read restorehistory and backupset in msdb, which tell"
            " what was restored.",
            f"Let an administrator make {quoted(login)} a user of msdb, and grant it SELECT on"
            " both.",
        )
    if found.conditions.may_create_databases:
        return passed("permissions", f"{login!r} may create databases.")
    return failed(
        "permissions",
        BlockingReason.TARGET_REFUSED,
        f"The login {login!r} lacks the permission CREATE ANY DATABASE, which RESTORE needs.",
        f"Let an administrator run: ALTER SERVER ROLE dbcreator ADD MEMBER {quoted(login)}",
    )


def database_name(found: Found) -> PreflightCheck:
    """Check that nobody else has the database's name."""
    if found.taken is None:
        return passed("databaseName", "No other database has the name.")
    return failed("databaseName", *found.taken)


def edition(found: Found) -> PreflightCheck:
    """Check that the product restores backups step by step, and holds so much data."""
    server, name = found.server, "edition"
    code = BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET
    if server.engine_edition in _WITHOUT_NORECOVERY:
        return failed(
            name,
            code,
            f"The target is {server.edition} (EngineEdition {server.engine_edition}), which does"
            " not take RESTORE WITH NORECOVERY.",
            "Name a SQL Server as the target.",
        )
    if server.engine_edition != _EXPRESS:
        return passed(name, f"{server.edition}.")
    limit = _EXPRESS_BYTES if server.product_major_version < 17 else _EXPRESS_BYTES_2025
    if found.files is None:
        return unknown(name, f"{server.edition} holds up to {in_bytes(limit)} of data. {NO_FULL}")
    data = sum(file.size for file in found.files if file.type == "D")
    if data <= limit:
        return passed(name, f"{server.edition} holds up to {in_bytes(limit)} of data.")
    return failed(
        name,
        code,
        f"The data files have {in_bytes(data)}; {server.edition} holds up to {in_bytes(limit)}.",
        "Choose a target of another edition, or shrink the source and take a new full backup.",
    )


def version(found: Found) -> PreflightCheck:
    """Check that the server is not older than the backup."""
    server, header = found.server, found.header
    target = _release(server.product_major_version)
    if header is None:
        return unknown("version", f"The target is {target}. {NO_FULL}")
    source = _release(header.software_version_major)
    if header.database_version <= server.database_version:
        return passed("version", f"{target} restores backups of {source}.")
    return failed(
        "version",
        BlockingReason.VERSION_NOT_SUPPORTED,
        f"The backup is of {source} (database version {header.database_version}); the target is"
        f" {target} {server.product_version}, which restores up to {server.database_version}"
        " (error 3169).",
        f"Choose a target of {source} or newer; a backup never goes back to an older version.",
    )


def features(found: Found) -> PreflightCheck:
    """Check that the server takes the kinds of files that the database has."""
    if found.files is None:
        return unknown("features", found.without_files)
    containers = [file.logical_name for file in found.files if file.type == "S"]
    if not containers or found.conditions.takes_containers:
        return passed("features", "The target takes all kinds of files in the backup.")
    return failed(
        "features",
        BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
        f"The backup holds FILESTREAM or memory-optimised data ({', '.join(containers[:3])}), and"
        " the target takes neither.",
        "Enable FILESTREAM on the server, or choose another target.",
    )


def agent(found: Found) -> PreflightCheck:
    """Check that SQL Server Agent can carry restores out, if it is to."""
    name, why_not = "agent", found.conditions.why_no_agent
    if found.restore_with == "inline":
        return passed(name, "Restores run on a connection of the app, as the settings say.")
    if why_not is None:
        return passed(name, "Restores run as jobs of SQL Server Agent.")
    if found.restore_with == "agent":
        return failed(
            name,
            BlockingReason.TARGET_NOT_READY,
            f"Restores are to run as jobs of SQL Server Agent, and {why_not}.",
            "Start SQL Server Agent and let the login use it, or set restore_with of this target"
            " to auto or inline.",
        )
    return failed(
        name,
        BlockingReason.TARGET_NOT_READY,
        f"Restores run on a connection of the app and end with it: {why_not}.",
        "Start SQL Server Agent and let the login use it.",
        required=False,
    )


def _release(major: int) -> str:
    return RELEASES.get(major, f"SQL Server {major}.x")
