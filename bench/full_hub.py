"""A hub of 10,000 instances of which 1,000 run: what its clients feel, and how it starts again."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from bench.figures import Figure, Run, at_most
from bench.host import SHAPES, HostClient, HostProcess, cpu_seconds, resident_mib

_CLIENTS = 8
_SAMPLES = 100
_PAGE = 100
_SETTLE_S = 3.0


def measure(run: Run) -> Iterator[Figure]:
    """Yield times of status and pages (95th percentile of each run), and of a restart."""
    finished, running = run.much(9000, 90), run.much(1000, 10)
    with HostProcess(SHAPES, run.folder) as host:
        run.say(f"starting {finished + running} instances")
        _fill(host, finished, running)
        client = host.client()
        times = {}
        for name, ask in _questions(client, finished, running).items():
            run.say(name)
            times[name] = [_percentile(ask, run.much(_SAMPLES, 3)) for _ in range(run.runs)]
        client.close()
        memory = resident_mib(host.pid)
    for name, values in times.items():
        limit = 10 if name.startswith("status") else 50
        yield Figure(name, "ms", values, at_most(limit))
    yield Figure("memory of the host that made them", "MiB", [memory])
    yield from _restart(run, finished)


def _fill(host: HostProcess, finished: int, running: int) -> None:
    def start(number: int) -> None:
        client = host.client()
        for one in range(number, finished + running, _CLIENTS):
            # Spread among each other, as in a hub that has been in use for a while.
            waits = one * running // (finished + running) != (one + 1) * running // (
                finished + running
            )
            kind = "wait" if waits else "chain"
            client.start(kind, {"length": 1, "note": "n" * 200}, f"{kind}-{one:05}")
        client.close()

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(start, range(_CLIENTS)))
    client = host.client()
    while any(client.page(f"top=1&runtimeStatus={one}")[0] for one in ("Pending",)):
        time.sleep(0.1)
    while len(client.page(f"runtimeStatus=Running&top={running + 1}")[0]) > running:
        time.sleep(0.1)
    client.close()


def _questions(
    client: HostClient, finished: int, running: int
) -> dict[str, Callable[[int], object]]:
    """Return what is asked; each question gets a number, so that not all ask for the same."""
    everything, token = client.page("top=1000000")[0], client.page(f"top={finished // 2}")[1]
    names = [one["instanceId"] for one in everything]
    live = [name for name in names if name.startswith("wait")]
    middle = everything[len(everything) // 2]["createdTime"]

    def page(**query: object) -> Callable[[int], object]:
        text = urlencode({"top": _PAGE, **query})
        return lambda number: client.page(text)

    return {
        "status of a finished one": lambda number: client.send(
            "GET", f"instances/{names[number * 7919 % len(names)]}"
        ),
        "status of a running one": lambda number: client.send(
            "GET", f"instances/{live[number * 7919 % len(live)]}"
        ),
        "first page of 100": page(),
        "page from the middle": lambda number: client.page(f"top={_PAGE}", token),
        "page of the running": page(runtimeStatus="Running"),
        "page of the failed: none": page(runtimeStatus="Failed"),
        "page by prefix of the id": page(instanceIdPrefix="wait-"),
        "page by prefix: none": page(instanceIdPrefix="nobody"),
        "page of the later half": page(createdTimeFrom=middle),
        "page by all filters": page(
            createdTimeFrom=middle, instanceIdPrefix="wait-", runtimeStatus="Running,Pending"
        ),
    }


def _percentile(ask: Callable[[int], object], samples: int) -> float:
    times = []
    for number in range(samples):
        begin = time.perf_counter()
        ask(number)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def _restart(run: Run, finished: int) -> Iterator[Figure]:
    """Start on the full hub and, in turn, on an empty one: what wakes up costs the difference."""
    starts: list[float] = []
    empty_starts: list[float] = []
    extra, memory, woken = [], [], []
    before = None
    empty = run.folder / "empty"
    empty.mkdir()
    for number in range(run.runs):
        run.say(f"restart {number + 1} of {run.runs}")
        costs = []
        for folder, taken in ((run.folder, starts), (empty, empty_starts)):
            begin = time.perf_counter()
            with HostProcess(SHAPES, folder) as host:
                client = host.client()
                client.page("top=1")
                taken.append(time.perf_counter() - begin)
                time.sleep(_SETTLE_S if not run.quick else 0.2)
                costs.append(cpu_seconds(host.pid) * 1000)
                if folder is run.folder:
                    memory.append(resident_mib(host.pid))
                    after = json.dumps(client.page("top=1000000&runtimeStatus=Running")[0])
                    woken.append(0.0 if before in (None, after) else 1.0)
                    before = after
                client.close()
        extra.append(costs[0] - costs[1])
    yield Figure("restart on this hub: to the first answer", "s", starts, at_most(2))
    yield Figure("restart on an empty hub: to the first answer", "s", empty_starts)
    yield Figure("restart: processor time more than on an empty one", "ms", extra)
    yield Figure("restart: memory", "MiB", memory)
    yield Figure("restart: running instances changed by it", "", woken, at_most(0))
