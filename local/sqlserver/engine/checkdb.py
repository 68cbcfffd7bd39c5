"""DBCC CHECKDB: it takes its time, and finds what a fault has damaged. No page is read.

Source: Microsoft Learn, "DBCC CHECKDB (Transact-SQL)": messages, result set, last known good.
"""

from __future__ import annotations

from collections.abc import Sequence

from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.model import Database
from local.sqlserver.engine.sessions import Request, Session
from local.sqlserver.errors import Diagnostic, SqlError, diagnostic, refuse
from local.sqlserver.results import Column, Sink
from local.sqlserver.sqltypes import BIGINT, INT, nvarchar

_COMMAND = "DBCC TABLE CHECK"
_ERROR_LEVEL = 16
_OBJECT = (245575913, 1, "72057594043498496", "72057594049331200", "In-row data")
_PAGE = "(1:57)"
_REPAIR = "repair_allow_data_loss"
_STEPS = 20
_RESULT = (
    Column("Error", INT),
    Column("Level", INT),
    Column("State", INT),
    Column("MessageText", nvarchar(7000)),
    Column("RepairLevel", nvarchar(22)),
    Column("Status", INT),
    Column("DbId", INT),
    Column("DbFragId", INT),
    Column("ObjectId", INT),
    Column("IndexId", INT),
    Column("PartitionId", BIGINT),
    Column("AllocUnitId", BIGINT),
    Column("RidDbId", INT),
    Column("RidPruId", INT),
    Column("File", INT),
    Column("Page", INT),
    Column("Slot", INT),
    Column("RefDbId", INT),
    Column("RefPruId", INT),
    Column("RefFile", INT),
    Column("RefPage", INT),
    Column("RefSlot", INT),
    Column("Allocation", INT),
)


def check_database(
    instance: Instance,
    name: str,
    options: Sequence[str],
    session: Session,
    request: Request,
    sink: Sink,
) -> None:
    """Check a database; raises 2520, 927, 2571, and what was found unless it goes into a table."""
    database = instance.find(name)
    if database is None:
        raise refuse(2520, name)
    if not instance.is_owner(session, database):
        raise refuse(2571, session.login, "CHECKDB")
    instance.require_open(database)
    request.command = _COMMAND
    _take_time(instance, database, request)
    told = _findings(database)
    if "NO_INFOMSGS" in options and not database.is_corrupt:
        told = []
    elif "NO_INFOMSGS" in options:
        told = [one for one in told if one.number != 2528]
    if not database.is_corrupt:
        _note_good_check(instance, database)
    if "TABLERESULTS" in options:
        sink.rows(_RESULT, [_row(one, database) for one in told])
    elif database.is_corrupt:
        raise SqlError(*told)
    else:
        for one in told:
            sink.message(one)


def _take_time(instance: Instance, database: Database, request: Request) -> None:
    """Let as much time pass as reading the data files takes at the speed of a restore."""
    speed = instance.settings.restore_speed
    size = sum(file.size for file in database.files if file.type == "D")
    seconds = size / (speed * 1_000_000) if speed else 0.0
    for step in range(_STEPS):
        request.checkpoint(seconds / _STEPS)
        request.percent = 100.0 * (step + 1) / _STEPS


def _findings(database: Database) -> list[Diagnostic]:
    if not database.is_corrupt:
        return [diagnostic(8989, 0, 0, database.name), diagnostic(2528)]
    return [
        diagnostic(8928, *_OBJECT, _PAGE),
        diagnostic(8939, *_OBJECT, _PAGE, "IS_OFF (BUF_IOERR, pBUF->bstat)", "133129", "-4"),
        diagnostic(8990, 0, 2, "dbo.Simulated", _OBJECT[0]),
        diagnostic(8989, 0, 2, database.name),
        diagnostic(8958, _REPAIR, database.name),
        diagnostic(2528),
    ]


def _note_good_check(instance: Instance, database: Database) -> None:
    """Keep when the database was last found good, unless it cannot be written to."""
    with instance.lock:
        current = instance.find(database.name)
        if current and not (current.is_in_standby or current.is_read_only):
            update = {"last_good_check": instance.clock.now()}
            instance.save(current.model_copy(update=update))


def _row(told: Diagnostic, database: Database) -> tuple[object, ...]:
    is_error = told.severity >= _ERROR_LEVEL
    place = (_OBJECT[0], 1, int(_OBJECT[2]), int(_OBJECT[3])) if is_error else (0, 0, 0, 0)
    page = (1, 57, 0) if is_error else (0, 0, 0)
    return (
        told.number,
        told.severity,
        told.state,
        told.text,
        _REPAIR if is_error else None,
        int(is_error),
        database.database_id,
        1,
        *place,
        *(database.database_id, 1),
        *page,
        *((0,) * 6),
    )
