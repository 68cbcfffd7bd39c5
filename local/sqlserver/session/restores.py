"""RESTORE as a statement: its variables put in, its errors ended by 3013."""

from __future__ import annotations

from datetime import datetime

from local.sqlserver.catalog.query import evaluate
from local.sqlserver.engine import listing
from local.sqlserver.engine.restore import RestoreOrder, require_create, restore, verify
from local.sqlserver.engine.sessions import Stop
from local.sqlserver.engine.stopping import StopPoint
from local.sqlserver.errors import Aborted, SqlError, refuse
from local.sqlserver.session.execution import Execution
from local.sqlserver.sqltypes import DATETIME, INT, nvarchar
from local.sqlserver.tsql import ast
from local.sqlserver.tsql.ast import RestoreVerb, StopKind

_DEVICE_NAME = nvarchar(4000)
_LISTINGS = {
    RestoreVerb.HEADERONLY: listing.list_headers,
    RestoreVerb.FILELISTONLY: listing.list_files,
    RestoreVerb.LABELONLY: listing.list_label,
}
_TRANSFER = {
    "MAXTRANSFERSIZE": range(64 * 1024, 4 * 1024**2 + 1, 64 * 1024),
    "BUFFERCOUNT": range(1, 2**31),
    "BLOCKSIZE": range(512, 64 * 1024 + 1),
}
_FATAL = 20
"""From this severity on the session ends with the message; nothing follows it."""

_COMMAND_LENGTH = 16
"""sys.dm_exec_requests.command is cut: RESTORE HEADERON."""


def run_restore(execution: Execution, statement: ast.Restore) -> None:
    """Carry out any RESTORE."""
    verb = statement.verb.value
    request, sink = execution.request, execution.sink
    request.command = f"RESTORE {statement.verb.name}"[:_COMMAND_LENGTH]
    try:
        if statement.verb in _LISTINGS:
            _list(execution, statement)
            return
        _check_transfer(statement.transfer)
        order = _order(execution, statement)
        run = verify if statement.verb is RestoreVerb.VERIFYONLY else restore
        run(execution.instance, order, execution.session, request, sink)
    except SqlError as error:
        if error.diagnostics[0].severity >= _FATAL:
            raise
        raise error.then(3013, verb) from error
    except Aborted:
        if request.stop is Stop.ATTENTION:
            sink.errors(refuse(3204).then(3013, verb).diagnostics)
        raise
    sink.completed()


def _list(execution: Execution, statement: ast.Restore) -> None:
    require_create(execution.instance, execution.session)
    rows = _LISTINGS[statement.verb]
    devices, position = _devices(execution, statement), _position(execution, statement)
    execution.sink.rows(*rows(execution.instance, devices, position))


def _check_transfer(sizes: tuple[tuple[str, int], ...]) -> None:
    """Raise 3250 or 3253 for a size that no device is read in; nothing else depends on them."""
    for option, value in sizes:
        if option == "BLOCKSIZE" and value & (value - 1):
            raise refuse(3253)
        steps = _TRANSFER[option]
        if not steps.start <= value < steps.stop or (value - steps.start) % steps.step:
            raise refuse(3250, value, option.lower())


def _order(execution: Execution, statement: ast.Restore) -> RestoreOrder:
    database = ""
    if statement.database is not None:
        database = str(evaluate(statement.database, _DEVICE_NAME, execution.context) or "")
        if not 0 < len(database) <= 128:
            raise refuse(102, database[:128])
    return RestoreOrder(
        verb=statement.verb.value,
        is_log=statement.verb is RestoreVerb.LOG,
        database=database,
        devices=_devices(execution, statement),
        recovery=statement.recovery,
        replace=statement.replace,
        checksum=statement.checksum,
        stats=statement.stats,
        position=_position(execution, statement) or 1,
        moves=statement.moves,
        standby=_standby(execution, statement),
        stop=_stop(execution, statement),
    )


def _standby(execution: Execution, statement: ast.Restore) -> str | None:
    if statement.standby is None:
        return None
    return str(evaluate(statement.standby, _DEVICE_NAME, execution.context) or "")


def _stop(execution: Execution, statement: ast.Restore) -> StopPoint | None:
    """Return where to stop. A time may be text or a datetime, in the server's local time."""
    clause = statement.stop
    if clause is None:
        return None
    if clause.kind is StopKind.AT_TIME:
        return StopPoint(time=_time(execution, clause.value))
    mark = str(evaluate(clause.value, _DEVICE_NAME, execution.context) or "")
    after = None if clause.after is None else _time(execution, clause.after)
    return StopPoint(mark=mark, before=clause.kind is StopKind.BEFORE_MARK, after=after)


def _time(execution: Execution, value: ast.Expression) -> datetime:
    time = evaluate(value, DATETIME, execution.context)
    if not isinstance(time, datetime):
        raise refuse(241)
    return time


def _devices(execution: Execution, statement: ast.Restore) -> tuple[tuple[str, str], ...]:
    return tuple(
        (device.kind, str(evaluate(device.name, _DEVICE_NAME, execution.context) or ""))
        for device in statement.devices
    )


def _position(execution: Execution, statement: ast.Restore) -> int | None:
    if statement.file is None:
        return None
    position = evaluate(statement.file, INT, execution.context)
    return position if isinstance(position, int) else None
