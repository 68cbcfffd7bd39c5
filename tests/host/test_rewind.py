"""What of a failed history is turned back."""

from __future__ import annotations

import pytest

from local.host.history import Event, EventType, event
from local.host.rewind import rewind

_AT = "2026-01-01T00:00:00.000000Z"
_DONE = event(EventType.EXECUTION_COMPLETED, _AT, OrchestrationStatus=3, Result=None)


def _scheduled(work_id: int, **more: int) -> Event:
    return event(EventType.TASK_SCHEDULED, _AT, work_id, Name="A", **more)


def _created(work_id: int, **more: int) -> Event:
    created = EventType.SUB_ORCHESTRATION_CREATED
    return event(created, _AT, work_id, Name="S", InstanceId=f"child{work_id}", **more)


def _end(kind: EventType, work_id: int) -> Event:
    return event(kind, _AT, TaskScheduledId=work_id)


def _timer(work_id: int, **more: int) -> list[Event]:
    return [
        event(EventType.TIMER_CREATED, _AT, work_id, FireAt=_AT, **more),
        event(EventType.TIMER_FIRED, _AT, TimerId=work_id),
    ]


def _undone(before: list[Event], *, can_rewind: bool = True) -> tuple[list[int], list[str]]:
    """Return the places of the events that were turned back, and the children to rewind."""
    rewound = rewind(before, lambda instance_id: can_rewind)
    generic = EventType.GENERIC_EVENT
    places = [n for n, one in enumerate(rewound.events) if one["EventType"] == generic]
    kept = [one for n, one in enumerate(rewound.events) if n not in places]
    assert kept == [one for n, one in enumerate(before) if n not in places]
    return places, rewound.children


_OK, _BAD = EventType.TASK_COMPLETED, EventType.TASK_FAILED
_CHILD_BAD = EventType.SUB_ORCHESTRATION_FAILED


@pytest.mark.parametrize(
    ("history", "places"),
    [
        ([_scheduled(0), _end(_OK, 0), _scheduled(1), _end(_BAD, 1), _DONE], [2, 3, 4]),
        ([_scheduled(0), _scheduled(1), _end(_BAD, 0), _end(_BAD, 1), _DONE], [0, 1, 2, 3, 4]),
        ([*_timer(0), _scheduled(1), _end(_OK, 1), _DONE], [4]),
        # A retried call that failed in the end goes with its attempts and timers ...
        (
            [
                _scheduled(0),
                _end(_BAD, 0),
                *_timer(1, RetryOf=0),
                _scheduled(2, RetryOf=0),
                _end(_BAD, 2),
                *_timer(3, RetryOf=0),
                *_timer(4),
                _DONE,
            ],
            [0, 1, 2, 3, 4, 5, 6, 7, 10],
        ),
        # ... and one that succeeded in the end stays.
        (
            [
                _scheduled(0),
                _end(_BAD, 0),
                *_timer(1, RetryOf=0),
                _scheduled(2, RetryOf=0),
                _end(_OK, 2),
                _DONE,
            ],
            [6],
        ),
    ],
)
def test_failed_activities_are_asked_for_again(history: list[Event], places: list[int]) -> None:
    assert _undone(history) == (places, [])


def test_failed_child_is_rewound_in_its_place() -> None:
    history = [_created(0), _end(_CHILD_BAD, 0), _DONE]
    assert _undone(history) == ([1, 2], ["child0"])


def test_child_that_cannot_be_rewound_is_started_anew() -> None:
    history = [_created(0), _end(_CHILD_BAD, 0), _DONE]
    assert _undone(history, can_rewind=False) == ([0, 1, 2], [])


def test_retried_child_is_started_anew() -> None:
    history = [
        _created(0),
        _end(_CHILD_BAD, 0),
        *_timer(1, RetryOf=0),
        _created(2, RetryOf=0),
        _end(_CHILD_BAD, 2),
        _DONE,
    ]
    assert _undone(history) == ([0, 1, 2, 3, 4, 5, 6], [])
