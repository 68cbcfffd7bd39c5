"""Carries out faults: those of a RESTORE while it runs, and those that hit the whole instance."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from local.sqlserver.engine.faults import Fault, FaultKind
from local.sqlserver.engine.sessions import Request, Session, Stop
from local.sqlserver.errors import SqlError, not_simulated

if TYPE_CHECKING:
    # The instance carries out faults itself, too.
    from local.sqlserver.engine.instance import Instance


class Power(Protocol):
    """Ends the server as a crash does; with `down_s` it comes back after so many real seconds."""

    def __call__(self, down_s: float | None) -> None:
        """Return at once; the end comes from outside."""
        ...


class RestoreFaults:
    """What may strike one RESTORE. `speed` is what a fault has slowed its reading to, in MB/s."""

    def __init__(
        self, instance: Instance, session: Session, request: Request, database: str, device: str
    ) -> None:
        self._instance, self._session, self._request = instance, session, request
        self._about = {
            "database": database,
            "device": device,
            "login": session.login,
            "session": str(session.session_id),
        }
        self._pending = instance.faults.of_restore(instance.next_id("restores"), database)
        self.speed: float | None = None

    def begin(self) -> None:
        """Let strike what strikes before anything is checked; raises SqlError or Aborted."""
        self._strike(lambda fault: fault.percent is None)

    def reached(self, percent: float) -> None:
        """Let strike what was to strike up to here; raises SqlError or Aborted."""
        self._strike(lambda fault: fault.percent is not None and fault.percent <= percent)

    def _strike(self, is_due: Callable[[Fault], bool]) -> None:
        for record in [r for r in self._pending if is_due(r.fault)]:
            self._pending.remove(record)
            if self._instance.faults.spend(record):
                self._carry_out(record.fault)

    def _carry_out(self, fault: Fault) -> None:
        if fault.do is FaultKind.ERROR:
            raise SqlError(fault.diagnostic(**self._about))
        if fault.do is FaultKind.SLOW:
            self.speed = fault.speed
        elif fault.do is FaultKind.DROP_CONNECTION:
            self._session.disconnect()
            self._request.await_stop()
        elif fault.do is FaultKind.KILL:
            self._request.abort(Stop.KILL)
            self._request.checkpoint()
        else:
            strike(self._instance, fault, self._about["database"])
            if fault.do in (FaultKind.RESTART, FaultKind.DIE):
                self._request.await_stop()


def strike(instance: Instance, fault: Fault, database: str = "") -> None:
    """Carry out a fault that hits more than one RESTORE."""
    _STRIKES[fault.do](instance, fault, fault.database or database)


def _fill_disk(instance: Instance, fault: Fault, database: str) -> None:
    del database
    instance.volumes.fill(fault.seconds)


def _refuse_logins(instance: Instance, fault: Fault, database: str) -> None:
    del database
    instance.faults.refuse_logins(fault)


def _drop_connections(instance: Instance, fault: Fault, database: str) -> None:
    """Lose the network: every client is cut off, jobs go on."""
    del fault, database
    for session in instance.sessions.list():
        if not session.is_internal:
            session.disconnect()


def _end(instance: Instance, fault: Fault, database: str) -> None:
    del database
    if instance.power is None:
        raise not_simulated("the end of a server that is no process")
    dies = fault.do is FaultKind.DIE
    instance.power(None if dies else instance.clock.real_seconds(fault.seconds or 0.0))


def _corrupt(instance: Instance, fault: Fault, database: str) -> None:
    del fault
    instance.damage(database, is_corrupt=True)


def _lose_standby(instance: Instance, fault: Fault, database: str) -> None:
    del fault
    instance.damage(database, standby_is_lost=True)


def _stop_agent(instance: Instance, fault: Fault, database: str) -> None:
    """Stop the Agent in a thread of its own: the one that calls may be that of a job."""
    del database

    def stop() -> None:
        instance.agent.stop_service()
        if fault.seconds is not None:
            wait = instance.clock.real_seconds(fault.seconds)
            back = threading.Timer(wait, instance.start_agent)
            back.daemon = True
            back.start()

    threading.Thread(target=stop, daemon=True, name="Agent stops").start()


_STRIKES: dict[FaultKind, Callable[[Instance, Fault, str], None]] = {
    FaultKind.FULL_DISK: _fill_disk,
    FaultKind.REFUSE_LOGINS: _refuse_logins,
    FaultKind.DROP_CONNECTIONS: _drop_connections,
    FaultKind.RESTART: _end,
    FaultKind.DIE: _end,
    FaultKind.STOP_AGENT: _stop_agent,
    FaultKind.CORRUPT: _corrupt,
    FaultKind.LOSE_STANDBY: _lose_standby,
}
