"""Kills a host at random while it carries out random workflows, and holds it to every promise.

    python -m tests.host.campaign --runs 500 --seed 1
    python -m tests.host.campaign --every-commit

Each workflow must give what it gives without a kill; every activity must have run as often as the
workflow needs, at least; every operation of an entity must have been carried out once; and in the
end no message, timer or activity may be left in the task hub. The same seed gives the same
workflows and kills, but not the same moments in the host; with `--every-commit`, one workflow of
all kinds of steps runs again and again, and the host dies just before or after each commit in turn.
Prints what went wrong, how many kills there were, and last `N passed, N failed`; the exit status is
1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import httpx

from tests.host.running_host import FINISHED, RunningHost
from tests.host.workflows import (
    EVERYTHING,
    Workflow,
    activity_runs,
    labels,
    last_status,
    results,
    sample,
)

T = TypeVar("T")

_BATCH = 25  # workflows that run side by side
_LONGEST_LIFE_S = 0.5  # from the moment that a host listens to its kill
_PATIENCE_S = 60.0  # with a batch, after the last kill


class DoomedHost:
    """A host that is killed up to so many times, and started whenever somebody misses it."""

    def __init__(
        self, folder: Path, chance: random.Random, kills: int, crash: Sequence[str] = ()
    ) -> None:
        """`crash` is at which commit it dies by itself, as `crashing_host` takes it."""
        self.host = RunningHost("workflows", folder)
        self.kills = 0
        self._crash = crash
        self._most_kills = kills
        self._chance = chance
        self._killer: threading.Timer | None = None

    def start(self) -> None:
        """Start it, and have it killed in a moment, perhaps before it listens."""
        while self.kills < self._most_kills and self._chance.random() < 0.2:
            self.host.launch()
            time.sleep(self._chance.uniform(0, 1))
            self._kill()
        if self._crash:
            program = ("tests.host.crashing_host", *self._crash)
            self._crash = ()
            with suppress(AssertionError):  # it dies before it listens
                self.host.start(program=program)
                return
            self._kill()
        self.host.start()
        if self.kills < self._most_kills:
            life_s = self._chance.uniform(0, _LONGEST_LIFE_S)
            self._killer = threading.Timer(life_s, self._kill)
            self._killer.start()

    def insist(self, ask: Callable[[], T]) -> T:
        """Ask until there is an answer; whoever asks must bear that it was heard before."""
        while True:
            with suppress(httpx.TransportError):
                return ask()
            if self._killer is None:
                self._kill()  # it has died by itself, this makes sure
            else:
                self._killer.join()
            self.start()

    def stop(self) -> int:
        """Let it live, and end it as people do; returns its exit status."""
        self._spare()
        self.insist(lambda: self.host.http.get("/admin/host/ping"))
        status = self.host.stop()
        if status == -signal.SIGKILL:  # it died while it stopped
            self.kills += 1
            self.host.start()
            status = self.host.stop()
        return status

    def close(self) -> None:
        """End it for good."""
        self._spare()
        self.host.close()

    def _kill(self) -> None:
        self.kills += 1
        self.host.kill()

    def _spare(self) -> None:
        self._most_kills = 0
        if self._killer is not None:
            self._killer.cancel()
            self._killer.join()


@dataclass
class Verdict:
    """How a batch went: what is wrong with each workflow, and how often the host was killed."""

    problems: list[str]
    kills: int


def run_batch(
    folder: Path,
    workflows: Sequence[Workflow],
    chance: random.Random,
    kills: int = 0,
    crash: Sequence[str] = (),
) -> Verdict:
    """Run workflows on one host that is killed up to so many times, or crashes at a commit."""
    doomed = DoomedHost(folder, chance, kills, crash)
    try:
        doomed.start()
        _drive(doomed, workflows, chance)
        deadline = time.monotonic() + _PATIENCE_S + kills
        found = [
            ", ".join(_judge(doomed, number, workflow, deadline))
            for number, workflow in enumerate(workflows)
        ]
        left = "" if doomed.stop() == 0 else doomed.host.log.read_text()
        left = left or _left_in(doomed.host.data / "hub.db")
        return Verdict([problem or left for problem in found], doomed.kills)
    finally:
        doomed.close()


def crash_points() -> Iterator[tuple[str, str]]:
    """Yield the commits to die at: before and after each, as long as somebody asks for more."""
    for number in count(1):
        yield str(number), "before"
        yield str(number), "after"


def _drive(doomed: DoomedHost, workflows: Sequence[Workflow], chance: random.Random) -> None:
    """Start all workflows and raise their events; suspend some of them for a while."""
    host = doomed.host
    for number, workflow in enumerate(workflows):
        doomed.insist(partial(_begin, host, _name(number), workflow))
    suspended = [number for number in range(len(workflows)) if chance.random() < 0.2]
    for number in suspended:
        doomed.insist(partial(host.manage, "POST", f"instances/{_name(number)}/suspend"))
    events = [
        (number, label)
        for number, workflow in enumerate(workflows)
        for label in labels(workflow, "event")
    ]
    chance.shuffle(events)
    for number, label in events:
        time.sleep(chance.uniform(0, 0.02))
        doomed.insist(partial(_raise, host, _name(number), label))
    for number in suspended:
        doomed.insist(partial(host.manage, "POST", f"instances/{_name(number)}/resume"))


def _begin(host: RunningHost, instance: str, workflow: Workflow) -> None:
    if not host.status(instance):
        host.begin("interpret", {"steps": workflow, "log": instance}, instance)


def _raise(host: RunningHost, instance: str, label: str) -> None:
    """Raise an event; an instance that has ended must have had it."""
    path = f"instances/{instance}/raiseEvent/{label}"
    kind = {"content-type": "application/json"}
    raised = host.manage("POST", path, content=json.dumps(label), headers=kind)
    assert raised.status_code in (202, 410), raised.text


def _judge(doomed: DoomedHost, number: int, workflow: Workflow, deadline: float) -> Iterator[str]:
    """Wait for the end of a workflow, and say what is wrong with it."""
    host, instance = doomed.host, _name(number)
    shown = doomed.insist(lambda: host.status(instance))
    while shown["runtimeStatus"] not in FINISHED and time.monotonic() < deadline:
        time.sleep(0.02)
        shown = doomed.insist(lambda: host.status(instance))
    if (shown["runtimeStatus"], shown["output"]) != ("Completed", results(workflow)):
        yield f"ends {shown['runtimeStatus']} with {json.dumps(shown['output'])}"
    status = last_status(workflow)
    if status is not None and shown["customStatus"] != status:
        yield f"has custom status {shown['customStatus']!r} instead of {status!r}"
    for label, times in activity_runs(workflow).items():
        if host.trace(label) < times:
            yield f"ran {label} {host.trace(label)} times instead of {times} or more"
    wanted = sorted(labels(workflow, "entity", "signal"))
    state = doomed.insist(lambda: host.manage("GET", f"entities/log/{instance}"))
    logged = state.json() if state.is_success else []
    while len(logged) < len(wanted) and time.monotonic() < deadline:  # signals come when they come
        time.sleep(0.02)
        state = doomed.insist(lambda: host.manage("GET", f"entities/log/{instance}"))
        logged = state.json() if state.is_success else []
    if sorted(logged) != wanted:
        yield f"logged {logged} instead of {wanted}"


def _left_in(hub: Path) -> str:
    """Return which tables still have work in them."""
    db = sqlite3.connect(f"{hub.as_uri()}?mode=ro", uri=True)
    try:
        counts = {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a name
            for table in ("inbox", "entity_inbox", "task")
        }
    finally:
        db.close()
    left = {table: count for table, count in counts.items() if count}
    return f"left in the hub: {left}" if left else ""


def _name(number: int) -> str:
    return f"run-{number}"


def main() -> int:
    """Run the campaign from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.host.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=500, help="workflows (default: 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--kills", type=int, default=8, help="at most, in each batch of 25 runs (default: 8)"
    )
    parser.add_argument("--every-commit", action="store_true", help="instead of random kills")
    options = parser.parse_args()
    batches = _every_commit() if options.every_commit else _at_random(options)
    passed = failed = kills = 0
    for workflows, verdict in batches:
        kills += verdict.kills
        for workflow, problem in zip(workflows, verdict.problems, strict=True):
            if problem:
                failed += 1
                say(f"{problem}: {json.dumps(workflow)}")
            else:
                passed += 1
    say(f"{kills} kills")
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _at_random(options: argparse.Namespace) -> Iterator[tuple[list[Workflow], Verdict]]:
    workflows = sample(options.runs, options.seed)
    for first in range(0, options.runs, _BATCH):
        batch = workflows[first : first + _BATCH]
        chance = random.Random(f"{options.seed}/{first}")  # noqa: S311 - not for secrets
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            yield batch, run_batch(Path(folder), batch, chance, options.kills)


def _every_commit() -> Iterator[tuple[list[Workflow], Verdict]]:
    for point in crash_points():
        chance = random.Random(0)  # noqa: S311 - not for secrets
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            verdict = run_batch(Path(folder), [EVERYTHING], chance, crash=point)
        yield [EVERYTHING], verdict
        if not verdict.kills:
            return  # it has ended before that commit


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    sys.exit(main())
