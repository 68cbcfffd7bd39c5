"""How long Event Grid waits, and when it gives up."""

from __future__ import annotations

import random
from typing import Any

import pytest

from local.blob_events.retry import RetryPolicy, outcome

MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("failures", "status", "wait_s"),
    [
        (1, 500, 10),
        (2, 500, 30),
        (3, 500, MINUTE),
        (4, 500, 5 * MINUTE),
        (5, 500, 10 * MINUTE),
        (6, 500, 30 * MINUTE),
        (7, 500, HOUR),
        (8, 500, 3 * HOUR),
        (9, 500, 6 * HOUR),
        (10, 500, 12 * HOUR),
        (29, 500, 12 * HOUR),
        (1, None, 10),
        (1, 404, 5 * MINUTE),
        (5, 404, 10 * MINUTE),
        (1, 408, 2 * MINUTE),
        (1, 503, 30),
        (3, 503, MINUTE),
    ],
)
def test_waits_are_those_of_event_grid_and_a_little_more(
    failures: int, status: int | None, wait_s: float
) -> None:
    draw = random.Random(1)  # noqa: S311 no secret
    waits = [RetryPolicy().wait_s(failures, status, draw) for _ in range(100)]
    assert wait_s <= min(waits) < max(waits) <= 1.1 * wait_s
    assert max(waits) - min(waits) > 0.05 * wait_s
    quick = RetryPolicy(speed=100).wait_s(failures, status, draw)
    assert wait_s / 100 <= quick <= 1.1 * wait_s / 100


@pytest.mark.parametrize(
    ("failures", "status", "reason"),
    [
        (1, 400, "UndeliverableDueToHttpBadRequest"),
        (1, 401, "UndeliverableDueToHttpUnauthorized"),
        (1, 403, "UndeliverableDueToHttpForbidden"),
        (1, 413, "UndeliverableDueToHttpRequestEntityTooLarge"),
        (1, 404, None),
        (29, 500, None),
        (29, None, None),
        (30, 500, "MaxDeliveryAttemptsExceeded"),
        (30, None, "MaxDeliveryAttemptsExceeded"),
        (30, 400, "UndeliverableDueToHttpBadRequest"),
    ],
)
def test_it_gives_up(failures: int, status: int | None, reason: str | None) -> None:
    assert RetryPolicy().give_up(failures, status) == reason


def test_a_day_is_the_end_of_it() -> None:
    assert not RetryPolicy().is_expired(24 * HOUR)
    assert RetryPolicy().is_expired(24 * HOUR + 1)
    assert RetryPolicy(speed=HOUR).is_expired(25)
    assert RetryPolicy(time_to_live_s=MINUTE).is_expired(61)


@pytest.mark.parametrize(
    ("status", "word"),
    [(404, "NotFound"), (429, "Busy"), (503, "Busy"), (500, "GenericError"), (302, "GenericError")],
)
def test_outcomes_have_the_words_of_event_grid(status: int, word: str) -> None:
    assert outcome(status) == word


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": 31},
        {"time_to_live_s": 0},
        {"time_to_live_s": 25 * HOUR},
        {"speed": 0},
        {"speed": float("nan")},
    ],
)
def test_a_policy_that_no_subscription_can_have_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|within 24 hours"):
        RetryPolicy(**wrong)
