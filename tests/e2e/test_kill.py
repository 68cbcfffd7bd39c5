"""The host dies at any moment and comes back: the migration completes, nothing is done twice."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import httpx
import pytest

from local.blob_events import RetryPolicy
from local.samples import SampleDatabase
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState
from tests.e2e.world import World, details, guids, shuffled, write

KILLS = 10
LOGS = 40


@pytest.mark.timeout(280)
def test_a_host_killed_ten_times_completes_the_migration_and_restores_nothing_twice(
    tmp_path: Path,
) -> None:
    chance = random.Random(20261122)  # noqa: S311 a test's moments, no secret
    database = SampleDatabase("Survivor", data_bytes=4_000_000)
    taken = [database.full(stripes=2), *(database.log() for _ in range(LOGS // 2))]
    taken += [database.differential(), *(database.log() for _ in range(LOGS // 2))]
    files = shuffled(write(taken, tmp_path / "backups"), seed=3)

    # Slow enough that the kills fall into validations, restores and the moments between.
    # Retries come sooner than Event Grid's, or most of the time would go into waiting for them.
    quick = RetryPolicy(speed=20)
    options = StackOptions(data=tmp_path / "stack", restore_speed=4.0, retry=quick)
    with Stack(options) as stack:
        world = World(stack)
        world.upload("survivor", files[: len(files) // 2])
        for number in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.5))
            stack.kill_host()
            if number == KILLS // 2:
                world.upload("survivor", files[len(files) // 2 :])
            stack.start_host()
        shown = _wait_ready(world, files=len(files))
        assert details(shown)["unrestorableFiles"] == 0
        _cut_over_through_kills(stack, world, chance)
        shown = world.wait_status("survivor", "Succeeded")

        history = guids(world.history("Survivor"))
        assert len(history) == len(set(history)), "something was restored twice"
        recorded = [s for s in details(shown)["activeBackupSets"] if s["isBackupRestored"]]
        assert len(recorded) == len(history)
        assert world.position("Survivor").state is DatabaseState.ONLINE
        assert details(shown)["restoredUpTo"]["lastLSN"] == str(taken[-1].header.last_lsn)
        world.close()


def _wait_ready(world: World, files: int) -> dict[str, object]:
    return world.wait(
        "survivor",
        lambda p: (
            p["migrationStatus"] == "ReadyForCutover"
            and p["migrationStatusDetails"]["detectedFiles"] == files
        ),
        patience_s=120,
    )


def _cut_over_through_kills(stack: Stack, world: World, chance: random.Random) -> None:
    """Raise the cutover, killing the host around it; the request is repeated until it is taken."""
    for _ in range(3):
        with contextlib.suppress(httpx.TransportError):
            assert world.cutover("survivor").status_code in (202, 409)
        time.sleep(chance.uniform(0.0, 0.2))
        stack.kill_host()
        stack.start_host()
    if world.show("survivor")["properties"]["migrationStatus"] == "ReadyForCutover":
        world.cutover("survivor")
