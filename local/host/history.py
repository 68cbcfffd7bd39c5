"""The events of an orchestration's history, as the SDK reads them.

An event is a dict with the names that the Durable Task Framework uses, which the SDK relies on to
the letter. In the hub an event is JSON without `IsPlayed`, which only says whether the SDK has
seen it before; `for_sdk` adds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from enum import IntEnum
from typing import Any

Event = dict[str, Any]

_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time

OUT_OF_TURN = -1  # the EventId of what the orchestrator did not schedule itself


class EventType(IntEnum):
    """Source: DurableTask.Core, History/EventType.cs; repeated in the SDK's HistoryEventType."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    GENERIC_EVENT = 17
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


EVENT_NAMES = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TASK_SCHEDULED: "TaskScheduled",
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    EventType.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    EventType.TIMER_CREATED: "TimerCreated",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.ORCHESTRATOR_STARTED: "OrchestratorStarted",
    EventType.ORCHESTRATOR_COMPLETED: "OrchestratorCompleted",
    EventType.EVENT_SENT: "EventSent",
    EventType.EVENT_RAISED: "EventRaised",
    EventType.GENERIC_EVENT: "GenericEvent",
    EventType.EXECUTION_SUSPENDED: "ExecutionSuspended",
    EventType.EXECUTION_RESUMED: "ExecutionResumed",
}

SCHEDULING = frozenset(
    {
        EventType.TASK_SCHEDULED,
        EventType.SUB_ORCHESTRATION_CREATED,
        EventType.TIMER_CREATED,
        EventType.EVENT_SENT,
    }
)
"""Events that record what the orchestrator asked for; their EventId is its sequence id."""

COMPLETIONS = {
    EventType.TASK_COMPLETED: "TaskScheduledId",
    EventType.TASK_FAILED: "TaskScheduledId",
    EventType.SUB_ORCHESTRATION_COMPLETED: "TaskScheduledId",
    EventType.SUB_ORCHESTRATION_FAILED: "TaskScheduledId",
    EventType.TIMER_FIRED: "TimerId",
}
"""Events that end what was asked for, with the field that holds its sequence id."""

FAILURES = frozenset({EventType.TASK_FAILED, EventType.SUB_ORCHESTRATION_FAILED})


def timestamp(at: datetime) -> str:
    """Write a UTC time so that texts sort as times do."""
    utc = at.astimezone(timezone.utc).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"


def parse_timestamp(text: str) -> datetime:
    """Read what `timestamp` or the SDK's `%Y-%m-%dT%H:%M:%S.%fZ` wrote."""
    return datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=timezone.utc)


def event(kind: EventType, at: str, event_id: int = OUT_OF_TURN, **fields: Any) -> Event:
    """Return an event of this kind that happened `at` a timestamp."""
    return {"EventType": int(kind), "EventId": event_id, "Timestamp": at, **fields}


def encode(one: Event) -> str:
    """Return the event as the hub keeps it."""
    return _encode(one)


def decode(events: Iterable[str]) -> list[Event]:
    """Read events as the hub keeps them; one pass of the JSON reader for all of them."""
    result: list[Event] = json.loads(f"[{','.join(events)}]")
    return result


def for_sdk(past: Iterable[str], new: Iterable[str]) -> str:
    """Return the JSON array of a history whose `past` the SDK has seen and whose `new` it has not.

    Works on the encoded texts: encoding thousands of past events again each turn would cost more
    than anything else the host does.
    """
    played = [f'{{"IsPlayed":true,{text[1:]}' for text in past]
    unplayed = [f'{{"IsPlayed":false,{text[1:]}' for text in new]
    return f"[{','.join(played + unplayed)}]"
