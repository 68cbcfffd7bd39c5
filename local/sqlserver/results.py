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

    def message(self, diagnostic: Diagnostic) -> None:
        """Answer with information, at once; never an error."""
        ...

    def database(self, new: str, old: str) -> None:
        """Tell that the session's database has changed."""
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
