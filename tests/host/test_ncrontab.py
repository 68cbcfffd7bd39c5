"""Schedules of timer triggers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.ncrontab import parse_schedule

_START = "2026-11-22T20:15:30"


@pytest.mark.parametrize(
    ("schedule", "following"),
    [
        ("0 */5 * * * *", "2026-11-22T20:20:00"),
        ("*/15 * * * * *", "2026-11-22T20:15:45"),
        ("0 0 * * * *", "2026-11-22T21:00:00"),
        ("*/5 * * * *", "2026-11-22T20:20:00"),
        ("0 30 9 * * MON-FRI", "2026-11-23T09:30:00"),
        ("0 30 9 * * Monday", "2026-11-23T09:30:00"),
        ("0 0 0 1 January *", "2027-01-01T00:00:00"),
        ("0 0 9-17/4 * * *", "2026-11-23T09:00:00"),
        ("0 5,10,55 * * * *", "2026-11-22T20:55:00"),
        ("0 0 0 13 * 5", "2027-08-13T00:00:00"),  # both day fields must fit: a Friday the 13th
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 * * 0", "2026-11-29T00:00:00"),
        ("00:05:00", "2026-11-22T20:20:30"),
        ("1.00:00:00", "2026-11-23T20:15:30"),
    ],
)
def test_next_run(schedule: str, following: str) -> None:
    start = datetime.fromisoformat(_START).replace(tzinfo=timezone.utc)
    expected = datetime.fromisoformat(following).replace(tzinfo=timezone.utc)
    assert parse_schedule(schedule)(start) == expected


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "daily",
        "@daily",
        "* * * *",
        "* * * * * * *",
        "0 0 0 30 2 *",
        "0 60 * * * *",
        "0 0 0 L * *",
        "0 0 0 ? * *",
        "0 0 0 * * 1#2",
        "00:00:00",
        "12:00",
        "H * * * * *",
    ],
)
def test_schedule_that_is_none(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"is no (schedule|time)"):
        parse_schedule(schedule)


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["0 */7 3-9 * * *", "30 0 12 1,15 * *", "*/20 59 23 * 12 SUN", "00:01:30"]),
)
def test_runs_follow_each_other(second: int, schedule: str) -> None:
    start = datetime.fromtimestamp(second, timezone.utc)
    next_run = parse_schedule(schedule)
    first = next_run(start)
    assert first > start
    assert next_run(first) > first
    assert next_run(first - timedelta(seconds=1)) == first or ":" in schedule
