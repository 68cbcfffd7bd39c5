"""How long the planner takes for a long chain."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from bench.figures import Figure, Run
from local.samples import SampleBackup, SampleDatabase
from shared.backupset import BackupSet
from shared.chain import plan_restore


def measure(run: Run) -> Iterator[Figure]:
    """Yield the time of planning from nothing, in whatever order the backups are known."""
    logs = run.much(10_000, 100)
    run.say(f"taking {logs} sample logs")
    database = SampleDatabase("Planned", data_bytes=100_000)
    sets = [_known(one) for one in (database.full(), *(database.log() for _ in range(logs)))]
    random.Random(1).shuffle(sets)  # noqa: S311 an order, no secret
    times = []
    for number in range(run.runs):
        run.say(f"run {number + 1} of {run.runs}")
        begin = time.perf_counter()
        plan = plan_restore(sets)
        times.append((time.perf_counter() - begin) * 1000)
        if len(plan.steps) != logs + 1:
            raise RuntimeError(f"the plan has {len(plan.steps)} steps, expected {logs + 1}")
    yield Figure(f"plan of a full backup and {logs:,} logs", "ms", times)


def _known(backup: SampleBackup) -> BackupSet:
    return BackupSet.of(backup.header, backup.labels[0], backup.file_names[0])
