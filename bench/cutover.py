"""The cutover of a database with nothing pending: what it takes beside the recovery itself.

The real host, Azurite, and the simulated server, whose recovery takes as long as it is told. The
moments are from the client that asks, from the history of the orchestration, and from the app's
log, which tells how long the statement took. They all are of this machine's clock.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from backhaul.client import Client
from backhaul.connection import Connection
from bench.figures import Figure, Run, at_most
from bench.restores import migrate
from local.stack import Stack, StackOptions
from shared.models import CutoverRequest, Migration
from shared.vocabulary import MigrationStatus

_TARGET_MS = 2000
_RECOVERY_S = 1.0
_SETTLE_S = 1.5
_PATIENCE_S = 60.0
_LOOK_S = 0.02
_RECOVERED = re.compile(r"^(\S+) INFO \S+ recovered database=(\S+) seconds=([\d.]+)$", re.MULTILINE)


@dataclass
class _Parts:
    """Milliseconds of each part of a cutover, a value for each run."""

    accepted: list[float] = field(default_factory=list)
    woken: list[float] = field(default_factory=list)
    looked: list[float] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    added: list[float] = field(default_factory=list)


def measure(run: Run) -> Iterator[Figure]:
    """Yield the parts of a cutover in the order in which they happen, and what they add up to."""
    run.say("starting storage, target and app")
    parts, logs = _Parts(), run.much(100, 1)
    options = StackOptions(
        data=run.folder, settings={"BACKHAUL_AUTO_START": "false"}, recovery_s=_RECOVERY_S
    )
    with (
        Stack(options) as stack,
        Client(Connection(url=stack.url, key=stack.key)) as client,
    ):
        for number in range(run.runs):
            run.say(f"run {number + 1} of {run.runs}")
            migration = migrate(stack, client, f"Cutover{number}", logs, run.folder)
            time.sleep(_SETTLE_S)
            _cut_over(run, stack, client, migration, parts)
    yield Figure("request sent until it is answered (202)", "ms", parts.accepted)
    yield Figure("request sent until the orchestration is woken", "ms", parts.woken)
    yield Figure("woken until it has looked", "ms", parts.looked)
    yield Figure("looked until RESTORE WITH RECOVERY begins", "ms", parts.begun)
    yield Figure("RESTORE WITH RECOVERY", "ms", parts.recovery)
    yield Figure("its end until the status can be read as Succeeded", "ms", parts.told)
    yield Figure("all of it without the recovery", "ms", parts.added, at_most(_TARGET_MS))


def _cut_over(run: Run, stack: Stack, client: Client, migration: Migration, parts: _Parts) -> None:
    operation = migration.properties.migration_operation_id
    request = CutoverRequest(migration_operation_id=operation, confirm_no_more_backups=True)
    sent = time.time()
    client.cutover(migration.id, request)
    accepted = time.time()
    while _status(client, migration) is not MigrationStatus.SUCCEEDED:
        if time.time() - sent > _PATIENCE_S:
            raise TimeoutError(f"{migration.id} was not cut over within {_PATIENCE_S:g} s")
        time.sleep(_LOOK_S)
    readable = time.time()
    woken, looked = _history(stack, migration.id)
    ended, recovery = _recovery(run, migration.name)
    parts.accepted.append((accepted - sent) * 1000)
    parts.woken.append((woken - sent) * 1000)
    parts.looked.append((looked - woken) * 1000)
    parts.begun.append((ended - recovery - looked) * 1000)
    parts.recovery.append(recovery * 1000)
    parts.told.append((readable - ended) * 1000)
    parts.added.append((readable - sent - recovery) * 1000)


def _status(client: Client, migration: Migration) -> MigrationStatus:
    """Return the status from the list, which costs the app little; looking must not slow it."""
    listed = client.list().content.value
    return next(one for one in listed if one.id == migration.id).properties.migration_status


def _history(stack: Stack, instance: str) -> tuple[float, float]:
    """Return when the last generation of an orchestration began, and when it had looked."""
    query = urlencode({"showHistory": "true", "code": stack.master_key})
    url = f"{stack.url}/runtime/webhooks/durabletask/instances/{instance}?{query}"
    with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310 our own host
        events: list[dict[str, Any]] = json.load(answer)["historyEvents"]
    began = next(e for e in events if e["EventType"] == "ExecutionStarted")
    looked = next(e for e in events if e["EventType"] == "TaskCompleted")
    return _moment(began["Timestamp"]), _moment(looked["Timestamp"])


def _recovery(run: Run, database: str) -> tuple[float, float]:
    """Return when the recovery of a database ended, and how long it took."""
    for moment, name, seconds in _RECOVERED.findall((run.folder / "host.log").read_text()):
        if name == database:
            return _moment(moment), float(seconds)
    raise RuntimeError(f"the app's log does not tell of the recovery of {database}")


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
