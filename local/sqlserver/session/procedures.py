"""The system procedures that ODBC clients call: prepared and parametrised statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import convert
from local.sqlserver.engine.sessions import Request
from local.sqlserver.errors import SqlError, not_simulated, refuse
from local.sqlserver.session.batch import Batch
from local.sqlserver.session.metadata import data_types, undeclared_parameters
from local.sqlserver.session.procedure import Given
from local.sqlserver.session.response import Response
from local.sqlserver.sqltypes import INT, SqlType
from local.sqlserver.tsql.ast import Declare
from local.sqlserver.tsql.parser import parse_declaration
from local.sqlserver.wire.requests import Parameter, ProcedureCall, name_parts

Outputs = list[tuple[int, str, SqlType, object]]

_MAX_PREPARED = 10_000


@dataclass(frozen=True)
class Prepared:
    """A statement with its parameters declared, or the call of a procedure by its name."""

    text: str
    parameters: tuple[Declare, ...] = ()
    is_call: bool = False


class Procedures:
    """The procedures of one session, and the statements it has prepared."""

    def __init__(self) -> None:
        self._prepared: dict[int, Prepared] = {}
        self._last_handle = 0

    def call(
        self,
        call: ProcedureCall,
        new_context: Callable[[], Context],
        request: Request,
        response: Response,
    ) -> None:
        """Run a procedure call and end it in the response."""
        procedures = {
            "sp_executesql": self._execute_sql,
            "sp_prepare": self._prepare,
            "sp_prepexec": self._prepare_and_execute,
            "sp_prepexecrpc": self._prepare_and_call,
            "sp_execute": self._execute,
            "sp_unprepare": self._unprepare,
            "sp_datatype_info_100": _data_types,
            "sp_describe_undeclared_parameters": _undeclared_parameters,
        }
        response.begin_procedure()
        status, outputs = 0, Outputs()
        try:
            procedure = procedures.get(call.name.lower())
            runner = _Runner(new_context(), request, response)
            if procedure is None:
                status, outputs = runner.call((*call.qualifiers, call.name), call.parameters)
            else:
                status, outputs = procedure(call.parameters, runner)
        except SqlError as error:
            response.errors(error.diagnostics)
            status = error.number
        response.end_procedure(status, outputs)

    def _execute_sql(self, parameters: Sequence[Parameter], runner: _Runner) -> tuple[int, Outputs]:
        statement = Prepared(_text(parameters, 0), _declared(parameters, 1))
        return runner.run(statement, parameters[2:]), []

    def _prepare(self, parameters: Sequence[Parameter], runner: _Runner) -> tuple[int, Outputs]:
        del runner
        return 0, [self._keep(Prepared(_text(parameters, 2), _declared(parameters, 1)))]

    def _prepare_and_execute(
        self, parameters: Sequence[Parameter], runner: _Runner
    ) -> tuple[int, Outputs]:
        statement = Prepared(_text(parameters, 2), _declared(parameters, 1))
        handle = self._replace(parameters[0].value, statement)
        return runner.run(statement, parameters[3:]), [handle]

    def _prepare_and_call(
        self, parameters: Sequence[Parameter], runner: _Runner
    ) -> tuple[int, Outputs]:
        statement = Prepared(_text(parameters, 1), is_call=True)
        handle = self._replace(parameters[0].value, statement)
        status, outputs = runner.call(name_parts(statement.text), parameters[2:])
        return status, [handle, *outputs]

    def _replace(self, old: object, statement: Prepared) -> tuple[int, str, SqlType, object]:
        """Keep a statement; the one whose handle the client gives for it is done with."""
        if isinstance(old, int):
            self._prepared.pop(old, None)
        return self._keep(statement)

    def _execute(self, parameters: Sequence[Parameter], runner: _Runner) -> tuple[int, Outputs]:
        handle = parameters[0].value if parameters else None
        statement = self._prepared.get(handle) if isinstance(handle, int) else None
        if statement is None:
            raise refuse(8179, handle)
        if statement.is_call:
            return runner.call(name_parts(statement.text), parameters[1:])
        return runner.run(statement, parameters[1:]), []

    def _unprepare(self, parameters: Sequence[Parameter], runner: _Runner) -> tuple[int, Outputs]:
        del runner
        handle = parameters[0].value if parameters else None
        if not isinstance(handle, int) or self._prepared.pop(handle, None) is None:
            raise refuse(8179, handle)
        return 0, []

    def _keep(self, statement: Prepared) -> tuple[int, str, SqlType, object]:
        if len(self._prepared) >= _MAX_PREPARED:
            raise not_simulated(f"more than {_MAX_PREPARED} prepared statements in a session")
        self._last_handle += 1
        self._prepared[self._last_handle] = statement
        return 0, "", INT, self._last_handle


@dataclass
class _Runner:
    """What a procedure needs to run a statement."""

    context: Context
    request: Request
    response: Response

    def call(self, name: Sequence[str], values: Sequence[Parameter]) -> tuple[int, Outputs]:
        """Call a procedure of the instance; output parameters go back by their ordinal."""
        given = [Given(p.name or None, p.type, p.value, p.is_output) for p in values]
        outcome = Batch(self.context, self.request, self.response).call(tuple(name), given)
        return outcome.status, [
            (ordinal, given[ordinal].name or "", sql_type, value)
            for ordinal, (sql_type, value) in outcome.outputs.items()
        ]

    def run(self, statement: Prepared, values: Sequence[Parameter]) -> int:
        """Run a statement with its parameters; return the number of the last error, or 0."""
        given = {value.name.lower(): value for value in values if value.name}
        positional = [value for value in values if not value.name]
        for index, declared in enumerate(statement.parameters):
            value = given.get(declared.name.lower())
            if value is None and index < len(positional):
                value = positional[index]
            if value is None:
                raise refuse(8178, statement.text[:128], declared.name)
            self.context.declare(
                declared.name, declared.type, convert(value.value, value.type, declared.type)
            )
        return Batch(self.context, self.request, self.response).run(statement.text)


def _text(parameters: Sequence[Parameter], index: int) -> str:
    value = parameters[index].value if index < len(parameters) else None
    return value if isinstance(value, str) else ""


def _declared(parameters: Sequence[Parameter], index: int) -> tuple[Declare, ...]:
    return tuple(parse_declaration(_text(parameters, index)))


def _data_types(parameters: Sequence[Parameter], runner: _Runner) -> tuple[int, Outputs]:
    wanted = parameters[0].value if parameters else None
    runner.response.rows(*data_types(wanted))
    return 0, []


def _undeclared_parameters(parameters: Sequence[Parameter], runner: _Runner) -> tuple[int, Outputs]:
    declared = {parameter.name.lower() for parameter in _declared(parameters, 1)}
    runner.response.rows(*undeclared_parameters(_text(parameters, 0), declared))
    return 0, []
