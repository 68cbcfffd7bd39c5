"""Starts a program beside this one, waits until it is ready, and ends it in any case."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.folders import REPOSITORY
from shared.errors import BackhaulError

# Asks the kernel (Linux, prctl PR_SET_PDEATHSIG) to end the program with the thread that started
# it, then becomes the program. Another system just runs the program.
_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.executable, [sys.executable, "-m", *sys.argv[2:]])
"""
_TAIL_LINES = 12


class ChildFailed(BackhaulError):
    """A program ended, or was not ready in time; the message has the last lines that it wrote."""


class Child:
    """One Python program (`python -m ...`) whose output goes to a file.

    Ends with the thread that started it, however that ends. Ctrl-C is for the parent alone.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log: Path,
        ready: str,
        environment: Mapping[str, str] | None = None,
        start_timeout_s: float = 60.0,
    ) -> None:
        """Describe the program; `ready` is a pattern in its output, e.g. of where it listens."""
        self._name = name
        self._arguments = list(arguments)
        self._log = log
        self._ready = re.compile(ready)
        self._environment = dict(environment or {})
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> re.Match[str]:
        """Start it, and return the match of `ready`; raises ChildFailed."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 our own programs
                [sys.executable, "-c", _WITH_PARENT, str(os.getpid()), *self._arguments],
                cwd=REPOSITORY,
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            text = self._log.read_bytes()[begin:].decode(errors="replace")
            if match := self._ready.search(text):
                return match
            if ended:
                raise self._failure(f"ended with status {self._process.returncode}", text)
            time.sleep(0.02)
        self.stop()
        raise self._failure(f"was not ready within {self._start_timeout_s:g} s", text)

    def stop(self, grace_s: float = 15.0) -> None:
        """Ask it to end, and make it end if it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _failure(self, what: str, text: str) -> ChildFailed:
        tail = "\n".join(text.rstrip().splitlines()[-_TAIL_LINES:])
        return ChildFailed(
            f"{self._name} {what}:\n{tail}", action=f"look at the whole log, {self._log}"
        )
