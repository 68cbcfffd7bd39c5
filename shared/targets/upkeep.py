"""What is said to, and read from, a database that is open. Pure: text of T-SQL, and rows.

Names are quoted as everywhere (`tsql`). Source: Microsoft Learn, "ALTER AUTHORIZATION", "ALTER
DATABASE compatibility level", "DBCC CHECKDB", "Troubleshoot orphaned users".
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.opened import ORPHANS_SHOWN, DatabaseFacts, OrphanedUser
from shared.targets import tsql
from shared.vocabulary import DatabaseCheck

Row = Mapping[str, object]

CHECKED = 50000
"""Number of the message that tells the end of a check that is waited for."""

FACTS = """\
SELECT d.state_desc, d.is_in_standby, SUSER_SNAME(d.owner_sid) AS owner, SUSER_SNAME() AS login,
       d.compatibility_level, d.recovery_model_desc, d.page_verify_option_desc,
       d.is_trustworthy_on, d.is_broker_enabled, d.is_encrypted, d.is_cdc_enabled
FROM sys.databases AS d
WHERE d.name = ?"""

SEES_LOGINS = """\
SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY LOGIN') AS may_alter,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS may_view,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY SECURITY DEFINITION') AS may_view_security"""

LOGIN = """\
SELECT name FROM sys.server_principals
WHERE name = ? AND type IN ('S', 'U', 'E', 'C', 'K')"""


def sees_logins(row: Row) -> bool:
    """Tell from `SEES_LOGINS` whether all logins are seen; NULL is a right of a later version."""
    return any(bool(value) for value in row.values())


def facts(row: Row) -> DatabaseFacts:
    """Read the one row of `FACTS`."""
    owner = row["owner"]
    return DatabaseFacts(
        state="STANDBY" if row["is_in_standby"] else str(row["state_desc"]),
        owner=None if owner is None else str(owner),
        login=str(row["login"]),
        compatibility_level=int(str(row["compatibility_level"])),
        recovery_model=str(row["recovery_model_desc"]),
        page_verify=str(row["page_verify_option_desc"]),
        is_trustworthy_on=bool(row["is_trustworthy_on"]),
        is_broker_enabled=bool(row["is_broker_enabled"]),
        is_encrypted=bool(row["is_encrypted"]),
        is_cdc_enabled=bool(row["is_cdc_enabled"]),
    )


def count_orphans(database: str) -> str:
    """Return the query that counts the users without login."""
    return f"SELECT COUNT(*) AS orphans\n{_orphans(database)}"


def list_orphans(database: str) -> str:
    """Return the query for the first users without login, by name."""
    return (
        f"SELECT TOP ({ORPHANS_SHOWN}) p.name, p.sid, p.type_desc\n"
        f"{_orphans(database)}\nORDER BY p.name"
    )


def orphan(row: Row) -> OrphanedUser:
    """Read one row of `list_orphans`."""
    sid = row["sid"]
    return OrphanedUser(
        name=str(row["name"]),
        sid="0x" + sid.hex().upper() if isinstance(sid, (bytes, bytearray)) else "",
        kind=str(row["type_desc"]),
    )


def set_owner(database: str, login: str) -> str:
    """Return the statement that gives a database to a login."""
    return (
        f"ALTER AUTHORIZATION ON DATABASE::{_database(database)}"
        f" TO {tsql.identifier(login, 'the name of the owner')}"
    )


def set_compatibility_level(database: str, level: int) -> str:
    """Return the statement that sets a compatibility level."""
    return f"ALTER DATABASE {_database(database)} SET COMPATIBILITY_LEVEL = {level:d}"


def check_database(database: str, kind: DatabaseCheck, *, tells_end: bool) -> str:
    """Return DBCC CHECKDB, which says nothing of a database that is good.

    With `tells_end` a message follows, for a client that must tell a good end from a connection
    that a server in shutdown has ended.
    """
    options = "NO_INFOMSGS, ALL_ERRORMSGS"
    if kind is DatabaseCheck.PHYSICAL:
        options += ", PHYSICAL_ONLY"
    statement = f"DBCC CHECKDB ({_database(database)}) WITH {options}"
    return statement + ("\nRAISERROR (N'checked', 0, 1)" if tells_end else "")


def _orphans(database: str) -> str:
    """Users of a login, by their SID: of a contained user or one without login nobody asks one.

    The names are not compared: the two views have the collations of database and server.
    """
    return (
        f"FROM {_database(database)}.sys.database_principals AS p\n"
        "LEFT JOIN sys.server_principals AS s ON s.sid = p.sid\n"
        "WHERE p.type IN ('S', 'U', 'G', 'E', 'X') AND p.authentication_type IN (1, 3, 4)\n"
        "  AND p.principal_id > 4 AND s.sid IS NULL"
    )


def _database(name: str) -> str:
    return tsql.identifier(name, "the database's name")
