"""The procedures of msdb that make, start, stop and remove jobs.

Source: Microsoft Learn, the page of each procedure: names, order and defaults of the parameters.
What a job would do beside its steps (mail, schedules, other servers) is taken and has no effect,
or is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from local.sqlserver.agent.jobs import Caller, require_owner
from local.sqlserver.agent.model import Job, JobStep
from local.sqlserver.agent.runner import StepOutput
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import Request, Session
from local.sqlserver.errors import diagnostic, not_simulated, refuse
from local.sqlserver.session.procedure import Call, Parameter, Procedure
from local.sqlserver.sqltypes import (
    BIT,
    DATETIME,
    INT,
    SYSNAME,
    TINYINT,
    UNIQUEIDENTIFIER,
    nvarchar,
)

_LOCAL = "(LOCAL)"
_SUBSYSTEM = "TSQL"
_CATEGORY = "[Uncategorized (Local)]"
_CATEGORIES = (_CATEGORY, "Database Maintenance", "Data Collector", "[Local]")
_WHICH_JOB = (
    Parameter("@job_id", UNIQUEIDENTIFIER, None),
    Parameter("@job_name", SYSNAME, None),
)
_NOTIFICATIONS = (
    Parameter("@notify_level_eventlog", INT, None),
    Parameter("@notify_level_email", INT, None),
    Parameter("@notify_level_netsend", INT, None),
    Parameter("@notify_level_page", INT, None),
    Parameter("@notify_email_operator_name", SYSNAME, None),
    Parameter("@notify_netsend_operator_name", SYSNAME, None),
    Parameter("@notify_page_operator_name", SYSNAME, None),
)
_STEP = (
    Parameter("@subsystem", nvarchar(40), None),
    Parameter("@command", nvarchar(None), None),
    Parameter("@additional_parameters", nvarchar(None), None),
    Parameter("@cmdexec_success_code", INT, None),
    Parameter("@on_success_action", TINYINT, None),
    Parameter("@on_success_step_id", INT, None),
    Parameter("@on_fail_action", TINYINT, None),
    Parameter("@on_fail_step_id", INT, None),
    Parameter("@server", SYSNAME, None),
    Parameter("@database_name", SYSNAME, None),
    Parameter("@database_user_name", SYSNAME, None),
    Parameter("@retry_attempts", INT, None),
    Parameter("@retry_interval", INT, None),
    Parameter("@os_run_priority", INT, None),
    Parameter("@output_file_name", nvarchar(200), None),
    Parameter("@flags", INT, None),
    Parameter("@proxy_id", INT, None),
    Parameter("@proxy_name", SYSNAME, None),
)
_STEP_COLUMNS = (
    "command",
    "database_name",
    "flags",
    "on_success_action",
    "on_success_step_id",
    "on_fail_action",
    "on_fail_step_id",
    "retry_attempts",
    "retry_interval",
)
_NOT_SIMULATED = ("@output_file_name", "@proxy_id", "@proxy_name", "@database_user_name")


RunStep = Callable[[Instance, JobStep, Session, Request, StepOutput], None]


def agent_procedures(run_step: RunStep) -> list[Procedure]:
    """Return the procedures; `run_step` is what runs the steps of the jobs that they start."""
    return [
        Procedure(
            "sp_add_job",
            (
                Parameter("@job_name", SYSNAME),
                Parameter("@enabled", TINYINT, 1),
                Parameter("@description", nvarchar(512), None),
                Parameter("@start_step_id", INT, 1),
                Parameter("@category_name", SYSNAME, None),
                Parameter("@category_id", INT, None),
                Parameter("@owner_login_name", SYSNAME, None),
                *_NOTIFICATIONS,
                Parameter("@delete_level", INT, 0),
                Parameter("@job_id", UNIQUEIDENTIFIER, None, is_output=True),
                Parameter("@originating_server", SYSNAME, None),
            ),
            _add_job,
        ),
        Procedure(
            "sp_update_job",
            (
                *_WHICH_JOB,
                Parameter("@new_name", SYSNAME, None),
                Parameter("@enabled", TINYINT, None),
                Parameter("@description", nvarchar(512), None),
                Parameter("@start_step_id", INT, None),
                Parameter("@category_name", SYSNAME, None),
                Parameter("@owner_login_name", SYSNAME, None),
                *_NOTIFICATIONS,
                Parameter("@delete_level", INT, None),
                Parameter("@automatic_post", BIT, 1),
            ),
            _update_job,
        ),
        Procedure(
            "sp_delete_job",
            (
                *_WHICH_JOB,
                Parameter("@originating_server", SYSNAME, None),
                Parameter("@delete_history", BIT, 1),
                Parameter("@delete_unused_schedule", BIT, 1),
            ),
            _delete_job,
        ),
        Procedure(
            "sp_add_jobstep",
            (
                *_WHICH_JOB,
                Parameter("@step_id", INT, None),
                Parameter("@step_name", SYSNAME),
                *_STEP,
                Parameter("@step_uid", UNIQUEIDENTIFIER, None, is_output=True),
            ),
            _add_step,
        ),
        Procedure(
            "sp_update_jobstep",
            (
                *_WHICH_JOB,
                Parameter("@step_id", INT),
                Parameter("@step_name", SYSNAME, None),
                *_STEP,
            ),
            _update_step,
        ),
        Procedure("sp_delete_jobstep", (*_WHICH_JOB, Parameter("@step_id", INT)), _delete_step),
        Procedure(
            "sp_add_jobserver",
            (
                *_WHICH_JOB,
                Parameter("@server_name", SYSNAME, None),
                Parameter("@automatic_post", BIT, 1),
            ),
            _add_server,
        ),
        Procedure(
            "sp_start_job",
            (
                *reversed(_WHICH_JOB),
                Parameter("@error_flag", INT, 1),
                Parameter("@server_name", SYSNAME, None),
                Parameter("@step_name", SYSNAME, None),
                Parameter("@output_flag", INT, 1),
            ),
            partial(_start_job, run_step),
        ),
        Procedure(
            "sp_stop_job",
            (
                *reversed(_WHICH_JOB),
                Parameter("@originating_server", SYSNAME, None),
                Parameter("@server_name", SYSNAME, None),
            ),
            _stop_job,
        ),
        Procedure(
            "sp_purge_jobhistory",
            (*reversed(_WHICH_JOB), Parameter("@oldest_date", DATETIME, None)),
            _purge_history,
        ),
    ]


def _caller(call: Call) -> Caller:
    """Return who calls; raises 229 for one who has no part in msdb's Agent roles."""
    return call.context.instance.agent_caller(call.context.session.login)


def _instance(call: Call) -> Instance:
    return call.context.instance


def _job(call: Call, by: Caller) -> Job:
    return _instance(call).jobs.identify(call.text("@job_name"), call.guid("@job_id"), by)


def _add_job(call: Call) -> int:
    by = _caller(call)
    if call.values["@job_id"] is not None:
        raise refuse(14284)
    owner = _owner(call, by) or by.login
    job = _instance(call).jobs.add(call.values["@job_name"] or "", owner, **_job_columns(call))
    _instance(call).agent.know(job)
    call.outputs["@job_id"] = job.job_id
    return 0


def _owner(call: Call, by: Caller) -> str | None:
    """Return the login that is to own a job; raises 14515, 14234."""
    owner = call.text("@owner_login_name")
    if owner is None:
        return None
    if owner.casefold() != by.login.casefold() and not by.is_sysadmin:
        raise refuse(14515)
    login = _instance(call).logins.find(owner)
    if login is None:
        raise refuse(14234, "@owner_login_name", "sp_helplogins")
    return login.name


def _job_columns(call: Call) -> dict[str, Any]:
    """Return the columns of a job that the caller gave."""
    columns: dict[str, Any] = {}
    for name in ("enabled", "description", "start_step_id", "delete_level"):
        value = call.values[f"@{name}"]
        if f"@{name}" in call.supplied and value is not None:
            columns[name] = value
    if not 0 <= columns.get("delete_level", 0) <= 3:
        raise refuse(14266, "@delete_level", "0, 1, 2, 3")
    if category := call.text("@category_name"):
        if category.casefold() not in map(str.casefold, _CATEGORIES):
            raise refuse(14262, "@category_name", category)
        columns["category"] = category
    return columns


def _update_job(call: Call) -> int:
    by = _caller(call)
    job = _job(call, by)
    columns = _job_columns(call)
    if name := call.text("@new_name"):
        columns["name"] = name
    if owner := _owner(call, by):
        columns["owner"] = owner
    _instance(call).jobs.update(job, by, **columns)
    return 0


def _delete_job(call: Call) -> int:
    by = _caller(call)
    job = _job(call, by)
    require_owner(job, by)
    _instance(call).agent.delete(job, with_history=bool(call.values["@delete_history"]))
    return 0


def _step_columns(call: Call) -> dict[str, Any]:
    """Return the columns of a step that the caller gave; raises 14234 and 14266."""
    subsystem = call.text("@subsystem")
    if subsystem is not None and subsystem.upper() != _SUBSYSTEM:
        raise not_simulated(f"the subsystem {subsystem} of a job step")
    for name in _NOT_SIMULATED:
        if call.values[name] not in (None, "", 0):
            raise not_simulated(f"{name} of a job step")
    given: dict[str, Any] = {name: call.values[f"@{name}"] for name in _STEP_COLUMNS}
    for name, actions in (("on_success_action", "1, 2, 3, 4"), ("on_fail_action", "1, 2, 3, 4")):
        if given[name] is not None and not 1 <= given[name] <= 4:
            raise refuse(14266, f"@{name}", actions)
    database = call.text("@database_name")
    if database is not None and _instance(call).find(database) is None:
        raise refuse(14262, "@database_name", database)
    return {name: value for name, value in given.items() if value is not None}


def _add_step(call: Call) -> int:
    by = _caller(call)
    job = _job(call, by)
    step = JobStep.model_validate(
        {"step_uid": uuid4(), "step_id": call.number("@step_id")}
        | {"step_name": call.values["@step_name"] or ""}
        | _step_columns(call)
    )
    _instance(call).jobs.add_step(job, by, step)
    call.outputs["@step_uid"] = step.step_uid
    return 0


def _update_step(call: Call) -> int:
    by = _caller(call)
    columns = _step_columns(call)
    if name := call.text("@step_name"):
        columns["step_name"] = name
    _instance(call).jobs.update_step(_job(call, by), by, call.number("@step_id"), **columns)
    return 0


def _delete_step(call: Call) -> int:
    by = _caller(call)
    _instance(call).jobs.delete_step(_job(call, by), by, call.number("@step_id"))
    return 0


def _add_server(call: Call) -> int:
    by = _caller(call)
    job = _job(call, by)
    local = _instance(call).settings.server_name
    server = call.text("@server_name") or _LOCAL
    if server.upper() != _LOCAL and server.casefold() != local.casefold():
        raise refuse(14262, "@server_name", server)
    _instance(call).jobs.add_server(job, by, local)
    return 0


def _start_job(run_step: RunStep, call: Call) -> int:
    by = _caller(call)
    job = _job(call, by)
    instance = _instance(call)
    instance.agent.start(job, by, partial(run_step, instance), call.text("@step_name"))
    if call.number("@output_flag"):
        call.sink.message(diagnostic(14243, job.name))
    return 0


def _stop_job(call: Call) -> int:
    by = _caller(call)
    job = _job(call, by)
    _instance(call).agent.stop(job, by)
    call.sink.message(diagnostic(14254, job.name))
    return 0


def _purge_history(call: Call) -> int:
    by = _caller(call)
    if call.values["@oldest_date"] is not None:
        raise not_simulated("sp_purge_jobhistory with @oldest_date")
    if call.text("@job_name") is None and call.guid("@job_id") is None:
        if not by.is_sysadmin:
            raise refuse(14392)
        job = None
    else:
        job = _job(call, by)
        if not (by.owns(job) or by.is_operator):
            raise refuse(14392)
    count = _instance(call).jobs.purge_history(job)
    call.sink.message(diagnostic(14226, count))
    return 0
