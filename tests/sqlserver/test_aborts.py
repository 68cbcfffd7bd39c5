"""What is left when a RESTORE does not come to its end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import sleep

import pytest

from local.samples import SampleBackup, SampleDatabase
from local.sqlserver import Settings
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import Stop
from local.sqlserver.errors import Aborted
from shared.backupset import BackupType
from shared.errors import ConfigurationError
from tests.sqlserver.console import Console

_SLOW = 0.05
_FOLDERS = ("D:\\Data", "L:\\Log")


@dataclass
class Chain:
    """Backups of a database, and the statements that restore them."""

    backups: dict[str, SampleBackup]
    statements: dict[str, str]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    backups = {"full": database.full(), "log": database.log(size=40_000)}
    backups["diff"] = database.differential()
    backups["next log"] = database.log()
    statements = {}
    for name, backup in backups.items():
        (path,) = backup.write(tmp_path_factory.mktemp("backup"))
        verb = "LOG" if backup.header.backup_type is BackupType.LOG else "DATABASE"
        statements[name] = f"RESTORE {verb} Sales FROM DISK = '{path}' WITH NORECOVERY"
    return Chain(backups, statements)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "instance", "", directories=_FOLDERS, redo_slots_behind=0)


@pytest.fixture
def console(settings: Settings) -> Iterator[Console]:
    with closing(Instance(settings)) as instance:
        yield Console(instance)


def _abort(console: Console, statement: str) -> None:
    """Begin a statement on a slow disk and stop it while it reads."""
    instance = console.instance
    fast = instance.settings
    instance.settings = replace(fast, restore_speed=_SLOW)
    request = instance.new_request(console.session)

    def stop() -> None:
        while request.percent == 0:
            sleep(0.005)
        request.abort(Stop.KILL)

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Aborted):
        console.run(statement, request)
    stopper.join()
    assert 0 < request.percent < 100
    instance.settings = fast


def _state(console: Console) -> tuple[object, ...]:
    (row,) = console.must(
        "SELECT d.state_desc, f.redo_start_lsn FROM sys.databases d JOIN sys.master_files f "
        "ON f.database_id = d.database_id AND f.type = 0 WHERE d.name = 'Sales'"
    ).table
    return row


def test_a_full_that_was_aborted_can_only_be_restored_again(console: Console, chain: Chain) -> None:
    _abort(console, chain.statements["full"])
    assert _state(console) == ("RESTORING", None)
    assert console.run(chain.statements["log"]).numbers == [4319, 3013]
    assert console.run(chain.statements["diff"]).numbers == [4319, 3013]
    assert console.run("RESTORE DATABASE Sales WITH RECOVERY").numbers == [4333, 3013]
    console.must(chain.statements["full"])
    console.must(chain.statements["log"])


def test_a_differential_that_was_aborted_has_to_be_repeated(console: Console, chain: Chain) -> None:
    console.must(chain.statements["full"])
    before = _state(console)
    _abort(console, chain.statements["diff"])
    assert _state(console) == before
    assert console.run(chain.statements["log"]).numbers == [4319, 3013]
    assert console.run("RESTORE DATABASE Sales WITH RECOVERY").numbers == [4319, 3013]
    console.must(chain.statements["diff"])
    console.must(chain.statements["next log"])


def test_a_log_that_was_aborted_can_be_applied_again(console: Console, chain: Chain) -> None:
    console.must(chain.statements["full"])
    before = _state(console)
    _abort(console, chain.statements["log"])
    assert _state(console) == before
    console.must(chain.statements["log"])
    console.must(chain.statements["next log"])


def test_a_full_that_fails_before_it_copies_leaves_nothing(console: Console, chain: Chain) -> None:
    moved = chain.statements["full"] + ", MOVE 'Sales' TO '/nowhere/s'"
    assert console.run(moved).numbers[0] == 5133
    assert console.must("SELECT 1 FROM sys.databases WHERE name = 'Sales'").table == []


def test_history_has_only_what_was_completed(console: Console, chain: Chain) -> None:
    _abort(console, chain.statements["full"])
    console.must(chain.statements["full"])
    _abort(console, chain.statements["log"])
    rows = console.must(
        "SELECT s.backup_set_uuid, h.restore_history_id FROM msdb.dbo.restorehistory h "
        "JOIN msdb.dbo.backupset s ON s.backup_set_id = h.backup_set_id"
    ).table
    assert rows == [(chain.backups["full"].header.backup_set_guid, 1)]


def test_a_database_is_in_use_while_it_is_restored(console: Console, chain: Chain) -> None:
    other = console.another()
    began = threading.Event()
    errors: list[list[int]] = []

    def interfere() -> None:
        began.wait()
        while not other.must("SELECT 1 FROM sys.databases WHERE name = 'Sales'").table:
            sleep(0.005)
        recover, drop = "RESTORE DATABASE Sales WITH RECOVERY", "DROP DATABASE Sales"
        errors.extend(other.run(t).numbers for t in (chain.statements["full"], recover, drop))

    console.instance.settings = replace(console.instance.settings, restore_delay_s=0.4)
    meddler = threading.Thread(target=interfere)
    meddler.start()
    began.set()
    console.must(chain.statements["full"])
    meddler.join()
    assert errors == [[3101, 3013], [3101, 3013], [3702]]


def test_somebody_else_sits_in_the_database(console: Console, chain: Chain) -> None:
    console.must(chain.statements["full"])
    console.must("RESTORE DATABASE Sales WITH RECOVERY")
    other = console.another()
    other.must("USE Sales")
    assert console.run(chain.statements["full"] + ", REPLACE").numbers == [3101, 3013]
    assert console.run("DROP DATABASE Sales").numbers == [3702]
    other.must("USE master")
    console.must(chain.statements["full"] + ", REPLACE")


def test_state_survives_a_restart(settings: Settings, chain: Chain) -> None:
    script: list[Callable[[Console], object]] = [
        lambda c: c.must(chain.statements["full"]),
        lambda c: c.must("CREATE CREDENTIAL [https://a/b] WITH IDENTITY = 'x', SECRET = 's'"),
        lambda c: c.must(chain.statements["log"]),
        lambda c: c.must("CREATE DATABASE Mine"),
        lambda c: _abort(c, chain.statements["diff"]),
        lambda c: c.must(chain.statements["diff"]),
        lambda c: c.must("DROP DATABASE Mine"),
    ]
    seen: list[list[tuple[object, ...]]] = []
    for step in script:
        with closing(Instance(settings)) as instance:
            console = Console(instance)
            if seen:
                assert _everything(console) == seen
            step(console)
            seen = _everything(console)
    with closing(Instance(settings)) as instance:
        assert _everything(Console(instance)) == seen
        Console(instance).must(chain.statements["next log"])


def _everything(console: Console) -> list[list[tuple[object, ...]]]:
    """Return the user's part of every view; system databases are made anew at each start."""
    return [
        console.must(f"SELECT * FROM {view} WHERE {condition}").table  # noqa: S608 of this file
        for view, condition in (
            ("sys.databases", "database_id > 4"),
            ("sys.master_files", "database_id > 4"),
            ("sys.database_recovery_status", "database_id > 4"),
            ("sys.credentials", "1 = 1"),
            ("msdb.dbo.restorehistory", "1 = 1"),
            ("msdb.dbo.restorefile", "1 = 1"),
            ("msdb.dbo.backupset", "1 = 1"),
        )
    ]


def test_two_servers_cannot_share_a_folder(settings: Settings) -> None:
    with (
        closing(Instance(settings)),
        pytest.raises(ConfigurationError, match="another simulated SQL Server"),
    ):
        Instance(settings)


def test_state_of_another_version_is_refused_with_what_to_do(settings: Settings) -> None:
    with closing(Instance(settings)) as instance:
        Console(instance).must("CREATE DATABASE Sales")
    with closing(sqlite3.connect(settings.data / "instance.sqlite3")) as state, state:
        state.execute("UPDATE databases SET body = '{}'")
    with pytest.raises(ConfigurationError, match="another version") as refusal:
        Instance(settings)
    assert "delete that folder" in refusal.value.action
