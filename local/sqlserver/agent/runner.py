"""Runs jobs: a thread and a session for each, steps in order, history as it goes.

What a client sees of a run, it sees in msdb and in the views of sessions and requests. A server
that is killed leaves a run without stop date in the session of the Agent that had it, and no row
in the history; the next start of the Agent has a session of its own, in which nothing runs.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from local.sqlserver.agent.jobs import Caller, Jobs
from local.sqlserver.agent.model import (
    MAX_MESSAGE,
    OUTCOME_STEP,
    Action,
    Job,
    JobActivity,
    JobHistory,
    JobStep,
    RunStatus,
)
from local.sqlserver.engine.sessions import Request, Session, Sessions, Stop
from local.sqlserver.errors import Aborted, Diagnostic, SqlError, diagnostic, refuse
from local.sqlserver.results import Column

_NOT_RUNNING = "SQLServerAgent is not currently running so it cannot be notified of this action."
_MINUTE_S = 60.0

log = logging.getLogger(__name__)


class StepRunner(Protocol):
    """Runs the text of a step in a session; it ends at the first error, which it raises."""

    def __call__(
        self, step: JobStep, session: Session, request: Request, output: StepOutput
    ) -> None:
        """Return when the text is done; raises SqlError or Aborted."""
        ...


@dataclass
class StepOutput:
    """A sink that keeps what a step says, as the Agent writes it into the history."""

    said: list[str] = field(default_factory=list)

    def message(self, information: Diagnostic) -> None:
        """Keep a message."""
        self.said.append(f"{information.text} [SQLSTATE 01000] (Message {information.number})")

    def errors(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep errors."""
        for error in diagnostics:
            self.said.append(f"{error.text} [SQLSTATE 42000] (Error {error.number})")

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        """Keep nothing: results go to output files, which are not simulated."""

    def database(self, new: str, old: str) -> None:
        """Keep nothing."""

    def transaction(self, descriptor: bytes, action: str) -> None:
        """Keep nothing."""

    def completed(self) -> None:
        """Keep nothing."""


@dataclass
class _Run:
    """A job that was started: by whom, and how it may be stopped."""

    job: Job
    by: str
    activity: JobActivity
    thread: threading.Thread | None = None
    request: Request | None = None
    stopped_by: str | None = None
    silenced: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


class Agent:
    """The service: it runs or it does not; while it runs, it runs jobs."""

    def __init__(
        self, jobs: Jobs, sessions: Sessions, new_request: Callable[[Session], Request], host: str
    ) -> None:
        self.jobs = jobs
        self._sessions = sessions
        self._new_request = new_request
        self._host = host
        self._session_id: int | None = None
        self._runs: dict[UUID, _Run] = {}
        self.started: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether the service runs."""
        return self._session_id is not None

    def start_service(self) -> None:
        """Start the service, which begins a session of its own."""
        with self.jobs.lock:
            if not self.is_running:
                self._session_id = self.jobs.begin_session()
                self.started = self.jobs.clock.now()

    def stop_service(self, *, crash: bool = False) -> None:
        """Stop the service: running jobs are canceled; in a crash nobody writes that down."""
        with self.jobs.lock:
            self._session_id, self.started = None, None
            runs = list(self._runs.values())
            for run in runs:
                run.stopped_by = "Shutdown Sequence 0"
                run.silenced = crash
                if run.request:
                    run.request.abort(Stop.SHUTDOWN)
        for run in runs:
            run.ended.wait()

    def know(self, job: Job) -> None:
        """Take notice of a new job: while the service runs, it has a row of activity at once."""
        with self.jobs.lock:
            if self._session_id is not None:
                self.jobs.list_in_session(job, self._session_id)

    def start(self, job: Job, by: Caller, run_step: StepRunner, step_name: str | None) -> None:
        """Start a job and return at once. Raises 14256, 14262, 22022."""
        first = job.start_step_id
        if step_name is not None:
            steps = [s for s in job.steps if s.step_name.casefold() == step_name.casefold()]
            if not steps:
                raise refuse(14262, "@step_name", step_name)
            first = steps[0].step_id
        if not job.has_server:
            raise refuse(14256, job.name, str(job.job_id).upper())
        request = f"Request to run job {job.name} (from User {by.login}) refused because the job"
        with self.jobs.lock:
            if self._session_id is None:
                raise refuse(22022, _NOT_RUNNING)
            if other := self._runs.get(job.job_id):
                raise refuse(
                    22022, f"{request} is already running from a request by User {other.by}."
                )
            if not job.steps:
                raise refuse(22022, f"{request} has no job steps defined.")
            run = _Run(job, by.login, self.jobs.request_run(job, self._session_id))
            self._runs[job.job_id] = run
        run.thread = threading.Thread(
            target=self._run, args=(run, first, run_step), name=f"job {job.name}", daemon=True
        )
        run.thread.start()

    def stop(self, job: Job, by: Caller) -> None:
        """Ask a running job to stop, and return at once. Raises 14257, 22022."""
        if not job.has_server:
            raise refuse(14257, job.name, str(job.job_id).upper())
        with self.jobs.lock:
            if self._session_id is None:
                raise refuse(22022, _NOT_RUNNING)
            run = self._runs.get(job.job_id)
            if run is None:
                raise refuse(
                    22022,
                    f"Request to stop job {job.name} (from User {by.login}) refused because the "
                    "job is not currently running.",
                )
            self._cancel(run, f"User {by.login}")

    def delete(self, job: Job, *, with_history: bool) -> None:
        """Delete a job; one that runs is canceled."""
        with self.jobs.lock:
            if run := self._runs.get(job.job_id):
                self._cancel(run, "the deletion of the job")
            self.jobs.delete(job, with_history=with_history)

    def _cancel(self, run: _Run, by: str) -> None:
        run.stopped_by = run.stopped_by or by
        if run.request:
            run.request.abort(Stop.ATTENTION)

    def _run(self, run: _Run, first: int, run_step: StepRunner) -> None:
        try:
            began = self.jobs.clock.seconds()
            moment = self.jobs.clock.now()
            run.activity = self.jobs.note(run.activity, start_execution_date=moment)
            status, last = self._run_steps(run, first, run_step)
            self._end(run, status, last, moment, self.jobs.clock.seconds() - began)
        except Exception:
            # The edge of the job's thread: whoever waits for the run must not wait for ever.
            log.exception("the simulation failed in job %s", run.job.name)
        finally:
            with self.jobs.lock:
                self._runs.pop(run.job.job_id, None)
            run.ended.set()

    def _run_steps(
        self, run: _Run, first: int, run_step: StepRunner
    ) -> tuple[RunStatus, JobStep | None]:
        step, last = run.job.step(first), None
        status = RunStatus.FAILED
        # A job that goes in circles runs on; one that was stopped does not.
        while step is not None and run.stopped_by is None:
            last = step
            status = self._run_step(run, step, run_step)
            if status is RunStatus.CANCELED:
                break
            succeeded = status is RunStatus.SUCCEEDED
            action = step.on_success_action if succeeded else step.on_fail_action
            if action in (Action.QUIT_WITH_SUCCESS, Action.QUIT_WITH_FAILURE):
                quits = action is Action.QUIT_WITH_SUCCESS
                return (RunStatus.SUCCEEDED if quits else RunStatus.FAILED), last
            target = step.on_success_step_id if succeeded else step.on_fail_step_id
            step = run.job.step(target if action is Action.GO_TO else step.step_id + 1)
        return (RunStatus.CANCELED if run.stopped_by else status), last

    def _run_step(self, run: _Run, step: JobStep, run_step: StepRunner) -> RunStatus:
        for attempt in range(step.retry_attempts + 1):
            status = self._attempt(run, step, run_step, attempt)
            if status is not RunStatus.RETRY:
                return status
            with self._session(run, step) as (_, request):
                try:
                    request.checkpoint(step.retry_interval * _MINUTE_S)
                except Aborted:
                    return RunStatus.CANCELED
        return RunStatus.FAILED

    def _attempt(self, run: _Run, step: JobStep, run_step: StepRunner, attempt: int) -> RunStatus:
        clock = self.jobs.clock
        moment, began = clock.now(), clock.seconds()
        run.activity = self.jobs.note(
            run.activity, last_executed_step_id=step.step_id, last_executed_step_date=moment
        )
        output, status = StepOutput(), RunStatus.SUCCEEDED
        error: Diagnostic | None = None
        with self._session(run, step) as (session, request):
            try:
                run_step(step, session, request, output)
            except SqlError as failure:
                output.errors(failure.diagnostics)
                error, status = failure.diagnostics[-1], RunStatus.FAILED
            except Aborted:
                if request.stop is Stop.KILL:
                    error, status = diagnostic(596), RunStatus.FAILED
                    output.errors([error])
                else:
                    status = RunStatus.CANCELED
        if status is RunStatus.FAILED and attempt < step.retry_attempts:
            status = RunStatus.RETRY
        if not run.silenced:
            self.jobs.add_history(
                JobHistory(
                    instance_id=0,
                    job_id=run.job.job_id,
                    step_id=step.step_id,
                    step_name=step.step_name,
                    sql_message_id=error.number if error else 0,
                    sql_severity=error.severity if error else 0,
                    message=step_message(run.job.owner, output.said, status),
                    run_status=status,
                    run_at=moment,
                    seconds=int(clock.seconds() - began),
                    retries_attempted=attempt,
                )
            )
        return status

    def _session(self, run: _Run, step: JobStep) -> _StepSession:
        return _StepSession(run, step, self._sessions, self._new_request, self._host, self.jobs)

    def _end(
        self, run: _Run, status: RunStatus, last: JobStep | None, began: datetime, seconds: float
    ) -> None:
        if run.silenced:
            return
        row = JobHistory(
            instance_id=0,
            job_id=run.job.job_id,
            step_id=0,
            step_name=OUTCOME_STEP,
            message=_outcome_message(run, status, last),
            run_status=status,
            run_at=began,
            seconds=int(seconds),
        )
        stopped = run.activity.model_copy(update={"stop_execution_date": self.jobs.clock.now()})
        with self.jobs.lock:
            self.jobs.add_history(row, stopped)
            job = self.jobs.find(run.job.job_id)
            if job and _is_due_for_deletion(job.delete_level, status):
                self.jobs.delete(job)


class _StepSession:
    """The session that a step runs in; a context manager that opens and closes it."""

    def __init__(
        self,
        run: _Run,
        step: JobStep,
        sessions: Sessions,
        new_request: Callable[[Session], Request],
        host: str,
        jobs: Jobs,
    ) -> None:
        self._run, self._jobs, self._sessions = run, jobs, sessions
        job = run.job.job_id.bytes_le.hex().upper()
        self._session = sessions.open(
            login=run.job.owner,
            host=host,
            application=f"SQLAgent - TSQL JobStep (Job 0x{job} : Step {step.step_id})",
            now=jobs.clock.now(),
            disconnect=self._disconnect,
            is_internal=True,
        )
        self._request = new_request(self._session)
        self._request.text = step.command

    def _disconnect(self) -> None:
        self._request.abort(Stop.KILL)

    def __enter__(self) -> tuple[Session, Request]:
        with self._jobs.lock:
            self._run.request = self._session.request = self._request
            if self._run.stopped_by is not None:
                self._request.abort(Stop.ATTENTION)
        return self._session, self._request

    def __exit__(self, *error: object) -> None:
        with self._jobs.lock:
            self._run.request = None
        self._session.request = None
        self._sessions.close(self._session)


def _is_due_for_deletion(level: int, status: RunStatus) -> bool:
    """Tell what sp_add_job's @delete_level says: 1 on success, 2 on failure, 3 always."""
    return level == 3 or level == (1 if status is RunStatus.SUCCEEDED else 2)


_STEP_ENDS = {
    RunStatus.SUCCEEDED: "The step succeeded.",
    RunStatus.FAILED: "The step failed.",
    RunStatus.RETRY: "The step failed.",
    RunStatus.CANCELED: "The step was cancelled (stopped) as the result of a stop job request.",
}


def step_message(owner: str, said: Sequence[str], status: RunStatus) -> str:
    """Return what the history keeps of a step: the beginning of it, then how it ended.

    The end is always there, so that it is what the step said last, its error for instance, that
    is cut off.
    """
    end = f"  {_STEP_ENDS[status]}"
    text = f"Executed as user: {owner}. " + "  ".join(said)
    return _cut(text, MAX_MESSAGE - len(end)) + end


def _cut(text: str, length: int) -> str:
    """Return the beginning of a text that fits a column of nvarchar(length)."""
    units = text.encode("utf-16-le", "surrogatepass")[: 2 * length]
    return units.decode("utf-16-le", "ignore")


def _outcome_message(run: _Run, status: RunStatus, last: JobStep | None) -> str:
    opening = {
        RunStatus.SUCCEEDED: "The job succeeded.",
        RunStatus.FAILED: "The job failed.",
        RunStatus.CANCELED: f"The job was stopped prior to completion by {run.stopped_by}.",
    }[status]
    text = f"{opening}  The Job was invoked by User {run.by}."
    if last is not None:
        text += f"  The last step to run was step {last.step_id} ({last.step_name})."
    return _cut(text, MAX_MESSAGE)
