"""Runs the command line as a user does: a process of its own, without a terminal or on one."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from local.folders import REPOSITORY

_LIMIT_S = 60
_PAUSE_S = 3
COMMAND = (sys.executable, "-m", "backhaul")
# Nothing of the caller's that changes output: no colours by force, no address, no key.
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    "PYTHONPATH": os.fspath(REPOSITORY),
    "LANG": "C.UTF-8",
    "COLUMNS": "80",
    "TERM": "xterm",
}


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


def backhaul(
    *args: str | os.PathLike[str] | bytes,
    cwd: Path,
    typed: str = "",
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a command without a terminal; no command may ever show a stack trace."""
    done = subprocess.run(  # noqa: S603 our own program
        [*COMMAND, *args],
        cwd=cwd,
        input=typed.encode(),
        capture_output=True,
        env=ENVIRONMENT | dict(env or {}),
        timeout=_LIMIT_S,
        check=False,
    )
    outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in outcome.err, outcome.err
    return outcome


class Terminal:
    """A command on a terminal of 80 columns; `text` is what it has shown so far."""

    def __init__(
        self, *args: str | os.PathLike[str], cwd: Path, command: tuple[str, ...] = COMMAND
    ) -> None:
        self.text = ""
        self._is_interrupted = False
        self._deadline = time.monotonic() + _LIMIT_S
        self._terminal, theirs = pty.openpty()
        self._process = subprocess.Popen(  # noqa: S603 our own program
            [*command, *args],
            cwd=cwd,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=ENVIRONMENT,
        )
        os.close(theirs)

    def read_until(self, words: str) -> None:
        """Read until these words are shown; fails if the command ends or hangs before."""
        while words not in self.text:
            assert self._read(), f"it ended without {words!r}: {self.text!r}"

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, and again if nothing happens.

        Python misses the first one if it comes in the instant before a read of the keyboard.
        """
        self._is_interrupted = True
        self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Read the rest, and return the exit status."""
        while self._read():
            pass
        os.close(self._terminal)
        assert "Traceback" not in self.text, self.text
        return self._process.wait(_LIMIT_S)

    def _read(self) -> bool:
        while not select.select([self._terminal], [], [], _PAUSE_S)[0]:
            if time.monotonic() > self._deadline:
                self._process.kill()
                self._process.wait()
                raise AssertionError(f"it hangs after {self.text!r}")
            if self._is_interrupted:
                self._process.send_signal(signal.SIGINT)
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # what Linux says when nobody holds the other side any more
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
