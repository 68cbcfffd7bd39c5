"""A host that is killed at its Nth commit: `python -m tests.host.crashing_host N WHEN ...`.

WHEN is `before` (what was to be committed is lost) or `after` (it is on disk, but nobody knows).
The rest are the arguments of `python -m local`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from local.__main__ import main
from local.host.hub import Hub


def crash_at(number: int, when: str) -> None:
    """Have this process killed at a commit of its hub."""
    commits = 0
    transaction = Hub.transaction

    @contextmanager
    def counted(self: Hub) -> Iterator[None]:
        nonlocal commits
        commits += 1
        with transaction(self):
            yield
            if (commits, when) == (number, "before"):
                os.kill(os.getpid(), signal.SIGKILL)
        if (commits, when) == (number, "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    Hub.transaction = counted  # type: ignore[method-assign]  # a fault, put into the real thing


if __name__ == "__main__":
    _, number, when, *sys.argv[1:] = sys.argv
    crash_at(int(number), when)
    typer.run(main)
