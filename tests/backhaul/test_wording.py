from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from backhaul import wording


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (1536, "1.5 KB"),
        (102400, "100 KB"),
        (1023 * 1024, "1.0 MB"),
        (5 * 1024**3, "5.0 GB"),
        (5000 * 1024**4, "5000 TB"),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert wording.size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (86399, "23 h 59 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert wording.duration(timedelta(seconds=seconds)) == words


def test_times() -> None:
    local = datetime(2026, 3, 1, 2, 15, 0, 999)  # noqa: DTZ001 a backup's own date
    assert wording.moment(local) == "2026-03-01 02:15:00"
    assert wording.moment(local.replace(tzinfo=timezone.utc)) == "2026-03-01 02:15:00Z"
    assert wording.moment(None) == "-"


def test_counts() -> None:
    assert [wording.count(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
