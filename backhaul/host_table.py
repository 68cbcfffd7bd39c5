"""Instances, histories and queue lengths of a host as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from backhaul.host_client import Instance, Queues
from backhaul.layout import facts, indented, table
from backhaul.terminal import harmless
from backhaul.wording import count, moment
from local.host.timeline import Entry, parse_time, show_duration, timeline

_FINISHED = ("Completed", "Failed", "Terminated", "Canceled")
_STYLES = {
    "Completed": "green",
    "Failed": "red",
    "Running": "cyan",
    "Pending": "cyan",
    "Suspended": "yellow",
    "Terminated": "yellow",
    "Canceled": "yellow",
}
_MOST_CHARACTERS = 500


def instance_list(instances: Sequence[Instance], now: datetime) -> RenderableType:
    """Return a line for each instance."""
    if not instances:
        return Text("No instance fits.")
    rows = table("Instance", "Function", "Status", "Started", "Time")
    for one in instances:
        rows.add_row(
            harmless(one.instance_id),
            harmless(one.name),
            _status(one),
            moment(_utc(one.created_time)),
            _length(one, now),
        )
    return rows


def instance_history(instance: Instance, now: datetime) -> RenderableType:
    """Return what is known of an instance, and its timeline."""
    rows: list[tuple[str, RenderableType]] = [
        ("Function", harmless(instance.name)),
        ("Status", _status(instance)),
        ("Started", moment(_utc(instance.created_time))),
        ("Time", _length(instance, now)),
    ]
    for name, value in (
        ("Custom", instance.custom_status),
        ("Input", instance.input),
        ("Output", instance.output),
    ):
        if value is not None:
            rows.append((name, _short(value)))
    entries = timeline(instance.history_events)
    created = _utc(instance.created_time)
    begin = next((one.at for one in entries if one.what == "started"), created)
    lines = table("At", "What", "Took", "")
    for entry in entries:
        lines.add_row(*_line(entry, begin, now))
    return Group(Text(harmless(instance.instance_id), "bold"), facts(rows), Text(), indented(lines))


def queue_lengths(queues: Queues) -> RenderableType:
    """Return how much waits in each queue, and how many instances there are."""
    activities, entities = queues.activities, queues.entities
    running = f"{activities.get('running', 0)} running, at most {activities.get('limit', 0)}"
    following = queues.timers.get("next")
    rows = table("Queue", "Length", "")
    rows.columns[1].justify = "right"
    rows.add_row("Events for orchestrations", str(queues.events.get("waiting", 0)), "")
    rows.add_row("Activities", str(activities.get("outstanding", 0)), running)
    rows.add_row(
        "Timers",
        str(queues.timers.get("outstanding", 0)),
        f"next at {moment(parse_time(following))}" if following else "",
    )
    rows.add_row(
        "Operations of entities",
        str(entities.get("waitingOperations", 0)),
        count(entities.get("count", 0), "entity").replace("entitys", "entities"),
    )
    states: Iterable[Any] = (
        (harmless(state), str(number)) for state, number in queues.instances.items()
    )
    title = f"Task hub {harmless(queues.task_hub)}"
    if queues.draining:
        title += ", draining: it starts no new work"
    parts: list[RenderableType] = [Text(title, "bold"), indented(rows)]
    if queues.instances:
        parts += [Text(), Text("Instances", "bold"), facts(states)]
    return Group(*parts)


def _line(entry: Entry, begin: datetime, now: datetime) -> tuple[str, Text, str, Text]:
    what = Text(entry.what)
    if entry.state == "failed" and entry.what != "failed":
        what.append(" failed")
    what.stylize({"failed": "red", "open": "cyan", "done": ""}[entry.state])
    if entry.name:
        what.append(f" {harmless(entry.name)}")
    took = "" if entry.took is None else show_duration(entry.took)
    if entry.state == "open":
        took = f"for {show_duration(now - entry.at)}"
    return f"+{show_duration(entry.at - begin)}", what, took, _short(entry.detail)


def _short(value: object) -> Text:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]} ... ({len(text)} characters)"
    return Text("\n".join(map(harmless, text.splitlines())))


def _status(instance: Instance) -> Text:
    status = instance.runtime_status
    return Text(harmless(status), _STYLES.get(status, ""))


def _length(instance: Instance, now: datetime) -> str:
    """Return how long an instance took, or has run; the API tells whole seconds only."""
    started = _utc(instance.created_time)
    if instance.runtime_status not in _FINISHED:
        return show_duration(now - started)
    length = _utc(instance.last_updated_time) - started
    return show_duration(length) if length else "< 1 s"


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)
