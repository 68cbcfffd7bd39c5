"""A database that a migration has opened: what is asked of it, and what is found. Pure models.

Nothing here is done to a database that is restoring: see `shared.targets.Target` for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.errors import TargetError
from shared.vocabulary import DatabaseCheck

ORPHANS_SHOWN = 100
"""How many users without login are told by name; the others are counted."""


class Found(BaseModel):
    """Base of what is found and kept: what a later version adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class DatabaseFacts(Found):
    """What sys.databases says of an open database. `login` is the one that the app uses.

    `owner` is None if the server does not know the login, or does not tell.
    """

    state: str
    owner: str | None = None
    login: str
    compatibility_level: int
    recovery_model: str
    page_verify: str
    is_trustworthy_on: bool
    is_broker_enabled: bool
    is_encrypted: bool
    is_cdc_enabled: bool


class OrphanedUser(Found):
    """A user of the database whose login the server does not have; `sid` is hexadecimal."""

    name: str
    sid: str
    kind: str


class OrphanedUsers(Found):
    """The users without login: how many, and the first of them by name."""

    count: int
    users: tuple[OrphanedUser, ...] = ()


class Outcome(str, Enum):
    """How a check stands. STOPPED: somebody stopped it; LOST: it ended, nobody knows how."""

    RUNNING = "running"
    GOOD = "good"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True)
class Check:
    """A DBCC CHECKDB that the server does by itself, as it stands; `error` tells why it failed."""

    check_id: UUID
    outcome: Outcome
    elapsed_s: float = 0.0
    percent: float = 0.0
    error: TargetError | None = None


class OpenedDatabase(Protocol):
    """One open database. Every verb may be called again after a crash.

    All raise as those of `shared.targets.Target`; the two that change something give up with a
    TargetError when others block them for longer than seconds.
    """

    def read_facts(self) -> DatabaseFacts | None:
        """Return what the server says of the database, None if it is not there any more."""
        ...

    def list_orphaned_users(self) -> OrphanedUsers | None:
        """Return the users without login; None if our own login does not see all logins."""
        ...

    def set_owner(self, login: str) -> None:
        """Give the database to a login. We may have no rights in it any more after that."""
        ...

    def set_compatibility_level(self, level: int) -> None:
        """Set the compatibility level, for instance 160."""
        ...

    def check(self, kind: DatabaseCheck, watch: Callable[[float], bool]) -> None:
        """Run DBCC CHECKDB to its end on our own connection; raises TargetError for damage.

        Raises RestoreStopped when `watch`, which is called about once a second with the
        percentage done, returned False.
        """
        ...

    def find_check(self, operation: UUID) -> Check | None:
        """Return the check that was started for a migration operation, until it is ended."""
        ...

    def start_check(self, operation: UUID, kind: DatabaseCheck) -> None:
        """Let the server run DBCC CHECKDB by itself."""
        ...

    def end_check(self, check: Check) -> None:
        """Stop a check if it runs, and remove it. Returns also if it is gone."""
        ...
