"""Reading the hub: answers to questions, from a connection of their own.

The write-ahead log lets them see everything that is committed without keeping the writer waiting.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from local.host.errors import Refused
from local.host.history import Event, decode
from local.host.instance import Instance

_LAST = "\U0010ffff"  # sorts behind every character an id may hold


@dataclass(frozen=True)
class InstanceFilter:
    """Which instances to list. Times are texts that sort; None and empty mean any."""

    prefix: str | None = None
    created_from: str | None = None
    created_to: str | None = None
    statuses: Sequence[str] = ()


@dataclass(frozen=True)
class EntityFilter:
    """Which entities to list. Times are texts that sort; None means any."""

    name: str | None = None
    updated_from: str | None = None
    updated_to: str | None = None


class EntityRow(NamedTuple):
    """An entity that exists; `state` is JSON text."""

    name: str
    key: str
    state: str
    updated: str


class Lengths(NamedTuple):
    """How much waits in the hub. `due` is the time of the next durable timer."""

    events: int
    activities: int
    timers: int
    due: str | None
    operations: int
    entities: int


class Schedule(NamedTuple):
    """When a timer function ran last, and was to run next."""

    last: str
    following: str
    updated: str


class HubQueries:
    """The questions. Any thread may ask them; they are answered one at a time."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def instance(self, instance_id: str) -> Instance | None:
        """Return an instance."""
        rows = self._ask("SELECT * FROM instance WHERE id = ?", instance_id)
        return Instance._make(rows[0]) if rows else None

    def history(self, instance_id: str) -> list[Event]:
        """Return the events of an instance's current generation."""
        rows = self._ask("SELECT event FROM history WHERE instance = ? ORDER BY seq", instance_id)
        return decode(row[0] for row in rows)

    def instances(
        self, wanted: InstanceFilter, top: int | None, continuation: str | None
    ) -> tuple[list[Instance], str]:
        """Return instances in order of creation, and the token for the next page.

        The token is empty at the end. Refused: 400 for a token that this did not make.
        """
        first = [wanted.created_from or "", ""]
        after = max(_read_token(continuation), first) if continuation else first
        limit = -1 if top is None else top + 1
        prefix = wanted.prefix or ""
        rows = self._ask(
            "SELECT * FROM instance WHERE (created, id) > (?, ?) "
            "AND created <= ? AND id >= ? AND id < ? "
            "AND (? OR status IN (SELECT value FROM json_each(?))) "
            "ORDER BY created, id LIMIT ?",
            *after,
            wanted.created_to or "9999",
            prefix,
            prefix + _LAST,
            not wanted.statuses,
            json.dumps(list(wanted.statuses)),
            limit,
        )
        found = [Instance._make(row) for row in rows]
        if top is None or len(found) <= top:
            return found, ""
        page = found[:top]
        return page, _make_token(page[-1].created, page[-1].id)

    def newest(self, wanted: InstanceFilter, top: int) -> list[Instance]:
        """Return instances without input and output, the newest first."""
        prefix = wanted.prefix or ""
        rows = self._ask(
            "SELECT id, name, execution, version, status, NULL, NULL, custom_status, created,"
            " updated, parent, parent_execution, parent_task FROM instance "
            "WHERE id >= ? AND id < ? AND (? OR status IN (SELECT value FROM json_each(?))) "
            "ORDER BY created DESC, id DESC LIMIT ?",
            prefix,
            prefix + _LAST,
            not wanted.statuses,
            json.dumps(list(wanted.statuses)),
            top,
        )
        return [Instance._make(row) for row in rows]

    def count_by_status(self) -> dict[str, int]:
        """Return how many instances there are in each state, in the order of the states' names."""
        return dict(
            self._ask("SELECT status, COUNT(*) FROM instance GROUP BY status ORDER BY status")
        )

    def lengths(self) -> Lengths:
        """Return how much waits in each queue, all at one moment."""
        rows = self._ask(
            "SELECT (SELECT COUNT(*) FROM inbox), (SELECT COUNT(*) FROM task WHERE due IS NULL), "
            "(SELECT COUNT(*) FROM task WHERE due IS NOT NULL), (SELECT MIN(due) FROM task), "
            "(SELECT COUNT(*) FROM entity_inbox), (SELECT COUNT(*) FROM entity)"
        )
        return Lengths._make(rows[0])

    def entity(self, name: str, key: str) -> str | None:
        """Return the state of an entity as JSON text; None when it does not exist."""
        rows = self._ask("SELECT state FROM entity WHERE name = ? AND key = ?", name.lower(), key)
        return rows[0][0] if rows else None

    def entities(
        self, wanted: EntityFilter, top: int | None, continuation: str | None
    ) -> tuple[list[EntityRow], str]:
        """Return entities in order of name and key, and the token for the next page.

        The token is empty at the end. Refused: 400 for a token that this did not make.
        """
        after = _read_token(continuation) if continuation else ["", ""]
        name = None if wanted.name is None else wanted.name.lower()
        rows = self._ask(
            "SELECT name, key, state, updated FROM entity WHERE (name, key) > (?, ?) "
            "AND (? IS NULL OR name = ?) AND updated >= ? AND updated <= ? "
            "ORDER BY name, key LIMIT ?",
            *after,
            name,
            name,
            wanted.updated_from or "",
            wanted.updated_to or "9999",
            -1 if top is None else top + 1,
        )
        found = [EntityRow._make(row) for row in rows]
        if top is None or len(found) <= top:
            return found, ""
        return found[:top], _make_token(found[top - 1].name, found[top - 1].key)

    def schedule(self, function: str) -> Schedule | None:
        """Return what is known of the runs of a timer function."""
        rows = self._ask("SELECT last, next, updated FROM schedule WHERE function = ?", function)
        return Schedule._make(rows[0]) if rows else None

    def _ask(self, question: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(question, values).fetchall()


def _make_token(*last: str) -> str:
    """Return the token for what comes after these values of the columns that sort."""
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()


def _read_token(token: str) -> list[str]:
    try:
        after = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error, RecursionError):
        after = None
    if (
        not isinstance(after, list)
        or len(after) != 2
        or not all(isinstance(part, str) for part in after)
    ):
        raise Refused(400, "x-ms-continuation-token is not one that this host gave out")
    return after
