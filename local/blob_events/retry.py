"""What Event Grid does after an attempt to deliver an event: values in, values out.

Sources: Microsoft Learn, "Event Grid message delivery and retry" (waits, limits, which statuses are
final) and "Monitor Event Grid message delivery" (words for outcomes). The words for 403 and 413 are
made as the published ones are, from the names that .NET has for the statuses.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

DELIVERED = range(200, 205)
MAX_ATTEMPTS_EXCEEDED = "MaxDeliveryAttemptsExceeded"
TIME_TO_LIVE_EXCEEDED = "TimeToLiveExceeded"

_MINUTE, _HOUR = 60.0, 3600.0
_WAITS_S = (
    *(10.0, 30.0, _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR),
)
"""Waits after the first, second ... failure; the last one is repeated."""

_LEAST_WAIT_S = {404: 5 * _MINUTE, 408: 2 * _MINUTE, 503: 30.0}
_FINAL = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    413: "RequestEntityTooLarge",
}
"""What another attempt would not change, for a webhook."""

_OUTCOMES = {**_FINAL, 404: "NotFound", 408: "TimedOut", 429: "Busy", 503: "Busy"}
_JITTER = 0.1


@dataclass(frozen=True)
class RetryPolicy:
    """How long an event is tried: what a subscription can be told.

    Args:
        attempts: how many in all, at most 30.
        time_to_live_s: for so long after it was published, at most a day; looked at only when the
            next attempt is due.
        speed: everything goes so many times faster than in Azure, for tests.
    """

    attempts: int = 30
    time_to_live_s: float = 24 * _HOUR
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not (1 <= self.attempts <= 30 and 0 < self.time_to_live_s <= 24 * _HOUR):
            raise ValueError(
                "an event is tried 1 to 30 times within 24 hours; seen: "
                f"attempts={self.attempts}, time_to_live_s={self.time_to_live_s}"
            )
        if not 0 < self.speed <= 100_000:
            raise ValueError(f"speed is {self.speed}, expected a factor from 0 to 100000")

    def wait_s(self, failures: int, status: int | None, draw: random.Random) -> float:
        """Return how long to wait after so many failures; `status` is the last answer's."""
        wait = _WAITS_S[min(failures, len(_WAITS_S)) - 1]
        wait = max(wait, _LEAST_WAIT_S.get(status or 0, 0))
        return wait * draw.uniform(1, 1 + _JITTER) / self.speed

    def give_up(self, failures: int, status: int | None) -> str | None:
        """Return why there is no other attempt after this answer, or None if there is one."""
        if status in _FINAL:
            return f"UndeliverableDueToHttp{_FINAL[status]}"
        return MAX_ATTEMPTS_EXCEEDED if failures >= self.attempts else None

    def is_expired(self, age_s: float) -> bool:
        """Tell whether an event that was published so long ago is not tried any more."""
        return age_s * self.speed > self.time_to_live_s


def outcome(status: int) -> str:
    """Return Event Grid's word for an answer that is no success."""
    return _OUTCOMES.get(status, "GenericError")
