"""A database that can be read between two restores, on a running server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyodbc
import pytest
from pydantic import SecretStr

from local.samples import SampleDatabase
from local.sqlserver import Server
from shared.chain import DatabaseState
from shared.errors import TargetError, TargetUnavailable
from shared.fates import Fate, fate_of
from shared.targets import Target, standby, tsql
from shared.targets.sqlserver import SqlServerTarget
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import login_at, raw_connection, target_on
from tests.targets.names import NASTY
from tests.targets.restores import always, order_of

# The version of the server: nothing is to be upgraded.
SAME = "2022"
ABSENT, RESTORING, STANDBY, ONLINE = (
    DatabaseState.ABSENT,
    DatabaseState.RESTORING,
    DatabaseState.STANDBY,
    DatabaseState.ONLINE,
)


@pytest.fixture
def target(server: Server, container: Container) -> Iterator[SqlServerTarget]:
    with target_on(server, restore_with="inline") as opened:
        opened.ensure_credential(container.url, lambda: SIGNATURE)
        yield opened


@contextmanager
def reader_in(server: Server, database: str) -> Iterator[Any]:
    """Open a connection that sits in a database."""
    with raw_connection(server) as connection:
        connection.execute(f"USE {tsql.identifier(database)}")
        yield connection


def state_of(target: Target, database: str) -> DatabaseState:
    return target.read_position(database).state


def in_standby(target: Target, container: Container, database: str) -> SampleDatabase:
    """Restore a full to a database and let it be read."""
    source = SampleDatabase("source", version=SAME)
    target.restore(order_of(container, source.full(), database), always)
    target.stand_by(database, None)
    assert state_of(target, database) is STANDBY
    return source


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_a_database_of_any_name_is_read_between_logs(
    server: Server, target: Target, container: Container, name: str
) -> None:
    source = in_standby(target, container, name)
    with reader_in(server, name) as reader:
        assert reader.execute("SELECT DB_NAME()").fetchone()[0] == name
        target.stop_standing_by(name)
        with pytest.raises(pyodbc.Error):
            reader.execute("SELECT 1").fetchone()
    position = target.read_position(name)
    assert position.state is RESTORING
    assert position.redo_start_lsn is not None
    target.restore(order_of(container, source.log(), name), always)
    target.stand_by(name, None)
    with reader_in(server, name):
        target.recover(name)
    assert state_of(target, name) is ONLINE


def test_saying_it_twice_changes_nothing(target: Target, container: Container) -> None:
    source = in_standby(target, container, "twice")
    target.stand_by("twice", None)
    assert state_of(target, "twice") is STANDBY
    target.stop_standing_by("twice")
    target.stop_standing_by("twice")
    assert state_of(target, "twice") is RESTORING
    target.restore(order_of(container, source.log(), "twice"), always)
    target.recover("twice")
    target.stand_by("twice", None)
    target.stop_standing_by("twice")
    assert state_of(target, "twice") is ONLINE
    target.stand_by("no such", None)
    target.stop_standing_by("no such")
    assert state_of(target, "no such") is ABSENT


def test_a_reader_of_an_open_database_is_left_alone(
    server: Server, target: Target, container: Container
) -> None:
    target.restore(order_of(container, SampleDatabase("own").full(), "own"), always)
    target.recover("own")
    with reader_in(server, "own") as reader:
        target.stop_standing_by("own")
        with pytest.raises(TargetError, match="is ONLINE"):
            target.drop("own")
        assert reader.execute("SELECT DB_NAME()").fetchone()[0] == "own"


def test_readers_of_another_database_are_left_alone(
    server: Server, target: Target, container: Container
) -> None:
    in_standby(target, container, "one")
    in_standby(target, container, "other")
    with reader_in(server, "one") as reader:
        target.stop_standing_by("other")
        assert reader.execute("SELECT DB_NAME()").fetchone()[0] == "one"


@pytest.mark.parametrize("name", ["drop", "a]b'c\"d;--"])
def test_a_database_in_standby_is_dropped_whoever_reads_it(
    server: Server, target: Target, container: Container, name: str
) -> None:
    name = f"{name} me"
    in_standby(target, container, name)
    with reader_in(server, name):
        target.drop(name)
    assert state_of(target, name) is ABSENT


def test_whoever_is_back_at_once_is_disconnected_again(
    server: Server, target: Target, container: Container
) -> None:
    in_standby(target, container, "pool")
    ended = threading.Event()

    def come_back() -> None:
        while not ended.is_set():
            with suppress(pyodbc.Error), reader_in(server, "pool") as reader:
                while not ended.is_set():
                    reader.execute("SELECT 1").fetchall()

    pool = [threading.Thread(target=come_back) for _ in range(3)]
    for thread in pool:
        thread.start()
    try:
        target.stop_standing_by("pool")
        assert state_of(target, "pool") is RESTORING
    finally:
        ended.set()
        for thread in pool:
            thread.join()


def test_a_login_that_may_not_disconnect_says_so(
    server: Server, target: Target, container: Container
) -> None:
    in_standby(target, container, "rights")
    with raw_connection(server) as connection:
        connection.execute("CREATE LOGIN weak WITH PASSWORD = 'secret'")
        connection.execute("ALTER SERVER ROLE dbcreator ADD MEMBER weak")
        connection.execute("GRANT VIEW SERVER STATE TO weak")
    weak = SqlServerTarget(login_at(server.port, user="weak", password=SecretStr("secret")))
    try:
        with reader_in(server, "rights") as reader:
            with pytest.raises(TargetError) as refusal:
                weak.stop_standing_by("rights")
            assert refusal.value.number == 6102
            assert "ALTER ANY CONNECTION" in refusal.value.action
            assert fate_of(refusal.value).fate is Fate.BLOCK
            reader.execute("SELECT 1").fetchone()
        deadline = time.monotonic() + 10
        while state_of(target, "rights") is STANDBY:
            # The server takes a moment to notice that the reader has gone.
            assert time.monotonic() < deadline
            with suppress(TargetError):
                weak.stop_standing_by("rights")
        assert state_of(target, "rights") is RESTORING
    finally:
        weak.close()


def test_readers_that_are_not_to_be_seen_are_waited_for(
    server: Server,
    target: Target,
    container: Container,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_standby(target, container, "unseen")
    with raw_connection(server) as connection:
        connection.execute("CREATE LOGIN blind WITH PASSWORD = 'secret'")
        connection.execute("ALTER SERVER ROLE dbcreator ADD MEMBER blind")
    monkeypatch.setattr(standby, "_PATIENCE_S", 0.3)
    blind = SqlServerTarget(login_at(server.port, user="blind", password=SecretStr("secret")))
    try:
        with reader_in(server, "unseen"), pytest.raises(TargetUnavailable) as refusal:
            blind.stop_standing_by("unseen")
        assert refusal.value.number == 3101
        assert "sessions" in refusal.value.action
    finally:
        blind.close()


def test_a_database_of_an_older_version_goes_on_restoring(
    server: Server, container: Container
) -> None:
    with target_on(server) as newer:
        newer.ensure_credential(container.url, lambda: SIGNATURE)
        source = SampleDatabase("older")
        newer.restore(order_of(container, source.full(), "older"), always)
        with pytest.raises(TargetError) as refusal:
            newer.stand_by("older", None)
        assert refusal.value.number == 3180
        assert state_of(newer, "older") is RESTORING
        newer.restore(order_of(container, source.log(), "older"), always)
        newer.recover("older")


def test_a_folder_that_is_not_there_is_told(target: Target, container: Container) -> None:
    source = SampleDatabase("f", version=SAME)
    target.restore(order_of(container, source.full(), "folder"), always)
    with pytest.raises(TargetError) as refusal:
        target.stand_by("folder", "/nowhere")
    assert refusal.value.number == 5123
    assert "/nowhere/folder.undo" in refusal.value.message
    assert state_of(target, "folder") is RESTORING


def test_a_lost_undo_file_is_beyond_help_but_not_in_the_way_of_a_drop(
    server: Server, target: Target, container: Container
) -> None:
    in_standby(target, container, "lost")
    server.instance.damage("lost", standby_is_lost=True)
    for goes_on in (target.stop_standing_by, target.recover):
        with pytest.raises(TargetError) as refusal:
            goes_on("lost")
        assert refusal.value.number == 3441
        assert fate_of(refusal.value).fate is Fate.FAIL
    target.drop("lost")
    assert state_of(target, "lost") is ABSENT


def test_the_undo_file_is_the_databases_own(
    server: Server, target: Target, container: Container
) -> None:
    in_standby(target, container, "a:b")
    in_standby(target, container, "a?b")
    files = {
        found.standby_file
        for name in ("a:b", "a?b")
        if (found := server.instance.find(name)) is not None
    }
    assert len(files) == 2
    assert all(f and f.startswith("/var/opt/mssql/data/a_b_") for f in files)
    assert all(f and f.endswith(".undo") for f in files)
