"""A damaged backup is found when it arrives, not when it is restored."""

from __future__ import annotations

import random
from pathlib import Path

from local.samples import SampleDatabase
from tests.e2e.world import World, details, write
from tests.verification.running import turned, victims

CHANCE = random.Random(7)  # noqa: S311 tests, no secret


def test_a_flipped_bit_is_found_on_arrival_and_nothing_of_it_restored(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Flipped")
    full, log = write([database.full(), database.log()], tmp_path)
    world.create("flipped", "Flipped", verify="data")
    whole = full.read_bytes()
    victim = next(victim for victim in victims(whole) if victim.kind == "sum")
    world.put(f"flipped/{full.name}", bytes(turned(whole, victim, CHANCE)))
    world.upload("flipped", [log])
    shown = world.wait("flipped", lambda p: p["migrationStatusDetails"]["unrestorableFiles"] == 1)
    (damaged,) = details(shown)["invalidFileDetails"]
    assert (damaged["fileName"], damaged["reasonCode"]) == (full.name, "BackupDamaged")
    assert "offset" in damaged["reason"]
    world.wait(
        "flipped",
        lambda p: (
            p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "FullBackupMissing"
        ),
    )
    assert world.history("Flipped") == []

    world.upload("flipped", [full])
    shown = world.wait_status("flipped", "ReadyForCutover")
    files = [f for s in details(shown)["activeBackupSets"] for f in s["listOfBackupFiles"]]
    assert {file["verified"] for file in files} == {"data"}
    assert shown["properties"]["verify"] == "data"
