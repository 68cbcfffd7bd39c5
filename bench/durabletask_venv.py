"""The PyPI package `durabletask` in a throw-away virtual environment, with engine and driver.

Its dependencies (gRPC, protobuf) are none of this project's and never come near them.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.folders import STATE
from local.setup.command import run

REQUIREMENTS = ("durabletask==1.12.0", "grpcio==1.85.1", "protobuf==7.36.2")
_PLACE = STATE / "durabletask"
_SCRIPT = Path(__file__).resolve().parent / "durabletask_engine.py"
_STOP_S = 10.0


def environment() -> Path:
    """Return the environment's Python; makes it at the first call, and when the pins change.

    Raises:
        ConfigurationError: it cannot be made, for instance without a network.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = _PLACE / version
    python, stamp = place / "bin" / "python", place / "installed"
    wanted = "\n".join(REQUIREMENTS)
    _PLACE.mkdir(parents=True, exist_ok=True)
    with (_PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # somebody else may be at it
        if not stamp.exists() or stamp.read_text() != wanted:
            action = "check the network, or choose other subjects: `python -m bench --help`"
            run([sys.executable, "-m", "venv", "--clear", str(place)], action=action)
            pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
            run([*pip, *REQUIREMENTS], action=action)
            stamp.write_text(wanted)
    return python


class Driver:
    """The client of a running engine, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, **job: Any) -> float:
        """Do a job (see `durabletask_engine.drive`); returns the seconds that it took."""
        assert self._process.stdin is not None  # noqa: S101 it is a pipe
        assert self._process.stdout is not None  # noqa: S101 it is a pipe
        print(json.dumps(job), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("durabletask's driver ended; its log is beside the host's")
        return float(line)


@contextmanager
def driver(python: Path, folder: Path) -> Iterator[Driver]:
    """Run an engine and its driver; both end with the block."""
    with (folder / "durabletask.log").open("a") as log, _script(python, log, "serve") as engine:
        assert engine.stdout is not None  # noqa: S101 it is a pipe
        port = engine.stdout.readline().strip()
        if not port:
            raise RuntimeError(f"durabletask's engine did not start: see {log.name}")
        with _script(python, log, "drive", f"localhost:{port}") as process:
            yield Driver(process)


@contextmanager
def _script(python: Path, log: Any, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the script; it ends when its input does, so also when this process is killed."""
    process = subprocess.Popen(  # noqa: S603 our own program
        [str(python), "-I", str(_SCRIPT), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,  # Ctrl-C is for the parent alone
    )
    try:
        yield process
    finally:
        try:
            process.communicate(timeout=_STOP_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            process.kill()
            process.communicate()
