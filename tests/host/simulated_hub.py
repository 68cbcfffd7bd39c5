"""A hub in memory with a clock of its own, which delivers in any order that chance picks.

It drives the pure parts of the host (turns, entities) through the real SDK, and does to messages
what a real hub may do: hold them back, put several into one turn, deliver them twice.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from local.host.entities import Batch, Operation, run_batch
from local.host.history import Event, EventType, event, parse_timestamp, timestamp
from local.host.turns import Names, Outcome, Turn, run_turn

Activities = Mapping[str, Callable[[Any], Any]]
_MOST_STEPS = 3000


@dataclass
class _Instance:
    turn: Turn
    inbox: list[Event] = field(default_factory=list)
    timers: dict[int, str] = field(default_factory=dict)
    parent: tuple[str, str, int] | None = None
    ended: Outcome | None = None
    turns: int = 0


class SimulatedHub:
    """Runs orchestrations to their end."""

    def __init__(
        self,
        chance: random.Random,
        orchestrators: Mapping[str, Callable[[str], str]],
        activities: Activities,
        entities: Mapping[str, Callable[[str], str]],
        *,
        duplicates: bool = True,
    ) -> None:
        self._chance = chance
        self._orchestrators = orchestrators
        self._activities = activities
        self._entities = entities
        self._duplicates = duplicates
        self._names = Names(
            *({name: name for name in known} for known in (activities, orchestrators, entities))
        )
        self._now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self._instances: dict[str, _Instance] = {}
        self._under_way: list[Callable[[], None]] = []  # activities and entity requests
        self._states: dict[tuple[str, str], str | None] = {}
        self._generation = 0
        self.activity_runs: list[str] = []

    def start(self, name: str, instance_id: str, given: Any) -> None:
        """Start an orchestration as the SDK's client does."""
        self._add(name, instance_id, json.dumps(json.dumps(given)), None)

    def raise_event(self, instance_id: str, name: str, data: Any) -> None:
        """Raise an external event."""
        raised = self._event(EventType.EVENT_RAISED, Name=name, Input=json.dumps(data))
        self._receive(self._instances[instance_id], raised)

    def run(self, instance_id: str) -> Outcome:
        """Let things happen until this instance has ended."""
        for _ in range(_MOST_STEPS):
            ended = self._instances[instance_id].ended
            if ended is not None:
                return ended
            self._step()
        raise AssertionError(f"{instance_id} has not ended after {_MOST_STEPS} steps")

    def state(self, name: str, key: str) -> Any:
        """Return the state of an entity."""
        return json.loads(self._states.get((name, key)) or "null")

    def turns(self, instance_id: str) -> int:
        """Return how many turns an instance has taken."""
        return self._instances[instance_id].turns

    def _step(self) -> None:
        ready = [
            one
            for one in self._instances.values()
            if one.ended is None and (one.inbox or not one.turn.past)
        ]
        choices: list[Callable[[], None]] = [
            *(partial(self._take_turn, one) for one in ready),
            *(partial(self._end, run) for run in self._under_way),
        ]
        timer = self._next_timer()
        soon = timer is not None and parse_timestamp(timer[0]) < self._now + timedelta(days=1)
        if soon and self._chance.random() < 0.2:
            self._fire_next_timer()
        elif choices:
            self._chance.choice(choices)()
        else:
            self._fire_next_timer()

    def _end(self, run: Callable[[], None]) -> None:
        self._under_way.remove(run)
        run()

    def _add(self, name: str, instance_id: str, input_text: str | None, parent: Any) -> None:
        self._generation += 1
        turn = Turn(
            instance_id=instance_id,
            name=name,
            execution_id=f"{self._generation:032x}",
            version=None,
            input=input_text,
            parent_id=parent and parent[0],
            past=(),
            arrivals=(),
            now=self._now,
        )
        self._instances[instance_id] = _Instance(turn, parent=parent)

    def _take_turn(self, instance: _Instance) -> None:
        count = self._chance.randint(1, len(instance.inbox)) if instance.inbox else 0
        arrivals, instance.inbox = instance.inbox[:count], instance.inbox[count:]
        self._now += timedelta(milliseconds=self._chance.randint(0, 3))
        turn = _with(instance.turn, arrivals=arrivals, now=self._now)
        outcome = run_turn(turn, self._orchestrators[turn.name], self._names)
        instance.turns += 1
        for timer in outcome.cancelled_timers:
            instance.timers.pop(timer, None)
        instance.timers.update(outcome.timers)
        for message in outcome.messages:
            self._request(turn, message)
        for activity in outcome.activities:
            self._under_way.append(partial(self._run_activity, turn, activity))
        for child in outcome.children:
            self._add(child.name, child.instance_id, child.input, _parent(turn, child.id))
        if outcome.status == "Running":
            past = [*turn.past, *outcome.events]
            left = {"blocking": outcome.blocking, "latest": outcome.time}
            instance.turn = _with(turn, past=past, **left)
        elif outcome.status == "ContinuedAsNew":
            self._generation += 1
            execution = f"{self._generation:032x}"
            instance.inbox = [*outcome.carried, *(one for one in instance.inbox if _lasts(one))]
            instance.turn = _with(
                turn,
                past=(),
                execution_id=execution,
                input=outcome.next_input,
                blocking=frozenset(),
            )
        else:
            instance.ended = outcome
            self._tell_parent(instance, outcome)

    def _tell_parent(self, instance: _Instance, outcome: Outcome) -> None:
        if instance.parent is None:
            return
        parent_id, execution, task = instance.parent
        if outcome.failure is None:
            kind, fields = EventType.SUB_ORCHESTRATION_COMPLETED, {"Result": outcome.output}
        else:
            kind = EventType.SUB_ORCHESTRATION_FAILED
            fields = {"Reason": outcome.failure, "Details": ""}
        self._deliver(parent_id, execution, self._event(kind, TaskScheduledId=task, **fields))

    def _run_activity(self, turn: Turn, activity: Any) -> None:
        self.activity_runs.append(activity.name)
        try:
            result = self._activities[activity.name](json.loads(activity.input))
            kind, fields = EventType.TASK_COMPLETED, {"Result": json.dumps(result)}
        except ValueError as error:
            kind, fields = EventType.TASK_FAILED, {"Reason": str(error), "Details": ""}
        one = self._event(kind, TaskScheduledId=activity.id, **fields)
        self._deliver(turn.instance_id, turn.execution_id, one)

    def _request(self, turn: Turn, message: Any) -> None:
        operation = Operation(
            0,
            message.operation,
            message.input,
            message.request_id,
            turn.instance_id,
            turn.execution_id,
        )
        entity = (message.entity, message.key)
        state = self._states.get(entity)
        batch = Batch(*entity, state, [operation])
        outcome = run_batch(batch, self._entities[message.entity])
        self._states[entity] = outcome.state
        for answer in outcome.answers:
            raised = self._event(EventType.EVENT_RAISED, Name=answer.request_id, Input=answer.text)
            deliver = partial(self._deliver, answer.caller, answer.caller_execution, raised)
            self._under_way.append(deliver)  # answers may be late, requests keep their order

    def _deliver(self, instance_id: str, execution: str, one: Event) -> None:
        instance = self._instances[instance_id]
        if instance.ended is not None or instance.turn.execution_id != execution:
            return
        self._receive(instance, one)

    def _receive(self, instance: _Instance, one: Event) -> None:
        instance.inbox.append(one)
        if self._duplicates and self._chance.random() < 0.2:
            instance.inbox.insert(self._chance.randint(0, len(instance.inbox)), dict(one))

    def _next_timer(self) -> tuple[str, _Instance, int] | None:
        due = [
            (fire_at, one.turn.instance_id, timer)
            for one in self._instances.values()
            if one.ended is None
            for timer, fire_at in one.timers.items()
        ]
        if not due:
            return None
        fire_at, instance_id, timer = min(due)
        return fire_at, self._instances[instance_id], timer

    def _fire_next_timer(self) -> None:
        found = self._next_timer()
        assert found is not None, "nothing is left to happen: an instance hangs"
        fire_at, instance, timer = found
        del instance.timers[timer]
        self._now = max(self._now, parse_timestamp(fire_at))
        fired = self._event(EventType.TIMER_FIRED, TimerId=timer, FireAt=fire_at)
        self._deliver(instance.turn.instance_id, instance.turn.execution_id, fired)

    def _event(self, kind: EventType, **fields: Any) -> Event:
        return event(kind, timestamp(self._now), **fields)


def _with(turn: Turn, **changes: Any) -> Turn:
    return Turn(**{**turn.__dict__, **changes})


def _parent(turn: Turn, task: int) -> tuple[str, str, int]:
    return turn.instance_id, turn.execution_id, task


def _lasts(one: Event) -> bool:
    """Tell whether an event is for any generation: only external ones are, by their names."""
    return one["EventType"] == EventType.EVENT_RAISED and ":" not in one["Name"]
