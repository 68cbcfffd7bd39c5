"""What a system procedure is: its parameters, and how the arguments of a call find them.

Source: Microsoft Learn, "Specify parameters in a stored procedure", and errors 119, 201, 8143,
8144, 8145, 8162.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import convert
from local.sqlserver.engine.sessions import Request
from local.sqlserver.errors import refuse
from local.sqlserver.results import Sink
from local.sqlserver.sqltypes import SqlType


class _Absent(Enum):
    """What a parameter without a default has instead of one."""

    REQUIRED = "required"


REQUIRED = _Absent.REQUIRED


class Parameter(NamedTuple):
    """A parameter as it is declared."""

    name: str
    type: SqlType
    default: object = REQUIRED
    is_output: bool = False


class Given(NamedTuple):
    """An argument of a call. No name means by position; `is_default` is the word DEFAULT."""

    name: str | None
    type: SqlType
    value: object
    is_output: bool = False
    is_default: bool = False


@dataclass
class Call:
    """A call whose arguments are bound: in the parameters' types, defaults filled in.

    `supplied` are the names that the caller gave. What a procedure puts into `outputs` goes to
    the variables that were passed for them.
    """

    context: Context
    request: Request
    sink: Sink
    values: Mapping[str, Any]
    supplied: frozenset[str]
    outputs: dict[str, object] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a string argument; an empty one counts as NULL, as the procedures have it."""
        value = self.values[name]
        return str(value) if value not in (None, "") else None

    def number(self, name: str) -> int:
        """Return a number; NULL is 0."""
        return int(self.values[name] or 0)

    def guid(self, name: str) -> UUID | None:
        """Return a uniqueidentifier."""
        value = self.values[name]
        return value if isinstance(value, UUID) else None


class Outcome(NamedTuple):
    """What a call came to: its status, and the output values by the argument's position."""

    status: int
    outputs: Mapping[int, tuple[SqlType, object]]


@dataclass(frozen=True)
class Procedure:
    """A procedure. `body` returns its status; it raises SqlError where a real one fails."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Callable[[Call], int]

    def call(
        self, given: Sequence[Given], context: Context, request: Request, sink: Sink
    ) -> Outcome:
        """Bind the arguments and run the procedure.

        Raises SqlError 119, 201, 8143, 8144, 8145 or 8162, that of a conversion, or the body's.
        """
        met = self._meet(given)
        values: dict[str, object] = {
            parameter.name: convert(argument.value, argument.type, parameter.type)
            for argument, parameter in zip(given, met, strict=True)
            if not argument.is_default
        }
        supplied = frozenset(values)
        for parameter in self.parameters:
            if parameter.name not in values:
                if parameter.default is REQUIRED:
                    raise refuse(201, self.name, parameter.name)
                values[parameter.name] = parameter.default
        call = Call(context, request, sink, values, supplied)
        status = self.body(call)
        outputs = {
            index: (parameter.type, call.outputs.get(parameter.name))
            for index, (argument, parameter) in enumerate(zip(given, met, strict=True))
            if argument.is_output
        }
        return Outcome(status, outputs)

    def _meet(self, given: Sequence[Given]) -> list[Parameter]:
        """Return for each argument the parameter that it is for."""
        known = {parameter.name.casefold(): parameter for parameter in self.parameters}
        met: list[Parameter] = []
        for index, argument in enumerate(given):
            if argument.name is not None:
                parameter = known.get(argument.name.casefold())
                if parameter is None:
                    raise refuse(8145, argument.name, self.name)
            elif any(earlier.name is not None for earlier in given[:index]):
                raise refuse(119, index + 1)
            elif index >= len(self.parameters):
                raise refuse(8144, self.name)
            else:
                parameter = self.parameters[index]
            if parameter in met:
                raise refuse(8143, parameter.name)
            if argument.is_output and not parameter.is_output:
                raise refuse(8162, parameter.name)
            met.append(parameter)
        return met
