"""Shows a rehearsal for people. Models must be harmless before they come here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from rich.console import Group, RenderableType
from rich.text import Text

from backhaul import wording
from backhaul.layout import facts, indented, table
from shared.models import LastRehearsal
from shared.vocabulary import MigrationStatus, RehearsalStep

_STEPS = {
    RehearsalStep.RESTORE_FULL: "restore the full backup",
    RehearsalStep.RESTORE_DIFFERENTIAL: "restore the differential backup",
    RehearsalStep.RESTORE_LOGS: "restore the log backups",
    RehearsalStep.RECOVER: "recover the database",
    RehearsalStep.CHECK_DATABASE: "check it (DBCC CHECKDB)",
    RehearsalStep.DROP: "drop it",
}


def rehearsal_table(rehearsal: LastRehearsal) -> Group:
    """Return how a rehearsal ended, and how long each step took."""
    parts: list[RenderableType] = [facts(_facts(rehearsal))]
    if rehearsal.steps:
        steps = table("Step", "Seconds")
        steps.columns[-1].justify = "right"
        for step in rehearsal.steps:
            steps.add_row(_STEPS[step.name], f"{step.seconds:.1f}")
        if rehearsal.total_seconds is not None:
            steps.add_row(Text("all of it", "bold"), f"{rehearsal.total_seconds:.1f}")
        parts.extend(("", indented(steps)))
    return Group(*parts)


def rehearsal_line(rehearsal: LastRehearsal) -> str:
    """Return how a rehearsal stands or ended in one line."""
    if not rehearsal.migration_status.is_final:
        waits = f", waits for {rehearsal.waiting_for}" if rehearsal.waiting_for else ""
        return f"under way, {wording.count(rehearsal.restored_sets, 'set')} restored{waits}"
    if rehearsal.migration_status is MigrationStatus.CANCELED:
        return f"canceled {wording.moment(rehearsal.ended_on)}"
    if rehearsal.failure is not None:
        return f"failed {wording.moment(rehearsal.ended_on)}: {rehearsal.failure.message}"
    took = wording.duration(timedelta(seconds=rehearsal.total_seconds or 0))
    return f"succeeded {wording.moment(rehearsal.ended_on)}, took {took}"


def _facts(rehearsal: LastRehearsal) -> Iterator[tuple[str, RenderableType]]:
    yield "Rehearsal", rehearsal_line(rehearsal)
    if rehearsal.failure is not None:
        yield "Try", rehearsal.failure.action
    if rehearsal.last_restored_filename:
        yield "Restored", f"up to {rehearsal.last_restored_filename}"
    yield "Scratch", rehearsal.database
    if rehearsal.expected_cutover_seconds is not None:
        downtime = wording.duration(timedelta(seconds=ceil(rehearsal.expected_cutover_seconds)))
        yield "Cutover", f"about {downtime}: a last log backup, the recovery, and the app"
