"""What follows a recovery on the running app: it is long, a step fails, and the host dies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Settings, serve
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState
from tests.e2e.test_long_restore import LONGEST_ACTIVITY_S, seconds_of_activities
from tests.e2e.world import Json, World, details, target_at, write

PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the test
CHECK_S = 8
KILLS = 2


@pytest.mark.timeout(280)
def test_a_host_that_dies_after_the_recovery_comes_back_to_what_is_left_to_do(
    tmp_path: Path,
) -> None:
    database = SampleDatabase("Sales", data_bytes=1_000_000)
    files = write([database.full(), database.log()], tmp_path / "backups")
    # The check takes its time, and the restores with it.
    settings = Settings(
        data=tmp_path / "sqlserver",
        password=PASSWORD,
        restore_speed=files[0].stat().st_size / 1e6 / CHECK_S,
        database_users=("anna",),
    )
    with serve(settings) as server:
        target = target_at(server, PASSWORD)
        with Stack(StackOptions(data=tmp_path / "stack", sql_server=target)) as stack:
            world = World(stack)
            world.upload("sales", files)
            after = {"checkDatabase": "full", "owner": "nobody", "compatibilityLevel": 160}
            world.create("sales", "Sales", afterRecovery=after)
            world.wait("sales", is_restored)
            assert world.cutover("sales").status_code == 202
            world.wait("sales", is_verifying)
            for _ in range(KILLS):
                time.sleep(0.5)
                stack.kill_host()
                stack.start_host()
                assert world.position("Sales").state is DatabaseState.ONLINE
            shown = world.wait_status("sales", "Succeeded")
            steps = {step["name"]: step["state"] for step in details(shown)["afterRecovery"]}
            assert steps == {
                "online": "done",
                "compatibilityLevel": "done",
                "orphanedUsers": "done",
                "checkDatabase": "done",
                "owner": "failed",
            }
            assert shown["properties"]["migrationStatusWarnings"]["warningCount"] == 1
            assert details(shown)["recoveredDatabase"]["compatibilityLevel"] == 160
            codes = [item["code"] for item in details(shown)["toDo"]]
            assert codes[:3] == ["Logins", "Owner", "FirstBackup"]
            durable = world.durable("sales")
            assert durable["output"]["migrationStatus"] == "Succeeded"
            took = seconds_of_activities(tmp_path / "stack" / "host.log")
            assert max(took.values()) < LONGEST_ACTIVITY_S, took
            assert [job.name for job in server.instance.jobs.all()] == []
            world.close()


def is_restored(properties: Json) -> bool:
    restored = properties["migrationStatusDetails"]["restoredFiles"]
    return bool(properties["migrationStatus"] == "ReadyForCutover" and restored == 2)


def is_verifying(properties: Json) -> bool:
    state = properties["migrationStatusDetails"]
    assert properties["migrationStatus"] != "Succeeded", "it was over before the host was killed"
    return bool(state["migrationState"] == "VerifyingTarget" and "waitingFor" in state)
