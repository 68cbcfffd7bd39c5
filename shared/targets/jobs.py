"""The SQL Server Agent jobs that work for us: their names, their text, what msdb says of them.

Pure: values and rows in, text and values out. A job bears the database, the migration's operation
and the first set in its name, so that whoever comes later knows it again; each of its steps is
named after the set that it restores. Nothing else is remembered of a job.

Source of tables and procedures: Microsoft Learn, "SQL Server Agent tables" and "SQL Server Agent
stored procedures".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.errors import BackhaulError, TargetError
from shared.opened import Check, Outcome
from shared.targets import Batch, faults
from shared.targets.rows import Row

_PREFIX, _CHECK_PREFIX = "Backhaul restore", "Backhaul check"
_DIGEST_LENGTH = 24
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME = re.compile(rf"{_PREFIX} [0-9a-f]{{{_DIGEST_LENGTH}}} ({_GUID}) ({_GUID})")
_STEP_NAME = re.compile(rf"set ({_GUID})")

_ERROR = re.compile(r"(.*?) \[SQLSTATE (\w{5})\] \(Error (\d{1,10})\)", re.DOTALL)
_MESSAGE_END = re.compile(r"^.*\(Message \d{1,10}\)", re.DOTALL)
_EXECUTED_AS = re.compile(r"^\s*Executed as user: [^\r\n]{1,300}?\. ")
_MESSAGE = re.compile(r"\[SQLSTATE 01000\] \(Message (\d{1,10})\)")
_TERMINATED, _RESTORED = 3013, 3014
_FAILED, _SUCCEEDED, _CANCELED = 0, 1, 3
_SHUTDOWN = "Shutdown Sequence"

AGENT = """\
SELECT HAS_PERMS_BY_NAME(N'msdb.dbo.sp_add_job', N'OBJECT', N'EXECUTE') AS may_add,
       HAS_PERMS_BY_NAME(N'msdb.dbo.sysjobactivity', N'OBJECT', N'SELECT') AS may_see"""

SERVICE = "SELECT servicename, status FROM sys.dm_server_services"

JOBS = """\
SELECT j.job_id, j.name, j.date_created, v.server_id, GETDATE() AS server_time
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobservers AS v ON v.job_id = j.job_id
WHERE j.name LIKE ?
ORDER BY j.date_created"""

STEPS = "SELECT step_id, step_name FROM msdb.dbo.sysjobsteps WHERE job_id = ? ORDER BY step_id"

SESSION = """\
SELECT session_id, agent_start_date FROM msdb.dbo.syssessions ORDER BY session_id DESC"""

ACTIVITY = """\
SELECT run_requested_date, start_execution_date, stop_execution_date
FROM msdb.dbo.sysjobactivity
WHERE job_id = ? AND session_id = ?"""

OUTCOMES = """\
SELECT step_id, sql_message_id, run_status, message
FROM msdb.dbo.sysjobhistory
WHERE job_id = ?
ORDER BY instance_id"""

PROGRESS = """\
SELECT r.percent_complete
FROM sys.dm_exec_sessions AS s
JOIN sys.dm_exec_requests AS r ON r.session_id = s.session_id
WHERE s.program_name LIKE ?"""

ADD_JOB = "EXEC msdb.dbo.sp_add_job @job_name = ?, @description = ?"
ADD_STEP = """\
EXEC msdb.dbo.sp_add_jobstep @job_name = ?, @step_name = ?, @subsystem = N'TSQL',
     @database_name = N'master', @command = ?, @on_success_action = ?"""
ADD_SERVER = "EXEC msdb.dbo.sp_add_jobserver @job_name = ?"
START = "EXEC msdb.dbo.sp_start_job @job_name = ?"
STOP = "EXEC msdb.dbo.sp_stop_job @job_id = ?"
DELETE = "EXEC msdb.dbo.sp_delete_job @job_id = ?"

QUIT_WITH_SUCCESS, NEXT_STEP = 1, 3
"""`@on_success_action` of the last step, and of those before it."""


class Task(NamedTuple):
    """What one step does: restore the set of this id by this statement."""

    backup_set_guid: UUID
    statement: str


def name_of(database: str, operation: UUID, first: UUID) -> str:
    """Return a job's name; 115 characters, of which any database's name gives 24."""
    return f"{_of_database(database)} {operation} {first}"


def name_pattern(database: str) -> str:
    """Return the LIKE pattern of all our jobs for a database; there is nothing to escape in it."""
    return f"{_of_database(database)} %"


def check_name_of(database: str, operation: UUID) -> str:
    """Return the name of the job that checks a database for an operation, a LIKE pattern too."""
    return f"{_of_database(database, _CHECK_PREFIX)} {operation}"


def _of_database(database: str, prefix: str = _PREFIX) -> str:
    # Names of databases ignore case on most servers, and trailing blanks on all.
    digest = hashlib.sha256(database.casefold().encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix} {digest[:_DIGEST_LENGTH]}"


def parse_name(name: str) -> tuple[UUID, UUID] | None:
    """Return operation and first set of a job of ours, None for a name that is not ours."""
    found = _NAME.fullmatch(name)
    return (UUID(found[1]), UUID(found[2])) if found else None


def step_name(backup_set: UUID) -> str:
    """Return the name of the step that restores a set."""
    return f"set {backup_set}"


def sets_of(steps: Sequence[Row]) -> tuple[UUID, ...]:
    """Return the sets that a job restores, in order, from `STEPS`."""
    found = (_STEP_NAME.fullmatch(str(row["step_name"])) for row in steps)
    return tuple(UUID(name[1]) for name in found if name)


def as_command(statement: str) -> str:
    """Return a statement as a job step takes it.

    The Agent replaces `$(...)` in a step before it runs it, also inside quotes, and fails at a
    name that it does not know. Such a statement is put together by the server, from two halves.
    """
    if "$(" not in statement:
        return statement
    quoted = statement.replace("'", "''").replace("$(", "$' + N'(")
    return f"EXECUTE (N'{quoted}')"


def is_running(service: Sequence[Row]) -> bool:
    """Tell from `SERVICE` whether the Agent runs; 4 is the status of a running service."""
    return any("agent" in str(row["servicename"]).lower() and row["status"] == 4 for row in service)


def runs_already(refusal: str) -> bool:
    """Tell from the Agent's refusal to start a job (22022) whether the job runs, or will."""
    return "already" in refusal


class Activity(NamedTuple):
    """What the present session of the Agent knows of a job."""

    requested: datetime | None = None
    started: datetime | None = None
    stopped: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether the job was asked to run and has not ended."""
        return self.stopped is None and (self.requested is not None or self.started is not None)

    @property
    def is_over(self) -> bool:
        """Whether the job has run and ended."""
        return self.stopped is not None


def activity(rows: Sequence[Row]) -> Activity:
    """Read `ACTIVITY`."""
    if not rows:
        return Activity()
    columns = ("run_requested_date", "start_execution_date", "stop_execution_date")
    moments = [rows[0][column] for column in columns]
    return Activity(*(m if isinstance(m, datetime) else None for m in moments))


def wants_start(job: Row, session: Row | None, now: Activity, outcomes: Sequence[Row]) -> bool:
    """Tell whether a job is complete and was never started: its maker died, or is at it.

    It is complete once it has a server, which it gets last. A job that was there before the Agent
    started may have run and been forgotten, so it is not started again.
    """
    if session is None or now.is_running or now.is_over or outcomes or job["server_id"] is None:
        return False
    made, since = job["date_created"], session["agent_start_date"]
    return isinstance(made, datetime) and isinstance(since, datetime) and made >= since


def failure(sets: Sequence[UUID], outcomes: Sequence[Row]) -> tuple[UUID, BackhaulError] | None:
    """Return the set that a job failed at, and why, from `OUTCOMES`; None if none failed.

    A step that was stopped has not failed. The history keeps the beginning of what a step said;
    the first error in it is the cause, the last only says that the RESTORE ended.
    """
    for row in reversed(outcomes):
        number = row["step_id"]
        if isinstance(number, int) and 1 <= number <= len(sets) and row["run_status"] == _FAILED:
            doing = f"the job step that restores the set {sets[number - 1]}"
            return sets[number - 1], _error(row, doing)
    return None


def stops_of(sets: Sequence[UUID], outcomes: Sequence[Row]) -> dict[UUID, bool]:
    """Return of each set that a job has restored whether its stop point, if any, was reached.

    The server says at the end when it was not, and the history keeps only the beginning of what a
    step said: without the message of success, which comes last, nothing is known.
    """
    found: dict[UUID, bool] = {}
    for row in outcomes:
        number = row["step_id"]
        if isinstance(number, int) and 1 <= number <= len(sets) and row["run_status"] == _SUCCEEDED:
            said = {int(told) for told in _MESSAGE.findall(str(row["message"] or ""))}
            if not faults.STOP_LIES_FURTHER_ON.isdisjoint(said):
                found[sets[number - 1]] = False
            elif _RESTORED in said:
                found[sets[number - 1]] = True
    return found


def _error(row: Row, doing: str) -> BackhaulError:
    text = _EXECUTED_AS.sub("", str(row["message"] or ""))
    found = [
        faults.diagnostic(state, int(number), _MESSAGE_END.sub("", before).strip())
        for before, state, number in _ERROR.findall(text)
    ]
    causes = [each for each in found if each.number != _TERMINATED] or found
    told = row["sql_message_id"]
    cause = (
        causes[0] if causes else faults.diagnostic("", told if isinstance(told, int) else 0, text)
    )
    return faults.to_error(cause, doing)


def elapsed_s(job: Row, now: Activity) -> float:
    """Return how long ago a job was started, by the server's clock; 0 if it was not yet."""
    moment, since = job["server_time"], now.started or now.requested
    if not isinstance(moment, datetime) or since is None:
        return 0.0
    return max(0.0, (moment - since).total_seconds())


def session_pattern(job_id: UUID) -> str:
    """Return the LIKE pattern of the program name of the session that runs a job's step.

    The Agent writes the job's id there as the bytes that the server stores.
    """
    return f"SQLAgent - TSQL JobStep (Job 0x{job_id.bytes_le.hex().upper()} : Step %"


class State(NamedTuple):
    """How a job stands; `outcomes` are empty while it runs."""

    running: bool
    elapsed_s: float
    percent: float
    outcomes: Sequence[Row]


def batch(job: Row, sets: Sequence[UUID], now: State) -> Batch:
    """Return what msdb says of a job, as a batch; the job's name is one of ours."""
    operation_id, _ = parse_name(str(job["name"])) or (UUID(int=0), None)
    why = None if now.running else failure(sets, now.outcomes)
    return Batch(
        batch_id=UUID(str(job["job_id"])),
        operation_id=operation_id,
        sets=tuple(sets),
        running=now.running,
        elapsed_s=now.elapsed_s,
        percent=now.percent,
        failed=why[0] if why else None,
        error=why[1] if why else None,
        stops={} if now.running else stops_of(sets, now.outcomes),
    )


def check(job: Row, now: State) -> Check:
    """Return what msdb says of a job that checks a database."""
    outcome, error = (Outcome.RUNNING, None) if now.running else _outcome(now.outcomes)
    job_id = UUID(str(job["job_id"]))
    return Check(job_id, outcome, now.elapsed_s, now.percent, error)


def _outcome(outcomes: Sequence[Row]) -> tuple[Outcome, TargetError | None]:
    """Read how the one step of a check ended; the server's own end leaves that open."""
    for row in reversed(outcomes):
        if row["step_id"] == 1 and row["run_status"] == _SUCCEEDED:
            return Outcome.GOOD, None
        if row["step_id"] == 1 and row["run_status"] == _FAILED:
            told = _error(row, "the check of the database")
            return Outcome.FAILED, told if isinstance(told, TargetError) else None
    shut_down = any(_SHUTDOWN in str(row["message"]) for row in outcomes)
    stopped = any(row["run_status"] == _CANCELED for row in outcomes) and not shut_down
    return Outcome.STOPPED if stopped else Outcome.LOST, None
