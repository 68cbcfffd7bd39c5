"""Retry policies: how often a run that failed is tried again, and after how long. Pure.

Source: Microsoft Learn, "Azure Functions error handling and retries", retry policies. Of the
triggers here only the timer has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.host.settings import parse_time_span


@dataclass(frozen=True)
class RetryPolicy:
    """At most so many retries, or without end if it is negative.

    Waits double from the first to the longest.
    """

    most: int
    first_wait_s: float
    longest_wait_s: float

    def wait_s(self, retries: int) -> float | None:
        """Return how long to wait after so many retries, or None when there is no other."""
        if 0 <= self.most <= retries:
            return None
        return min(self.first_wait_s * 2.0 ** min(retries, 60), self.longest_wait_s)


def parse_retry_policy(settings: Mapping[str, Any]) -> RetryPolicy | None:
    """Read what the SDK says of `@app.retry`; without it a function is not tried again.

    Raises:
        ValueError: it is not valid; the text says why.
    """
    if not settings:
        return None
    strategy = str(settings.get("strategy", ""))
    names = {
        "fixed_delay": ("delay_interval", "delay_interval"),
        "exponential_backoff": ("minimum_interval", "maximum_interval"),
    }
    if strategy not in names:
        raise ValueError(f"retry strategy {strategy!r} is none of {', '.join(names)}")
    first, longest = (parse_time_span(str(settings.get(name, ""))) for name in names[strategy])
    return RetryPolicy(int(settings.get("max_retry_count", "")), first, longest)
