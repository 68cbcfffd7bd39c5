"""A mistake on the source: what is held back or stopped before never reaches the target."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from local.samples import SampleDatabase
from shared.chain import DatabaseState
from shared.settings import Settings
from shared.workplace import Workplace
from tests.e2e.world import World, details, guids, write


def test_a_cutover_stops_before_a_mistake_and_waits_for_the_log_that_holds_it(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Mistake")
    taken = [database.full(), *(database.log() for _ in range(3))]
    full, first, second, third = write(taken, tmp_path)
    world.upload("mistake", [full, first])
    world.create("mistake", "Mistake")
    world.wait_status("mistake", "ReadyForCutover")

    finish = taken[1].header.backup_finish_date
    begin = taken[2].header.backup_start_date
    assert finish
    assert begin
    passed = world.cutover("mistake", stopAt={"lsn": "1"})
    assert passed.status_code == 409
    assert passed.json()["error"]["code"] == "StopPointNotPossible"
    moment = (finish + (begin - finish) / 2).isoformat()
    accepted = world.cutover("mistake", stopAt={"time": moment})
    assert accepted.status_code == 202, accepted.text
    shown = world.wait(
        "mistake",
        lambda p: (
            p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "StopPointNotReached"
        ),
    )
    assert first.name in details(shown)["restoreBlockingReason"]
    assert world.position("Mistake").state is DatabaseState.RESTORING

    world.upload("mistake", [third, second])
    shown = world.wait_status("mistake", "Succeeded")
    assert guids(world.history("Mistake")) == [b.header.backup_set_guid for b in taken[:3]]
    assert details(shown)["cutoverStop"]["reached"] is True
    assert world.position("Mistake").state is DatabaseState.ONLINE


def test_a_migration_wakes_when_the_restore_delay_is_over(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Delayed")
    taken = [database.full(), database.log()]
    files = write(taken, tmp_path)
    world.upload("delayed", files)
    world.create("delayed", "Delayed", restoreDelayMinutes=60)
    shown = world.wait(
        "delayed",
        lambda p: p["migrationStatusDetails"]["migrationState"] == "WaitForRestoreDelay",
    )
    assert files[1].name in details(shown)["waitingFor"]
    assert details(shown)["pendingLogBackupsCount"] == 1

    # An hour passes: the file is older than it was.
    place = Workplace(Settings(storage_connection_string=SecretStr(world.stack.connection_string)))
    record = place.catalog.read_file("delayed", f"delayed/{files[1].name}")
    assert record is not None
    earlier = record.model_copy(update={"arrived_on": record.arrived_on - timedelta(hours=1)})
    place.catalog.record_file(earlier, over=record)
    shown = world.wait(
        "delayed",
        lambda p: p["migrationStatusDetails"].get("lastRestoredFilename") == files[1].name,
    )
    assert details(shown)["pendingLogBackupsCount"] == 0
    assert guids(world.history("Delayed")) == [b.header.backup_set_guid for b in taken]
