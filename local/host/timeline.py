"""The history of an instance as a person reads it: what began when, how long it took, how it ended.

Pure. The events are those of `historyEvents` in the management API, of this host or of Azure's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

State = Literal["done", "open", "failed"]

_SPANS = {
    "TaskScheduled": ("activity", "open"),
    "TaskCompleted": ("activity", "done"),
    "TaskFailed": ("activity", "failed"),
    "SubOrchestrationInstanceCreated": ("sub-orchestration", "open"),
    "SubOrchestrationInstanceCompleted": ("sub-orchestration", "done"),
    "SubOrchestrationInstanceFailed": ("sub-orchestration", "failed"),
    "TimerCreated": ("timer", "open"),
    "TimerFired": ("timer", "done"),
}
"""What takes time. An end has taken in its beginning, so one without an end is still open."""

_MOMENTS = {
    "ExecutionStarted": "started",
    "ExecutionTerminated": "terminated",
    "ExecutionSuspended": "suspended",
    "ExecutionResumed": "resumed",
    "EventRaised": "event",
    "EventSent": "sent to",
    "GenericEvent": "note",
}
_FRACTION = re.compile(r"\.(\d+)")


@dataclass(frozen=True)
class Entry:
    """One line of a timeline. `took` is None for what has no duration or no end yet.

    `what` is the kind, `name` which one of it; `detail` is why it failed or what it carries, up to
    the end of the line.
    """

    at: datetime
    what: str
    name: str
    state: State
    took: timedelta | None = None
    detail: str = ""


def timeline(events: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return the entries in the order in which they began; unknown kinds of event are shown too."""
    return sorted(map(_entry, events), key=lambda entry: entry.at)


def show_duration(length: timedelta) -> str:
    """Return a duration with two or three digits: `35 ms`, `1.2 s`, `5 min 12 s`, `3 h 07 min`."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"


def parse_time(text: object) -> datetime:
    """Read a time of the management API; what is none is the earliest time there is."""
    # Python 3.10 reads three or six digits of a fraction only; Azure writes up to seven.
    digits = _FRACTION.sub(lambda found: f".{found.group(1)[:6]:0<6}", str(text))
    try:
        parsed = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", digits))
    except ValueError:
        return datetime.min.replace(tzinfo=timezone.utc)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def _entry(event: Mapping[str, Any]) -> Entry:
    kind = str(event.get("EventType"))
    at = parse_time(event.get("Timestamp"))
    if kind in _SPANS:
        return _span(event, kind, at)
    if kind == "ExecutionCompleted":
        status = str(event.get("OrchestrationStatus"))
        failed = status == "Failed"
        detail = _text(event.get("Result")) if failed else ""
        return Entry(at, status.lower(), "", "failed" if failed else "done", detail=detail)
    name, detail = "", _text(event.get("Input", event.get("Data")))
    if kind == "ExecutionStarted":
        detail = ""
    elif kind == "EventRaised":
        name = str(event.get("Name"))
    elif kind == "EventSent":
        name, detail = str(event.get("InstanceId")), _operation(event.get("Input"))
    return Entry(at, _MOMENTS.get(kind, kind), name, "done", detail=detail)


def _span(event: Mapping[str, Any], kind: str, at: datetime) -> Entry:
    what, state = _SPANS[kind]
    name = str(event.get("FunctionName", event.get("Name", "")))
    detail = _text(event.get("Reason"))
    if what == "timer":
        name, detail = f"to {str(event.get('FireAt'))[:19]}Z", ""
    if state == "open":
        return Entry(at, what, name, "open", detail=detail)
    begun = parse_time(event["ScheduledTime"]) if "ScheduledTime" in event else at
    ending: State = "failed" if state == "failed" else "done"
    return Entry(begun, what, name, ending, at - begun, detail)


def _operation(request: object) -> str:
    """Return the operation that was sent to an entity."""
    try:
        asked = json.loads(request) if isinstance(request, str) else request
    except ValueError:
        return ""
    return str(asked.get("op", "")) if isinstance(asked, dict) else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.strip().partition("\n")[0].rstrip()
