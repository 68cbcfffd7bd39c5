"""The server process: one instance behind one port of the loopback address."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from local.sqlserver.engine.instance import Instance
from local.sqlserver.session.connection import Connection
from local.sqlserver.session.login import TlsContexts
from local.sqlserver.settings import Settings
from local.sqlserver.wire.certificate import tls_context, write_certificate
from local.sqlserver.wire.transport import Transport

HOST = "127.0.0.1"
_MAX_WORKERS = 512
"""Threads for requests; they are made as needed. More requests than these wait."""

log = logging.getLogger(__name__)


class Server:
    """A running simulated SQL Server. Made by `start`; its methods belong to the event loop.

    A fault may end it as a crash does. Then it comes back by itself, on the same port and with
    what is on disk; a server that is to die kills its process if it has one of its own.
    """

    def __init__(self, settings: Settings, *, own_process: bool = False) -> None:
        """Open the state; raises ConfigurationError if another server uses the folder."""
        self.settings = settings
        self.instance = Instance(settings)
        self.certificate = write_certificate(settings.data)
        self.port = settings.port
        self._own_process = own_process
        self._tls = TlsContexts(
            wrapped=tls_context(self.certificate, strict=False),
            strict=tls_context(self.certificate, strict=True),
        )
        self._workers = ThreadPoolExecutor(_MAX_WORKERS, thread_name_prefix="sqlserver")
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._crash: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen; `port` is known afterwards. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        self._listener = await asyncio.start_server(self._accept, HOST, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

        def end(down_s: float | None) -> None:
            if down_s is None and self._own_process:
                os.kill(os.getpid(), signal.SIGKILL)
            loop.call_soon_threadsafe(self._begin_crash, down_s)

        self.instance.power = end

    async def stop(self) -> None:
        """Stop as SHUTDOWN does: running restores are aborted, then the state is closed."""
        self._stopping.set()
        if self._crash:
            await self._crash
        await self._hang_up()
        self._workers.shutdown()
        await asyncio.to_thread(self.instance.close)

    def _begin_crash(self, down_s: float | None) -> None:
        if self._crash is None or self._crash.done():
            self._crash = asyncio.create_task(self._go_down(down_s))

    async def _go_down(self, down_s: float | None) -> None:
        """End without a word, and come back after a while; None stays down."""
        await self._hang_up()
        await asyncio.to_thread(self.instance.close, crash=True)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), down_s)
        if not self._stopping.is_set():
            self.instance = await asyncio.to_thread(Instance, self.settings)
            await self.start()

    async def _hang_up(self) -> None:
        """Close the port and all connections; returns when what they ran has ended."""
        if self._listener:
            self._listener.close()
        for connection in self._connections.values():
            connection.stop()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 for the type checker: callbacks of asyncio are tasks
        transport = Transport(reader, writer)
        connection = Connection(transport, self.instance, self._tls, self._workers)
        self._connections[task] = connection
        try:
            await connection.run()
        finally:
            del self._connections[task]


@contextmanager
def serve(settings: Settings) -> Iterator[Server]:
    """Run a server in a thread of this process, with an event loop of its own, for tests.

    The port is free to connect to inside the block; leaving it stops the server. Raises
    ConfigurationError or OSError if the server cannot start.
    """
    loop = asyncio.new_event_loop()
    server = Server(settings)
    thread = threading.Thread(target=loop.run_forever, name="simulated SQL Server")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
