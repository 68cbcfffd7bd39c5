"""Telling those who wait for an instance that it has ended."""

from __future__ import annotations

import threading
from concurrent.futures import Future


class Endings:
    """Who waits for the end of which instance. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future[None]]] = {}

    def expect(self, instance_id: str) -> Future[None]:
        """Return what is done when the instance ends the next time; it may have ended before.

        A future that nobody waits for any more is to be cancelled.
        """
        ending: Future[None] = Future()
        with self._lock:
            self._waiting.setdefault(instance_id, []).append(ending)
        ending.add_done_callback(lambda done: self._forget(instance_id, done))
        return ending

    def tell(self, instance_id: str) -> None:
        """Say that the end of the instance is on disk."""
        with self._lock:
            endings = self._waiting.pop(instance_id, [])
        for ending in endings:
            if ending.set_running_or_notify_cancel():
                ending.set_result(None)

    def _forget(self, instance_id: str, ending: Future[None]) -> None:
        with self._lock:
            waiting = self._waiting.get(instance_id, [])
            if ending in waiting:
                waiting.remove(ending)
            if not waiting:
                self._waiting.pop(instance_id, None)
