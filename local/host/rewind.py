"""How the history of a failed orchestration is turned back so that what failed runs again. Pure.

Each event of a failed call becomes a GenericEvent, which neither the SDK nor the replay looks at:
the next turn finds work that no event confirms, and asks for it again (as Azure does; source:
DurableTask.AzureStorage, AzureTableTrackingStore.RewindHistoryAsync). A failed sub-orchestration
is rewound itself and keeps its place in its parent. Beyond what Azure does, the timers and earlier
attempts of a retried call go with it; without that its ids would no longer fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from local.host.history import COMPLETIONS, EVENT_NAMES, FAILURES, Event, EventType

_CALLS = frozenset({EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_CREATED})


class Rewound(NamedTuple):
    """The new history, and the instances of failed sub-orchestrations to rewind first."""

    events: list[Event]
    children: list[str]


def rewind(events: Sequence[Event], can_rewind: Callable[[str], bool]) -> Rewound:
    """Turn a failed history back. `can_rewind` tells whether a child instance could be rewound."""
    failed_calls = _failed_calls(events)
    removed: set[int] = set()
    children: list[str] = []
    for attempts in failed_calls:
        only = attempts[0]
        is_child = only["EventType"] == EventType.SUB_ORCHESTRATION_CREATED
        if is_child and len(attempts) == 1 and can_rewind(only["InstanceId"]):
            children.append(only["InstanceId"])
        else:
            removed.update(one["EventId"] for one in attempts)
    roots = {_root(attempts[0]) for attempts in failed_calls}
    failed = {one["EventId"] for attempts in failed_calls for one in attempts}
    timers = {
        one["EventId"]
        for one in events
        if one["EventType"] == EventType.TIMER_CREATED and one.get("RetryOf") in roots
    }

    def is_undone(one: Event) -> bool:
        kind = one["EventType"]
        if kind in _CALLS:
            return one["EventId"] in removed
        if kind in FAILURES:
            return one[COMPLETIONS[kind]] in failed
        if kind == EventType.TIMER_CREATED:
            return one["EventId"] in timers
        if kind == EventType.TIMER_FIRED:
            return one["TimerId"] in timers
        return bool(kind == EventType.EXECUTION_COMPLETED)

    return Rewound([_generic(one) if is_undone(one) else one for one in events], children)


def _failed_calls(events: Sequence[Event]) -> list[list[Event]]:
    """Return the attempts of each call whose last attempt failed."""
    failures = {
        one[COMPLETIONS[one["EventType"]]] for one in events if one["EventType"] in FAILURES
    }
    calls: dict[int, list[Event]] = {}
    for one in events:
        if one["EventType"] in _CALLS:
            calls.setdefault(_root(one), []).append(one)
    return [attempts for attempts in calls.values() if attempts[-1]["EventId"] in failures]


def _root(one: Event) -> int:
    root: int = one["RetryOf"] if "RetryOf" in one else one["EventId"]
    return root


def _generic(one: Event) -> Event:
    return {
        "EventType": int(EventType.GENERIC_EVENT),
        "EventId": one["EventId"],
        "Timestamp": one["Timestamp"],
        "Data": f"Rewound: {EVENT_NAMES[EventType(one['EventType'])]}",
    }
