"""A rehearsal beside its migration on the real host, which is killed in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from local.samples import SampleDatabase
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState
from shared.settings import SqlServerSettings
from shared.targets.connection import Session
from tests.e2e.world import Json, World, details, guids, write

SPEED_MB = 0.5


def rehearse(world: World, migration: str) -> Json:
    operation = world.show(migration)["properties"]["migrationOperationId"]
    answer = world.call(
        "POST", f"migrations/{migration}/rehearse", {"migrationOperationId": operation}
    )
    assert answer.status_code == 202, answer.text
    found: Json = answer.json()["properties"]["lastRehearsal"]
    return found


def databases(world: World) -> set[str]:
    settings = SqlServerSettings.model_validate(world.stack.sql_server)
    with closing(Session(settings)) as session:
        rows = session.query("SELECT name FROM sys.databases", doing="listing the databases")
        return {str(row["name"]) for row in rows}


def test_a_rehearsal_survives_the_host_and_leaves_nothing_while_the_migration_goes_on(
    tmp_path: Path,
) -> None:
    source = SampleDatabase("Sales", data_bytes=800_000)
    files = write([source.full(), *(source.log() for _ in range(4))], tmp_path / "backups")
    options = StackOptions(
        data=tmp_path / "stack",
        settings={"BACKHAUL_AUTO_START": "false"},
        restore_speed=SPEED_MB,
        recovery_s=0.5,
    )
    with Stack(options) as stack, closing(World(stack)) as world:
        world.upload("sales", files[:3])
        world.create("sales", "Sales")
        world.wait_status("sales", "ReadyForCutover")
        system = databases(world)
        begun = rehearse(world, "sales")
        scratch = begun["database"]
        assert scratch not in system
        _wait_for(lambda: scratch in databases(world))

        stack.kill_host()
        stack.start_host()
        assert rehearse(world, "sales")["migrationOperationId"] == begun["migrationOperationId"]
        world.upload("sales", files[3:])
        world.wait("sales", lambda p: p["migrationStatusDetails"]["restoredFiles"] == len(files))
        assert world.position("Sales").state is DatabaseState.RESTORING

        shown = world.wait("sales", _is_over)
        last = shown["properties"]["lastRehearsal"]
        assert last["migrationStatus"] == "Succeeded", last
        names = [step["name"] for step in last["steps"]]
        assert names == ["restoreFull", "restoreLogs", "recover", "checkDatabase", "drop"]
        assert last["expectedCutoverSeconds"] > 2.5
        assert last["lastRestoredFilename"] == files[2].name
        assert databases(world) == system
        assert details(shown)["cutoverReadiness"]["estimateBasis"] == "measured"
        history = guids(world.history("Sales"))
        assert len(set(history)) == len(history) == len(files), "each set was restored once"

        # Killed once more, and overtaken by the cutover: it ends for that, and leaves nothing.
        scratch = rehearse(world, "sales")["database"]
        _wait_for(lambda: scratch in databases(world))
        stack.kill_host()
        stack.start_host()
        assert world.cutover("sales").status_code == 202
        world.wait_status("sales", "Succeeded")
        shown = world.wait("sales", _is_over)
        assert shown["properties"]["lastRehearsal"]["migrationStatus"] == "Canceled"
        assert databases(world) == system
        assert world.position("Sales").state is DatabaseState.ONLINE


def _is_over(properties: Json) -> bool:
    return "endedOn" in properties["lastRehearsal"]


def _wait_for(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.1)
