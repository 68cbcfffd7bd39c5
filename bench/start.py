"""The host with this project's app: how long until it answers, and what it costs to do nothing.

Storage and target are there, as `backhaul up` starts them. The first request is one that the app
answers from its storage, so its own imports count as well.
"""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator

from bench.figures import Figure, Run, at_most
from bench.host import cpu_seconds, resident_mib
from local.stack import Stack, StackOptions

_SETTLE_S = 5.0


def measure(run: Run) -> Iterator[Figure]:
    """Yield the time to the first answer, and processor time and memory when idle."""
    run.say("starting storage and target")
    starts, cores, memory = [], [], []
    with Stack(StackOptions(data=run.folder)) as stack:
        for number in range(run.runs):
            run.say(f"run {number + 1} of {run.runs}")
            stack.stop_host()
            begin = time.perf_counter()
            stack.start_host()
            _ask(stack)
            starts.append(time.perf_counter() - begin)
        run.say("doing nothing")
        pid = stack.host_pid
        if pid is None:
            raise RuntimeError("the host has ended by itself")
        time.sleep(run.much(1, 0) * _SETTLE_S)
        for _ in range(run.runs):
            seconds = run.much(12, 1)
            before = cpu_seconds(pid)
            time.sleep(seconds)
            cores.append((cpu_seconds(pid) - before) / seconds * 100)
            memory.append(resident_mib(pid))
    yield Figure("start to the first answered request", "s", starts, at_most(2))
    yield Figure("idle: processor", "% of a core", cores, at_most(1))
    yield Figure("idle: memory", "MiB", memory, at_most(150))


def _ask(stack: Stack) -> None:
    request = urllib.request.Request(  # noqa: S310 the address is the host's own
        f"{stack.url}/api/migrations", headers={"x-functions-key": stack.key}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 as above
        answer.read()
