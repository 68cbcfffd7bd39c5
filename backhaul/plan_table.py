"""Shows the plans of a folder, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from backhaul import wording
from backhaul.layout import facts, indented, unusable_file
from backhaul.planning import DatabasePlan, FolderPlan, LeftOutSet, PlannedSet, UnusableFile
from backhaul.set_table import Folded, SetRow, fold, set_table
from shared.backupset import BackupType


def plan_table(plan: FolderPlan, *, folded: bool) -> Group:
    """Return the plans, the missing, and the files that cannot be used; text must be harmless.

    `folded` leaves out the middle of long runs of log backups.
    """
    parts: list[RenderableType] = []
    for database in plan.databases:
        parts.extend((*_database(database, folded=folded), ""))
    if plan.unusable_files:
        parts.extend((*_unusable(plan.unusable_files), ""))
    return Group(*parts)


def _database(plan: DatabasePlan, *, folded: bool) -> Iterator[RenderableType]:
    server = f" from {plan.server_name}" if plan.server_name else ""
    yield Text.assemble((plan.database_name, "bold"), f"{server}: {_summary(plan)}")
    if plan.steps:
        numbered = list(enumerate(plan.steps, start=1))
        rows = fold(numbered, lambda row: _is_log(row[1]), "log backups") if folded else numbered
        shown = [row if isinstance(row, Folded) else _step(*row) for row in rows]
        yield ""
        yield indented(set_table("#", shown))
    if plan.missing is not None:
        yield ""
        yield facts([("Missing", Text(plan.missing.reason, "red")), ("Try", plan.missing.action)])
    yield from _left_out("Waits", plan.waiting, folded=folded)
    yield from _left_out("Ignored", plan.ignored, folded=folded)


def _summary(plan: DatabasePlan) -> str:
    if not plan.steps:
        return "nothing can be restored"
    last = plan.steps[-1]
    end = last.stop_at or last.backup_finish_date
    return f"{wording.count(len(plan.steps), 'backup')} in this order, up to {wording.moment(end)}"


def _is_log(backup: PlannedSet) -> bool | None:
    return True if backup.backup_type == BackupType.LOG.word and backup.stop_at is None else None


def _step(number: int, step: PlannedSet) -> SetRow:
    below = [Text(f"only up to {wording.moment(step.stop_at)}", "yellow")] if step.stop_at else []
    return _row(str(number), step, below)


def _row(lead: str, backup: PlannedSet, below: Sequence[Text] = ()) -> SetRow:
    return SetRow(
        lead,
        backup.backup_type,
        backup.files,
        backup.first_lsn,
        backup.last_lsn,
        backup.backup_finish_date,
        below,
    )


def _left_out(state: str, sets: Sequence[LeftOutSet], *, folded: bool) -> Iterator[RenderableType]:
    """Yield a table for each reason, with the state that it puts sets into."""
    by_reason: dict[tuple[str, str], list[LeftOutSet]] = {}
    for backup in sets:
        by_reason.setdefault((backup.reason_code, backup.reason), []).append(backup)
    for (code, reason), group in by_reason.items():
        rows = fold(group, _is_log, "log backups") if folded else group
        yield ""
        yield indented(Text.assemble((f"{state} ({code}): ", "yellow"), reason))
        shown = [row if isinstance(row, Folded) else _row("", row) for row in rows]
        yield indented(set_table(None, shown))


def _unusable(files: Sequence[UnusableFile]) -> Iterator[RenderableType]:
    yield Text("Files that cannot be used")
    for file in files:
        yield unusable_file(file.file_name, file.reason_code, file.reason, file.action)
