"""The embedded host beside `durabletask` with its in-memory backend: the same shapes, in turn.

On both sides engine and client are processes of their own, workers and clients have their usual
settings, and nothing is logged for each step. The host's engine is `apps/shapes`, the other one
`durabletask_engine.py`. Each batch of workflows is started first and then waited for, one after
the other; a workflow that runs alone is waited for on the server, on both sides.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.durabletask_venv import Driver, driver, environment
from bench.figures import Figure, Run, at_least
from bench.host import SHAPES, HostClient, HostProcess

TIMES = 2.0
"""How many times faster the host should be, although it writes every step to disk."""

_PATIENCE_S = 120.0
_LOOK_S = 0.002


@dataclass(frozen=True)
class Workflows:
    """`count` workflows of a shape, `at_once` at a time. `each` is what one of them does."""

    name: str
    shape: str
    given: Mapping[str, Any]
    count: int
    at_once: int
    each: int
    unit: str = "activities/s"

    @property
    def amount(self) -> int:
        """How many activities or signals that is."""
        return self.count * self.each


@dataclass(frozen=True)
class Signals:
    """`amount` signals to one entity, sent by `at_once` clients until it has counted them."""

    name: str
    amount: int
    at_once: int
    unit: str = "signals/s"


Work = Workflows | Signals


def work(run: Run) -> list[Work]:
    """Return what both sides do."""
    chain, fan_out = {"length": 10}, {"width": 100}
    signals = run.much(1000, 50)
    few, many = run.much(20, 2), run.much(100, 4)
    return [
        Workflows("chain of 10, one at a time", "chain", chain, few, 1, 10),
        Workflows("chain of 10, 100 at a time", "chain", chain, many, 100, 10),
        Workflows("fan-out of 100, one at a time", "fan_out", fan_out, run.much(5, 1), 1, 100),
        Workflows("fan-out of 100, 10 at a time", "fan_out", fan_out, run.much(10, 1), 10, 100),
        Workflows(
            "1,000 entity signals, from a workflow",
            *("signals", {"count": signals}, 1, 1, signals, "signals/s"),
        ),
        Signals("1,000 entity signals, from 16 clients", signals, 16),
        Signals("1,000 entity signals, one by one", signals, 1),
    ]


def measure(run: Run) -> Iterator[Figure]:
    """Yield for each kind of work the rates of both sides, and how many times faster the host is.

    Raises:
        ConfigurationError: the other side cannot be installed.
    """
    run.say("installing durabletask")
    python = environment()
    wanted = work(run)
    rates: dict[str, tuple[list[float], list[float]]] = {one.name: ([], []) for one in wanted}
    with HostProcess(SHAPES, run.folder) as host, driver(python, run.folder) as other:
        client = host.client()
        for number in range(-1, run.runs):  # the first is for warming up
            for one in wanted:
                run.say(f"{one.name}, run {number + 1} of {run.runs}")
                key = f"{number + 1}-{one.name}".replace(" ", "-").replace(",", "")
                mine = one.amount / _time_host(host, client, one, key)
                theirs = one.amount / _time_other(other, one, key)
                if number >= 0:
                    rates[one.name][0].append(mine)
                    rates[one.name][1].append(theirs)
        client.close()
    for one in wanted:
        ours, others = rates[one.name]
        yield Figure(f"{one.name}: this host", one.unit, ours)
        yield Figure("    durabletask, in memory", one.unit, others)
        ratios = [mine / theirs for mine, theirs in zip(ours, others, strict=True)]
        yield Figure("    how many times faster", "times", ratios, at_least(TIMES))


def _time_host(host: HostProcess, client: HostClient, one: Work, key: str) -> float:
    begin = time.perf_counter()
    if isinstance(one, Signals):
        _send_signals(host, client, one, key)
    elif one.at_once == 1:
        for number in range(one.count):
            client.run(one.shape, {**one.given, "key": f"{key}-{number}"})
    else:
        for first in range(0, one.count, one.at_once):
            numbers = range(first, min(first + one.at_once, one.count))
            started = [
                client.start(one.shape, {**one.given, "key": f"{key}-{number}"})
                for number in numbers
            ]
            for instance in started:
                client.wait(instance)
    return time.perf_counter() - begin


def _send_signals(host: HostProcess, client: HostClient, one: Signals, key: str) -> None:
    path, body = f"entities/counter/{key}", json.dumps(json.dumps({"by": 1}))
    if one.at_once == 1:
        for _ in range(one.amount):
            client.send("POST", f"{path}?op=add", body)
    else:
        asyncio.run(host.send_at_once(f"{path}?op=add", body, one.amount, one.at_once))
    deadline = time.monotonic() + _PATIENCE_S
    while client.send("GET", path)[1] != str(one.amount).encode():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the entity did not count {one.amount} signals")
        time.sleep(_LOOK_S)


def _time_other(other: Driver, one: Work, key: str) -> float:
    if isinstance(one, Signals):
        return other.do(job="signals", key=key, count=one.amount, at_once=one.at_once)
    given = {**one.given, "key": key}
    return other.do(
        job="workflows", shape=one.shape, given=given, count=one.count, at_once=one.at_once
    )
