"""Runs the statements of a batch for a session: their order, variables, calls and errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from local.sqlserver.agent.model import JobStep
from local.sqlserver.agent.runner import StepOutput
from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import convert
from local.sqlserver.catalog.query import evaluate, is_true, run_query, value_of
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import MASTER, Request, Session
from local.sqlserver.errors import Diagnostic, SqlError, not_simulated, refuse
from local.sqlserver.results import Sink
from local.sqlserver.session.agent_procedures import agent_procedures
from local.sqlserver.session.execution import Execution
from local.sqlserver.session.procedure import Given, Outcome, Procedure
from local.sqlserver.session.server_procedures import SERVER_PROCEDURES
from local.sqlserver.session.statements import STATEMENTS
from local.sqlserver.sqltypes import INT, SqlType, nvarchar
from local.sqlserver.tsql import ast
from local.sqlserver.tsql.parser import parse_batch, parse_declaration

_FATAL = 20
"""From this severity on the connection ends."""

_INFORMATION = 10
_MAX_NESTING = 32
_TEXT = nvarchar(4000)
_BATCH = nvarchar(None)
_SECRET = re.compile(r"(\b(?:SECRET|PASSWORD)\s*=\s*)N?'(?:[^']|'')*'", re.IGNORECASE)
"""What sys.dm_exec_sql_text does not show."""

_DURATION = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?")


class _Returned(Exception):
    """RETURN was met."""


class Batch:
    """One batch: its variables, and where its answers go.

    `stops_at_error` is how SQL Server Agent runs a step: the first error ends it, and is raised.
    """

    def __init__(
        self,
        context: Context,
        request: Request,
        sink: Sink,
        *,
        stops_at_error: bool = False,
        nesting: int = 1,
    ) -> None:
        self._context = context
        self._request = request
        self._sink = sink
        self._execution = Execution(context, request, sink)
        self._raises = stops_at_error
        self._nesting = nesting
        self._failed = 0

    def run(self, text: str) -> int:
        """Run the statements in order; return the number of the last error, 0 if there was none.

        An error ends its statement, and the batch goes on, as on a real server; one of severity
        20 or more is raised. Nothing runs of a batch that cannot be parsed.
        """
        if self._nesting == 1:
            self._request.text = _SECRET.sub(r"\1'******'", text)
        try:
            statements = parse_batch(text)
        except SqlError as error:
            self._report(error)
            return self._failed
        try:
            for statement in statements:
                self._step(statement)
        except _Returned:
            pass
        return self._failed

    def call(self, procedure: tuple[str, ...], arguments: Sequence[Given]) -> Outcome:
        """Call a system procedure; raises SqlError 2812, or what the procedure raises."""
        found = _find_procedure(procedure, self._context.session)
        return found.call(arguments, self._context, self._request, self._sink)

    def _step(self, statement: ast.Statement) -> None:
        self._request.checkpoint()
        try:
            self._run(statement)
        except SqlError as error:
            self._report(error)
        else:
            if not isinstance(statement, (ast.If, ast.Block, ast.TryCatch)):
                self._context.last_error = 0

    def _report(self, error: SqlError) -> None:
        if self._raises or error.diagnostics[0].severity >= _FATAL:
            raise error
        self._sink.errors(error.diagnostics)
        self._failed = self._context.last_error = error.diagnostics[-1].number

    def _run(self, statement: ast.Statement) -> None:
        kind = type(statement)
        if kind in STATEMENTS:
            self._request.command, carry_out = STATEMENTS[kind]
            carry_out(self._execution, statement)
            self._sink.completed()
        else:
            self._request.command = "EXECUTE" if kind is ast.Execute else "SELECT"
            _RUNNERS[kind](self, statement)

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
            self._step(inner)

    def _if(self, statement: ast.If) -> None:
        if is_true(statement.condition, self._context):
            self._step(statement.then)
        elif statement.otherwise is not None:
            self._step(statement.otherwise)

    def _try(self, statement: ast.TryCatch) -> None:
        """Run CATCH on the first error. It knows the last message only, as on a real server."""
        raises, self._raises = self._raises, True
        try:
            for inner in statement.attempt:
                self._step(inner)
        except SqlError as error:
            if error.diagnostics[0].severity >= _FATAL:
                raise
            self._raises = raises
            outer, self._context.caught = self._context.caught, error.diagnostics[-1]
            self._context.last_error = error.diagnostics[-1].number
            try:
                for inner in statement.handler:
                    self._step(inner)
            finally:
                self._context.caught = outer
        finally:
            self._raises = raises

    def _execute(self, statement: ast.Execute) -> None:
        name = statement.procedure[-1].casefold()
        if name == "sp_executesql":
            self._execute_sql(statement)
            status = self._failed
        else:
            arguments = [self._given(argument) for argument in statement.arguments]
            try:
                outcome = self.call(statement.procedure, arguments)
            except SqlError:
                self._assign_status(statement, 1)
                raise
            for index, (sql_type, value) in outcome.outputs.items():
                self._assign(statement.arguments[index].value, sql_type, value)
            status = outcome.status
            self._sink.completed()
        self._assign_status(statement, status)

    def _given(self, argument: ast.Argument) -> Given:
        if argument.value is None:
            return Given(argument.name, INT, None, is_default=True)
        if argument.output and not isinstance(argument.value, ast.Variable):
            raise refuse(179)
        sql_type, value = value_of(argument.value, self._context)
        return Given(argument.name, sql_type, value, argument.output)

    def _assign(self, target: ast.Expression | None, source: SqlType, value: object) -> None:
        if isinstance(target, ast.Variable):
            sql_type, _ = self._context.variable(target.name)
            self._context.assign(target.name, convert(value, source, sql_type))

    def _assign_status(self, statement: ast.Execute, status: int) -> None:
        if statement.status is not None:
            sql_type, _ = self._context.variable(statement.status)
            self._context.assign(statement.status, convert(status, INT, sql_type))

    def _execute_sql(self, statement: ast.Execute) -> None:
        """Run sp_executesql: a batch of its own, with parameters for variables."""
        given = [self._given(argument) for argument in statement.arguments]
        if not given:
            raise refuse(201, "sp_executesql", "@statement")
        text = str(convert(given[0].value, given[0].type, _BATCH) or "")
        inner = self._inner_context()
        if len(given) > 1:
            declared = parse_declaration(str(convert(given[1].value, given[1].type, _BATCH) or ""))
            named = {one.name.lower(): one for one in given[2:] if one.name}
            positional = [one for one in given[2:] if not one.name]
            for index, parameter in enumerate(declared):
                value = named.get(parameter.name.lower())
                if value is None and index < len(positional):
                    value = positional[index]
                if value is None:
                    raise refuse(8178, text[:128], parameter.name)
                inner.declare(
                    parameter.name,
                    parameter.type,
                    convert(value.value, value.type, parameter.type),
                )
            if any(argument.output for argument in statement.arguments[2:]):
                raise not_simulated("sp_executesql with OUTPUT")
        self._nest(inner, text)

    def _execute_text(self, statement: ast.ExecuteText) -> None:
        text = evaluate(statement.text, _BATCH, self._context)
        self._nest(self._inner_context(), str(text or ""))

    def _inner_context(self) -> Context:
        return Context(self._context.instance, self._context.session)

    def _nest(self, context: Context, text: str) -> None:
        if self._nesting >= _MAX_NESTING:
            raise refuse(217, _MAX_NESTING)
        inner = Batch(
            context,
            self._request,
            self._sink,
            stops_at_error=self._raises,
            nesting=self._nesting + 1,
        )
        failed = inner.run(text)
        self._failed = failed or self._failed
        self._context.last_error = failed
        self._sink.completed()

    def _print(self, statement: ast.Print) -> None:
        text = evaluate(statement.text, _TEXT, self._context)
        self._sink.message(Diagnostic(0, 0, str(text if text is not None else " ")))

    def _raise_error(self, statement: ast.RaiseError) -> None:
        text = evaluate(statement.text, _TEXT, self._context)
        severity = evaluate(statement.severity, INT, self._context)
        state = evaluate(statement.state, INT, self._context)
        number = evaluate(statement.number or ast.Literal(INT, 50000), INT, self._context)
        told = Diagnostic(
            int(str(number)), int(str(severity)), str(text), max(int(str(state)), 0) % 256
        )
        if told.severity > _INFORMATION:
            raise SqlError(told)
        self._sink.message(told)

    def _rethrow(self, statement: ast.Rethrow) -> None:
        del statement
        if self._context.caught is None:
            raise refuse(10704)
        raise SqlError(self._context.caught)

    def _delay(self, statement: ast.Delay) -> None:
        text = str(evaluate(statement.duration, _TEXT, self._context))
        match = _DURATION.fullmatch(text.strip())
        if not match or int(match[1]) > 23:
            raise refuse(148, text)
        hours, minutes, seconds, rest = (part or "0" for part in match.groups())
        wait = int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{rest}")
        self._request.command = "WAITFOR"
        self._request.checkpoint(wait)
        self._sink.completed()

    def _return(self, statement: ast.Return) -> None:
        del statement
        raise _Returned


def _run_job_step(
    instance: Instance, step: JobStep, session: Session, request: Request, output: StepOutput
) -> None:
    """Run a step of a job as SQL Server Agent does: in its database, up to the first error."""
    instance.enter(step.database_name, session)
    Batch(Context(instance, session), request, output, stops_at_error=True).run(step.command)


_PROCEDURES: dict[tuple[str, str], Procedure] = {
    ("msdb", procedure.name): procedure for procedure in agent_procedures(_run_job_step)
} | {(MASTER, procedure.name): procedure for procedure in SERVER_PROCEDURES}


def _find_procedure(parts: tuple[str, ...], session: Session) -> Procedure:
    """Return a system procedure by the name that a call gives; raises 2812 or 50000.

    Those of msdb need the database's name, unless the session is in msdb.
    """
    name = parts[-1].casefold()
    database = (parts[0] if len(parts) > 2 else session.database).casefold()
    for home in (database, MASTER):
        if procedure := _PROCEDURES.get((home, name)):
            return procedure
    if any(known == name for _, known in _PROCEDURES):
        raise refuse(2812, ".".join(parts))
    raise not_simulated(f"procedure {'.'.join(parts)}")


_RUNNERS: dict[type, Callable[[Batch, Any], None]] = {
    ast.Select: Batch._select,
    ast.Declare: Batch._declare,
    ast.SetVariable: Batch._set_variable,
    ast.Block: Batch._block,
    ast.If: Batch._if,
    ast.TryCatch: Batch._try,
    ast.Execute: Batch._execute,
    ast.ExecuteText: Batch._execute_text,
    ast.Print: Batch._print,
    ast.RaiseError: Batch._raise_error,
    ast.Rethrow: Batch._rethrow,
    ast.Delay: Batch._delay,
    ast.Return: Batch._return,
}
