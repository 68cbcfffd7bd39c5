"""Schedules of timer triggers."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.ncrontab import parse_schedule

CASES = json.loads((Path(__file__).parent / "data" / "ncrontab.json").read_text())
START = datetime.fromisoformat(CASES["from"]).replace(tzinfo=timezone.utc)

_spans = st.tuples(st.integers(0, 23), st.integers(0, 23))
_hours = st.lists(
    st.one_of(
        st.integers(0, 23).map(str),
        _spans.map(lambda span: f"{span[0]}-{span[1]}"),
        st.tuples(_spans, st.integers(1, 9)).map(lambda one: f"{one[0][0]}-{one[0][1]}/{one[1]}"),
    ),
    min_size=1,
    max_size=4,
).map(",".join)


@pytest.mark.parametrize(("schedule", "following"), CASES["next"])
def test_next_run(schedule: str, following: str) -> None:
    expected = datetime.fromisoformat(following).replace(tzinfo=timezone.utc)
    assert parse_schedule(schedule).next_run(START) == expected


@pytest.mark.parametrize("schedule", CASES["none"])
def test_schedule_that_is_none(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"is no (schedule|time)"):
        parse_schedule(schedule)


def test_hostile_schedule_costs_little() -> None:
    begin = time.process_time()
    with pytest.raises(ValueError, match="of 200000 characters"):
        parse_schedule("1," * 100_000)
    for text in ("0 0 0 31 2,4,6,9,11 *", "0 0 0 30 2 1"):
        with pytest.raises(ValueError, match="never comes to pass"):
            parse_schedule(text)
    assert time.process_time() - begin < 1


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["0 */7 3-9 * * *", "30 0 12 1,15 * *", "*/20 59 23 * 12 SUN", "00:01:30"]),
)
def test_runs_follow_each_other(second: int, text: str) -> None:
    start = datetime.fromtimestamp(second, timezone.utc)
    schedule = parse_schedule(text)
    first = schedule.next_run(start)
    assert first > start
    assert schedule.next_run(first) > first
    assert schedule.next_run(first - timedelta(seconds=1)) == first or ":" in text


@given(_hours, st.integers(0, 10**9))
def test_hours_are_those_that_a_look_at_each_hour_finds(hours: str, second: int) -> None:
    """Against the rules written down once more, for one field, as plainly as can be."""

    def fits(hour: int) -> bool:
        for item in hours.split(","):
            span, _, step = item.partition("/")
            ends = sorted(map(int, span.split("-")))
            if ends[0] <= hour <= ends[-1] and (hour - ends[0]) % int(step or 1) == 0:
                return True
        return False

    start = datetime.fromtimestamp(second, timezone.utc)
    looked_at = start.replace(minute=0, second=0)
    while not (looked_at > start and fits(looked_at.hour)):
        looked_at += timedelta(hours=1)
    assert parse_schedule(f"0 0 {hours} * * *").next_run(start) == looked_at
