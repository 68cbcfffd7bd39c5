"""Who is connected and what runs: sessions and their requests. No sockets."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from local.sqlserver.engine.clock import Clock
from local.sqlserver.errors import Aborted, refuse

MASTER = "master"
_STOP_LIMIT_S = 60.0
_FIRST_SESSION = 51
"""User sessions begin here; lower ids are the system's own."""


class Stop(Enum):
    """Why a running request is stopped."""

    ATTENTION = "the client sent an attention"
    DISCONNECT = "the client is gone"
    KILL = "the session was killed"
    SHUTDOWN = "the server stops"


@dataclass
class Request:
    """What a session runs right now: a row of sys.dm_exec_requests.

    Worked on by one thread, stopped from any. `percent` is what RESTORE has done of its reading.
    Seconds are those of the server's clock. `text` is the batch, for sys.dm_exec_sql_text.
    """

    clock: Clock
    started: datetime
    text: str = ""
    command: str = "SELECT"
    database_id: int = 1
    percent: float = 0.0
    stop: Stop | None = None
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)
    _began: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Note when it began."""
        self._began = self.clock.seconds()

    @property
    def sql_handle(self) -> bytes:
        """The handle of the batch, for sys.dm_exec_sql_text."""
        return b"\x02\0\0\0" + hashlib.sha256(self.text.encode("utf-8", "replace")).digest()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the request began."""
        return self.clock.seconds() - self._began

    @property
    def remaining_s(self) -> float:
        """Estimate of the seconds that a RESTORE still takes; 0 when nothing is known."""
        if not 0 < self.percent < 100:
            return 0.0
        return self.elapsed_s * (100 - self.percent) / self.percent

    def abort(self, why: Stop) -> None:
        """Ask the working thread to stop at its next checkpoint; the first reason counts."""
        self.stop = self.stop or why
        self._stopped.set()

    def await_stop(self) -> None:
        """Wait until the request is stopped from outside; raises Aborted."""
        self._stopped.wait(_STOP_LIMIT_S)
        raise Aborted(self.stop)

    def checkpoint(self, wait_s: float = 0.0) -> None:
        """Let time pass; raises Aborted as soon as the request is to be stopped."""
        if wait_s > 0:
            self._stopped.wait(self.clock.real_seconds(wait_s))
        if self._stopped.is_set():
            raise Aborted(self.stop)


@dataclass
class Session:
    """A connection that has logged in. Changed only by the thread that runs its request.

    `disconnect` ends the connection from outside; it is safe to call from any thread.
    """

    session_id: int
    login: str
    host: str
    application: str
    login_time: datetime
    disconnect: Callable[[], None] = field(repr=False)
    database_id: int = 1
    database: str = MASTER
    transaction: bytes | None = None
    implicit_transactions: bool = False
    request: Request | None = None
    is_internal: bool = False
    last_request: datetime | None = None

    @property
    def in_transaction(self) -> bool:
        """Whether a statement that may not be in a transaction would be in one."""
        return self.transaction is not None or self.implicit_transactions


class Sessions:
    """All sessions by id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[int, Session] = {}

    def open(
        self,
        *,
        login: str,
        host: str,
        application: str,
        now: datetime,
        disconnect: Callable[[], None],
        is_internal: bool = False,
    ) -> Session:
        """Add a session under the lowest id that is free; SQL Server Agent's is internal."""
        with self._lock:
            session_id = _FIRST_SESSION
            while session_id in self._by_id:
                session_id += 1
            session = Session(session_id, login, host, application, now, disconnect)
            session.is_internal = is_internal
            self._by_id[session_id] = session
            return session

    def close(self, session: Session) -> None:
        """Remove a session."""
        with self._lock:
            self._by_id.pop(session.session_id, None)

    def list(self) -> list[Session]:
        """Return all sessions in order of their ids."""
        with self._lock:
            return [self._by_id[key] for key in sorted(self._by_id)]

    def occupants(self, database_id: int) -> set[int]:
        """Return the ids of the sessions whose current database this is."""
        return {s.session_id for s in self.list() if s.database_id == database_id}

    def kill(self, session_id: int, by: Session) -> None:
        """End a session as KILL does: what it runs is rolled back, then it is disconnected.

        Raises SqlError 6101, 6104, 6106 or 6107.
        """
        if session_id == by.session_id:
            raise refuse(6104)
        if session_id <= 0 or session_id > 32767:
            raise refuse(6101, session_id)
        if session_id < _FIRST_SESSION:
            raise refuse(6107)
        with self._lock:
            victim = self._by_id.get(session_id)
        if victim is None:
            raise refuse(6106, session_id)
        if request := victim.request:
            request.abort(Stop.KILL)
        else:
            victim.disconnect()
