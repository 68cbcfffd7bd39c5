"""Runs the statements of a batch for a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import convert
from local.sqlserver.catalog.query import evaluate, is_true, run_query
from local.sqlserver.engine import listing
from local.sqlserver.engine.restore import RestoreOrder, restore, verify
from local.sqlserver.engine.sessions import Request, Stop
from local.sqlserver.errors import Aborted, SqlError, not_simulated, refuse
from local.sqlserver.results import Sink
from local.sqlserver.sqltypes import INT, nvarchar
from local.sqlserver.tsql import ast
from local.sqlserver.tsql.ast import RestoreVerb
from local.sqlserver.tsql.parser import parse_batch

_FATAL = 20
"""From this severity on the connection ends."""

_DEVICE_NAME = nvarchar(4000)
_LISTINGS = {
    RestoreVerb.HEADERONLY: listing.list_headers,
    RestoreVerb.FILELISTONLY: listing.list_files,
    RestoreVerb.LABELONLY: listing.list_label,
}
_COMMAND_LENGTH = 16
"""sys.dm_exec_requests.command is cut: RESTORE HEADERON."""


class Batch:
    """One batch: its variables, and where its answers go."""

    def __init__(self, context: Context, request: Request, sink: Sink) -> None:
        self._context = context
        self._instance = context.instance
        self._session = context.session
        self._request = request
        self._sink = sink

    def run(self, text: str) -> int:
        """Run the statements in order; return the number of the last error, 0 if there was none.

        An error ends its statement, and the batch goes on, as on a real server; one of severity
        20 or more is raised. Nothing runs of a batch that cannot be parsed.
        """
        try:
            statements = parse_batch(text)
        except SqlError as error:
            self._sink.errors(error.diagnostics)
            return error.number
        failed = 0
        for statement in statements:
            self._request.checkpoint()
            try:
                self._run(statement)
            except SqlError as error:
                if error.diagnostics[0].severity >= _FATAL:
                    raise
                self._sink.errors(error.diagnostics)
                failed = error.number
        return failed

    def _run(self, statement: ast.Statement) -> None:
        self._request.command = _COMMANDS.get(type(statement), "SELECT")
        _RUNNERS[type(statement)](self, statement)

    def _select(self, statement: ast.Select) -> None:
        columns, rows = run_query(statement.query, self._context)
        self._context.row_count = len(rows)
        assigned = [item.assign for item in statement.query.items]
        if not any(assigned):
            self._sink.rows(columns, rows)
            return
        if not all(assigned):
            raise refuse(102, "=")
        for row in rows:
            for name, column, value in zip(assigned, columns, row, strict=True):
                if name is not None:
                    sql_type, _ = self._context.variable(name)
                    self._context.assign(name, convert(value, column.type, sql_type))

    def _declare(self, statement: ast.Declare) -> None:
        value = None
        if statement.value is not None:
            value = evaluate(statement.value, statement.type, self._context)
        self._context.declare(statement.name, statement.type, value)

    def _set_variable(self, statement: ast.SetVariable) -> None:
        sql_type, _ = self._context.variable(statement.name)
        self._context.assign(statement.name, evaluate(statement.value, sql_type, self._context))

    def _block(self, statement: ast.Block) -> None:
        for inner in statement.statements:
            self._run(inner)

    def _if(self, statement: ast.If) -> None:
        if is_true(statement.condition, self._context):
            self._run(statement.then)
        elif statement.otherwise is not None:
            self._run(statement.otherwise)

    def _create_database(self, statement: ast.CreateDatabase) -> None:
        self._instance.create_database(statement.name, self._session)
        self._sink.completed()

    def _drop_database(self, statement: ast.DropDatabase) -> None:
        for name in statement.names:
            self._instance.drop_database(name, self._session, if_exists=statement.if_exists)
        self._sink.completed()

    def _set_credential(self, statement: ast.SetCredential) -> None:
        self._instance.set_credential(
            statement.name, statement.identity, statement.secret or "", create=statement.create
        )
        self._sink.completed()

    def _drop_credential(self, statement: ast.DropCredential) -> None:
        self._instance.drop_credential(statement.name)
        self._sink.completed()

    def _use(self, statement: ast.Use) -> None:
        before = self._instance.enter(statement.database, self._session)
        self._sink.database(self._session.database, before)
        self._sink.completed()

    def _set_option(self, statement: ast.SetOption) -> None:
        if statement.option == "IMPLICIT_TRANSACTIONS":
            self._session.implicit_transactions = statement.value == "ON"
        self._sink.completed()

    def _kill(self, statement: ast.Kill) -> None:
        self._instance.sessions.kill(statement.session, self._session)
        self._sink.completed()

    def _transaction(self, statement: ast.Transaction) -> None:
        change_transaction(self._context, statement.action, self._sink)
        self._sink.completed()

    def _restore(self, statement: ast.Restore) -> None:
        verb = statement.verb.value
        self._request.command = f"RESTORE {statement.verb.name}"[:_COMMAND_LENGTH]
        try:
            if statement.verb in _LISTINGS:
                self._list(statement)
                return
            order = self._order(statement)
            if statement.verb is RestoreVerb.VERIFYONLY:
                verify(self._instance, order, self._session, self._request, self._sink)
            else:
                restore(self._instance, order, self._session, self._request, self._sink)
        except SqlError as error:
            raise error.then(3013, verb) from error
        except Aborted:
            if self._request.stop is Stop.ATTENTION:
                self._sink.errors(refuse(3204).then(3013, verb).diagnostics)
            raise
        self._sink.completed()

    def _list(self, statement: ast.Restore) -> None:
        rows = _LISTINGS[statement.verb]
        self._sink.rows(*rows(self._instance, self._devices(statement), self._position(statement)))

    def _order(self, statement: ast.Restore) -> RestoreOrder:
        database = ""
        if statement.database is not None:
            database = str(evaluate(statement.database, _DEVICE_NAME, self._context) or "")
            if not 0 < len(database) <= 128:
                raise refuse(102, database[:128])
            existing = self._instance.find(database)
            self._request.database_id = existing.database_id if existing else 1
        return RestoreOrder(
            verb=statement.verb.value,
            is_log=statement.verb is RestoreVerb.LOG,
            database=database,
            devices=self._devices(statement),
            recovery=statement.recovery,
            replace=statement.replace,
            checksum=statement.checksum,
            stats=statement.stats,
            position=self._position(statement) or 1,
            moves=statement.moves,
        )

    def _devices(self, statement: ast.Restore) -> tuple[tuple[str, str], ...]:
        return tuple(
            (device.kind, str(evaluate(device.name, _DEVICE_NAME, self._context) or ""))
            for device in statement.devices
        )

    def _position(self, statement: ast.Restore) -> int | None:
        if statement.file is None:
            return None
        position = evaluate(statement.file, INT, self._context)
        return position if isinstance(position, int) else None


def change_transaction(context: Context, action: str, sink: Sink) -> None:
    """Begin, commit or roll back; nothing but the state of the session depends on it."""
    session = context.session
    if action == "BEGIN":
        if session.transaction is not None:
            raise not_simulated("nested transactions")
        session.transaction = uuid4().bytes[:8]
        sink.transaction(session.transaction, action)
        return
    if session.transaction is None:
        raise refuse(3902 if action == "COMMIT" else 3903)
    ended, session.transaction = session.transaction, None
    sink.transaction(ended, action)


_RUNNERS: dict[type, Callable[[Batch, Any], None]] = {
    ast.Select: Batch._select,
    ast.Declare: Batch._declare,
    ast.SetVariable: Batch._set_variable,
    ast.Block: Batch._block,
    ast.If: Batch._if,
    ast.CreateDatabase: Batch._create_database,
    ast.DropDatabase: Batch._drop_database,
    ast.SetCredential: Batch._set_credential,
    ast.DropCredential: Batch._drop_credential,
    ast.Use: Batch._use,
    ast.SetOption: Batch._set_option,
    ast.Kill: Batch._kill,
    ast.Transaction: Batch._transaction,
    ast.Restore: Batch._restore,
}
_COMMANDS: dict[type, str] = {
    ast.CreateDatabase: "CREATE DATABASE",
    ast.DropDatabase: "DROP DATABASE",
    ast.SetCredential: "CREATE CREDENTIAL",
    ast.DropCredential: "DROP CREDENTIAL",
    ast.Kill: "KILL",
    ast.Use: "USE DATABASE",
}
