"""Migrations with options of their own: read between logs, files in places of their own."""

from __future__ import annotations

from pathlib import Path

import pyodbc
import pytest

from local.samples import SampleDatabase
from shared.chain import DatabaseState
from shared.targets import tsql
from shared.targets.driver import find_driver, load_odbc
from tests.e2e.world import Json, World, details, guids, write

# The version of the stack's simulated server: nothing is to be upgraded, so it can be read.
VERSION = "2022"


def read(world: World, database: str) -> pyodbc.Connection:
    """Open a connection that sits in a database."""
    target = world.stack.sql_server
    connection = load_odbc().connect(
        f"DRIVER={{{find_driver()}}};SERVER=tcp:{target['server']},{target['port']};"
        f"UID={target['user']};PWD={{{target['password']}}};TrustServerCertificate=yes",
        autocommit=True,
    )
    connection.execute(f"USE {tsql.identifier(database)}")
    return connection


def wait_readable(world: World, migration: str, sets: int) -> Json:
    return world.wait(
        migration,
        lambda p: (
            p["migrationStatusDetails"].get("standby", {}).get("state") == "Readable"
            and p["migrationStatusDetails"]["restoredFiles"] == sets
        ),
    )


def test_a_database_is_read_between_logs_and_cut_over(world: World, tmp_path: Path) -> None:
    source, name = SampleDatabase("Reads", version=VERSION), "reads]';--"
    files = write([source.full(), *(source.log() for _ in range(3))], tmp_path)
    world.upload("reads", files[:2])
    world.create("reads", name, restoreOptions={"standby": True})
    wait_readable(world, "reads", 2)
    for restored, file in enumerate(files[2:], 3):
        reader = read(world, name)
        assert reader.execute("SELECT DB_NAME()").fetchone()[0] == name
        world.upload("reads", [file])
        shown = wait_readable(world, "reads", restored)
        assert shown["properties"]["migrationStatus"] == "ReadyForCutover"
        with pytest.raises(pyodbc.Error):
            reader.execute("SELECT 1").fetchone()
        reader.close()
    reader = read(world, name)
    assert world.cutover("reads").status_code == 202
    shown = world.wait_status("reads", "Succeeded")
    reader.close()
    assert "standby" not in details(shown)
    assert world.position(name).state is DatabaseState.ONLINE
    history = guids(world.history(name))
    assert len(history) == len(set(history)) == 4


def test_a_database_that_is_read_is_dropped_by_a_cancel(world: World, tmp_path: Path) -> None:
    source = SampleDatabase("Drops", version=VERSION)
    world.upload("drops", write([source.full()], tmp_path))
    world.create("drops", "Drops", restoreOptions={"standby": True})
    wait_readable(world, "drops", 1)
    reader = read(world, "Drops")
    assert world.cancel("drops").status_code == 202
    world.wait_status("drops", "Canceled")
    reader.close()
    assert world.position("Drops").state is DatabaseState.ABSENT


def test_files_lie_where_the_request_says(world: World, tmp_path: Path) -> None:
    source = SampleDatabase("Moves")
    full = source.full()
    path = "/var/opt/mssql/data/it's [here].mdf"
    moves = {full.files[0].logical_name: path}
    world.upload("moves", write([full, source.log()], tmp_path))
    world.create("moves", "Moves", restoreOptions={"moveFiles": moves, "maxTransferSize": 65536})
    shown = world.wait_status("moves", "ReadyForCutover")
    assert shown["properties"]["restoreOptions"] == {
        "moveFiles": moves,
        "standby": False,
        "maxTransferSize": 65536,
    }
    target = world.target()
    assert target.read_paths("")[path] == "Moves"
    target.close()

    world.upload("taken", write([SampleDatabase("Taken").full()], tmp_path / "taken"))
    answer = world.call(
        "POST",
        "migrations",
        {
            "name": "Taken",
            "properties": {
                "backupConfiguration": {"sourceLocation": {"azureBlob": {"folder": "taken"}}},
                "restoreOptions": {"moveFiles": {"x": "x.mdf"}},
            },
        },
    )
    assert answer.status_code == 400
    assert "properties.restoreOptions.moveFiles" in answer.json()["error"]["message"]
    world.create("taken", "Taken", restoreOptions={"moveFiles": {"nobody": "/x.mdf"}})
    shown = world.wait(
        "taken",
        lambda p: (
            p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "RestoreOptionsRefused"
        ),
    )
    assert "'Taken' (data)" in details(shown)["restoreBlockingReason"]
