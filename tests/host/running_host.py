"""A host in a process of its own, as people run it: started, asked, killed and started again."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
APPS = Path(__file__).resolve().parent / "apps"
FINISHED = ("Completed", "Failed", "Terminated")
_PROGRAM = ("local",)


def eventually(look: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """Look until what is seen is true; returns it."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not seen within {timeout_s} s"
        time.sleep(0.01)


class RunningHost:
    """One host on one data folder. `traces` is the folder where the test app's work shows."""

    def __init__(self, app: str | Path, folder: Path, settings: Mapping[str, str] = {}) -> None:
        self.app = APPS / app
        self.data = folder / "data"
        self.traces = folder / "traces"
        self.traces.mkdir(exist_ok=True)
        self.log = folder / "host.log"
        self._settings = dict(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(timeout=30)

    def launch(
        self, *arguments: str, file_bytes: int | None = None, program: Sequence[str] = _PROGRAM
    ) -> int:
        """Start the process; returns where its part of the log begins.

        No file of it may grow beyond `file_bytes`, as if the disk were full. `program` takes the
        arguments of `python -m local`.
        """

        def limit() -> None:
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        command = [sys.executable, "-m", *program, "--app", str(self.app), "--port", "0"]
        command += ["--data", str(self.data), *arguments]
        environment = {**os.environ, "TRACES": str(self.traces), **self._settings}
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                cwd=REPOSITORY,
                env=environment,
                stdout=output,
                stderr=output,
                preexec_fn=limit,
            )
        return begin

    def start(self, *arguments: str, **how: Any) -> RunningHost:
        """Start it as `launch` does, and wait until it listens."""
        begin = self.launch(*arguments, **how)

        def listening() -> re.Match[str] | None:
            assert self._process is not None
            text = self.log.read_bytes()[begin:].decode()
            assert self._process.poll() is None, text
            return re.search(r"Listening on (\S+)\n", text)

        self.url = eventually(listening)[1]
        self.keys = json.loads((self.data / "keys.json").read_text())
        self.http.base_url = httpx.URL(self.url)
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Ask it to end; returns its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait_for_exit(self) -> int:
        """Wait until it ends by itself; returns its exit status."""
        assert self._process is not None
        return self._process.wait(30)

    def cpu_seconds(self) -> float:
        """Return the processor time that the host has used."""
        assert self._process is not None
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """Return the memory that the host has in use."""
        assert self._process is not None
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024**2

    def most_resident_mib(self) -> float:
        """Return the most memory that the host ever had in use."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def close(self) -> None:
        self.kill()
        self.http.close()

    def function(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Call one of the app's HTTP functions."""
        return self.http.request(method, f"/api/{path}", **request)

    def manage(
        self, method: str, path: str, params: Mapping[str, Any] = {}, **request: Any
    ) -> httpx.Response:
        """Call the durable management API with its key."""
        query = {"code": self.keys["system"]["durabletask_extension"], **params}
        url = f"/runtime/webhooks/durabletask/{path}"
        return self.http.request(method, url, params=query, **request)

    def begin(self, name: str, given: Any = None, instance: str | None = None) -> str:
        """Start an orchestration as the SDK's client does, with its input encoded twice."""
        path = f"orchestrators/{name}" + (f"/{instance}" if instance else "")
        body = None if given is None else json.dumps(json.dumps(given))
        started = self.manage("POST", path, content=body)
        assert started.status_code == 202, started.text
        return str(started.json()["id"])

    def raise_event(self, instance: str, name: str, data: Any = None) -> None:
        """Raise an event as anyone but the SDK's client does, with its data encoded once."""
        path = f"instances/{instance}/raiseEvent/{name}"
        kind = {"content-type": "application/json"}
        raised = self.manage("POST", path, content=json.dumps(data), headers=kind)
        assert raised.status_code == 202, raised.text

    def status(self, instance: str, **params: Any) -> dict[str, Any]:
        """Return the status object; empty when there is no such instance."""
        answer = self.manage("GET", f"instances/{instance}", params)
        shown: dict[str, Any] = answer.json() if answer.content else {}
        return shown

    def wait(
        self, instance: str, *statuses: str, timeout_s: float = 20.0, **fields: Any
    ) -> dict[str, Any]:
        """Wait for one of these states (or any final one), or for these fields of the status."""
        wanted = statuses or (() if fields else FINISHED)

        def reached() -> dict[str, Any] | None:
            shown = self.status(instance)
            fits = all(shown.get(name) == value for name, value in fields.items())
            return shown if fits and (not wanted or shown.get("runtimeStatus") in wanted) else None

        found: dict[str, Any] = eventually(reached, timeout_s)
        return found

    def run(self, name: str, given: Any = None, instance: str | None = None) -> Any:
        """Run an orchestration to its end; returns its output."""
        ended = self.wait(self.begin(name, given, instance))
        assert ended["runtimeStatus"] == "Completed", ended
        return ended["output"]

    def history(self, instance: str) -> list[dict[str, Any]]:
        shown = self.status(instance, showHistory="true", showHistoryOutput="true")
        events: list[dict[str, Any]] = shown["historyEvents"]
        return events

    def trace(self, name: str) -> int:
        """Return how often an activity has left this trace."""
        path = self.traces / name
        return len(path.read_text().splitlines()) if path.exists() else 0
