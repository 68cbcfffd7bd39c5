"""The replay of action lists beside histories, case by case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.host.errors import NonDeterminism
from local.host.history import COMPLETIONS, Event, EventType, event
from local.host.replay import Action, ActionType, replay

_CASES = json.loads((Path(__file__).parent / "data" / "replay.json").read_text("utf-8"))
_KINDS = {
    EventType.TASK_SCHEDULED: "activity",
    EventType.SUB_ORCHESTRATION_CREATED: "sub",
    EventType.TIMER_CREATED: "timer",
    EventType.EVENT_SENT: "message",
}
_ENDS = {
    "completed": EventType.TASK_COMPLETED,
    "failed": EventType.TASK_FAILED,
    "subcompleted": EventType.SUB_ORCHESTRATION_COMPLETED,
    "subfailed": EventType.SUB_ORCHESTRATION_FAILED,
    "fired": EventType.TIMER_FIRED,
}
_CALLS = {
    "activity": ActionType.CALL_ACTIVITY,
    "retry": ActionType.CALL_ACTIVITY_WITH_RETRY,
    "sub": ActionType.CALL_SUB_ORCHESTRATOR,
    "subretry": ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY,
}


def _action(kind: str, *rest: Any) -> Action:
    if kind in ("all", "any"):
        code = ActionType.WHEN_ALL if kind == "all" else ActionType.WHEN_ANY
        return {"actionType": int(code), "compoundActions": [_action(*one) for one in rest]}
    if kind in _CALLS:
        action = {"actionType": int(_CALLS[kind]), "functionName": rest[0], "input": "null"}
        if kind.endswith("retry"):
            action["retryOptions"] = {
                "firstRetryIntervalInMilliseconds": 1000,
                "maxNumberOfAttempts": rest[1],
            }
        return action
    match kind:
        case "timer":
            fire_at = f"2026-01-01T00:00:{rest[0]:02}.000000Z"
            cancelled = len(rest) > 1
            code, fields = ActionType.CREATE_TIMER, {"fireAt": fire_at, "isCanceled": cancelled}
        case "wait":
            code = ActionType.WAIT_FOR_EXTERNAL_EVENT
            fields = {"externalEventName": rest[0]}
        case "call":
            code, fields = ActionType.CALL_ENTITY, {"instanceId": rest[0]}
        case "signal":
            code, fields = ActionType.SIGNAL_ENTITY, {"instanceId": rest[0]}
        case "http":
            code, fields = ActionType.CALL_HTTP, {"httpRequest": {}}
        case _:
            code, fields = ActionType.CONTINUE_AS_NEW, {"input": "1"}
    return {"actionType": int(code), **fields}


def _history(lines: list[str]) -> list[Event]:
    events = []
    for number, line in enumerate(lines):
        at = f"2026-01-01T00:00:00.{number:06}Z"
        word, *rest = line.split()
        if word in ("turn", "started"):
            started = word == "started"
            kind = EventType.EXECUTION_STARTED if started else EventType.ORCHESTRATOR_STARTED
            events.append(event(kind, at))
        elif word in _ENDS:
            kind = _ENDS[word]
            events.append(event(kind, at, **{COMPLETIONS[kind]: int(rest[0])}))
        elif word == "raised":
            data = rest[1] if len(rest) > 1 else "null"
            events.append(event(EventType.EVENT_RAISED, at, Name=rest[0], Input=data))
        elif word == "sent":
            request = json.dumps({"id": rest[2]})
            fields = {"InstanceId": rest[1], "Name": "op", "Input": request}
            events.append(event(EventType.EVENT_SENT, at, int(rest[0]), **fields))
        else:
            kind = {name: one for one, name in _KINDS.items()}[word]
            fields = {"Name": rest[1]} if len(rest) > 1 else {}
            events.append(event(kind, at, int(rest[0]), **fields))
    return events


@pytest.mark.parametrize("case", _CASES, ids=[case["case"] for case in _CASES])
def test_replay(case: dict[str, Any]) -> None:
    actions = [_action(*one) for one in case["actions"]]
    history = _history(case["history"])
    if "error" in case:
        with pytest.raises(NonDeterminism) as raised:
            replay(history, actions)
        assert case["error"] in str(raised.value)
        return
    replayed = replay(history, actions)
    assert {
        "new": [[work.id, _KINDS[work.kind], work.name] for work in replayed.new],
        "open": sorted(replayed.open),
        "cancelled": replayed.cancelled,
        "unconsumed": [one["Name"] for one in replayed.unconsumed],
        "waiting": sorted(replayed.waiting_for),
        "continued": replayed.continue_as_new is not None,
        "done": replayed.done,
        "blocking": sorted(replayed.blocking),
    } == {
        "cancelled": [],
        "unconsumed": [],
        "waiting": [],
        "continued": False,
        "blocking": [],
        **{name: value for name, value in case.items() if name in _EXPECTED},
    }


_EXPECTED = {"new", "open", "cancelled", "unconsumed", "waiting", "continued", "done", "blocking"}


def test_retries_wait_their_interval_except_the_last() -> None:
    for attempts, seconds in [(2, 1), (1, 0)]:
        history = _history(["turn", "started", "activity 0 A", "turn", "failed 0"])
        (timer,) = replay(history, [_action("retry", "A", attempts)]).new
        assert timer.fire_at is not None
        assert (timer.fire_at.second, timer.fire_at.microsecond) == (seconds, 3)
        assert timer.retry_of == 0


def test_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="10 is not a valid ActionType"):
        replay(_history(["turn", "started"]), [{"actionType": 10}])
