"""A restore of ten hours by the server's clock, while the host comes and goes."""

from __future__ import annotations

import random
import time
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from local.samples import SampleBackup, SampleDatabase
from local.sqlserver import Settings, serve
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState
from tests.e2e.world import Json, World, details, guids, write

RESTARTS = 20
HOURS = 10
CLOCK_FACTOR = 600.0
LONGEST_ACTIVITY_S = 60.0
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
        target = {
            "server": "127.0.0.1",
            "port": server.port,
            "user": "sa",
            "password": PASSWORD,
            "trust_server_certificate": True,
        }
        with Stack(StackOptions(data=tmp_path / "stack", sql_server=target)) as stack:
            world = World(stack)
            world.upload("huge", files[:1])
            world.create("huge", "Huge")
            world.wait("huge", lambda p: "restoresWith" in p["migrationStatusDetails"])
            longest, running = 0.0, 0
            for _ in range(RESTARTS):
                time.sleep(chance.uniform(0.0, 0.5))
                world.sweep()
                longest = max(longest, longest_activity(world.durable("huge", showHistory="true")))
                stack.kill_host()
                stack.start_host()
                running += _runs(world)
            assert running >= RESTARTS / 2, "it was over before the host had come and gone"
            world.upload("huge", files[1:])
            shown = world.wait_status("huge", "ReadyForCutover", patience_s=150)
            assert details(shown)["restoresWith"] == "Agent"
            assert guids(world.history("Huge")) == guids_of(taken)
            assert longest < LONGEST_ACTIVITY_S
            assert world.cutover("huge").status_code == 202
            world.wait_status("huge", "Succeeded")
            assert world.position("Huge").state is DatabaseState.ONLINE
            world.close()


def _runs(world: World) -> bool:
    target = world.target()
    try:
        batch = target.find_batch("Huge")
    finally:
        target.close()
    return batch is not None and batch.running


def guids_of(taken: list[SampleBackup]) -> list[UUID]:
    return [backup.header.backup_set_guid for backup in taken]


def longest_activity(instance: Json) -> float:
    """Return how long the longest activity of an instance took, retries and waiting included."""
    took = [
        (_moment(event["Timestamp"]) - _moment(event["ScheduledTime"])).total_seconds()
        for event in instance.get("historyEvents", ())
        if event["EventType"] == "TaskCompleted" and "ScheduledTime" in event
    ]
    return max(took, default=0.0)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text[:19])
