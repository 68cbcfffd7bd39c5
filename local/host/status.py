"""How an instance and its history are shown to clients. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from local.host.history import COMPLETIONS, EVENT_NAMES, Event, EventType
from local.host.instance import Instance

_DROPPED = frozenset({EventType.ORCHESTRATOR_STARTED, EventType.ORCHESTRATOR_COMPLETED})
_SCHEDULED = frozenset(
    {
        EventType.TASK_SCHEDULED,
        EventType.SUB_ORCHESTRATION_CREATED,
        EventType.TIMER_CREATED,
    }
)
_STATUS_NAMES = ("Running", "Completed", "ContinuedAsNew", "Failed", "Canceled", "Terminated")


def show_instance(instance: Instance, *, with_input: bool) -> dict[str, Any]:
    """Return the status object of the management API; times are cut to seconds."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": show_value(instance.input) if with_input else None,
        "customStatus": show_value(instance.custom_status),
        "output": show_value(instance.output),
        "createdTime": show_time(instance.created),
        "lastUpdatedTime": show_time(instance.updated),
    }


def show_value(text: str | None) -> Any:
    """Return stored JSON as a value; text that is not JSON is shown as it is.

    What Python writes as NaN or Infinity is no JSON; it is shown as a text, as on Azure, and so is
    a number that no float can hold.
    """
    if text is None:
        return None
    try:
        return json.loads(text, parse_constant=str, parse_float=_finite)
    except (ValueError, RecursionError):
        return text


def _finite(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def show_time(stored: str) -> str:
    """Cut a stored time to whole seconds, as the management API shows it."""
    return f"{stored[:19]}Z"


def show_history(events: Sequence[Event], *, with_output: bool) -> list[dict[str, Any]]:
    """Return `historyEvents`: ends take in what they are the end of, turns are left out."""
    scheduled = {one["EventId"]: one for one in events if one["EventType"] in _SCHEDULED}
    ended = {
        one[COMPLETIONS[one["EventType"]]] for one in events if one["EventType"] in COMPLETIONS
    }
    shown = []
    for one in events:
        kind = EventType(one["EventType"])
        if kind in _DROPPED or (kind in _SCHEDULED and one["EventId"] in ended):
            continue
        view = {name: value for name, value in one.items() if name not in ("EventId", "RetryOf")}
        view["EventType"] = EVENT_NAMES[kind]
        if kind in COMPLETIONS:
            _absorb(view, scheduled.get(view.pop(COMPLETIONS[kind])))
        _tidy(view, kind, with_output=with_output)
        shown.append(view)
    return shown


def _absorb(view: dict[str, Any], cause: Event | None) -> None:
    if cause is not None:
        view["ScheduledTime"] = cause["Timestamp"]
        if "Name" in cause:
            view["FunctionName"] = cause["Name"]


def _tidy(view: dict[str, Any], kind: EventType, *, with_output: bool) -> None:
    """Put values in place of texts and codes, and leave out what was not asked for."""
    if kind == EventType.EXECUTION_STARTED:
        view["FunctionName"] = view.pop("Name")
        for name in ("OrchestrationInstance", "ParentInstance", "Version", "Tags"):
            view.pop(name, None)
    if kind == EventType.EXECUTION_COMPLETED:
        view["OrchestrationStatus"] = _STATUS_NAMES[view["OrchestrationStatus"]]
    for name in ("Input", "Result"):
        if name in view:
            if with_output:
                view[name] = show_value(view[name])
            else:
                del view[name]
