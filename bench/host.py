"""The embedded host in a process of its own, and a client of it that costs next to nothing."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from local.child import Child

SHAPES = Path(__file__).resolve().parent / "apps" / "shapes"
_API = "/runtime/webhooks/durabletask/"
_PATIENCE_S = 300.0
_LOOK_S = 0.005


class HostProcess:
    """A host with an app, on a data folder that may exist; use it as a context manager."""

    def __init__(self, app: Path, folder: Path, settings: Mapping[str, str] = {}) -> None:
        self._data = folder / "data"
        self._child = Child(
            "the embedded host",
            ["local", "--app", str(app), "--port", "0", "--data", str(self._data)],
            log=folder / "host.log",
            ready=r"Listening on http://([\d.]+):(\d+)\s",
            environment=settings,
        )
        self.address = ("", 0)
        self.keys: dict[str, Any] = {}

    def __enter__(self) -> HostProcess:
        try:
            match = self._child.start()
        except BaseException:  # Ctrl-C may come before it is ready
            self._child.stop()
            raise
        self.address = (match[1], int(match[2]))
        self.keys = json.loads((self._data / "keys.json").read_text())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._child.stop()

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._child.pid is not None, "the host has ended"  # noqa: S101 a bug of the bench
        return self._child.pid

    def client(self) -> HostClient:
        """Return a client with a connection of its own, for one thread."""
        return HostClient(self.address, self.keys["master"])

    async def send_at_once(self, path: str, body: str, count: int, connections: int) -> None:
        """Post the same to the management API many times, through some connections.

        Uses aiohttp, as the SDK's own client does; a thread for each connection would cost more.
        """
        headers = {"x-functions-key": self.keys["master"], "content-type": "application/json"}
        url = f"http://{self.address[0]}:{self.address[1]}{_API}{path}"
        left = iter(range(count))

        async def send() -> None:
            for _ in left:
                async with session.post(url, data=body) as answer:
                    answer.raise_for_status()
                    await answer.read()

        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            await asyncio.gather(*(send() for _ in range(connections)))


class HostClient:
    """Asks for what the management API offers. Uses one connection, which stays open."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=_PATIENCE_S)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"x-functions-key": key, "content-type": "application/json"}

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def ask(
        self, method: str, path: str, body: str | None = None, token: str | None = None
    ) -> http.client.HTTPResponse:
        """Send a request to a path of the host; the answer's body must be read."""
        headers = self._headers if token is None else {**self._headers, _TOKEN: token}
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()

    def send(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        """Send a request to the management API; returns status and body."""
        answer = self.ask(method, _API + path, body)
        content = answer.read()
        if answer.status >= 400 and answer.status != 404:
            raise RuntimeError(f"{method} {path}: {answer.status} {content.decode()[:500]}")
        return answer.status, content

    def page(self, query: str, token: str | None = None) -> tuple[list[Any], str]:
        """Return a page of the list of instances, and the token of the next one."""
        answer = self.ask("GET", f"{_API}instances/?{query}", token=token)
        found: list[Any] = json.loads(answer.read())
        return found, answer.headers[_TOKEN] or ""

    def start(self, shape: str, given: Mapping[str, Any], instance: str = "") -> str:
        """Start a workflow; returns its id."""
        body = json.dumps(json.dumps(given))
        content = self.send("POST", f"orchestrators/{shape}/{instance}".rstrip("/"), body)[1]
        return str(json.loads(content)["id"])

    def run(self, shape: str, given: Mapping[str, Any]) -> Any:
        """Start a workflow, and return its output as soon as there is one."""
        path = f"orchestrators/{shape}?timeout={_PATIENCE_S:g}"
        status, content = self.send("POST", path, json.dumps(json.dumps(given)))
        if status != 200:
            raise TimeoutError(f"{shape} did not end within {_PATIENCE_S:g} s")
        return json.loads(content)

    def wait(self, instance: str) -> None:
        """Wait until a workflow has ended."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.send("GET", f"instances/{instance}?showInput=false")[0] != 200:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{instance} did not end within {_PATIENCE_S:g} s")
            time.sleep(_LOOK_S)


_TOKEN = "x-ms-continuation-token"  # noqa: S105 a header, no secret


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    text = Path(f"/proc/{pid}/stat").read_text()
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the memory that a process has in use."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024**2
