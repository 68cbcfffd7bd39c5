"""One turn of an orchestration: history in, new history and new work out.

A turn calls the orchestrator through the SDK and has no other effect; what it returns becomes
true only when the writer has committed it. It never raises: whatever goes wrong fails the instance.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from local.host.errors import NonDeterminism
from local.host.history import (
    COMPLETIONS,
    SCHEDULING,
    Event,
    EventType,
    decode,
    encode,
    event,
    for_sdk,
    parse_timestamp,
    timestamp,
)
from local.host.replay import HTTP_ACTIVITY, ActionType, Replayed, Work, replay

_LOG = logging.getLogger(__name__)
_ERROR_LABEL = "\n\n$OutOfProcData$:"
_MOST_CUSTOM_STATUS_BYTES = 16 * 1024  # of UTF-16, as in the Functions extension

_SUCCESSES = (EventType.TASK_COMPLETED, EventType.SUB_ORCHESTRATION_COMPLETED)
_STATUS_CODES = {"Completed": 1, "ContinuedAsNew": 2, "Failed": 3}


@dataclass(frozen=True)
class Names:
    """The names that orchestrators may call: in lower case, to the function's own spelling."""

    activities: Mapping[str, str]
    orchestrators: Mapping[str, str]
    entities: Mapping[str, str]


@dataclass(frozen=True)
class Turn:
    """What a turn starts from. `past` is encoded history; `arrivals` are the events to consume.

    `input` is the JSON text that the starter sent, and `parent_id` the instance that started this
    one as a sub-orchestration. `blocking` and `latest` are what the turn before this one left: the
    ids without which the orchestrator cannot go on, and the time of that turn.
    """

    instance_id: str
    name: str
    execution_id: str
    version: str | None
    input: str | None
    parent_id: str | None
    past: Sequence[str]
    arrivals: Sequence[Event]
    now: datetime
    blocking: frozenset[int] = frozenset()
    latest: str = ""


class Activity(NamedTuple):
    """An activity to run. `input` is the text that its trigger binding carries."""

    id: int
    name: str
    input: str


@dataclass(frozen=True)
class Child:
    """A sub-orchestration to start; `input` is JSON text."""

    id: int
    name: str
    instance_id: str
    version: str | None
    input: str | None


class Message(NamedTuple):
    """An operation for an entity. `request_id` is None for a signal, which nobody waits for."""

    entity: str
    key: str
    operation: str
    input: str | None
    request_id: str | None


@dataclass
class Outcome:
    """What a turn came to. `status` is Running, Completed, Failed or ContinuedAsNew.

    `output` and `custom_status` are JSON text; a `custom_status` of None leaves the last one.
    `timers` maps ids to times, `positions` ids to the places of their events in `events`.
    `carried` are the external events that the next generation gets, after ContinuedAsNew.
    `blocking` and `time` are for the next turn.
    """

    events: list[str] = field(default_factory=list)
    status: str = "Running"
    output: str | None = None
    failure: str | None = None
    custom_status: str | None = None
    activities: list[Activity] = field(default_factory=list)
    timers: dict[int, str] = field(default_factory=dict)
    cancelled_timers: list[int] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    next_input: str | None = None
    carried: list[Event] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    blocking: frozenset[int] = frozenset()
    time: str = ""

    def tasks(self, first: int) -> Iterator[tuple[int, str | None, int]]:
        """Yield (id, due, place in the history) of new activities and timers.

        `first` is the place of this turn's first event in the history.
        """
        for activity in self.activities:
            yield activity.id, None, first + self.positions[activity.id]
        for timer, due in self.timers.items():
            yield timer, due, first + self.positions[timer]


class _Failed(Exception):
    """The instance fails now, whatever is still open; the text says why."""


def run_turn(turn: Turn, orchestrator: Callable[[str], str], names: Names) -> Outcome:
    """Run the orchestrator over the history, and work out what it asks for.

    `orchestrator` takes the context's JSON text and returns the SDK's result as JSON text.
    """
    still_blocking = _still_blocking(turn)
    if still_blocking:
        return _record_only(turn, still_blocking)
    past = decode(turn.past)
    now = _next_time(past, turn.now)
    new = [event(EventType.ORCHESTRATOR_STARTED, now)]
    if not past:
        new.append(_execution_started(turn, now))
    new.extend(_relevant(past, turn.arrivals))
    outcome = Outcome()
    scheduled: list[Event] = []
    try:
        context = _context(turn, [encode(one) for one in new])
        _check_known("orchestrator", turn.name, names.orchestrators)
        result, error = _call(orchestrator, context)
        replayed = replay([*past, *new], _actions(result))
        _take_custom_status(outcome, result)
        _warn_of_case(turn, replayed)
        scheduled = _schedule(outcome, turn, replayed, now, names)
        _conclude(outcome, result, error, replayed)
        outcome.blocking = replayed.blocking
    except BaseException as reason:  # even sys.exit() fails the instance only
        _log_surprise(turn, reason)
        outcome = Outcome(status="Failed", failure=str(reason) or repr(reason))
        scheduled = []
    if outcome.failure is not None:
        outcome.failure = f"Orchestrator function '{turn.name}' failed: {outcome.failure}"
        outcome.output = json.dumps(outcome.failure)
    outcome.positions = {one["EventId"]: place for place, one in enumerate(scheduled, len(new))}
    new.extend(scheduled)
    if outcome.status != "Running":
        code = _STATUS_CODES[outcome.status]
        result_text = outcome.output
        completed = EventType.EXECUTION_COMPLETED
        new.append(event(completed, now, OrchestrationStatus=code, Result=result_text))
    new.append(event(EventType.ORCHESTRATOR_COMPLETED, now))
    outcome.events = [encode(one) for one in new]
    outcome.time = now
    return outcome


def _still_blocking(turn: Turn) -> frozenset[int]:
    """Return what the orchestrator still cannot go on without; empty if it must be asked.

    Without this, a fan-out to a thousand activities would be replayed for each few that end.
    """
    if any(one["EventType"] not in _SUCCESSES for one in turn.arrivals):
        return frozenset()
    return turn.blocking.difference(one["TaskScheduledId"] for one in turn.arrivals)


def _record_only(turn: Turn, still_blocking: frozenset[int]) -> Outcome:
    """Return the turn that adds the arrivals to the history, and in which nothing else happens."""
    now = max(timestamp(turn.now), _just_after(turn.latest))
    events = [
        event(EventType.ORCHESTRATOR_STARTED, now),
        *turn.arrivals,
        event(EventType.ORCHESTRATOR_COMPLETED, now),
    ]
    return Outcome([encode(one) for one in events], blocking=still_blocking, time=now)


def _just_after(time: str) -> str:
    return timestamp(parse_timestamp(time) + timedelta(microseconds=1))


def _next_time(past: Sequence[Event], now: datetime) -> str:
    """Return the time of this turn: later than any before, even if the clock was set back."""
    for one in reversed(past):
        if one["EventType"] == EventType.ORCHESTRATOR_STARTED:
            return max(timestamp(now), _just_after(one["Timestamp"]))
    return timestamp(now)


def _execution_started(turn: Turn, now: str) -> Event:
    parent = turn.parent_id and {"OrchestrationInstance": {"InstanceId": turn.parent_id}}
    return event(
        EventType.EXECUTION_STARTED,
        now,
        Name=turn.name,
        Version=turn.version,
        Input=turn.input,
        OrchestrationInstance={"InstanceId": turn.instance_id, "ExecutionId": turn.execution_id},
        ParentInstance=parent,
        Tags=None,
    )


def _relevant(past: Sequence[Event], arrivals: Sequence[Event]) -> list[Event]:
    """Drop completions of what was never asked for or has already ended.

    The SDK would keep such a result for whichever task gets that number later.
    """
    open_ids = {one["EventId"] for one in past if one["EventType"] in SCHEDULING}
    open_ids -= {
        one[COMPLETIONS[one["EventType"]]] for one in past if one["EventType"] in COMPLETIONS
    }
    relevant = []
    for one in arrivals:
        field_name = COMPLETIONS.get(one["EventType"])
        if field_name is not None:
            if one[field_name] not in open_ids:
                continue
            open_ids.discard(one[field_name])
        relevant.append(one)
    return relevant


def _context(turn: Turn, new: Sequence[str]) -> str:
    """Build the input of the orchestration trigger; schema 2 asks for one flat action list.

    The settings for long timers are left out, so that a timer of any length is one timer.
    """
    head = {
        "instanceId": turn.instance_id,
        "isReplaying": bool(turn.past),
        "parentInstanceId": turn.parent_id,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
    }
    input_text = "null" if turn.input is None else turn.input
    history = for_sdk(turn.past, new)
    return f'{json.dumps(head)[:-1]}, "input": {input_text}, "history": {history}}}'


def _call(orchestrator: Callable[[str], str], context: str) -> tuple[dict[str, Any], str | None]:
    """Return the SDK's result, and the error with which the user's code ended, if it did."""
    try:
        return json.loads(orchestrator(context)), None
    except Exception as raised:
        text, label, result_text = str(raised).rpartition(_ERROR_LABEL)
        if not label:
            raise
        result = json.loads(result_text)
        return result, str(result.get("error") or text)


def _actions(result: dict[str, Any]) -> list[dict[str, Any]]:
    generations = result["actions"]
    if result.get("schemaVersion") != 2 or len(generations) != 1:
        raise _Failed(
            f"the SDK answered in replay schema {result.get('schemaVersion')!r} with "
            f"{len(generations)} lists of actions, expected schema 2 with one"
        )
    actions: list[dict[str, Any]] = generations[0]
    return actions


def _take_custom_status(outcome: Outcome, result: dict[str, Any]) -> None:
    if "customStatus" not in result:
        return
    text = json.dumps(result["customStatus"])
    size = 2 * len(json.dumps(result["customStatus"], ensure_ascii=False))
    if size > _MOST_CUSTOM_STATUS_BYTES:
        raise _Failed(
            f"The custom status is {size} bytes of UTF-16 JSON, "
            f"at most {_MOST_CUSTOM_STATUS_BYTES} are allowed"
        )
    outcome.custom_status = text


def _schedule(
    outcome: Outcome, turn: Turn, replayed: Replayed, now: str, names: Names
) -> list[Event]:
    """Put the new work into `outcome`, and return the events that record it."""
    outcome.cancelled_timers = replayed.cancelled
    events = []
    for work in replayed.new:
        record = _RECORD[work.kind](outcome, turn, work, names)
        if work.retry_of is not None:
            record["RetryOf"] = work.retry_of
        events.append(event(work.kind, now, work.id, **record))
    return events


def _schedule_activity(outcome: Outcome, turn: Turn, work: Work, names: Names) -> dict[str, Any]:
    if work.name == HTTP_ACTIVITY:
        input_text = json.dumps(work.action["httpRequest"])
    else:
        _check_known("activity", work.name, names.activities)
        input_text = _input_text(work.action)
    outcome.activities.append(Activity(work.id, work.name, input_text))
    return {"Name": work.name, "Version": None, "Input": json.dumps([input_text])}


def _schedule_child(outcome: Outcome, turn: Turn, work: Work, names: Names) -> dict[str, Any]:
    _check_known("orchestrator", work.name, names.orchestrators)
    child = Child(
        id=work.id,
        name=work.name,
        instance_id=work.action.get("instanceId") or f"{turn.execution_id}:{work.id}",
        version=work.action.get("version"),
        input=json.dumps(work.action.get("input")),
    )
    _check_text(child.instance_id)
    outcome.children.append(child)
    return {
        "Name": child.name,
        "InstanceId": child.instance_id,
        "Version": child.version,
        "Input": child.input,
    }


def _schedule_timer(outcome: Outcome, turn: Turn, work: Work, names: Names) -> dict[str, Any]:
    if work.fire_at is None:
        raise _Failed(f"timer {work.id} has no time to fire at")
    fire_at = timestamp(work.fire_at)
    if not work.cancelled:
        outcome.timers[work.id] = fire_at
    return {"FireAt": fire_at}


def _schedule_message(outcome: Outcome, turn: Turn, work: Work, names: Names) -> dict[str, Any]:
    _, entity, key = work.name.split("@", 2)
    _check_known("entity", entity, names.entities)
    is_signal = work.action["actionType"] == ActionType.SIGNAL_ENTITY
    # One id for each request there will ever be, and the same one if the turn has to be run again.
    request_id = f"{turn.execution_id}:{work.id}"
    operation, value = work.action["operation"], work.action.get("input")
    _check_text(work.name)
    _check_text(operation)
    input_text = None if value is None else json.dumps(value)
    outcome.messages.append(
        Message(entity, key, operation, input_text, None if is_signal else request_id)
    )
    request = {"op": operation, "id": request_id, "input": input_text}
    request.update({"signal": True} if is_signal else {"parent": turn.instance_id})
    return {"InstanceId": work.name, "Name": "op", "Input": json.dumps(request)}


_RECORD = {
    EventType.TASK_SCHEDULED: _schedule_activity,
    EventType.SUB_ORCHESTRATION_CREATED: _schedule_child,
    EventType.TIMER_CREATED: _schedule_timer,
    EventType.EVENT_SENT: _schedule_message,
}


def _conclude(
    outcome: Outcome, result: dict[str, Any], error: str | None, replayed: Replayed
) -> None:
    """End the instance or the generation, once nothing is left to wait for."""
    if not replayed.done or replayed.open:
        return
    if error is not None:
        outcome.status, outcome.failure = "Failed", error
    elif replayed.continue_as_new is not None:
        outcome.status = "ContinuedAsNew"
        outcome.next_input = json.dumps(replayed.continue_as_new.get("input"))
        outcome.carried = replayed.unconsumed
    elif result.get("isDone"):
        outcome.status, outcome.output = "Completed", json.dumps(result.get("output"))


def _input_text(action: dict[str, Any]) -> str:
    value = action.get("input")
    return value if isinstance(value, str) else json.dumps(value)


def _check_text(text: str) -> None:
    """Refuse half a surrogate pair: no database takes it, and the turn must not take the host."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Failed(f"{text!r} cannot be an id, key or operation: it is no valid text") from error


def _check_known(kind: str, name: str, known: Mapping[str, str]) -> None:
    if name.lower() not in known:
        raise _Failed(unknown_function(kind, name, known))


def unknown_function(kind: str, name: str, known: Mapping[str, str]) -> str:
    """Say that there is no such function, and which there are."""
    names = ", ".join(f"'{one}'" for one in sorted(known.values())) or "none"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. "
        f"The known {kind} functions are: {names}"
    )


def _warn_of_case(turn: Turn, replayed: Replayed) -> None:
    """Name an event that only differs in case from what is waited for: it would wait for ever."""
    waited = {name.casefold(): name for name in replayed.waiting_for}
    for one in turn.arrivals:
        if one not in replayed.unconsumed:
            continue
        expected = waited.get(one["Name"].casefold())
        if expected is not None and expected != one["Name"]:
            _LOG.warning(
                "instance_id=%s got event %r but waits for %r; names must agree in case",
                turn.instance_id,
                one["Name"],
                expected,
            )


def _log_surprise(turn: Turn, error: BaseException) -> None:
    expected = isinstance(error, (_Failed, NonDeterminism))
    _LOG.error(
        "instance_id=%s orchestrator=%s cannot go on: %s",
        turn.instance_id,
        turn.name,
        error,
        exc_info=None if expected else error,
    )
