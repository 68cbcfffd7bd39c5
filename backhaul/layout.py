"""The few forms that results have: facts, tables and indented parts. They fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def facts(rows: Iterable[tuple[str, RenderableType]]) -> Padding:
    """Return names and what they stand for, one below the other."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=9)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    return indented(grid)


def table(*columns: str) -> Table:
    """Return an empty table. Its cells are folded where they are too long, never cut."""
    empty = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        empty.add_column(name, overflow="fold")
    return empty


def indented(part: RenderableType, by: int = 2) -> Padding:
    """Return a part moved to the right."""
    return Padding(part, (0, 0, 0, by), expand=False)


def path(name: str, style: str = "") -> Text:
    """Return a path that is left to the terminal to wrap, so that it can be copied whole."""
    return Text(name, style, no_wrap=True, overflow="ignore")


def unusable_file(name: str, code: str, reason: str, action: str) -> Group:
    """Return why a file cannot be used, and what to do about it."""
    why = (Text.assemble((code, "red"), f": {reason}"), Text(f"Try: {action}"))
    return Group(path(f"  {name}"), *(indented(line, 4) for line in why))
