"""Restores and checks as jobs of SQL Server Agent, which go on whatever becomes of us.

Every call may be repeated after a crash at any moment: a job is known by its name, one that was
made and not started is started, one that ended is told with its outcome until it is removed. A
job is never trusted to say what was restored; the database's position and history do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from uuid import UUID

from shared.errors import TargetError, TargetUnavailable
from shared.opened import Check, Outcome
from shared.targets import Batch, jobs, tsql
from shared.targets.connection import LazySession
from shared.targets.rows import Row

_LOG = logging.getLogger(__name__)

_NO_PERMISSION = frozenset({229, 230, 297, 300, 916})
_GONE = 14262
_OTHER_WORKER = frozenset({14261, _GONE, 14269})
_REFUSED_BY_AGENT = 22022
_STOP_PATIENCE_S = 20.0
_STOP_LOOK_S = 0.1
_UNSEEN_S = 15.0


class AgentRunner:
    """Makes, watches and removes the jobs that restore."""

    def __init__(self, work: LazySession) -> None:
        self._work = work

    def why_not(self) -> str | None:
        """Return why the Agent cannot be used, None if it can: it runs and lets this login in."""
        try:
            found = self._query(jobs.AGENT, doing="reading the rights in msdb")
            if not found or not (found[0]["may_add"] and found[0]["may_see"]):
                return "the login may not make jobs, or not see how they run"
            runs = self._agent_runs()
        except TargetUnavailable:
            raise
        except TargetError as error:
            return error.message
        return None if runs else "SQL Server Agent does not run"

    def find(self, database: str) -> Batch | None:
        """Return our job for a database: one that runs goes first, then the oldest.

        A job that was made and never started is started. Without the right to see jobs there
        are none of ours.
        """
        rows = self._find(jobs.name_pattern(database), database)
        found = [self._batch(row) for row in rows if jobs.parse_name(str(row["name"]))]
        return next((each for each in found if each.running), found[0] if found else None)

    def find_check(self, database: str, operation: UUID) -> Check | None:
        """Return our job that checks a database for an operation; started if it never was."""
        rows = self._find(jobs.check_name_of(database, operation), database)
        return jobs.check(rows[0], self._look(rows[0])) if rows else None

    def _find(self, pattern: str, database: str) -> list[Row]:
        try:
            return self._query(jobs.JOBS, pattern, doing=f"looking for jobs of {database!r}")
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.number in _NO_PERMISSION:
                return []
            raise

    def start(self, database: str, operation: UUID, tasks: Sequence[jobs.Task]) -> None:
        """Make and start a job that does the tasks in order, up to the first that fails."""
        name = jobs.name_of(database, operation, tasks[0].backup_set_guid)
        steps = [(jobs.step_name(task.backup_set_guid), task.statement) for task in tasks]
        about = f"Restores {database} for migration {operation}."
        self._make(name, about, steps, doing=f"making the job that restores {database!r}")
        self._start(name)
        _LOG.info("job %r restores %d sets to %r", name, len(tasks), database)

    def start_check(self, database: str, operation: UUID, statement: str) -> None:
        """Make and start a job that checks a database by this statement."""
        name = jobs.check_name_of(database, operation)
        about = f"Checks {database} for migration {operation}."
        doing = f"making the job that checks {database!r}"
        self._make(name, about, [("check", statement)], doing=doing)
        self._start(name)
        _LOG.info("job %r checks %r", name, database)

    def _make(self, name: str, about: str, steps: Sequence[tuple[str, str]], *, doing: str) -> None:
        """Make a job of steps, each a name and a statement, up to the first that fails."""
        try:
            # Its server comes last: a job without one was not made to its end and cannot run.
            self._execute(jobs.ADD_JOB, name, about, doing=doing)
            for number, (step_name, statement) in enumerate(steps, 1):
                last = number == len(steps)
                self._execute(
                    jobs.ADD_STEP,
                    name,
                    step_name,
                    jobs.as_command(tsql.check(statement)),
                    jobs.QUIT_WITH_SUCCESS if last else jobs.NEXT_STEP,
                    doing=doing,
                )
            self._execute(jobs.ADD_SERVER, name, doing=doing)
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.number in _OTHER_WORKER:
                raise TargetUnavailable(
                    f"another worker handles the job {name!r} too: {error.message}",
                    number=error.number,
                    action="The next look sees what it did.",
                ) from error
            raise

    def end(self, batch: Batch) -> None:
        """Stop a job if it runs, and remove it. Returns also if it is gone.

        Raises TargetUnavailable if it does not stop within seconds: it is to be tried again.
        """
        self._end(batch.batch_id, running=batch.running)

    def end_check(self, check: Check) -> None:
        """Stop the job of a check if it runs, and remove it; as `end`."""
        self._end(check.check_id, running=check.outcome is Outcome.RUNNING)

    def _end(self, job_id: UUID, *, running: bool) -> None:
        deadline = time.monotonic() + _STOP_PATIENCE_S
        if running:
            self._stop(job_id)
        while running:
            if time.monotonic() > deadline:
                raise TargetUnavailable(
                    f"the job {job_id} has been asked to stop and still runs",
                    action="It is asked again; its restore is being undone.",
                )
            time.sleep(_STOP_LOOK_S)
            running = self._activity(job_id, self._read_session()).is_running
        try:
            self._execute(jobs.DELETE, job_id, doing=f"removing job {job_id}")
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.number != _GONE:
                raise

    def _batch(self, job: Row) -> Batch:
        job_id = UUID(str(job["job_id"]))
        steps = self._query(jobs.STEPS, job_id, doing=f"reading the job {job_id}")
        return jobs.batch(job, jobs.sets_of(steps), self._look(job))

    def _look(self, job: Row) -> jobs.State:
        job_id = UUID(str(job["job_id"]))
        doing = f"reading the job {job_id}"
        session = self._read_session()
        now = self._activity(job_id, session)
        outcomes = [] if now.is_running else self._query(jobs.OUTCOMES, job_id, doing=doing)
        running, elapsed_s, percent = now.is_running, jobs.elapsed_s(job, now), 0.0
        if jobs.wants_start(job, session, now, outcomes):
            running = self._start(str(job["name"]))
        elif running:
            found = self._query(jobs.PROGRESS, jobs.session_pattern(job_id), doing=doing)
            percent = float(str(found[0]["percent_complete"])) if found else 0.0
            # An Agent that was stopped need not have written down that its jobs ended.
            running = bool(found) or elapsed_s < _UNSEEN_S or self._agent_runs()
        return jobs.State(running, elapsed_s, percent, outcomes)

    def _read_session(self) -> Row | None:
        found = self._query(jobs.SESSION, doing="reading when SQL Server Agent started")
        return found[0] if found else None

    def _agent_runs(self) -> bool:
        service = self._query(jobs.SERVICE, doing="reading whether SQL Server Agent runs")
        return jobs.is_running(service)

    def _activity(self, job_id: UUID, session: Row | None) -> jobs.Activity:
        if session is None:
            return jobs.Activity()
        return jobs.activity(
            self._query(
                jobs.ACTIVITY, job_id, session["session_id"], doing=f"reading the job {job_id}"
            )
        )

    def _start(self, name: str) -> bool:
        """Start a job; False if the Agent refuses because it does not run itself."""
        try:
            self._execute(jobs.START, name, doing=f"starting the job {name!r}")
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.number != _REFUSED_BY_AGENT:
                raise
            _LOG.info("%s", error.message)
            return jobs.runs_already(error.message)
        return True

    def _stop(self, job_id: UUID) -> None:
        try:
            self._execute(jobs.STOP, job_id, doing=f"stopping the job {job_id}")
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.number not in (_REFUSED_BY_AGENT, _GONE):
                raise

    def _query(self, text: str, *parameters: object, doing: str) -> list[Row]:
        return self._work.open().query(text, *parameters, doing=doing)

    def _execute(self, text: str, *parameters: object, doing: str) -> None:
        self._work.open().run(text, *parameters, doing=doing)
