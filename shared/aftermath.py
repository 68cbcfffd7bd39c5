"""What is written down of the time after a recovery: which steps are done, what was found. Pure."""

from __future__ import annotations

from datetime import datetime

from shared.opened import DatabaseFacts, Found, OrphanedUsers
from shared.vocabulary import AfterStep, StepState


class StepRecord(Found):
    """How a step ended. A step that is not recorded is done, or done again."""

    name: AfterStep
    state: StepState
    message: str
    action: str | None = None
    sql_error_number: int | None = None
    ended_on: datetime | None = None


class Source(Found):
    """What the last restored backup says of its source."""

    compatibility_level: int
    major_version: int


class Aftermath(Found):
    """Since when the database is open and ours, and what has become of it since.

    It is there once the database was read back ONLINE: from then on the migration succeeds,
    whatever becomes of the database. `check_attempts` counts how often a check was started.
    """

    opened_on: datetime
    steps: tuple[StepRecord, ...] = ()
    check_attempts: int = 0
    orphans: OrphanedUsers | None = None
    facts: DatabaseFacts | None = None
    source: Source | None = None

    def step(self, name: AfterStep) -> StepRecord | None:
        """Return how a step ended, None if it has not."""
        return next((step for step in self.steps if step.name is name), None)

    @property
    def failed(self) -> int:
        """How many steps have failed."""
        return sum(step.state is StepState.FAILED for step in self.steps)
