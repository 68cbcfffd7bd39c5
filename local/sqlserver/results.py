"""What a statement answers, before it becomes tokens on the wire. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from local.sqlserver.errors import Diagnostic
from local.sqlserver.sqltypes import SqlType


class Column(NamedTuple):
    """A column of a result set."""

    name: str
    type: SqlType


class Sink(Protocol):
    """Where a running statement puts its answers, in order."""

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        """Answer with a result set."""
        ...

    def message(self, information: Diagnostic) -> None:
        """Answer with information, at once; never an error."""
        ...

    def database(self, new: str, old: str) -> None:
        """Tell that the session's database has changed."""
        ...

    def transaction(self, descriptor: bytes, action: str) -> None:
        """Tell that a transaction began, or ended by COMMIT or ROLLBACK."""
        ...

    def errors(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Answer with the errors that ended a statement."""
        ...

    def completed(self) -> None:
        """Tell that a statement without rows is done."""
        ...


_Item = TypeVar("_Item", contravariant=True)


@dataclass(frozen=True)
class Field(Generic[_Item]):
    """A column together with what its value is for one item: a header, a database, a session."""

    name: str
    type: SqlType
    value: Callable[[_Item], object]

    @property
    def column(self) -> Column:
        """The column alone."""
        return Column(self.name, self.type)
