"""Shows the end of a migration: what followed the recovery, and what is left to do.

Models must be harmless before they come here (`terminal.for_display`).
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from backhaul import wording
from backhaul.layout import facts, indented, table
from shared.after_recovery import AfterRecoveryStep, RecoveredDatabase
from shared.models import MigrationStatusDetails
from shared.vocabulary import StepState

_STYLES = {StepState.DONE: "green", StepState.FAILED: "red", StepState.SKIPPED: "dim"}
_USERS = 10


def ending(details: MigrationStatusDetails) -> Iterator[RenderableType]:
    """Yield what is to be shown of the time after the recovery; nothing before it."""
    if details.after_recovery:
        steps = table("State", "After the recovery")
        for step in details.after_recovery:
            steps.add_row(Text(step.state, _STYLES[step.state]), _step(step))
        yield from ("", indented(steps))
    if details.recovered_database is not None:
        yield from ("", facts(_facts(details.recovered_database)))
    if details.to_do:
        listed = Table.grid(padding=(0, 1))
        listed.add_column(justify="right", no_wrap=True)
        listed.add_column(overflow="fold")
        for number, item in enumerate(details.to_do, 1):
            listed.add_row(f"{number}.", Text.assemble((item.code, "bold"), f": {item.text}"))
        yield from ("", Text("Left to do"), indented(listed))


def _step(step: AfterRecoveryStep) -> Text:
    text = Text(f"{step.name}: {step.message}")
    if step.action:
        text.append(f"\nTry: {step.action}", "dim")
    return text


def _facts(database: RecoveredDatabase) -> Iterator[tuple[str, RenderableType]]:
    yield "Database", f"{database.state}, owner {database.owner or 'unknown'}"
    source, most = database.source_compatibility_level, database.maximum_compatibility_level
    about = [f"source {source}" if source else "", f"at most {most}" if most else ""]
    known = ", ".join(filter(None, about))
    yield "Level", f"{database.compatibility_level}" + (f" ({known})" if known else "")
    yield "Model", f"{database.recovery_model}, pages verified by {database.page_verify}"
    if database.orphaned_users_count:
        number = wording.count(database.orphaned_users_count, "user")
        names = [f"{user.name} ({user.kind})" for user in database.orphaned_users[:_USERS]]
        more = database.orphaned_users_count - len(names)
        others = f" and {more} more" if more > 0 else ""
        yield "Logins", Group(f"{number} without login:", f"{', '.join(names)}{others}")
