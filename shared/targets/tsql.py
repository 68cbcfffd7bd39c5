"""The text of every T-SQL statement that is sent to a target. Pure: values in, text out.

Most of these statements take no parameters where names and paths stand (MOVE, credentials, DROP),
so names and paths are quoted here, by `identifier` and `literal`, and nowhere else. Whatever can
be a parameter is one: the queries are constants with `?` markers.

REPLACE is never written. It would switch off the server's guards against overwriting a database
that is not ours, so `check` refuses the word in any statement just before it is sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from shared.backupset import BackupType
from shared.errors import TargetError
from shared.stop_point import StopPoint
from shared.targets.transfer import AS_THE_SERVER_CHOOSES, Transfer

NAME_LENGTH = 128
"""Longest name (sysname) in UTF-16 code units."""

DEVICE_LENGTH = 259
"""Longest path or URL of a backup device, and of a database file, in UTF-16 code units."""

MOST_DEVICES = 64
"""Most files that one RESTORE may name."""

SAS_IDENTITY = "SHARED ACCESS SIGNATURE"
"""The IDENTITY of a credential whose secret is a shared access signature."""

_MANAGED_IDENTITY = "Managed Identity"

_SECRET_LENGTH = 4000
_STATS_PERCENT = 5
_OPEN = "N'ONLINE'"
_SCRATCH = "N'ONLINE', N'RESTORING', N'RECOVERY_PENDING', N'SUSPECT'"

_QUOTED = re.compile(r"N?'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]")
_FORBIDDEN = re.compile(r"\bREPLACE\b|['\"\[\];]|--|/\*", re.IGNORECASE)

SERVER = """\
SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name,
       CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version,
       CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
       CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
       CAST(DATABASEPROPERTYEX('master', 'Version') AS int) AS database_version,
       CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS default_data_path,
       CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(260)) AS default_log_path,
       @@VERSION AS version_text"""

CONTAINER_SUPPORT = """\
SELECT CAST(SERVERPROPERTY('FilestreamEffectiveLevel') AS int) AS filestream_level,
       CAST(SERVERPROPERTY('IsXTPSupported') AS int) AS memory_optimised"""

POSITION = """\
SELECT d.state_desc, d.is_in_standby, f.file_id, f.is_read_only,
       f.redo_start_lsn, f.redo_start_fork_guid,
       f.differential_base_lsn, f.differential_base_guid
FROM sys.databases AS d
LEFT JOIN sys.master_files AS f ON f.database_id = d.database_id AND f.type IN (0, 2)
WHERE d.name = ?
ORDER BY f.file_id"""

OTHERS_FILES = """\
SELECT d.name AS owner, f.physical_name
FROM sys.master_files AS f
JOIN sys.databases AS d ON d.database_id = f.database_id
WHERE d.name <> ?"""

FILE_IDS = """\
SELECT f.file_id
FROM sys.master_files AS f
JOIN sys.databases AS d ON d.database_id = f.database_id
WHERE d.name = ?"""

HISTORY = """\
SELECT h.restore_history_id, s.backup_set_uuid, s.family_guid, s.last_lsn,
       h.restore_type, h.restore_date, h.recovery, h.[replace],
       h.stop_at, h.stop_at_mark_name
FROM msdb.dbo.restorehistory AS h
JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id
WHERE h.destination_database_name = ? AND h.restore_history_id > ?
ORDER BY h.restore_history_id"""

CREDENTIAL = """\
SELECT credential_identity, modify_date, GETDATE() AS server_time
FROM sys.credentials
WHERE name = ?"""

SESSION = "SELECT @@SPID AS session_id"

READERS = """\
SELECT s.session_id
FROM sys.dm_exec_sessions AS s
JOIN sys.databases AS d ON d.database_id = s.database_id
WHERE d.name = ? AND d.is_in_standby = 1 AND s.is_user_process = 1 AND s.session_id <> @@SPID"""

PROGRESS = "SELECT percent_complete FROM sys.dm_exec_requests WHERE session_id = ?"


def identifier(name: str, what: str = "a name") -> str:
    """Quote a name in brackets; raises TargetError for a name that the server would misread.

    Refused are empty names, more than 128 UTF-16 code units, control characters and trailing
    blanks (legal, but the server ignores them when it compares names).
    """
    _refuse_controls(name, what)
    units = _utf16_units(name, what)
    if not 1 <= units <= NAME_LENGTH:
        raise TargetError(
            f"{what} has {units} UTF-16 code units, a SQL Server name has 1 to {NAME_LENGTH}",
            action="Choose a shorter name for the target.",
        )
    if name != name.rstrip():
        raise TargetError(
            f"{what} ends in a blank: {name!r}; SQL Server ignores trailing blanks in names",
            action="Choose a name for the target that does not end in a blank.",
        )
    return "[" + name.replace("]", "]]") + "]"


def literal(value: str, what: str, longest: int) -> str:
    """Quote a value as N'...'; `longest` is in UTF-16 code units. Never shows it in an error.

    Control characters are refused because a backslash before a line end continues the literal.
    """
    _refuse_controls(value, what)
    units = _utf16_units(value, what)
    if not 1 <= units <= longest:
        raise TargetError(
            f"{what} has {units} UTF-16 code units, SQL Server takes 1 to {longest} there",
            action="Shorten it: move the backup to a shorter path, or choose shorter names.",
        )
    return "N'" + value.replace("'", "''") + "'"


def check(text: str) -> str:
    """Return a statement that is safe to send, else raise RuntimeError: a defect of this module.

    Outside quotes there must be no REPLACE, no second statement, no comment, and no quote that
    was opened and not closed.
    """
    if found := _FORBIDDEN.search(_QUOTED.sub(" ", text)):
        raise RuntimeError(f"a statement holds {found[0]!r} outside quotes and was not sent")
    return text


def restore_headeronly(urls: Sequence[str]) -> str:
    """Return RESTORE HEADERONLY of the files of one set."""
    return f"RESTORE HEADERONLY\nFROM {_devices(urls)}"


def restore_filelistonly(urls: Sequence[str]) -> str:
    """Return RESTORE FILELISTONLY of the files of one set."""
    return f"RESTORE FILELISTONLY\nFROM {_devices(urls)}"


def restore(
    database: str,
    backup_type: BackupType,
    urls: Sequence[str],
    *,
    checksum: bool,
    moves: Sequence[tuple[str, str]] = (),
    transfer: Transfer = AS_THE_SERVER_CHOOSES,
    stats: bool = True,
    stop: StopPoint | None = None,
) -> str:
    """Return RESTORE DATABASE or LOG, always WITH NORECOVERY: recovery is a statement of its own.

    `moves` are pairs of a file's logical name and its path on the target. `checksum` must be
    False for a set without checksums: the server refuses it otherwise (3187). `stats` asks for
    messages of progress, which only a client that listens has use for. `stop` is for logs only.
    """
    options = ["NORECOVERY"]
    if checksum:
        options.append("CHECKSUM")
    if stats:
        options.append(f"STATS = {_STATS_PERCENT}")
    if stop is not None:
        options.append(_stop(stop))
    options += transfer.options()
    options += [
        f"MOVE {literal(name, 'the logical name of a file', NAME_LENGTH)}"
        f" TO {literal(path, 'the path of a database file', DEVICE_LENGTH)}"
        for name, path in moves
    ]
    return (
        f"RESTORE {_subject(backup_type)} {_database(database)}\n"
        f"FROM {_devices(urls)}\n"
        f"WITH {_list(options)}"
    )


def unless_restored(database: str, statement: str) -> str:
    """Return a restore of a full that does nothing if the database holds a restored one by then.

    The server looks itself: another worker may end the same restore between our look and the
    statement, and a second one would set the database back. Nothing is restored then, without an
    error.
    """
    value = literal(database, "the database's name", NAME_LENGTH)
    return (
        "IF NOT EXISTS (SELECT 1 FROM sys.master_files AS f "  # noqa: S608 quoted above
        "JOIN sys.databases AS d ON d.database_id = f.database_id "
        f"WHERE d.name = {value} AND f.redo_start_lsn IS NOT NULL)\n{statement}"
    )


def restore_with_recovery(database: str) -> str:
    """Return the statement that opens a restoring database; nothing can be restored after it."""
    return f"RESTORE DATABASE {_database(database)} WITH RECOVERY"


def restore_with_standby(database: str, undo_file: str) -> str:
    """Return the statement that lets a restoring database be read until the next restore.

    What is not committed is undone into the file. The server looks at the state itself.
    """
    path = literal(undo_file, "the path of the undo file", DEVICE_LENGTH)
    return (
        f"{_if_state(database, _RESTORING)}\n"
        f"    RESTORE DATABASE {_database(database)} WITH STANDBY = {path}"
    )


def restore_with_norecovery(database: str) -> str:
    """Return the statement that takes a database in standby back to restoring.

    The server looks at the state itself. Source: Microsoft Learn, text of error 3419, "Use RESTORE
    DATABASE WITH NORECOVERY to take the database back to a Restoring state".
    """
    return (
        f"{_if_state(database, _IN_STANDBY)}\n"
        f"    RESTORE DATABASE {_database(database)} WITH NORECOVERY"
    )


def kill(session_id: int) -> str:
    """Return the statement that ends a session."""
    return f"KILL {session_id:d}"


def drop_database(database: str) -> str:
    """Return DROP DATABASE for a database that waits for restores when the server gets to it.

    The server looks at the state itself, because somebody may recover the database between our
    look and the statement. It drops nothing then, without an error.
    """
    state = f"({_RESTORING} OR {_IN_STANDBY})"
    return f"{_if_state(database, state)}\n    DROP DATABASE {_database(database)}"


def drop_scratch(database: str, history_id: int) -> tuple[str, str]:
    """Return the statements that end the sessions in a scratch database, and drop it.

    The server looks itself: both do nothing once somebody else has restored to a database of that
    name, of which row `history_id` of the restore history is the last one that is known.
    """
    name = _database(database)
    value = literal(database, "the database's name", NAME_LENGTH)

    def guard(states: str) -> str:
        return (
            f"IF EXISTS (SELECT 1 FROM sys.databases WHERE name = {value} "  # noqa: S608 quoted
            f"AND state_desc IN ({states}) AND is_in_standby = 0)\n"
            "   AND NOT EXISTS (SELECT 1 FROM msdb.dbo.restorehistory "
            f"WHERE destination_database_name = {value} AND restore_history_id > {history_id:d})"
        )

    return (
        f"{guard(_OPEN)}\n    ALTER DATABASE {name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE",
        f"{guard(_SCRATCH)}\n    DROP DATABASE {name}",
    )


def create_credential(container_url: str, secret: str | None) -> str:
    """Return CREATE CREDENTIAL; see `_credential` for the secret, which the text holds."""
    return f"CREATE CREDENTIAL {_credential(container_url, secret)}"


def alter_credential(container_url: str, secret: str | None) -> str:
    """Return ALTER CREDENTIAL; see `_credential` for the secret, which the text holds."""
    return f"ALTER CREDENTIAL {_credential(container_url, secret)}"


def credential_name(container_url: str) -> str:
    """Return the name under which SQL Server looks for a container's credential.

    It is the container's URL without a trailing slash, and the look-up minds case.
    Source: Microsoft Learn, "SQL Server backup to URL", section on credentials.
    """
    return container_url.rstrip("/")


def _credential(container_url: str, secret: str | None) -> str:
    """Name a credential and what it is: a shared access signature, or a managed identity."""
    name = identifier(credential_name(container_url), "the container's URL")
    if secret is None:
        return f"{name}\nWITH IDENTITY = N'{_MANAGED_IDENTITY}'"
    token = literal(secret.removeprefix("?"), "the credential's secret", _SECRET_LENGTH)
    return f"{name}\nWITH IDENTITY = N'{SAS_IDENTITY}', SECRET = {token}"


_RESTORING = "state_desc = N'RESTORING'"
_IN_STANDBY = "is_in_standby = 1"


def _if_state(database: str, state: str) -> str:
    """Return the condition that a database is in a state when the server gets to it."""
    value = literal(database, "the database's name", NAME_LENGTH)
    return f"IF EXISTS (SELECT 1 FROM sys.databases WHERE name = {value} AND {state})"  # noqa: S608 quoted above


def _stop(stop: StopPoint) -> str:
    """Return the clause of a stop point; a time as text that no language setting reads otherwise.

    Source: Microsoft Learn, "RESTORE Statements - Arguments", point-in-time options.
    """
    if stop.time is not None:
        return f"STOPAT = {_moment(stop.time)}"
    option = "STOPBEFOREMARK" if stop.before else "STOPATMARK"
    mark = f"lsn:{stop.lsn}" if stop.lsn is not None else stop.mark or ""
    after = f" AFTER {_moment(stop.after)}" if stop.after is not None else ""
    return f"{option} = {literal(mark, 'the name of a mark', NAME_LENGTH)}{after}"


def _moment(moment: datetime) -> str:
    return f"N'{moment.isoformat(timespec='milliseconds')}'"


def _database(name: str) -> str:
    return identifier(name, "the database's name")


def _subject(backup_type: BackupType) -> str:
    if backup_type is BackupType.LOG:
        return "LOG"
    if backup_type in (BackupType.DATABASE, BackupType.DIFFERENTIAL):
        return "DATABASE"
    raise TargetError(
        f"a {backup_type.label} backup cannot be restored, only full, differential and log",
        action="Take a full backup of the whole database.",
    )


def _devices(urls: Sequence[str]) -> str:
    if not 1 <= len(urls) <= MOST_DEVICES:
        raise TargetError(
            f"a backup set has {len(urls)} files, RESTORE takes 1 to {MOST_DEVICES}",
            action="Take the backup with fewer files.",
        )
    return _list([f"URL = {_url(url)}" for url in urls])


def _url(url: str) -> str:
    if "?" in url:
        # The query may be a signature, so it is not shown. The server would answer 3297.
        raise TargetError(
            f"the URL of a backup has a query part: {url.partition('?')[0][:DEVICE_LENGTH]!r}",
            action="Name the blob without a query; access is given by a credential.",
        )
    return literal(url, "the URL of a backup", DEVICE_LENGTH)


def _list(items: Sequence[str]) -> str:
    return ",\n     ".join(items)


def _refuse_controls(value: str, what: str) -> None:
    for index, character in enumerate(value):
        if unicodedata.category(character) == "Cc":
            raise TargetError(
                f"{what} holds the control character U+{ord(character):04X} at index {index}",
                action="Rename it without control characters.",
            )


def _utf16_units(value: str, what: str) -> int:
    try:
        return len(value.encode("utf-16-le")) // 2
    except UnicodeEncodeError as error:
        raise TargetError(
            f"{what} is not valid Unicode: a lone surrogate at index {error.start}",
            action="Rename it.",
        ) from None
