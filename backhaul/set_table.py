"""Shows backup sets as a table that fits 80 columns: what they are, and below it where they lie.

The plan of a folder and the status of a migration look the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, TypeVar

from rich.table import Table
from rich.text import Text

from backhaul import wording
from backhaul.layout import table
from shared.backupset import BackupType
from shared.lsn import Lsn

_KEPT = 3
_LABELS = {kind.word: kind.label.replace("differential", "diff") for kind in BackupType}
_STATES = {"Restored": "green", "Restoring": "cyan", "Ignored": "dim", "Canceled": "dim"}

T = TypeVar("T")


class SetRow(NamedTuple):
    """One set. `lead` is its number or its state, `below` are sentences on it."""

    lead: str
    backup_type: str
    files: Sequence[str]
    first_lsn: Lsn
    last_lsn: Lsn
    finished: datetime | None
    below: Sequence[Text] = ()


class Folded(NamedTuple):
    """Stands for sets that are not shown."""

    hidden: int
    what: str


def set_table(lead: str | None, rows: Iterable[SetRow | Folded]) -> Table:
    """Return a table of sets; `lead` is the heading of the first column, None leaves it out."""
    first = 1 if lead is None else 0
    listed = table(*((lead or "", "Type", "Files", "Taken")[first:]))
    listed.columns[-1].no_wrap = True
    for row in rows:
        if isinstance(row, Folded):
            cells: list[str | Text] = [
                "...",
                "...",
                Text(f"{row.hidden} more {row.what}", "dim"),
                "",
            ]
        else:
            kind = _LABELS.get(row.backup_type, row.backup_type)
            state = Text(row.lead, _STATES.get(row.lead, ""))
            cells = [state, kind, _where(row), wording.moment(row.finished)]
        listed.add_row(*cells[first:])
    return listed


def _where(row: SetRow) -> Text:
    """Return files, LSNs and sentences; a line is broken at a space if it has one."""
    lines = [Text(name) for name in row.files]
    lines.append(Text(f"LSN {row.first_lsn} to {row.last_lsn}", "dim"))
    lines.extend(row.below)
    return Text("\n").join(lines)


def fold(items: Sequence[T], key: Callable[[T], Hashable | None], what: str) -> list[T | Folded]:
    """Leave out the middle of each long run of items that have the same key other than None."""
    shown: list[T | Folded] = []
    for common, run in groupby(items, key):
        members = list(run)
        hidden = len(members) - 2 * _KEPT
        if common is None or hidden < 2:
            shown.extend(members)
        else:
            shown.extend((*members[:_KEPT], Folded(hidden, what), *members[-_KEPT:]))
    return shown
