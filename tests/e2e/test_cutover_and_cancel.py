"""Cutover and cancel: they wait, they may be repeated, and they touch nothing that is not ours."""

from __future__ import annotations

from pathlib import Path

from local.samples import SampleDatabase
from shared.chain import DatabaseState
from tests.e2e.world import World, details, guids, write


def test_cutover_waits_for_the_last_log_by_name_and_works_once(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Waits")
    *files, last = write([database.full(), *(database.log() for _ in range(4))], tmp_path)
    world.upload("waits", files)
    world.create("waits", "Waits")
    world.wait_status("waits", "ReadyForCutover")

    accepted = world.cutover("waits", lastBackupName=last.name)
    assert accepted.status_code == 202, accepted.text
    shown = world.wait(
        "waits",
        lambda p: (
            p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "LastBackupNotFound"
        ),
    )
    assert shown["properties"]["migrationStatus"] == "Completing"
    assert last.name in details(shown)["restoreBlockingReason"]
    assert last.name in details(shown)["restoreBlockingAction"]
    assert last.name in world.durable("waits")["customStatus"]["waitingFor"]
    assert world.position("Waits").state is DatabaseState.RESTORING

    world.upload("waits", [last])
    # Once more while it completes: the same answer, and nothing happens twice.
    assert world.cutover("waits", lastBackupName=last.name).status_code == 202
    shown = world.wait_status("waits", "Succeeded")
    assert details(shown)["lastRestoredFilename"] == last.name
    assert world.position("Waits").state is DatabaseState.ONLINE
    history = guids(world.history("Waits"))
    assert len(history) == len(set(history)) == 5
    after = world.cutover("waits")
    assert after.status_code == 409
    assert after.json()["error"]["code"] == "CutoverNotAllowedMigrationCompleteError"


def test_a_log_behind_the_cutovers_last_backup_is_not_restored(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Stops")
    full, first, second = write([database.full(), database.log(), database.log()], tmp_path)
    world.upload("stops", [full, second])
    world.create("stops", "Stops")
    world.wait_settled("stops", 2)
    assert world.cutover("stops", lastBackupName=first.name).status_code == 202
    world.upload("stops", [first])
    shown = world.wait_status("stops", "Succeeded")
    assert details(shown)["lastRestoredFilename"] == first.name
    ignored = next(
        s
        for s in details(shown)["activeBackupSets"]
        if s["listOfBackupFiles"][0]["fileName"] == second.name
    )
    assert ignored["restoreStatus"] == "Skipped"
    assert ignored["ignoreReasonCodes"] == ["ArrivedAfterCutover"]


def test_cutover_without_a_name_is_refused_while_a_file_lies_unread(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Gap")
    full, first, second, third = write(
        [database.full(), *(database.log() for _ in range(3))], tmp_path
    )
    world.upload("gap", [full, first, third])
    world.create("gap", "Gap")
    shown = world.wait(
        "gap", lambda p: p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "ChainGap"
    )
    assert first.name in details(shown)["restoreBlockingReason"]
    assert third.name in details(shown)["restoreBlockingReason"]
    assert details(shown)["chainGap"]["afterFileName"] == first.name
    assert details(shown)["chainGap"]["beforeFileName"] == third.name
    assert shown["properties"]["migrationStatusWarnings"]["warningCount"] == 1

    refused = world.cutover("gap")
    assert refused.status_code == 409
    assert "nothingPending" in refused.json()["error"]["message"]
    stale = world.cutover("gap", acceptDataLoss={"lastRestoredFilename": third.name})
    assert stale.status_code == 412

    world.upload("gap", [second])
    world.wait_status("gap", "ReadyForCutover")
    assert world.cutover("gap").status_code == 202
    world.wait_status("gap", "Succeeded")


def test_a_loss_that_is_acknowledged_is_accepted(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Loss")
    full, first, _, third = write([database.full(), *(database.log() for _ in range(3))], tmp_path)
    world.upload("loss", [full, first, third])
    world.create("loss", "Loss")
    world.wait(
        "loss", lambda p: p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "ChainGap"
    )
    accepted = world.cutover("loss", acceptDataLoss={"lastRestoredFilename": first.name})
    assert accepted.status_code == 202, accepted.text
    shown = world.wait_status("loss", "Succeeded")
    assert details(shown)["lastRestoredFilename"] == first.name


def test_cancel_before_the_full_backup(world: World) -> None:
    world.create("early", "Early")
    world.wait(
        "early", lambda p: p["migrationStatusDetails"]["migrationState"] == "WaitForFullBackup"
    )
    assert world.cancel("early").status_code == 202
    world.wait_status("early", "Canceled")
    assert world.cancel("early").status_code == 202, "the same again gives the same answer"
    assert world.position("Early").state is DatabaseState.ABSENT


def test_cancel_after_the_full_backup_drops_the_half_restored_database(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Late")
    world.upload("late", write([database.full(), database.log()], tmp_path))
    world.create("late", "Late")
    world.wait_status("late", "ReadyForCutover")
    assert world.position("Late").state is DatabaseState.RESTORING
    assert world.cancel("late").status_code == 202
    world.wait_status("late", "Canceled")
    assert world.position("Late").state is DatabaseState.ABSENT


def test_a_canceled_migration_can_be_started_again(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Again")
    world.upload("again", write([database.full(), database.log()], tmp_path))
    first = world.create("again", "Again")
    world.wait_status("again", "ReadyForCutover")
    world.cancel("again", keepTarget=False)
    world.wait_status("again", "Canceled")
    second = world.create("again", "Again")
    ids = [m["properties"]["migrationOperationId"] for m in (first, second)]
    assert ids[0] != ids[1]
    world.wait_status("again", "ReadyForCutover")
    world.cutover("again")
    world.wait_status("again", "Succeeded")


def test_cancel_may_keep_the_half_restored_database(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Kept")
    world.upload("kept", write([database.full()], tmp_path))
    world.create("kept", "Kept")
    world.wait_status("kept", "ReadyForCutover")
    world.cancel("kept", keepTarget=True)
    world.wait_status("kept", "Canceled")
    assert world.position("Kept").state is DatabaseState.RESTORING


def test_an_existing_database_is_never_touched(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Mine")
    world.upload("first", write([database.full(), database.log()], tmp_path))
    world.create("first", "Mine")
    world.wait_status("first", "ReadyForCutover")
    world.cutover("first")
    world.wait_status("first", "Succeeded")
    before = world.history("Mine")

    world.upload("second", write([database.full(), database.log()], tmp_path / "second"))
    world.create("second", "Mine")
    shown = world.wait(
        "second",
        lambda p: (
            p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "TargetDatabaseExists"
        ),
    )
    assert "'Mine'" in details(shown)["restoreBlockingReason"]
    assert world.cancel("second").status_code == 202
    world.wait_status("second", "Canceled")
    assert world.position("Mine").state is DatabaseState.ONLINE
    assert world.history("Mine") == before
    assert not any(row.replace for row in before)


def test_an_offline_migration_ends_by_itself_at_its_last_backup(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Offline")
    files = write([database.full(), *(database.log() for _ in range(3))], tmp_path)
    end = files[2]
    world.create(
        "offline", "Offline", offlineConfiguration={"offline": True, "lastBackupName": end.name}
    )
    world.upload("offline", [files[3], files[1], files[0]])
    shown = world.wait(
        "offline", lambda p: end.name in (p["migrationStatusDetails"].get("waitingFor") or "")
    )
    refused = world.cutover("offline")
    assert refused.status_code == 409
    world.upload("offline", [end])
    shown = world.wait_status("offline", "Succeeded")
    assert details(shown)["lastRestoredFilename"] == end.name
    assert details(shown)["skippedFiles"] == 1
