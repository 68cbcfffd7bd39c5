"""Entities under way: whose requests wait, whose batch runs.

A batch takes what has arrived for one entity, in order; the new state, the answers and the removal
of the requests are one commit, so an operation takes effect once however often the host is killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from local.host.entities import Batch, BatchOutcome, Operation, run_batch
from local.host.gathering import Gathering
from local.host.history import Event, EventType, event, timestamp
from local.host.hub import Hub
from local.host.threads import Pool
from local.host.turns import Message
from local.host.writer import Writer, utc_now

MOST_BATCHES = 8
"""Entities at work at once; an entity may wait for something, so more than for turns."""

_MOST_OPERATIONS = 500  # in one batch


class EntityBatches:
    """Runs the batches. A part of the writer; every method is called on the writer's thread."""

    def __init__(
        self,
        writer: Writer,
        hub: Hub,
        entities: Mapping[str, Callable[[str], str]],
        *,
        limit: int,
        on_answer: Callable[[str, str, Event], object],
    ) -> None:
        self._writer = writer
        self._hub = hub
        self._entities = entities
        self._limit = min(limit, MOST_BATCHES)
        self._on_answer = on_answer
        self._pool = Pool("entity", self._limit)
        self._woken: dict[tuple[str, str], None] = {}  # a set that keeps its order
        self._running: set[tuple[str, str]] = set()
        self._gathering = Gathering()

    def recover(self) -> None:
        """Wake the entities that have requests."""
        for name, key in self._hub.ready_entities():
            self._woken[name, key] = None

    def tick(self) -> None:
        """Wake the entities whose signals have gathered."""
        self._woken.update(dict.fromkeys(self._gathering.awake(time.monotonic())))

    def dispatch(self) -> None:
        """Start batches."""
        while self._woken and len(self._running) < self._limit:
            entity = next(iter(self._woken))
            del self._woken[entity]
            self._start_batch(*entity)

    def settle(self) -> None:
        """Nothing to do: what waits here is in the hub."""

    def next_due(self) -> float | None:
        """Return when signals have gathered."""
        due = self._gathering.next_due()
        return None if due is None else time.time() + due - time.monotonic()

    def busy(self) -> int:
        """Return how many batches run."""
        return len(self._running)

    def send(self, messages: Sequence[Message], caller: str | None, execution: str | None) -> None:
        """Put requests into the inboxes of entities, in order."""
        entities = [(one.entity.lower(), one.key) for one in messages]
        operations = (
            Operation(
                row=0,
                name=one.operation,
                input=one.input,
                request_id=one.request_id,
                caller=caller,
                caller_execution=execution,
            )
            for one in messages
        )
        self._hub.put_operations(zip(entities, operations, strict=True))
        self._woken.update(dict.fromkeys(entities))
        for entity, one in zip(entities, messages, strict=True):
            if one.request_id is not None:
                self._gathering.call(entity)

    def _start_batch(self, name: str, key: str) -> None:
        if (name, key) in self._running:
            return  # its commit wakes the entity again
        if self._gathering.hold((name, key)):
            return
        operations = self._hub.operations(name, key, _MOST_OPERATIONS)
        if not operations:
            return
        batch = Batch(name, key, self._hub.entity(name, key), operations)
        self._running.add((name, key))
        self._gathering.begin((name, key), takes_all=len(operations) < _MOST_OPERATIONS)
        self._pool.run(self._run, batch)

    def _run(self, batch: Batch) -> None:
        """Runs on a thread of the pool."""
        outcome = run_batch(batch, self._entities.get(batch.entity, _missing))
        self._writer.post(partial(self._commit, batch, outcome))

    def _commit(self, batch: Batch, outcome: BatchOutcome) -> None:
        now = timestamp(utc_now())
        self._hub.put_entity(batch.entity, batch.key, outcome.state, now)
        self._hub.delete_operations(batch.operations)
        for answer in outcome.answers:
            raised = event(EventType.EVENT_RAISED, now, Name=answer.request_id, Input=answer.text)
            self._on_answer(answer.caller, answer.caller_execution, raised)
        self._running.discard((batch.entity, batch.key))
        if len(batch.operations) < _MOST_OPERATIONS:
            self._gathering.rest((batch.entity, batch.key), time.monotonic())
        self._woken[batch.entity, batch.key] = None


def _missing(context: str) -> str:
    raise LookupError("the app has no such entity")
