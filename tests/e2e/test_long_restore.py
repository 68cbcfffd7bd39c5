"""A restore of ten hours by the server's clock, while the host comes and goes."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path
from uuid import UUID

import pytest

from local.samples import SampleBackup, SampleDatabase
from local.sqlserver import Settings, serve
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState
from tests.e2e.world import World, details, guids, target_at, write

RESTARTS = 20
HOURS = 10
CLOCK_FACTOR = 600.0
# The restore takes a minute of real time here: an activity that waited for it would show.
LONGEST_ACTIVITY_S = 20.0
PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the test


@pytest.mark.timeout(280)
def test_ten_hours_across_twenty_restarts_of_the_host(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 a test's moments, no secret
    database = SampleDatabase("Huge", data_bytes=2_000_000)
    taken = [database.full(), database.log()]
    files = write(taken, tmp_path / "backups")
    settings = Settings(
        data=tmp_path / "sqlserver",
        password=PASSWORD,
        clock_factor=CLOCK_FACTOR,
        restore_speed=files[0].stat().st_size / 1e6 / (HOURS * 3600),
    )
    with serve(settings) as server:
        target = target_at(server, PASSWORD)
        with Stack(StackOptions(data=tmp_path / "stack", sql_server=target)) as stack:
            world = World(stack)
            world.upload("huge", files[:1])
            world.create("huge", "Huge")
            world.wait("huge", lambda p: "restoresWith" in p["migrationStatusDetails"])
            running = 0
            for _ in range(RESTARTS):
                time.sleep(chance.uniform(0.0, 0.5))
                world.sweep()
                stack.kill_host()
                stack.start_host()
                running += _runs(world)
            assert running >= RESTARTS / 2, "it was over before the host had come and gone"
            world.upload("huge", files[1:])
            # On a busy machine the full may be over before the log was looked at.
            shown = world.wait(
                "huge",
                lambda p: (
                    p["migrationStatus"] == "ReadyForCutover"
                    and p["migrationStatusDetails"]["restoredFiles"] == len(files)
                ),
                patience_s=150,
            )
            assert details(shown)["restoresWith"] == "Agent"
            assert guids(world.history("Huge")) == guids_of(taken)
            assert world.cutover("huge").status_code == 202
            world.wait_status("huge", "Succeeded")
            assert world.position("Huge").state is DatabaseState.ONLINE
            world.close()
        took = seconds_of_activities(tmp_path / "stack" / "host.log")
        assert {"restore_batch", "take_turn"} <= took.keys()
        assert max(took.values()) < LONGEST_ACTIVITY_S, took


def _runs(world: World) -> bool:
    target = world.target()
    try:
        batch = target.find_batch("Huge")
    finally:
        target.close()
    return batch is not None and batch.running


def guids_of(taken: list[SampleBackup]) -> list[UUID]:
    return [backup.header.backup_set_guid for backup in taken]


def seconds_of_activities(log: Path) -> dict[str, float]:
    """Return how long the longest run of each activity took, of all lives of the host.

    The host has a line for each that took longer than a moment; one that a kill cut off ran again.
    """
    took: dict[str, float] = {}
    line = re.compile(r"activity=(\S+) instance_id=\S+ duration_ms=([\d.]+)")
    for name, milliseconds in line.findall(log.read_text(encoding="utf-8")):
        took[name] = max(took.get(name, 0.0), float(milliseconds) / 1000)
    return took
