"""Calling the app's functions: arguments, threads, the event loop, time limits.

All async functions run on one loop that lives as long as the host, because the SDK keeps its HTTP
session there. It is not the loop that serves HTTP: a function that blocks the loop while it waits
for its own durable client would otherwise wait for ever.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
import uuid
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from local.host.app import Function
from local.host.threads import Pool

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class TraceContext:
    """The W3C trace context that came with a request."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a function gets that declares a parameter `context`; as `azure.functions.Context`."""

    function_name: str
    function_directory: str
    trace_context: TraceContext = field(default_factory=TraceContext)
    retry_context: None = None
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    thread_local_storage: threading.local = field(default_factory=threading.local)


class FunctionTimedOut(Exception):
    """A function took longer than `functionTimeout` allows."""


class Runner:
    """Runs functions: async ones on its loop, others on the threads of a pool."""

    def __init__(
        self, app_directory: Path, client: str, *, threads: int, timeout_s: float | None
    ) -> None:
        """`client` is the text that a durable client binding gets."""
        self._app_directory = app_directory
        self._client = client
        self._timeout_s = timeout_s
        self._invocations = 0  # counted on the loop that serves HTTP
        self._pool = Pool("function", threads)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="functions-loop", daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the loop; what runs on it ends where it is."""
        # From here on nobody wants to hear that the SDK leaves its HTTP session open.
        self._loop.set_exception_handler(lambda loop, context: None)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1)

    async def invoke(self, function: Function, value: Any, **context: Any) -> Any:
        """Call a function from the loop that serves HTTP, and wait for its result.

        Raises:
            FunctionTimedOut: it took longer than functions may; a thread may go on with it.
        """
        began = time.monotonic()
        ending = "failed"
        self._invocations += 1
        try:
            future = asyncio.wrap_future(self._submit(function, value, **context))
            await asyncio.wait({future}, timeout=self._timeout_s)
            if not future.done():
                future.cancel()
                ending = "timed out"
                raise FunctionTimedOut(
                    f"Timeout value of {self._timeout_s:g} s exceeded by function '{function.name}'"
                )
            result = future.result()
            ending = "succeeded"
            return result
        finally:
            self._invocations -= 1
            took_ms = (time.monotonic() - began) * 1000
            _LOG.info("function=%s duration_ms=%.1f %s", function.name, took_ms, ending)

    @property
    def invocations(self) -> int:
        """How many calls of `invoke` are under way."""
        return self._invocations

    def wait_until_idle(self, timeout_s: float) -> None:
        """Wait until no call of `invoke` is under way, but not longer than this."""
        deadline = time.monotonic() + timeout_s
        while self._invocations and time.monotonic() < deadline:
            time.sleep(0.01)

    def _submit(self, function: Function, value: Any, **context: Any) -> Future[Any]:
        arguments = self.arguments(function, value, **context)
        if function.is_async:
            return self.run(function.call(**arguments))
        return self._pool.submit(self.call, function, arguments)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; from any thread."""
        return asyncio.run_coroutine_threadsafe(_without_exit(coroutine), self._loop)

    def arguments(self, function: Function, value: Any, **context: Any) -> dict[str, Any]:
        """Return what a function is called with: trigger, durable clients, context."""
        arguments = {function.binding["name"]: value}
        for binding in function.bindings:
            if binding["name"] in function.client_names:
                arguments[binding["name"]] = self._client
        if function.takes_context:
            directory = str(self._app_directory)
            arguments["context"] = Context(function.name, directory, **context)
        return arguments

    def call(self, function: Function, arguments: Mapping[str, Any]) -> Any:
        """Call a function that is not async, on this thread."""
        try:
            result = function.call(**arguments)
        except SystemExit as error:
            raise _exited(error) from error
        if inspect.iscoroutine(result):  # an async function behind a decorator that is not
            return self.run(result).result()
        return result

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def _without_exit(coroutine: Coroutine[Any, Any, T]) -> T:
    """Keep a function that calls sys.exit() from ending the loop, and all others with it."""
    try:
        return await coroutine
    except SystemExit as error:
        raise _exited(error) from error


def _exited(error: SystemExit) -> RuntimeError:
    return RuntimeError(f"the function called sys.exit({error.code!r})")
