"""The server's time. It may run faster than the real one, so that hours take seconds.

Everything that lasts in the simulation - reading at a certain speed, a retry of a job - is given
in seconds of the simulated server; every moment and duration that it tells is of its own clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from time import monotonic

from local.sqlserver.engine.model import ClockBase


class Clock:
    """A clock that runs `factor` times as fast as the real one, also while the server is down.

    `base` fixes one moment of it: with the same base it goes on from where it was, whatever
    killed the server in between, and it is never set back.
    """

    def __init__(
        self,
        factor: float,
        base: ClockBase | None,
        real: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._real = real
        real_now = real()
        if base is None:
            simulated = real_now
        else:
            elapsed = max(real_now - base.real, timedelta())
            simulated = max(base.simulated + elapsed * base.factor, base.simulated)
        same = base is not None and base.factor == factor and base.real <= real_now
        self.base = (
            base if base and same else ClockBase(real=real_now, simulated=simulated, factor=factor)
        )
        self.factor = factor

    def now(self) -> datetime:
        """Return the server's local time, without a zone, as SQL Server's datetime has it."""
        return self.utc_now().astimezone().replace(tzinfo=None)

    def utc_now(self) -> datetime:
        """Return the server's time in UTC."""
        return self.base.simulated + (self._real() - self.base.real) * self.factor

    def seconds(self) -> float:
        """Return a number of seconds that only grows, for durations."""
        return monotonic() * self.factor

    def real_seconds(self, seconds: float) -> float:
        """Return how long the real clock goes while the server's goes so many seconds."""
        return seconds / self.factor
