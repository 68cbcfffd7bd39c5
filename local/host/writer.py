"""The one thread that changes the hub, and the order in which things become true.

Messages from all other threads are taken as many at a time as there are, carried out in one
transaction, and only when that is on disk are its effects released: answers to callers, and work
for other threads. So nothing is visible before its commit, and a burst shares the cost of one.

A transaction that fails stops the host: what the hub says is then still right, and a restart goes
on from it. Only commands, which come from callers, may fail by themselves.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from datetime import datetime, timezone
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from local.host.errors import HubError
from local.host.hub import Hub

_LOG = logging.getLogger(__name__)
_MOST_MESSAGES = 500  # in one transaction, so that its callers do not wait long
_LONGEST_SLEEP_S = 60.0  # a clock that was set is noticed after this time

T = TypeVar("T")


class Part(Protocol):
    """A kind of work the writer drives. All of its methods are called on the writer's thread."""

    def recover(self) -> None:
        """Find in the hub what a previous process left undone."""

    def tick(self) -> None:
        """Carry out what the clock brings; within a transaction."""

    def dispatch(self) -> None:
        """Start work, after a commit."""

    def settle(self) -> None:
        """Put what is only in memory into the hub, and start no more work; in a transaction."""

    def next_due(self) -> float | None:
        """Return when `tick` has something to do, in seconds since the epoch."""

    def busy(self) -> int:
        """Return how many pieces of work other threads are at."""


def utc_now() -> datetime:
    """Return the time of the wall clock."""
    return datetime.now(timezone.utc)


class Writer:
    """Owns the hub from `start` to `stop`."""

    def __init__(self, hub: Hub, on_failure: Callable[[BaseException], None]) -> None:
        self._hub = hub
        self._on_failure = on_failure
        self._parts: Sequence[Part] = ()
        self._messages: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._effects: list[Callable[[], None]] = []
        self._promised: set[Future[Any]] = set()
        self._failure: BaseException | None = None
        self._draining = False
        self._idle = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="hub-writer", daemon=True)

    def start(self, parts: Sequence[Part]) -> None:
        """Recover what was left undone, and begin."""
        self._parts = parts
        self._thread.start()

    def post(self, message: Callable[[], None]) -> None:
        """Have `message` carried out within one of the next transactions. From any thread."""
        self._messages.put(message)

    def call(self, command: Callable[[], T]) -> Future[T]:
        """Have `command` carried out; the result is there when it is on disk. From any thread.

        An exception undoes the command, and nothing else.
        """
        future: Future[T] = Future()
        self._promised.add(future)
        future.add_done_callback(self._promised.discard)
        self.post(partial(self._carry_out, command, future))
        if self._failure is not None:
            self._break_promises(self._failure)
        return future

    def after_commit(self, effect: Callable[[], None]) -> None:
        """Have `effect` happen when this transaction is on disk. On the writer's thread."""
        self._effects.append(effect)

    def drain(self, timeout_s: float) -> bool:
        """Start no more work and wait for what runs. Returns whether all of it ended in time."""
        self.begin_drain()
        return self._idle.wait(timeout_s)

    def begin_drain(self) -> None:
        """Start no more work."""
        self.post(self._drain)

    @property
    def outstanding(self) -> int:
        """How many pieces of work other threads are at; exact only when draining."""
        return sum(part.busy() for part in self._parts)

    @property
    def is_draining(self) -> bool:
        """Whether no more work is started."""
        return self._draining

    def stop(self) -> None:
        """Carry out what was posted so far, then close the hub."""
        self.post(self._stop)
        self._thread.join()

    def _carry_out(self, command: Callable[[], T], future: Future[T]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            with self._hub.step():
                result = command()
        except Exception as error:  # handed to the caller, who knows what it means
            self._effects.append(partial(future.set_exception, error))
        else:
            self._effects.append(partial(future.set_result, result))

    def _drain(self) -> None:
        self._draining = True
        for part in self._parts:
            part.settle()

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        try:
            for part in self._parts:
                part.recover()
            self._dispatch()
            while not self._stopping:
                self._turn(self._receive())
            self._hub.close()
        except BaseException as error:
            _LOG.critical("the task hub cannot be written; the host stops", exc_info=True)
            self._failure = error
            self._break_promises(error)
            self._on_failure(error)

    def _break_promises(self, failure: BaseException) -> None:
        """Tell callers that nobody will answer them any more."""
        for future in list(self._promised):
            with contextlib.suppress(InvalidStateError):  # answered at the last moment
                future.set_exception(HubError(f"the task hub cannot be written: {failure}"))

    def _receive(self) -> list[Callable[[], None]]:
        """Wait for messages or the next thing that is due, and take all that have come."""
        due = [at for part in self._parts if (at := part.next_due()) is not None]
        wait = min([_LONGEST_SLEEP_S, *(at - time.time() for at in due)])
        messages = []
        try:
            messages.append(self._messages.get(timeout=max(wait, 0)))
            while len(messages) < _MOST_MESSAGES:
                messages.append(self._messages.get_nowait())
        except Empty:
            pass
        return messages

    def _turn(self, messages: Sequence[Callable[[], None]]) -> None:
        with self._hub.transaction():
            for message in messages:
                message()
            for part in self._parts:
                part.tick()
        effects, self._effects = self._effects, []
        for effect in effects:
            effect()
        self._dispatch()

    def _dispatch(self) -> None:
        if not self._draining:
            for part in self._parts:
                part.dispatch()
        elif not self.outstanding:
            self._idle.set()
