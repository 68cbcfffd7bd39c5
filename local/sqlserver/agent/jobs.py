"""The jobs of an instance: adding, changing, deleting them, and what is kept of their runs.

Source: Microsoft Learn, the pages of the procedures in msdb. Who may call which of them is asked
of a `Caller`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple
from uuid import UUID, uuid4

from local.sqlserver.agent.model import AgentSession, Job, JobActivity, JobHistory, JobStep
from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.model import Record
from local.sqlserver.engine.store import Store
from local.sqlserver.errors import refuse

_IDENTIFICATION = ("@job_name", "@job_id")
_MAX_NAME = 128


class Caller(NamedTuple):
    """Who calls a procedure of msdb. `is_operator` may start and stop the jobs of others."""

    login: str
    is_sysadmin: bool
    is_operator: bool = False

    def may_see(self, job: Job) -> bool:
        """Whether a job exists for this caller."""
        return self.is_operator or self.owns(job)

    def owns(self, job: Job) -> bool:
        """Whether this caller may change a job."""
        return self.is_sysadmin or job.owner.casefold() == self.login.casefold()


class Jobs:
    """Jobs, steps, history and activity, in memory as on disk. Hold `lock` to look and change."""

    def __init__(
        self, store: Store, lock: threading.RLock, clock: Clock, next_id: Callable[[str], int]
    ) -> None:
        self.lock = lock
        self.clock = clock
        self._store = store
        self._jobs = {job.job_id: job for job in store.load(Job)}
        self._history = store.load(JobHistory)
        self._activity = {row.activity_id: row for row in store.load(JobActivity)}
        self._sessions = store.load(AgentSession)
        self._next_id = next_id

    def all(self) -> list[Job]:
        """Return all jobs, oldest first."""
        with self.lock:
            return sorted(self._jobs.values(), key=lambda job: (job.date_created, job.name))

    def history(self) -> list[JobHistory]:
        """Return the rows of sysjobhistory, oldest first."""
        with self.lock:
            return list(self._history)

    def activity(self) -> list[JobActivity]:
        """Return the rows of sysjobactivity, oldest first."""
        with self.lock:
            return list(self._activity.values())

    def sessions(self) -> list[AgentSession]:
        """Return the rows of syssessions, oldest first."""
        with self.lock:
            return list(self._sessions)

    def find(self, job_id: UUID) -> Job | None:
        """Return a job by its id."""
        with self.lock:
            return self._jobs.get(job_id)

    def identify(self, name: str | None, job_id: UUID | None, by: Caller) -> Job:
        """Return the job that a caller names by exactly one of the two. Raises 14294, 14262."""
        if (name is None) is (job_id is None):
            raise refuse(14294, *_IDENTIFICATION)
        with self.lock:
            if name is not None:
                found = self._by_name(name)
            else:
                found = self._jobs.get(job_id) if job_id else None
        if found is None or not by.may_see(found):
            if name is not None:
                raise refuse(14262, "@job_name", name)
            raise refuse(14262, "@job_id", str(job_id).upper())
        return found

    def _by_name(self, name: str) -> Job | None:
        key = _comparable(name)
        return next((job for job in self._jobs.values() if _comparable(job.name) == key), None)

    def add(self, name: str, owner: str, **columns: object) -> Job:
        """Add a job without steps. Raises 14261, 14234."""
        with self.lock:
            self._check_name(name)
            moment = self.clock.now()
            job = Job.model_validate(
                {"job_id": uuid4(), "name": name, "owner": owner}
                | {"date_created": moment, "date_modified": moment}
                | columns
            )
            self._save(job)
            return job

    def update(self, job: Job, by: Caller, **columns: object) -> Job:
        """Change columns of a job; a new `name` must be free. Raises 14525, 14261, 14234."""
        require_owner(job, by)
        with self.lock:
            name = columns.get("name")
            if isinstance(name, str) and _comparable(name) != _comparable(job.name):
                self._check_name(name)
            return self._changed(job, **columns)

    def _check_name(self, name: str) -> None:
        if not name.strip() or len(name) > _MAX_NAME:
            raise refuse(14234, "@name", "sp_help_job")
        if self._by_name(name):
            raise refuse(14261, "@name", name)

    def add_step(self, job: Job, by: Caller, step: JobStep) -> None:
        """Add a step at its id, moving later ones up; 0 adds it at the end.

        Raises 14525, 14261, 14235.
        """
        require_owner(job, by)
        with self.lock:
            job = self._jobs[job.job_id]
            count = len(job.steps)
            step_id = step.step_id or count + 1
            if not 1 <= step_id <= count + 1:
                raise refuse(14266, "@step_id", f"1..{count + 1}")
            self._check_step_name(job, step.step_name, but=None)
            steps = [*job.steps[: step_id - 1], step, *job.steps[step_id - 1 :]]
            self._changed(job, steps=_numbered(steps))

    def update_step(self, job: Job, by: Caller, step_id: int, **columns: object) -> None:
        """Change columns of a step. Raises 14525, 14262, 14261."""
        require_owner(job, by)
        with self.lock:
            step = self._step(job, step_id)
            name = columns.get("step_name")
            if isinstance(name, str):
                self._check_step_name(job, name, but=step_id)
            changed = JobStep.model_validate(step.model_dump() | columns)
            steps = [changed if s.step_id == step_id else s for s in job.steps]
            self._changed(job, steps=_numbered(steps))

    def delete_step(self, job: Job, by: Caller, step_id: int) -> None:
        """Remove a step, 0 all of them. Raises 14525, 14262."""
        require_owner(job, by)
        with self.lock:
            if step_id:
                self._step(job, step_id)
            kept = [s for s in job.steps if step_id not in (0, s.step_id)]
            self._changed(job, steps=_numbered(kept))

    def _step(self, job: Job, step_id: int) -> JobStep:
        step = job.step(step_id)
        if step is None:
            raise refuse(14262, "@step_id", step_id)
        return step

    def _check_step_name(self, job: Job, name: str, but: int | None) -> None:
        if any(
            _comparable(s.step_name) == _comparable(name) and s.step_id != but for s in job.steps
        ):
            raise refuse(14261, "@step_name", name)

    def delete(self, job: Job, *, with_history: bool = True) -> None:
        """Remove a job with its activity, and unless told otherwise its history."""
        with self.lock:
            rows: list[Record] = [job, *self._activity_of(job)]
            if with_history:
                rows += [row for row in self._history if row.job_id == job.job_id]
            self._store.change((), rows)
            gone = set(map(id, rows))
            self._jobs.pop(job.job_id, None)
            self._history = [row for row in self._history if id(row) not in gone]
            self._activity = {k: r for k, r in self._activity.items() if id(r) not in gone}

    def purge_history(self, job: Job | None) -> int:
        """Remove the history of a job, None of all; return how many rows that were."""
        with self.lock:
            rows = [row for row in self._history if job is None or row.job_id == job.job_id]
            self._store.change((), rows)
            gone = set(map(id, rows))
            self._history = [row for row in self._history if id(row) not in gone]
            return len(rows)

    def begin_session(self) -> int:
        """Add a row for a start of the Agent; return its id."""
        with self.lock:
            session = AgentSession(
                session_id=self._next_id("agent_session"), agent_start_date=self.clock.now()
            )
            self._save(session)
            self._sessions.append(session)
            for job in self.all():
                self.list_in_session(job, session.session_id)
            return session.session_id

    def list_in_session(self, job: Job, session_id: int) -> JobActivity:
        """Add the row that a job has in a session of the Agent, even if it never runs in it."""
        with self.lock:
            activity = JobActivity(
                activity_id=self._next_id("activity"), session_id=session_id, job_id=job.job_id
            )
            self._save(activity)
            return activity

    def request_run(self, job: Job, session_id: int) -> JobActivity:
        """Note that a job is to run, in its row of the session; what was in it is gone."""
        with self.lock:
            rows = [row for row in self._activity_of(job) if row.session_id == session_id]
            old = rows[0] if rows else self.list_in_session(job, session_id)
            activity = JobActivity(
                activity_id=old.activity_id,
                session_id=session_id,
                job_id=job.job_id,
                run_requested_date=self.clock.now(),
            )
            self._save(activity)
            return activity

    def note(self, activity: JobActivity, **columns: object) -> JobActivity:
        """Change columns of a run's row; a row that was deleted meanwhile stays deleted."""
        with self.lock:
            changed = activity.model_copy(update=columns)
            if activity.activity_id in self._activity:
                self._save(changed)
            return changed

    def add_history(self, row: JobHistory, activity: JobActivity | None = None) -> JobHistory:
        """Add a row to the history, together with the state of the run that it ends.

        What belongs to a job that was deleted meanwhile is not kept.
        """
        with self.lock:
            row = row.model_copy(update={"instance_id": self._next_id("job_history")})
            if row.job_id not in self._jobs:
                return row
            if activity is None:
                self._save(row)
            else:
                self._save(row, activity.model_copy(update={"job_history_id": row.instance_id}))
            self._history.append(row)
            return row

    def add_server(self, job: Job, by: Caller, server: str) -> None:
        """Let a job run on this server. Raises 14525, 14269."""
        require_owner(job, by)
        if job.has_server:
            raise refuse(14269, job.name, server)
        self._changed(job, has_server=True)

    def _changed(self, job: Job, **columns: object) -> Job:
        with self.lock:
            changed = Job.model_validate(
                dict(job)
                | {"date_modified": self.clock.now(), "version_number": job.version_number + 1}
                | columns
            )
            self._save(changed)
            return changed

    def _save(self, *records: Record) -> None:
        self._store.save(*records)
        for record in records:
            if isinstance(record, Job):
                self._jobs[record.job_id] = record
            elif isinstance(record, JobActivity):
                self._activity[record.activity_id] = record

    def _activity_of(self, job: Job) -> Iterable[JobActivity]:
        return [row for row in self._activity.values() if row.job_id == job.job_id]


def require_owner(job: Job, by: Caller) -> None:
    """Raise 14525 unless a caller may change a job."""
    if not by.owns(job):
        raise refuse(14525)


def _numbered(steps: Iterable[JobStep]) -> tuple[JobStep, ...]:
    return tuple(
        step.model_copy(update={"step_id": number}) for number, step in enumerate(steps, start=1)
    )


def _comparable(name: str) -> str:
    return name.rstrip(" ").casefold()
