"""What the demonstration shows: live progress, and in the end what the server has restored."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from backhaul import terminal
from backhaul.demo_backups import Dropped
from local.stack import Stack
from shared.models import Migration
from shared.settings import SqlServerSettings
from shared.targets.sqlserver import SqlServerTarget
from shared.vocabulary import MigrationStatus, RestoreState

_LINES_KEPT = 6
_STOPPED = (RestoreState.BLOCKED, RestoreState.WAITING, RestoreState.RESTORE_COMPLETED)
_KINDS = {"D": "full", "I": "diff", "L": "log"}


class Progress:
    """A live table on a terminal; elsewhere a line whenever something changes."""

    def __init__(self, dropped: Sequence[Dropped]) -> None:
        self.shown: dict[str, Migration] = {}
        self._dropped = dropped
        self._uploads: Counter[str] = Counter()
        self._said: list[str] = []
        self._last: dict[str, str] = {}
        self._changed: dict[str, float] = {}
        self._lock = threading.Lock()
        self._console = terminal.notes()
        self._live = (
            Live(console=self._console, get_renderable=self._render, refresh_per_second=6)
            if self._console.is_terminal
            else None
        )

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, line: str) -> None:
        """Tell of something that the demonstration does."""
        with self._lock:
            self._said.append(line)
        if self._live is None:
            self._console.print(terminal.harmless(line), soft_wrap=True)

    def uploaded(self, one: Dropped) -> None:
        """Count an upload."""
        with self._lock:
            self._uploads[one.migration] += 1

    def has_uploads(self, one: Dropped) -> bool:
        """Tell whether anything of a database was uploaded."""
        return self._uploads[one.migration] > 0

    def knows(self, one: Dropped) -> bool:
        """Tell whether the migration of a database has begun."""
        return one.migration in self.shown

    def show(self, one: Dropped, migration: Migration) -> None:
        """Show how a migration stands."""
        line = _line(one, migration)
        with self._lock:
            self.shown[one.migration] = migration
            changed = self._last.get(one.migration) != line
            if changed:
                self._last[one.migration] = line
                self._changed[one.migration] = time.monotonic()
        if changed and self._live is None:
            self._console.print(terminal.harmless(line), soft_wrap=True)

    def is_over(self, one: Dropped, standstill_s: float) -> bool:
        """Tell whether a migration has ended, or waits for something that is not coming."""
        migration = self.shown.get(one.migration)
        if migration is None or migration.properties.migration_status_details is None:
            return False
        if migration.properties.migration_status.is_final:
            return True
        details = migration.properties.migration_status_details
        return (
            self._uploads[one.migration] == len(one.files) == details.detected_files
            and details.restore_state in _STOPPED
            and time.monotonic() - self._changed[one.migration] > standstill_s
        )

    def _render(self) -> Group:
        with self._lock:
            table = Table(box=None, pad_edge=False)
            for heading in ("Database", "Mode", "Status", "Files", "", "Now"):
                table.add_column(heading, no_wrap=heading != "Now")
            for one in self._dropped:
                table.add_row(*self._row(one))
            said = [
                Text(terminal.harmless(line), style="dim") for line in self._said[-_LINES_KEPT:]
            ]
        return Group(*said, Text(), table)

    def _row(self, one: Dropped) -> list[Text | ProgressBar]:
        migration = self.shown.get(one.migration)
        mode = "offline" if one.last_backup else "online"
        if migration is None:
            uploaded = self._uploads[one.migration]
            waiting = f"{uploaded} of {len(one.files)} files uploaded"
            return [Text(one.database), Text(mode), Text("-"), Text("-"), Text(), Text(waiting)]
        details = migration.properties.migration_status_details
        assert details is not None  # noqa: S101 for the type checker: shown ones have details
        settled = details.restored_files + details.skipped_files + details.unrestorable_files
        now = details.current_restoring_filename or details.waiting_for or ""
        if details.current_restoring_filename and details.current_restore_percent_completed:
            now += f" {details.current_restore_percent_completed:.0f} %"
        return [
            Text(one.database),
            Text(mode),
            Text(migration.properties.migration_status.value),
            Text(f"{details.restored_files}/{len(one.files)}"),
            ProgressBar(total=len(one.files), completed=settled, width=16),
            Text(terminal.harmless(now), overflow="ellipsis"),
        ]


def _line(one: Dropped, migration: Migration) -> str:
    properties = migration.properties
    details = properties.migration_status_details
    if details is None:
        return f"{one.database}: {properties.migration_status}"
    up_to = f", up to {details.last_restored_filename}" if details.last_restored_filename else ""
    blocked = details.restore_blocking_reason
    why = f": {blocked}" if blocked else ""
    return (
        f"{one.database}: {properties.migration_status}, {details.restored_files} of"
        f" {details.detected_files} files restored{up_to}{why}"
    )


def print_outcome(stack: Stack, dropped: Sequence[Dropped], shown: dict[str, Migration]) -> None:
    """Print what the target itself says it has restored, and what became of the other files."""
    console = terminal.results()
    table = Table(title="Restored, by the server's own history", title_justify="left")
    for heading in ("Database", "State", "Restored", "Up to LSN", "Last file"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Up to LSN")
    target = SqlServerTarget(SqlServerSettings.model_validate(stack.sql_server))
    try:
        facts = target.read_server()
        for one in dropped:
            history = target.read_restore_history(one.database, 0)
            kinds = Counter(_KINDS.get(row.restore_type, row.restore_type) for row in history)
            restored = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing"
            state = target.read_position(one.database).state.value
            table.add_row(*map(Text, (one.database, state, restored, *_end(shown, one))))
    finally:
        target.close()
    console.print(table)
    if facts.simulated:
        console.print(f"The target is SIMULATED ({facts.edition}): no data was written.")
    for one in dropped:
        _print_rest(console, one, shown.get(one.migration))


def _end(shown: dict[str, Migration], one: Dropped) -> tuple[str, str]:
    migration = shown.get(one.migration)
    details = migration.properties.migration_status_details if migration else None
    if details is None or details.restored_up_to is None:
        return "-", "-"
    last = (details.last_restored_filename or "-").rsplit("/", 1)[-1]
    return str(details.restored_up_to.last_lsn), terminal.harmless(last)


def _print_rest(console: Console, one: Dropped, migration: Migration | None) -> None:
    """Say of each file that was not restored why, and of each migration that waits for what."""
    details = migration.properties.migration_status_details if migration else None
    if migration is None or details is None:
        console.print(f"{one.database}: no migration started.")
        return
    unneeded: dict[str, list[str]] = {}
    for backup in details.active_backup_sets:
        for reason in backup.ignore_reasons:
            names = [file.file_name for file in backup.list_of_backup_files]
            unneeded.setdefault(reason, []).extend(names)
    lines = [f"not needed, {why}: {_few(names)}." for why, names in unneeded.items()]
    lines += [f"{f.file_name} cannot be used: {f.reason}" for f in details.invalid_file_details]
    if migration.properties.migration_status is not MigrationStatus.SUCCEEDED:
        lines.append(
            f"{migration.properties.migration_status}: "
            f"{details.restore_blocking_reason or f'waits for {details.waiting_for}'}"
        )
        if details.restore_blocking_action:
            lines.append(f"Try: {details.restore_blocking_action}")
    for line in lines:
        console.print(Text(f"{one.database}: {terminal.harmless(line)}"), soft_wrap=True)


def _few(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
