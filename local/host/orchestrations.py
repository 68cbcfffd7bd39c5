"""Orchestrations under way: who has something to do, whose turn runs, what a turn leads to.

Turns of one instance follow each other. What arrives during a turn waits in the inbox; the end of
an activity that arrives while its instance is idle goes straight into the next turn, and its task
stays open in the hub until that turn is committed, so that a kill costs no more than a second run
of the activity.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from local.host.activities import Activities
from local.host.endings import Endings
from local.host.entity_batches import EntityBatches
from local.host.history import (
    Event,
    EventType,
    decode,
    encode,
    event,
    parse_timestamp,
    timestamp,
)
from local.host.hub import Hub
from local.host.instance import LIVE, Instance, check_instance_id, new_id
from local.host.threads import Pool
from local.host.turn_memory import TurnMemory
from local.host.turns import Child, Names, Outcome, Turn, run_turn
from local.host.writer import Writer, utc_now

_LOG = logging.getLogger(__name__)

MOST_TURNS = 4
"""Turns are pure computation: more of them at once than this only get in each other's way."""

_MOST_ARRIVALS = 1000  # in one turn
_MOST_TIMERS = 500  # fired in one transaction


class _End(NamedTuple):
    """The end of an activity that no turn has consumed."""

    execution: str
    event: Event

    @property
    def task(self) -> int:
        task: int = self.event["TaskScheduledId"]
        return task


@dataclass(frozen=True)
class _Running:
    """A turn on another thread, with what its commit removes from the hub."""

    turn: Turn
    rows: list[int]
    tasks: list[int]


class Orchestrations:
    """Runs the turns. A part of the writer; every method is called on the writer's thread."""

    def __init__(
        self,
        writer: Writer,
        hub: Hub,
        orchestrators: Mapping[str, Callable[[str], str]],
        names: Names,
        *,
        limit: int,
        default_version: str | None,
        activities: Activities,
        entities: EntityBatches,
        endings: Endings,
    ) -> None:
        self._writer = writer
        self._hub = hub
        self._orchestrators = orchestrators
        self._names = names
        self._limit = min(limit, MOST_TURNS)
        self._default_version = default_version
        self._activities = activities
        self._entities = entities
        self._endings = endings
        self._pool = Pool("orchestrator", self._limit)
        self._woken: dict[str, None] = {}  # a set that keeps its order
        self._running: dict[str, _Running] = {}
        self._fresh: dict[str, list[_End]] = {}
        self._with_mail: set[str] = set()
        self._memory = TurnMemory()
        self._due: str | None = None

    # -- a part of the writer ------------------------------------------------------------------

    def recover(self) -> None:
        """Wake the instances that have something to do."""
        self._due = self._hub.next_due()
        for instance_id in self._hub.ready_instances():
            self._with_mail.add(instance_id)
            self.wake(instance_id)

    def tick(self) -> None:
        """Fire the durable timers that are due, and store what no turn will take at once."""
        if self._due is not None and self._due <= (now := timestamp(utc_now())):
            for timer in self._hub.due_timers(now, _MOST_TIMERS):
                fired = event(EventType.TIMER_FIRED, now, TimerId=timer.id, FireAt=timer.due)
                self._hub.delete_tasks([(timer.instance, timer.id)])
                self.deliver(timer.instance, timer.execution, fired)
            self._due = self._hub.next_due()
        if self._fresh:
            free = 0 if self._writer.is_draining else self._limit - len(self._running)
            idle = (one for one in self._woken if one not in self._running)
            soon = set(islice(idle, free))
            self._store([one for one in self._fresh if one not in soon])

    def dispatch(self) -> None:
        """Start turns."""
        while self._woken and len(self._running) < self._limit:
            instance_id = next(iter(self._woken))
            del self._woken[instance_id]
            self._start_turn(instance_id)

    def settle(self) -> None:
        """Store the ends of activities that no turn has taken."""
        self._store(list(self._fresh))

    def next_due(self) -> float | None:
        """Return when the next durable timer is due."""
        return None if self._due is None else parse_timestamp(self._due).timestamp()

    def busy(self) -> int:
        """Return how many turns run."""
        return len(self._running)

    # -- what arrives ----------------------------------------------------------------------------

    def wake(self, instance_id: str) -> None:
        """Have a look, after the commit, whether the instance has something to do."""
        self._woken[instance_id] = None

    def deliver(self, instance_id: str, execution: str | None, one: Event) -> bool:
        """Put an event into the inbox of a live instance; of one generation, if that is given.

        Returns whether there is such an instance.
        """
        state = self._hub.state(instance_id)
        if state is None or state.status not in LIVE or execution not in (None, state.execution):
            return False
        self._hub.put_events([(instance_id, execution, encode(one))])
        self._with_mail.add(instance_id)
        self.wake(instance_id)
        return True

    def end_activity(self, instance_id: str, execution: str, one: Event) -> None:
        """Take the end of an activity; whether anybody waits for it is seen when it is used."""
        self._fresh.setdefault(instance_id, []).append(_End(execution, one))
        self.wake(instance_id)

    def store_fresh(self, instance_id: str) -> None:
        """Put the ends of activities that the instance has not consumed into its inbox."""
        self._store([instance_id])

    def _store(self, instance_ids: Iterable[str]) -> None:
        ends = [(one, end) for one in instance_ids for end in self._fresh.pop(one, ())]
        wanted = [
            (one, end)
            for one, end in ends
            if self._hub.task_status(one, end.execution, end.task) is not None
        ]
        if wanted:
            self._hub.delete_tasks((one, end.task) for one, end in wanted)
            self._hub.put_events((one, end.execution, encode(end.event)) for one, end in wanted)
            self._with_mail.update(one for one, _ in wanted)

    def start(self, new: Instance) -> None:
        """Begin an instance, in place of a finished one of the same id."""
        self.forget(new.id)
        self._hub.put_instance(new)
        self.wake(new.id)

    def end(self, instance_id: str, status: str, output: str | None, failure: str | None) -> None:
        """Finish an instance, and tell all who wait for it."""
        self.forget(instance_id)
        now = timestamp(utc_now())
        self._hub.finish(instance_id, status, output, now)
        self._writer.after_commit(partial(self._endings.tell, instance_id))
        if _LOG.isEnabledFor(logging.INFO if failure is None else logging.WARNING):
            origin = self._hub.origin(instance_id)
            self._writer.after_commit(partial(_log_end, instance_id, *origin, status, failure))
        parent = self._hub.parent(instance_id)
        if parent is None:
            return
        parent_id, execution, task = parent
        if failure is None:
            completed = EventType.SUB_ORCHESTRATION_COMPLETED
            one = event(completed, now, TaskScheduledId=task, Result=output)
        else:
            one = _child_failed(now, task, failure)
        self.deliver(parent_id, execution, one)

    def forget(self, instance_id: str) -> None:
        """Drop what is known of an instance besides the hub, which is about to change."""
        self._fresh.pop(instance_id, None)
        self._memory.forget(instance_id)
        self._activities.drop(instance_id)

    # -- turns -----------------------------------------------------------------------------------

    def _start_turn(self, instance_id: str) -> None:
        if instance_id in self._running:
            return  # its commit wakes it again
        state = self._hub.state(instance_id)
        if state is None or state.status not in ("Pending", "Running"):
            if instance_id in self._fresh:
                self._writer.post(partial(self.store_fresh, instance_id))
            return
        rows: list[tuple[int, str]] = []
        if instance_id in self._with_mail:
            rows = self._hub.inbox(instance_id, _MOST_ARRIVALS)
            if len(rows) < _MOST_ARRIVALS:
                self._with_mail.discard(instance_id)
        fresh = self._fresh.pop(instance_id, [])
        ends = {end.task: end.event for end in fresh if end.execution == state.execution}
        last = self._memory.recall(instance_id, state.execution) or self._load(instance_id)
        if last.past and not rows and not ends:
            return
        arrivals = [*decode(text for _, text in rows), *ends.values()]
        turn = replace(last, arrivals=arrivals, now=utc_now())
        running = _Running(turn, [row for row, _ in rows], list(ends))
        self._running[instance_id] = running
        self._pool.run(self._run, running)

    def _load(self, instance_id: str) -> Turn:
        instance = self._hub.instance(instance_id)
        if instance is None:
            raise LookupError(f"instance {instance_id!r} has a state but no row")
        return Turn(
            instance_id=instance.id,
            name=instance.name,
            execution_id=instance.execution,
            version=instance.version,
            input=instance.input,
            parent_id=instance.parent,
            past=self._hub.history(instance_id),
            arrivals=(),
            now=utc_now(),
        )

    def _run(self, running: _Running) -> None:
        """Runs on a thread of the pool."""
        turn = running.turn
        orchestrator = self._orchestrators.get(turn.name.lower(), _missing)
        outcome = run_turn(turn, orchestrator, self._names)
        self._writer.post(partial(self._commit, running, outcome))

    def _commit(self, running: _Running, outcome: Outcome) -> None:
        turn = running.turn
        instance_id = turn.instance_id
        del self._running[instance_id]
        state = self._hub.state(instance_id)
        if state is None or state.status not in LIVE or state.execution != turn.execution_id:
            self.wake(instance_id)
            return  # terminated, purged or started anew: what the turn found is void
        if running.rows:
            self._hub.delete_events(running.rows)
        ended = [*running.tasks, *outcome.cancelled_timers]
        if ended:
            self._hub.delete_tasks((instance_id, task) for task in ended)
        if outcome.custom_status is not None:
            self._hub.set_custom_status(instance_id, outcome.custom_status)
        if outcome.messages:
            self._entities.send(outcome.messages, instance_id, turn.execution_id)
        if outcome.status == "ContinuedAsNew":
            self._continue_as_new(instance_id, outcome)
        else:
            self._hub.append_history(instance_id, len(turn.past), outcome.events)
        if instance_id in self._with_mail or instance_id in self._fresh:
            self.wake(instance_id)  # what came during the turn
        if outcome.status in ("Completed", "Failed"):
            self.end(instance_id, outcome.status, outcome.output, outcome.failure)
            return
        status = "Running" if state.status == "Pending" else state.status
        self._hub.set_status(instance_id, status, timestamp(utc_now()))
        self._begin_work(turn, outcome)
        if outcome.status == "Running":
            self._memory.keep(turn, outcome)

    def _begin_work(self, turn: Turn, outcome: Outcome) -> None:
        tasks = list(outcome.tasks(len(turn.past)))
        if tasks:
            self._hub.add_tasks(turn.instance_id, tasks)
        due = min(outcome.timers.values(), default=None)
        if due is not None and (self._due is None or due < self._due):
            self._due = due
        for activity in outcome.activities:
            self._activities.add(turn.instance_id, turn.execution_id, activity)
        for child in outcome.children:
            self._start_child(turn, child)

    def _continue_as_new(self, instance_id: str, outcome: Outcome) -> None:
        """Begin the next generation with the events that this one did not consume."""
        self.forget(instance_id)
        waiting = self._hub.take_lasting_events(instance_id)
        self._hub.delete_generation(instance_id)
        self._hub.set_generation(instance_id, new_id(), outcome.next_input)
        events = [*(encode(one) for one in outcome.carried), *waiting]
        self._hub.put_events((instance_id, None, encoded) for encoded in events)
        self._with_mail.add(instance_id)

    def _start_child(self, turn: Turn, child: Child) -> None:
        now = timestamp(utc_now())
        refusal = check_instance_id(child.instance_id)
        existing = self._hub.state(child.instance_id)
        if existing is not None and existing.status in LIVE:
            refusal = f"an instance with id '{child.instance_id}' is {existing.status}"
        if refusal is not None:
            failure = f"Orchestrator function '{child.name}' failed: {refusal}"
            one = _child_failed(now, child.id, failure)
            self.deliver(turn.instance_id, turn.execution_id, one)
            return
        self.start(
            Instance(
                id=child.instance_id,
                name=child.name,
                execution=new_id(),
                version=child.version or self._default_version,
                status="Pending",
                input=child.input,
                output=None,
                custom_status=None,
                created=now,
                updated=now,
                parent=turn.instance_id,
                parent_execution=turn.execution_id,
                parent_task=child.id,
            )
        )


def _log_end(instance_id: str, name: str, created: str, status: str, failure: str | None) -> None:
    took_ms = (utc_now() - parse_timestamp(created)).total_seconds() * 1000
    _LOG.log(
        logging.INFO if failure is None else logging.WARNING,
        "orchestrator=%s instance_id=%s status=%s duration_ms=%.1f%s",
        *(name, instance_id, status, took_ms),
        "" if failure is None else f": {failure.strip().partition(chr(10))[0]}",
    )


def _child_failed(now: str, task: int, failure: str) -> Event:
    failed = EventType.SUB_ORCHESTRATION_FAILED
    return event(failed, now, TaskScheduledId=task, Reason=failure, Details="")


def _missing(context: str) -> str:
    raise LookupError("the app has no such orchestrator")
