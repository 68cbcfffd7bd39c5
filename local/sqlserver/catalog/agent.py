"""The tables of msdb that SQL Server Agent keeps: jobs, steps, what runs and what ran.

Source: Microsoft Learn, "SQL Server Agent Tables". Dates and times of the history are whole
numbers, YYYYMMDD and HHMMSS; so is a duration, HHMMSS, whose hours may have more digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from local.sqlserver.agent.model import AgentSession, Job, JobActivity, JobHistory, JobStep
from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.view import View
from local.sqlserver.errors import refuse
from local.sqlserver.results import Field
from local.sqlserver.sqltypes import (
    DATETIME,
    INT,
    SYSNAME,
    TINYINT,
    UNIQUEIDENTIFIER,
    nvarchar,
    varbinary,
)

_ASKED_BY_A_USER = "4"
_NEVER_RAN = 5
"""sysjobservers.last_run_outcome of a job without history: unknown."""


class _OwnedJob(NamedTuple):
    job: Job
    owner_sid: bytes | None
    server: str


class _StepOf(NamedTuple):
    """A step and the last row that the history has of it."""

    job_id: UUID
    step: JobStep
    last: JobHistory | None


class _Serving(NamedTuple):
    """A job on this server and its last outcome."""

    job_id: UUID
    last: JobHistory | None


class _Logged(NamedTuple):
    row: JobHistory
    server: str


def whole_date(moment: datetime | None) -> int:
    """Return YYYYMMDD, 0 for none."""
    return int(f"{moment:%Y%m%d}") if moment else 0


def whole_time(moment: datetime | None) -> int:
    """Return HHMMSS, 0 for none."""
    return int(f"{moment:%H%M%S}") if moment else 0


def whole_duration(seconds: int) -> int:
    """Return a duration as HHMMSS: 3,725 seconds are 10205."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return hours * 10_000 + minute * 100 + second


def _may_select(context: Context, table: str) -> None:
    """Raise 229 unless the session may read the Agent's tables."""
    if not context.instance.logins.is_sysadmin(context.session.login):
        raise refuse(229, "SELECT", table, "msdb", "dbo")


def _jobs(context: Context) -> Iterable[_OwnedJob]:
    _may_select(context, "sysjobs")
    return _owned(context, context.instance.jobs.all())


def _visible_jobs(context: Context) -> Iterable[_OwnedJob]:
    """Return sysjobs_view: a member of the Agent's roles sees his own jobs, an operator all."""
    by = context.instance.agent_caller(context.session.login)
    return _owned(context, [job for job in context.instance.jobs.all() if by.may_see(job)])


def _owned(context: Context, jobs: Iterable[Job]) -> Iterable[_OwnedJob]:
    instance = context.instance
    for job in jobs:
        login = instance.logins.find(job.owner)
        yield _OwnedJob(job, login.sid if login else None, instance.settings.server_name)


def _last_rows(context: Context) -> dict[tuple[UUID, int], JobHistory]:
    return {(row.job_id, row.step_id): row for row in context.instance.jobs.history()}


def _steps(context: Context) -> Iterable[_StepOf]:
    _may_select(context, "sysjobsteps")
    last = _last_rows(context)
    for job in context.instance.jobs.all():
        for step in job.steps:
            yield _StepOf(job.job_id, step, last.get((job.job_id, step.step_id)))


def _servers(context: Context) -> Iterable[_Serving]:
    _may_select(context, "sysjobservers")
    last = _last_rows(context)
    for job in context.instance.jobs.all():
        if job.has_server:
            yield _Serving(job.job_id, last.get((job.job_id, 0)))


def _history(context: Context) -> Iterable[_Logged]:
    _may_select(context, "sysjobhistory")
    server = context.instance.settings.server_name
    return [_Logged(row, server) for row in context.instance.jobs.history()]


def _activity(context: Context) -> Iterable[JobActivity]:
    _may_select(context, "sysjobactivity")
    return context.instance.jobs.activity()


def _sessions(context: Context) -> Iterable[AgentSession]:
    _may_select(context, "syssessions")
    return context.instance.jobs.sessions()


_JOBS: tuple[Field[_OwnedJob], ...] = (
    Field("job_id", UNIQUEIDENTIFIER, lambda j: j.job.job_id),
    Field("originating_server_id", INT, lambda j: 0),
    Field("name", SYSNAME, lambda j: j.job.name),
    Field("enabled", TINYINT, lambda j: int(j.job.enabled)),
    Field("description", nvarchar(512), lambda j: j.job.description),
    Field("start_step_id", INT, lambda j: j.job.start_step_id),
    Field("category_id", INT, lambda j: 0),
    Field("owner_sid", varbinary(85), lambda j: j.owner_sid),
    Field("notify_level_eventlog", INT, lambda j: 0),
    Field("notify_level_email", INT, lambda j: 0),
    Field("notify_level_netsend", INT, lambda j: 0),
    Field("notify_level_page", INT, lambda j: 0),
    Field("delete_level", INT, lambda j: j.job.delete_level),
    Field("date_created", DATETIME, lambda j: j.job.date_created),
    Field("date_modified", DATETIME, lambda j: j.job.date_modified),
    Field("version_number", INT, lambda j: j.job.version_number),
)
_JOBS_VIEW: tuple[Field[_OwnedJob], ...] = (
    *_JOBS,
    Field("originating_server", SYSNAME, lambda j: j.server),
)
_JOBSTEPS: tuple[Field[_StepOf], ...] = (
    Field("job_id", UNIQUEIDENTIFIER, lambda s: s.job_id),
    Field("step_id", INT, lambda s: s.step.step_id),
    Field("step_name", SYSNAME, lambda s: s.step.step_name),
    Field("subsystem", nvarchar(40), lambda s: s.step.subsystem),
    Field("command", nvarchar(None), lambda s: s.step.command),
    Field("flags", INT, lambda s: s.step.flags),
    Field("on_success_action", TINYINT, lambda s: int(s.step.on_success_action)),
    Field("on_success_step_id", INT, lambda s: s.step.on_success_step_id),
    Field("on_fail_action", TINYINT, lambda s: int(s.step.on_fail_action)),
    Field("on_fail_step_id", INT, lambda s: s.step.on_fail_step_id),
    Field("database_name", SYSNAME, lambda s: s.step.database_name),
    Field("retry_attempts", INT, lambda s: s.step.retry_attempts),
    Field("retry_interval", INT, lambda s: s.step.retry_interval),
    Field("step_uid", UNIQUEIDENTIFIER, lambda s: s.step.step_uid),
    Field("last_run_outcome", INT, lambda s: int(s.last.run_status) if s.last else 0),
    Field("last_run_duration", INT, lambda s: whole_duration(s.last.seconds) if s.last else 0),
    Field("last_run_retries", INT, lambda s: s.last.retries_attempted if s.last else 0),
    Field("last_run_date", INT, lambda s: whole_date(s.last.run_at if s.last else None)),
    Field("last_run_time", INT, lambda s: whole_time(s.last.run_at if s.last else None)),
)
_JOBSERVERS: tuple[Field[_Serving], ...] = (
    Field("job_id", UNIQUEIDENTIFIER, lambda s: s.job_id),
    Field("server_id", INT, lambda s: 0),
    Field("last_run_outcome", TINYINT, lambda s: int(s.last.run_status) if s.last else _NEVER_RAN),
    Field("last_outcome_message", nvarchar(4000), lambda s: s.last.message if s.last else None),
    Field("last_run_date", INT, lambda s: whole_date(s.last.run_at if s.last else None)),
    Field("last_run_time", INT, lambda s: whole_time(s.last.run_at if s.last else None)),
    Field("last_run_duration", INT, lambda s: whole_duration(s.last.seconds) if s.last else 0),
)
_JOBHISTORY: tuple[Field[_Logged], ...] = (
    Field("instance_id", INT, lambda h: h.row.instance_id),
    Field("job_id", UNIQUEIDENTIFIER, lambda h: h.row.job_id),
    Field("step_id", INT, lambda h: h.row.step_id),
    Field("step_name", SYSNAME, lambda h: h.row.step_name),
    Field("sql_message_id", INT, lambda h: h.row.sql_message_id),
    Field("sql_severity", INT, lambda h: h.row.sql_severity),
    Field("message", nvarchar(4000), lambda h: h.row.message),
    Field("run_status", INT, lambda h: int(h.row.run_status)),
    Field("run_date", INT, lambda h: whole_date(h.row.run_at)),
    Field("run_time", INT, lambda h: whole_time(h.row.run_at)),
    Field("run_duration", INT, lambda h: whole_duration(h.row.seconds)),
    Field("operator_id_emailed", INT, lambda h: 0),
    Field("operator_id_netsent", INT, lambda h: 0),
    Field("operator_id_paged", INT, lambda h: 0),
    Field("retries_attempted", INT, lambda h: h.row.retries_attempted),
    Field("server", SYSNAME, lambda h: h.server),
)
_JOBACTIVITY: tuple[Field[JobActivity], ...] = (
    Field("session_id", INT, lambda a: a.session_id),
    Field("job_id", UNIQUEIDENTIFIER, lambda a: a.job_id),
    Field("run_requested_date", DATETIME, lambda a: a.run_requested_date),
    Field("run_requested_source", SYSNAME, lambda a: a.run_requested_date and _ASKED_BY_A_USER),
    Field("queued_date", DATETIME, lambda a: None),
    Field("start_execution_date", DATETIME, lambda a: a.start_execution_date),
    Field("last_executed_step_id", INT, lambda a: a.last_executed_step_id),
    Field("last_executed_step_date", DATETIME, lambda a: a.last_executed_step_date),
    Field("stop_execution_date", DATETIME, lambda a: a.stop_execution_date),
    Field("job_history_id", INT, lambda a: a.job_history_id),
    Field("next_scheduled_run_date", DATETIME, lambda a: None),
)
_SESSIONS: tuple[Field[AgentSession], ...] = (
    Field("session_id", INT, lambda s: s.session_id),
    Field("agent_start_date", DATETIME, lambda s: s.agent_start_date),
)

AGENT_VIEWS = {
    "msdb.dbo.sysjobs": View(_JOBS, _jobs),
    "msdb.dbo.sysjobs_view": View(_JOBS_VIEW, _visible_jobs),
    "msdb.dbo.sysjobsteps": View(_JOBSTEPS, _steps),
    "msdb.dbo.sysjobservers": View(_JOBSERVERS, _servers),
    "msdb.dbo.sysjobhistory": View(_JOBHISTORY, _history),
    "msdb.dbo.sysjobactivity": View(_JOBACTIVITY, _activity),
    "msdb.dbo.syssessions": View(_SESSIONS, _sessions),
}
