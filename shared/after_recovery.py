"""What is to be done once the database is open, as it is asked for and as it is told. Pure."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.json_model import Json
from shared.vocabulary import AfterStep, DatabaseCheck, StepState, ToDo


class AfterRecovery(Json):
    """`afterRecovery` of a request: what is done to the database once it is open."""

    check_database: DatabaseCheck = DatabaseCheck.NONE
    owner: str | None = Field(default=None, min_length=1, max_length=128)
    compatibility_level: int | None = Field(default=None, ge=80, le=300, multiple_of=10)


class AfterRecoveryStep(Json):
    """One step of `afterRecovery` in the status; `action` is there if it has failed."""

    name: AfterStep
    state: StepState
    message: str
    action: str | None = None
    sql_error_number: int | None = None
    ended_on: datetime | None = None


class ToDoItem(Json):
    """One thing that is left for people."""

    code: ToDo
    text: str


class UserWithoutLogin(Json):
    """A user of the database whose login the target does not have."""

    name: str
    sid: str
    kind: str


class RecoveredDatabase(Json):
    """`recoveredDatabase`: the open database, as the target describes it."""

    state: str
    owner: str | None = None
    compatibility_level: int
    source_compatibility_level: int | None = None
    maximum_compatibility_level: int | None = None
    recovery_model: str
    page_verify: str
    is_trustworthy_on: bool
    is_broker_enabled: bool
    is_encrypted: bool
    is_cdc_enabled: bool
    orphaned_users_count: int | None = None
    orphaned_users: list[UserWithoutLogin]
