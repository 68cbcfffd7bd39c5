"""From result rows to what the migration understands. Pure.

Rows are mappings by column name in lower case: documentation and servers disagree about case
(FileID, FileId). Unknown columns are ignored, for later servers append some. A numeric(25,0) must
arrive exact, so a float is refused rather than rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from shared.chain import DatabaseState, TargetPosition
from shared.errors import TargetError
from shared.lsn import Lsn
from shared.paths import comparable
from shared.targets import RestoredSet, ServerFacts, ServerHeader, tsql
from shared.targets.files import ListedFile

Row = Mapping[str, object]

_SIMULATED = "SIMULATED"
_PRIMARY_FILE_ID = 1
_STATES = {"ONLINE": DatabaseState.ONLINE, "RESTORING": DatabaseState.RESTORING}


def server_facts(row: Row) -> ServerFacts:
    """Read the one row of `tsql.SERVER`."""
    version = _text(row, "product_version")
    return ServerFacts(
        server_name=_text(row, "server_name"),
        product_version=version,
        product_major_version=int(version.partition(".")[0]),
        engine_edition=_int(row, "engine_edition"),
        edition=_text(row, "edition"),
        database_version=_int(row, "database_version"),
        default_data_path=str(row["default_data_path"] or ""),
        default_log_path=str(row["default_log_path"] or ""),
        simulated=_SIMULATED in _text(row, "version_text"),
    )


def position(rows: Sequence[Row]) -> TargetPosition:
    """Read `tsql.POSITION`: one row per data file, none for a database that is absent.

    Roll forward goes on at the smallest redo_start_lsn of the files that are written to. It is
    None while no full has been restored to its end, and of a database in standby. The primary
    file's differential base is the database's, for files that were added later have none. Source:
    Microsoft Learn, "sys.master_files".
    """
    if not rows:
        return TargetPosition(state=DatabaseState.ABSENT)
    state = _STATES.get(_text(rows[0], "state_desc"), DatabaseState.OTHER)
    if rows[0]["is_in_standby"]:
        state = DatabaseState.STANDBY
    if state is not DatabaseState.RESTORING:
        return TargetPosition(state=state)
    files = [row for row in rows if not row["is_read_only"]] or rows
    redo = [(lsn, row) for row in files if (lsn := _lsn_or_none(row, "redo_start_lsn"))]
    primary = next((row for row in rows if row["file_id"] == _PRIMARY_FILE_ID), rows[0])
    start_lsn, start = min(redo, key=lambda pair: pair[0], default=(None, None))
    return TargetPosition(
        state=state,
        redo_start_lsn=start_lsn,
        redo_start_fork_guid=_guid_or_none(start, "redo_start_fork_guid") if start else None,
        differential_base_lsn=_lsn_or_none(primary, "differential_base_lsn"),
        differential_base_guid=_guid_or_none(primary, "differential_base_guid"),
    )


def state_text(rows: Sequence[Row]) -> str:
    """Return the server's own word for the state in `tsql.POSITION`."""
    if not rows:
        return DatabaseState.ABSENT.value
    return "STANDBY" if rows[0]["is_in_standby"] else _text(rows[0], "state_desc")


def restored_set(row: Row) -> RestoredSet:
    """Read one row of `tsql.HISTORY`."""
    when = row["restore_date"]
    if not isinstance(when, datetime):
        raise _unexpected("restore_date", when, "a datetime")
    return RestoredSet(
        restore_history_id=_int(row, "restore_history_id"),
        backup_set_guid=_guid(row, "backup_set_uuid"),
        family_guid=_guid_or_none(row, "family_guid"),
        last_lsn=_lsn(row, "last_lsn"),
        restore_type=_text(row, "restore_type").strip(),
        restore_date=when,
        recovery=bool(row["recovery"]),
        replace=bool(row["replace"]),
        under_stop=row["stop_at"] is not None or bool(row["stop_at_mark_name"]),
    )


def server_header(row: Row) -> ServerHeader:
    """Read one row of RESTORE HEADERONLY.

    Raises TargetError for a set that is protected by a password: all its columns are NULL.
    """
    if row["backupsetguid"] is None or row["firstlsn"] is None:
        raise TargetError(
            "the server shows no header of the backup: it is protected by a password, or of "
            "SQL Server 2000 or earlier",
            action="Take a new backup without a password.",
        )
    return ServerHeader(
        backup_set_guid=_guid(row, "backupsetguid"),
        backup_type=_int(row, "backuptype"),
        position=_int(row, "position"),
        database_name=_text(row, "databasename"),
        database_version=_int(row, "databaseversion"),
        first_lsn=_lsn(row, "firstlsn"),
        last_lsn=_lsn(row, "lastlsn"),
        checkpoint_lsn=_lsn(row, "checkpointlsn"),
        database_backup_lsn=_lsn(row, "databasebackuplsn"),
        differential_base_lsn=_lsn_or_none(row, "differentialbaselsn"),
        differential_base_guid=_guid_or_none(row, "differentialbaseguid"),
        recovery_fork_id=_guid(row, "recoveryforkid"),
        family_guid=_guid(row, "familyguid"),
        has_backup_checksums=bool(row["hasbackupchecksums"]),
        is_damaged=bool(row["isdamaged"]),
    )


def listed_file(row: Row) -> ListedFile:
    """Read one row of RESTORE FILELISTONLY."""
    return ListedFile(
        _text(row, "logicalname"),
        _text(row, "type").strip(),
        _int(row, "fileid"),
        _int(row, "size"),
    )


def owners(found: Sequence[Row]) -> dict[str, str]:
    """Return the databases of `tsql.OTHERS_FILES` by the comparable paths of their files."""
    return {comparable(_text(row, "physical_name")): _text(row, "owner") for row in found}


def takes_containers(row: Row) -> bool:
    """Whether the server of `tsql.CONTAINER_SUPPORT` may take files of type S.

    FILESTREAM and memory-optimised containers look alike in a file list, so either will do; the
    server itself refuses the one that it does not take.
    """
    return bool(row["filestream_level"] or row["memory_optimised"])


def is_stale(row: Row, lifetime: timedelta) -> bool:
    """Whether a credential of `tsql.CREDENTIAL` wants a new secret: past half its lifetime.

    Only for a shared access signature: any other identity is somebody's choice and has no
    secret of ours. Both times are of the server's clock.
    """
    changed, now = row["modify_date"], row["server_time"]
    if not isinstance(changed, datetime) or not isinstance(now, datetime):
        raise _unexpected("modify_date", changed, "a datetime")
    is_signature = _text(row, "credential_identity").strip().upper() == tsql.SAS_IDENTITY
    return is_signature and now - changed > lifetime / 2


def _lsn_or_none(row: Row, column: str) -> Lsn | None:
    return None if row[column] is None else _lsn(row, column)


def _lsn(row: Row, column: str) -> Lsn:
    value = row[column]
    if isinstance(value, (Decimal, int, str)) and not isinstance(value, bool):
        try:
            return Lsn(int(value))
        except (ValueError, OverflowError):
            pass
    raise _unexpected(column, value, "a whole number of up to 25 digits")


def _guid_or_none(row: Row, column: str) -> UUID | None:
    return None if row[column] is None else _guid(row, column)


def _guid(row: Row, column: str) -> UUID:
    try:
        return UUID(str(row[column]))
    except ValueError:
        raise _unexpected(column, row[column], "a GUID") from None


def _int(row: Row, column: str) -> int:
    value = row[column]
    if isinstance(value, (int, Decimal)) and value == int(value):
        return int(value)
    raise _unexpected(column, value, "a whole number")


def _text(row: Row, column: str) -> str:
    value = row[column]
    if isinstance(value, str):
        return value
    raise _unexpected(column, value, "text")


def _unexpected(column: str, value: object, expected: str) -> TargetError:
    return TargetError(
        f"the server's column {column} holds {str(value)[:80]!r} "
        f"({type(value).__name__}), expected {expected}",
        action="Check that the target is a SQL Server 2008 or later.",
    )
