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

from azure.functions import Out

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
class RetryContext:
    """Which retry a run is; as `azure.functions.RetryContext`."""

    retry_count: int
    max_retry_count: int
    exception: Exception


@dataclass(frozen=True)
class Context:
    """What a function gets that declares a parameter `context`; as `azure.functions.Context`."""

    function_name: str
    function_directory: str
    trace_context: TraceContext = field(default_factory=TraceContext)
    retry_context: RetryContext | None = None
    invocation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    thread_local_storage: threading.local = field(default_factory=threading.local)


class Output(Out[Any]):
    """What a function gets to put its HTTP response into."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Take the value."""
        self._value = val

    def get(self) -> Any:
        """Return the value that was set last; None if none was."""
        return self._value


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
        self._stopping = False
        self._pool = Pool("function", threads)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="functions-loop", daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the loop; what runs on it ends where it is."""
        # From here on nobody wants to hear that the SDK leaves its HTTP session open.
        self._stopping = True
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
            arguments = self.arguments(function, value, **context)
            future = asyncio.wrap_future(self._submit(function, arguments))
            await asyncio.wait({future}, timeout=self._timeout_s)
            if not future.done():
                future.cancel()
                ending = "timed out"
                raise FunctionTimedOut(
                    f"Timeout value of {self._timeout_s:g} s exceeded by function '{function.name}'"
                )
            result = _result(future)
            ending = "succeeded"
            if function.answer_name is not None and result is None:
                return arguments[function.answer_name].get()
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

    def _submit(self, function: Function, arguments: Mapping[str, Any]) -> Future[Any]:
        if function.is_async:
            return self.run(function.call(**arguments))
        return self._pool.submit(self.call, function, arguments)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; from any thread."""
        return asyncio.run_coroutine_threadsafe(_contained(coroutine), self._loop)

    def arguments(self, function: Function, value: Any, **context: Any) -> dict[str, Any]:
        """Return what a function is called with: trigger, durable clients, context."""
        arguments = {function.binding["name"]: value}
        for binding in function.bindings:
            if binding["name"] in function.client_names:
                arguments[binding["name"]] = self._client
        if function.answer_name is not None:
            arguments[function.answer_name] = Output()
        if function.takes_context:
            directory = str(self._app_directory)
            arguments["context"] = Context(function.name, directory, **context)
        return arguments

    def call(self, function: Function, arguments: Mapping[str, Any]) -> Any:
        """Call a function that is not async, on this thread."""
        try:
            result = function.call(**arguments)
        except (SystemExit, KeyboardInterrupt, StopIteration) as error:
            raise _raised(error) from error
        if inspect.iscoroutine(result):  # an async function behind a decorator that is not
            return self.run(result).result()
        return result

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._stopping:
            self._run_loop()

    def _run_loop(self) -> None:
        try:
            self._loop.run_forever()
        except BaseException:  # of a task that the app made for itself; others must not suffer
            _LOG.exception("a task of the app tried to end the host")


async def _contained(coroutine: Coroutine[Any, Any, T]) -> T:
    """Keep a function that calls sys.exit() from ending the loop, and all others with it."""
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt) as error:
        raise _raised(error) from error


def _result(future: asyncio.Future[Any]) -> Any:
    """Return or raise what a function has; whatever it raises is its own failure only."""
    if future.cancelled():
        raise RuntimeError("the function cancelled itself")
    error = future.exception()
    if error is not None and not isinstance(error, Exception):
        raise _raised(error) from error
    return future.result()


def _raised(error: BaseException) -> RuntimeError:
    if isinstance(error, SystemExit):
        return RuntimeError(f"the function called sys.exit({error.code!r})")
    return RuntimeError(f"the function raised {type(error).__name__}: {error}")
