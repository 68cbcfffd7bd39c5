"""200 logs of one database in one run: short histories, and the same work for each log."""

from __future__ import annotations

import statistics
import time
from itertools import pairwise
from pathlib import Path

from local.samples import SampleDatabase
from tests.e2e.world import World, details, shuffled, write

LOGS = 200
MOST_EVENTS = 500


def test_two_hundred_logs_keep_the_history_short(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Many", data_bytes=200_000)
    files = write([database.full(), *(database.log() for _ in range(LOGS))], tmp_path)
    world.upload("many", shuffled(files, seed=1))
    world.wait_checked("many")
    world.create("many", "Many")

    longest = 0
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        status = world.durable("many", showHistory="true")
        longest = max(longest, len(status.get("historyEvents", ())))
        if (status.get("customStatus") or {}).get("restoredSets") == LOGS + 1:
            break
        time.sleep(0.2)
    assert 0 < longest < MOST_EVENTS

    shown = world.wait_status("many", "ReadyForCutover")
    times = sorted(
        _seconds(s["restoreFinishDate"])
        for s in details(shown)["activeBackupSets"]
        if s["isBackupRestored"]
    )
    assert len(times) == LOGS + 1
    # The same work for each log. Told, not asserted: the machine may be busy.
    each = [after - before for before, after in pairwise(times[1:])]
    first, last = (statistics.median(part) * 1000 for part in (each[:50], each[-50:]))
    figures = f"{longest} events; first fifty logs {first:.0f} ms each, last fifty {last:.0f} ms"
    print(figures)  # noqa: T201 the figure is what this test is for, shown by pytest -s


def _seconds(stamp: str) -> float:
    hours, minutes, rest = stamp[11:].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)
