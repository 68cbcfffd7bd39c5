"""What a statement is evaluated in: the instance, the session, its variables."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import Session
from local.sqlserver.errors import Diagnostic, refuse
from local.sqlserver.sqltypes import SqlType


@dataclass
class Context:
    """The surroundings of one batch. Variables live as long as the batch; names have no case.

    `caught` is the error that a CATCH block around the statement handles.
    """

    instance: Instance
    session: Session
    row_count: int = 0
    last_error: int = 0
    caught: Diagnostic | None = None
    _variables: dict[str, tuple[SqlType, object]] = field(default_factory=dict)

    def declare(self, name: str, sql_type: SqlType, value: object) -> None:
        """Add a variable; raises SqlError 134."""
        if name.lower() in self._variables:
            raise refuse(134, name)
        self._variables[name.lower()] = sql_type, value

    def assign(self, name: str, value: object) -> None:
        """Give a variable another value, which is of its type already."""
        sql_type, _ = self.variable(name)
        self._variables[name.lower()] = sql_type, value

    def variable(self, name: str) -> tuple[SqlType, object]:
        """Return type and value of a variable; raises SqlError 137."""
        try:
            return self._variables[name.lower()]
        except KeyError:
            raise refuse(137, name) from None
