"""Which work an orchestrator's list of actions asks for, and under which sequence ids. Pure.

The SDK numbers its tasks by itself and sends only the list of everything it has ever asked for in
this generation. Completions must carry the SDK's numbers, so the host counts along: one pass over
the history with a pointer into the list, as the Functions extension does in .NET (extension
sources, OutOfProcOrchestrationShim and DurableTask.Core's TaskOrchestrationContext):

* An action is invoked when the one before it is complete. Invoking gives its parts the next ids.
* A scheduling event of the history confirms an id. What no event confirms is new work.
* A failed attempt of a retried call takes one id for its timer, and the fired timer one for the
  next attempt, at the moment their events come.
* A wait-all is complete when all of its parts are, even though the SDK raises at the first error.

One rule is our own. In .NET a cancelled timer completes at once, even before the event that made
the orchestrator cancel it, which upsets ids and hands events out twice (extension issue 2606).
Here it counts as complete only when the orchestrator has demonstrably gone on without it: when
a later action was confirmed, or at the end of the pass.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple

from local.host.errors import NonDeterminism
from local.host.history import (
    COMPLETIONS,
    FAILURES,
    SCHEDULING,
    Event,
    EventType,
    parse_timestamp,
)

Action = dict[str, Any]

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
"""The name under which a `call_http` is recorded as an activity."""


class ActionType(IntEnum):
    """Source: azure.durable_functions.models.actions.ActionType."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB_ORCHESTRATOR = 2
    CALL_SUB_ORCHESTRATOR_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EXTERNAL_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    WHEN_ANY = 11
    WHEN_ALL = 12


class Work(NamedTuple):
    """One thing the orchestrator asked for. `kind` is the type of the event that records it.

    `name` is the function's, or for an entity operation the entity's `@name@key`; empty for
    a timer. `fire_at` is set for timers only. `retry_of` is the id of the first attempt, for later
    attempts and for the timers between them.
    """

    id: int
    kind: EventType
    name: str
    action: Action
    fire_at: datetime | None = None
    cancelled: bool = False
    retry_of: int | None = None


@dataclass(frozen=True)
class Replayed:
    """Where an orchestration stands after a pass over its history.

    `new` is in order of ids. `open` are the ids that keep the instance running: activities,
    sub-orchestrations and uncancelled timers without an end. `cancelled` are timers that need not
    fire any more. `unconsumed` are the external events that nothing has waited for, oldest first.
    `done` says that every action is complete. As long as one of `blocking` has not ended and none
    of them fails, the orchestrator cannot go on, whatever else arrives.
    """

    new: list[Work]
    open: frozenset[int]
    cancelled: list[int]
    unconsumed: list[Event]
    waiting_for: frozenset[str]
    continue_as_new: Action | None
    done: bool
    blocking: frozenset[int]


def replay(history: Iterable[Event], actions: Sequence[Action]) -> Replayed:
    """Walk `history`, from ExecutionStarted to this turn's arrivals, beside `actions`.

    Raises:
        NonDeterminism: the history records work that the actions do not ask for.
        ValueError, KeyError: an action is none that the SDK is known to send.
    """
    machine = _Machine(actions)
    for one in history:
        machine.process(one)
    return machine.result()


@dataclass(eq=False)
class _Node:
    """A part of an action. It is complete when `needs` more of its parts are, or one event is."""

    parent: _Node | None
    needs: int = 1
    every: bool = True  # whether all parts are needed, not just any
    failed: bool = False

    def fail(self) -> None:
        """Note a failure, at which the SDK stops waiting for the rest of a wait-all."""
        self.failed = True
        if self.parent is not None:
            self.parent.fail()

    def complete(self) -> None:
        self.needs -= 1
        if self.needs == 0 and self.parent is not None:
            self.parent.complete()

    @property
    def is_complete(self) -> bool:
        return self.needs <= 0


@dataclass(eq=False)
class _Retry(_Node):
    """A call with retries: each failure is followed by a timer, each timer by an attempt."""

    action: Action = field(default_factory=dict)
    kind: EventType = EventType.TASK_SCHEDULED
    first_id: int = 0
    attempts: int = 1

    @property
    def most_attempts(self) -> int:
        return int(self.action["retryOptions"]["maxNumberOfAttempts"])

    @property
    def interval(self) -> timedelta:
        milliseconds = self.action["retryOptions"]["firstRetryIntervalInMilliseconds"]
        return timedelta(milliseconds=milliseconds)


def _completed(parent: _Node | None) -> _Node:
    node = _Node(parent)
    node.complete()
    return node


@dataclass(eq=False)
class _Running:
    """Work that has an id and no end yet."""

    work: Work
    node: _Node


class _Machine:
    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = actions
        self._next_action = 0
        self._current: _Node | None = None
        self._started = False
        self._now = ""
        self._next_id = 0
        self._planned: dict[int, Work] = {}
        self._running: dict[int, _Running] = {}
        self._requests: dict[str, _Node] = {}  # entity calls that are under way, by request id
        self._calls: dict[int, _Node] = {}  # entity calls that no event has confirmed yet
        self._waiters: defaultdict[str, list[_Node]] = defaultdict(list)
        self._raised = 0
        self._buffered: defaultdict[str, deque[tuple[int, Event]]] = defaultdict(deque)
        self._continue_as_new: Action | None = None

    # -- the pass over the history ---------------------------------------------------------

    def process(self, one: Event) -> None:
        kind = one["EventType"]
        if kind == EventType.ORCHESTRATOR_STARTED:
            self._now = one["Timestamp"]
        elif kind == EventType.EXECUTION_STARTED:
            self._started = True
            self._advance()
        elif kind in SCHEDULING:
            self._confirm(one)
        elif kind == EventType.EVENT_RAISED:
            self._raise(one)
            self._advance()
        elif kind in COMPLETIONS:
            self._end(one[COMPLETIONS[kind]], failed=kind in FAILURES)
            self._advance()

    def result(self) -> Replayed:
        self._release_cancelled()
        running = self._running.values()
        kept_open = {one.work.id for one in running if not one.work.cancelled}
        buffered = sorted(one for events in self._buffered.values() for one in events)
        return Replayed(
            new=[self._planned[work_id] for work_id in sorted(self._planned)],
            open=frozenset(kept_open),
            cancelled=[one.work.id for one in running if one.work.cancelled],
            unconsumed=[one for _, one in buffered],
            waiting_for=frozenset(name for name, nodes in self._waiters.items() if nodes),
            continue_as_new=self._continue_as_new,
            done=self._current is None and self._next_action == len(self._actions),
            blocking=self._blocking(),
        )

    def _blocking(self) -> frozenset[int]:
        """Return the work that the newest action, if it is the current one, needs all of."""
        current = self._current
        if current is None or current.failed or self._next_action < len(self._actions):
            return frozenset()
        running = self._running.values()
        return frozenset(one.work.id for one in running if _is_needed(one.node, current))

    def _confirm(self, one: Event) -> None:
        work_id = one["EventId"]
        if work_id not in self._planned:
            self._release_cancelled()
        work = self._planned.pop(work_id, None)
        if work is None:
            raise _non_determinism(one, "which the orchestrator code no longer asks for")
        wanted = _describe(work.kind, work.name)
        if _described(one).casefold() != wanted.casefold():
            raise _non_determinism(one, f"but the orchestrator code now asks for {wanted} there")
        if work_id in self._calls:
            self._requests[json.loads(one["Input"])["id"]] = self._calls.pop(work_id)

    def _raise(self, one: Event) -> None:
        name = one["Name"]
        self._raised += 1
        request = self._requests.pop(name, None)
        if request is not None:
            if "exceptionType" in json.loads(one["Input"]):
                request.fail()
            request.complete()
        elif self._waiters[name] and self._continue_as_new is None:
            self._waiters[name].pop().complete()  # the newest, as in the SDK and in .NET
        else:
            self._buffered[name].append((self._raised, one))

    def _end(self, work_id: int, *, failed: bool) -> None:
        ended = self._running.pop(work_id, None)
        if ended is None:
            return
        node = ended.node
        if not isinstance(node, _Retry):
            if failed:
                node.fail()
            node.complete()
        elif ended.work.kind == EventType.TIMER_CREATED:
            if node.attempts >= node.most_attempts:
                node.fail()
                node.complete()
            else:
                node.attempts += 1
                self._attempt(node)
        elif failed:
            self._retry_later(node)
        else:
            node.complete()

    # -- the pointer into the actions -------------------------------------------------------

    def _advance(self) -> None:
        while self._current is None or self._current.is_complete:
            if self._next_action == len(self._actions) or not self._started:
                self._current = None
                return
            action = self._actions[self._next_action]
            self._next_action += 1
            self._current = self._invoke(action, None)

    def _release_cancelled(self) -> None:
        """Stop waiting for cancelled timers: the orchestrator has gone on without them."""
        for one in list(self._running.values()):
            if one.work.cancelled and not one.node.is_complete:
                one.node.complete()
        self._advance()

    def _invoke(self, action: Action, parent: _Node | None) -> _Node:
        return _INVOKE[ActionType(action["actionType"])](self, action, parent)

    def _call(self, kind: EventType, name: str, action: Action, parent: _Node | None) -> _Node:
        node = _Node(parent)
        self._run(self._plan(kind, name, action), node)
        return node

    def _call_activity(self, action: Action, parent: _Node | None) -> _Node:
        return self._call(EventType.TASK_SCHEDULED, action["functionName"], action, parent)

    def _call_sub_orchestrator(self, action: Action, parent: _Node | None) -> _Node:
        name = action["functionName"]
        return self._call(EventType.SUB_ORCHESTRATION_CREATED, name, action, parent)

    def _call_http(self, action: Action, parent: _Node | None) -> _Node:
        return self._call(EventType.TASK_SCHEDULED, HTTP_ACTIVITY, action, parent)

    def _call_with_retry(self, action: Action, parent: _Node | None) -> _Node:
        is_activity = action["actionType"] == ActionType.CALL_ACTIVITY_WITH_RETRY
        retry = _Retry(
            parent=parent,
            action=action,
            kind=EventType.TASK_SCHEDULED if is_activity else EventType.SUB_ORCHESTRATION_CREATED,
            first_id=self._next_id,
        )
        self._attempt(retry)
        return retry

    def _create_timer(self, action: Action, parent: _Node | None) -> _Node:
        node = _Node(parent)
        timer = self._plan(
            EventType.TIMER_CREATED,
            "",
            action,
            fire_at=parse_timestamp(action["fireAt"]),
            cancelled=bool(action["isCanceled"]),
        )
        self._run(timer, node)
        return node

    def _call_entity(self, action: Action, parent: _Node | None) -> _Node:
        node = _Node(parent)
        self._calls[self._plan(EventType.EVENT_SENT, action["instanceId"], action).id] = node
        return node

    def _signal_entity(self, action: Action, parent: _Node | None) -> _Node:
        self._plan(EventType.EVENT_SENT, action["instanceId"], action)
        return _completed(parent)

    def _continue(self, action: Action, parent: _Node | None) -> _Node:
        self._continue_as_new = action
        return _completed(parent)

    def _wait_for_external_event(self, action: Action, parent: _Node | None) -> _Node:
        name = action["externalEventName"]
        if self._buffered[name]:
            self._buffered[name].popleft()
            return _completed(parent)
        node = _Node(parent)
        self._waiters[name].append(node)
        return node

    def _when(self, action: Action, parent: _Node | None) -> _Node:
        parts: list[Action] = action["compoundActions"]
        if not parts:
            return _completed(parent)
        every = action["actionType"] == ActionType.WHEN_ALL
        node = _Node(parent, needs=len(parts) if every else 1, every=every)
        for part in parts:
            self._invoke(part, node)
        return node

    # -- ids ---------------------------------------------------------------------------------

    def _attempt(self, retry: _Retry) -> None:
        later = None if self._next_id == retry.first_id else retry.first_id
        name = retry.action["functionName"]
        self._run(self._plan(retry.kind, name, retry.action, retry_of=later), retry)

    def _retry_later(self, retry: _Retry) -> None:
        """Plan the timer after a failed attempt; after the last one it fires at once."""
        fire_at = parse_timestamp(self._now)
        if retry.attempts < retry.most_attempts:
            fire_at += retry.interval
        timer = self._plan(
            EventType.TIMER_CREATED, "", retry.action, fire_at=fire_at, retry_of=retry.first_id
        )
        self._run(timer, retry)

    def _plan(self, kind: EventType, name: str, action: Action, **more: Any) -> Work:
        work = Work(self._next_id, kind, name, action, **more)
        self._next_id += 1
        self._planned[work.id] = work
        return work

    def _run(self, work: Work, node: _Node) -> None:
        self._running[work.id] = _Running(work, node)


_INVOKE: dict[ActionType, Callable[[_Machine, Action, _Node | None], _Node]] = {
    ActionType.CALL_ACTIVITY: _Machine._call_activity,
    ActionType.CALL_ACTIVITY_WITH_RETRY: _Machine._call_with_retry,
    ActionType.CALL_SUB_ORCHESTRATOR: _Machine._call_sub_orchestrator,
    ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY: _Machine._call_with_retry,
    ActionType.CONTINUE_AS_NEW: _Machine._continue,
    ActionType.CREATE_TIMER: _Machine._create_timer,
    ActionType.WAIT_FOR_EXTERNAL_EVENT: _Machine._wait_for_external_event,
    ActionType.CALL_ENTITY: _Machine._call_entity,
    ActionType.CALL_HTTP: _Machine._call_http,
    ActionType.SIGNAL_ENTITY: _Machine._signal_entity,
    ActionType.WHEN_ANY: _Machine._when,
    ActionType.WHEN_ALL: _Machine._when,
}
_WORDS = {
    EventType.TASK_SCHEDULED: "activity",
    EventType.SUB_ORCHESTRATION_CREATED: "sub-orchestration",
    EventType.TIMER_CREATED: "a timer",
    EventType.EVENT_SENT: "an operation of entity",
}


def _is_needed(node: _Node, whole: _Node) -> bool:
    """Tell whether `whole` cannot be complete before `node` is."""
    while node is not whole:
        if node.parent is None or not node.parent.every:
            return False
        node = node.parent
    return True


def _describe(kind: int, name: str) -> str:
    word = _WORDS[EventType(kind)]
    return f"{word} {name!r}" if name else word


def _described(one: Event) -> str:
    kind = one["EventType"]
    if kind == EventType.TIMER_CREATED:
        return _describe(kind, "")
    return _describe(kind, str(one["InstanceId"] if kind == EventType.EVENT_SENT else one["Name"]))


def _non_determinism(one: Event, difference: str) -> NonDeterminism:
    """Begins as the extension's message does, by which people find it."""
    cause = "Was its code changed while this instance was running?"
    if "RetryOf" in one:
        cause += (
            " Or does it go on while a call with retries is open, and wait for that call again"
            " later? The ids of the next attempts cannot be told then, nor on Azure; put such a"
            " call into a sub-orchestration."
        )
    return NonDeterminism(
        f"Non-Deterministic workflow detected: the history has {_described(one)} with sequence id "
        f"{one['EventId']}, {difference}. {cause}"
    )
