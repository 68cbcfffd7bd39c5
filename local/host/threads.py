"""Threads that never keep the process from ending.

`concurrent.futures.ThreadPoolExecutor` waits for its threads when the interpreter exits; a function
that hangs would then hang the host, which must be able to stop within its grace time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

_LOG = logging.getLogger(__name__)

T = TypeVar("T")
_Job = tuple[Callable[..., Any], tuple[Any, ...]]


class Pool:
    """At most `size` daemon threads, made as they are needed."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Call `function` on a thread of the pool, as soon as one is free."""
        future: Future[T] = Future()
        self.run(_fulfil, future, function, arguments)
        return future

    def run(self, function: Callable[..., None], *arguments: Any) -> None:
        """As `submit`, for work that reports by itself; what it raises is only logged."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._threads < self._size:
                self._threads += 1
                threading.Thread(
                    target=self._work, name=f"{self._name}-{self._threads}", daemon=True
                ).start()
        self._jobs.put((function, arguments))

    def _work(self) -> None:
        while True:
            function, arguments = self._jobs.get()
            try:
                function(*arguments)
            except BaseException:
                _LOG.critical("function=%r raised", function, exc_info=True)
            del function, arguments  # an idle thread keeps nothing alive
            with self._lock:
                self._idle += 1


def _fulfil(future: Future[T], function: Callable[..., T], arguments: tuple[Any, ...]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*arguments)
    except BaseException as error:  # even sys.exit() ends the call, not the thread
        future.set_exception(error)
    else:
        future.set_result(result)
