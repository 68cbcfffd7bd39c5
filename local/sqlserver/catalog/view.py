"""What a view of the catalog is: its columns, and the rows that it has now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from local.sqlserver.catalog.context import Context
from local.sqlserver.results import Column, Field


class View(NamedTuple):
    """A view: its fields, and the items that it has a row for."""

    fields: Sequence[Field[Any]]
    items: Callable[[Context], Iterable[Any]]

    @property
    def columns(self) -> list[Column]:
        """The columns, in order."""
        return [field.column for field in self.fields]

    def rows(self, context: Context) -> list[tuple[object, ...]]:
        """Return the rows as they are now."""
        values = [field.value for field in self.fields]
        return [tuple(value(item) for value in values) for item in self.items(context)]
