"""Histories as people read them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backhaul.host_client import read_instance
from backhaul.host_table import instance_history
from local.host.timeline import show_duration, timeline
from tests.backhaul import golden

DOCUMENT = json.loads((Path(__file__).parent / "data" / "timeline.json").read_text())

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
_names = ["Timestamp", "ScheduledTime", "Name", "Input", "Reason", "FireAt", "Result", "InstanceId"]
_kinds = [event["EventType"] for event in DOCUMENT["historyEvents"]]
_events = st.fixed_dictionaries(
    {"EventType": st.sampled_from(_kinds) | _json},
    optional=dict.fromkeys(_names, _json),
)


def test_history_reads_as_a_timeline() -> None:
    now = datetime(2026, 3, 1, 5, 10, tzinfo=timezone.utc)
    shown = golden.rendered(instance_history(read_instance(DOCUMENT), now))
    golden.check("host-history.txt", shown)


def test_timeline_is_in_the_order_of_beginnings() -> None:
    entries = timeline(DOCUMENT["historyEvents"])
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    failed = [(entry.what, entry.name) for entry in entries if entry.state == "failed"]
    assert failed == [("sub-orchestration", "validate"), ("activity", "recover"), ("failed", "")]
    assert [entry.name for entry in entries if entry.state == "open"] == [
        "to 2026-03-01T06:02:00Z",
        "restore",
    ]


@given(st.lists(_events, max_size=5))
def test_odd_histories_are_shown_too(events: list[dict[str, object]]) -> None:
    entries = timeline(events)
    assert len(entries) == len(events)
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    instance = read_instance({**DOCUMENT, "historyEvents": events})
    golden.rendered(instance_history(instance, now))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0 ms"),
        (0.0351, "35 ms"),
        (0.9999, "1.0 s"),
        (1.24, "1.2 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (312, "5 min 12 s"),
        (11_220, "3 h 07 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert show_duration(timedelta(seconds=seconds)) == shown
