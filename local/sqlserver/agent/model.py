"""Jobs and their history as msdb keeps them. Frozen values.

Source: Microsoft Learn, "sysjobs", "sysjobsteps", "sysjobhistory", "sysjobactivity",
"syssessions".
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from local.sqlserver.engine.model import Record

MAX_MESSAGE = 4000
"""Characters that sysjobhistory.message holds. What a step says beyond them is lost."""

OUTCOME_STEP = "(Job outcome)"


class RunStatus(IntEnum):
    """sysjobhistory.run_status."""

    FAILED = 0
    SUCCEEDED = 1
    RETRY = 2
    CANCELED = 3


class Action(IntEnum):
    """What follows a step: sysjobsteps.on_success_action and on_fail_action."""

    QUIT_WITH_SUCCESS = 1
    QUIT_WITH_FAILURE = 2
    NEXT = 3
    GO_TO = 4


class JobStep(Record):
    """A row of sysjobsteps. Retry intervals are minutes."""

    step_id: int
    step_uid: UUID
    step_name: str
    subsystem: str = "TSQL"
    command: str = ""
    database_name: str = "master"
    flags: int = 0
    on_success_action: Action = Action.QUIT_WITH_SUCCESS
    on_success_step_id: int = 0
    on_fail_action: Action = Action.QUIT_WITH_FAILURE
    on_fail_step_id: int = 0
    retry_attempts: int = 0
    retry_interval: int = 0


class Job(Record):
    """A row of sysjobs with its steps. Without a server it can be neither started nor stopped."""

    table: ClassVar[str] = "sysjobs"
    key: ClassVar[str] = "job_id"

    job_id: UUID
    name: str
    owner: str
    enabled: bool = True
    description: str = "No description available."
    start_step_id: int = 1
    category: str = "[Uncategorized (Local)]"
    delete_level: int = 0
    date_created: datetime
    date_modified: datetime
    version_number: int = 1
    has_server: bool = False
    steps: tuple[JobStep, ...] = ()

    def step(self, step_id: int) -> JobStep | None:
        """Return a step by its id, or None."""
        return next((step for step in self.steps if step.step_id == step_id), None)


class JobHistory(Record):
    """A row of sysjobhistory: step 0 is the outcome of the job, written last.

    `run_at` is when the step began; `seconds` are whole, as run_duration has them.
    """

    table: ClassVar[str] = "sysjobhistory"
    key: ClassVar[str] = "instance_id"

    instance_id: int
    job_id: UUID
    step_id: int
    step_name: str
    sql_message_id: int = 0
    sql_severity: int = 0
    message: str = Field(max_length=MAX_MESSAGE)
    run_status: RunStatus
    run_at: datetime
    seconds: int
    retries_attempted: int = 0


class JobActivity(Record):
    """A row of sysjobactivity: one for each job and session of the Agent.

    A row that was started and not stopped belongs to a job that runs - if its session is the
    newest one. The rows of older sessions tell what ran when the Agent ended unexpectedly.
    """

    table: ClassVar[str] = "sysjobactivity"
    key: ClassVar[str] = "activity_id"

    activity_id: int
    session_id: int
    job_id: UUID
    run_requested_date: datetime | None = None
    start_execution_date: datetime | None = None
    last_executed_step_id: int | None = None
    last_executed_step_date: datetime | None = None
    stop_execution_date: datetime | None = None
    job_history_id: int | None = None


class AgentSession(Record):
    """A row of syssessions: one start of the Agent."""

    table: ClassVar[str] = "syssessions"
    key: ClassVar[str] = "session_id"

    session_id: int
    agent_start_date: datetime
