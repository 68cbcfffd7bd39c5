"""Restores that take their time: progress, stopping, and what is left when they end early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from shared.chain import DatabaseState, TargetPosition
from shared.errors import TargetError, TargetUnavailable
from shared.targets import RestoreStopped, tsql
from shared.targets.sqlserver import SqlServerTarget
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import PASSWORD, login_at, raw_connection, target_on
from tests.targets.restores import always, order_of

INTERRUPTED = TargetPosition(state=DatabaseState.RESTORING)
DATA_BYTES = 2_000_000


def sample() -> SampleDatabase:
    return SampleDatabase("slow", data_bytes=DATA_BYTES)


def test_progress_grows_while_the_restore_runs(slow: Server, container: Container) -> None:
    seen: list[float] = []

    def watch(percent: float) -> bool:
        seen.append(percent)
        return True

    with target_on(slow) as target:
        target.restore(order_of(container, sample().full(), "x"), watch)
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert 50 < seen[-1] <= 100


def test_progress_comes_from_the_messages_when_the_server_shows_no_requests(
    slow: Server, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without VIEW SERVER STATE other sessions are invisible; so is one that does not exist.
    monkeypatch.setattr(tsql, "PROGRESS", tsql.PROGRESS.replace("= ?", "= ? + 10000"))
    seen: list[float] = []

    def watch(percent: float) -> bool:
        seen.append(percent)
        return True

    with target_on(slow) as target:
        target.restore(order_of(container, sample().full(), "x"), watch)
    assert seen == sorted(seen)
    assert {percent % 5 for percent in seen} == {0}
    assert seen[-1] > 50


def test_stopped_full_leaves_nothing_to_go_on_from_and_can_be_repeated(
    slow: Server, container: Container
) -> None:
    full = order_of(container, sample().full(), "x")
    with target_on(slow) as target:
        with pytest.raises(RestoreStopped):
            target.restore(full, lambda percent: percent < 5)
        assert target.read_position("x") == INTERRUPTED
        assert not target.read_restore_history("x", 0)
        with pytest.raises(TargetError):
            target.recover("x")
        target.restore(full, always)
        assert target.read_position("x").redo_start_lsn


def test_stopped_log_leaves_the_position_where_it_was(slow: Server, container: Container) -> None:
    source = SampleDatabase("x", data_bytes=100_000)
    full, log = source.full(), source.log(size=2_000_000)
    with target_on(slow) as target:
        target.restore(order_of(container, full, "x"), always)
        before = target.read_position("x")
        with pytest.raises(RestoreStopped):
            target.restore(order_of(container, log, "x"), lambda percent: False)
        assert target.read_position("x") == before
        target.restore(order_of(container, log, "x"), always)
        assert target.read_position("x") != before


def test_a_watch_that_fails_stops_the_restore(slow: Server, container: Container) -> None:
    def watch(percent: float) -> bool:
        if percent > 5:
            raise ZeroDivisionError
        return True

    with target_on(slow) as target:
        with pytest.raises(ZeroDivisionError):
            target.restore(order_of(container, sample().full(), "x"), watch)
        assert target.read_position("x") == INTERRUPTED


def test_an_undrained_restore_is_lost_and_ours_is_not(slow: Server, container: Container) -> None:
    # What the drain is there for: execute() returns at the first message, long before the end.
    full = order_of(container, sample().full(), "x")
    statement = tsql.restore("x", full.backup_type, full.urls, checksum=True)
    statement += ", " + ", ".join(
        f"MOVE N'{name}' TO N'/var/opt/mssql/data/{name}'" for name in ("slow", "slow_log")
    )
    with raw_connection(slow) as connection, target_on(slow) as target:
        cursor = connection.cursor()
        began = time.monotonic()
        cursor.execute(statement)
        assert time.monotonic() - began < 1.5
        cursor.close()
        assert target.read_position("x") == INTERRUPTED
        target.restore(full, always)
        assert target.read_position("x").redo_start_lsn


def test_a_killed_session_is_a_signal_and_the_next_verb_connects_anew(
    slow: Server, container: Container
) -> None:
    def kill(percent: float) -> bool:
        if percent > 5:
            with raw_connection(slow) as connection:
                query = "SELECT session_id FROM sys.dm_exec_requests WHERE command LIKE 'RESTORE%'"
                if found := connection.execute(query).fetchone():
                    connection.execute(f"KILL {found[0]}")
        return True

    full = order_of(container, sample().full(), "x")
    with target_on(slow) as target:
        with pytest.raises(TargetError) as refusal:
            target.restore(full, kill)
        assert refusal.value.number == 596
        assert target.read_position("x") == INTERRUPTED
        target.restore(full, always)


@contextmanager
def server_process(data: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a slow server as a process of its own, which can be killed; give its port."""
    command = [sys.executable, "-m", "local.sqlserver", "--restore-speed", "1"]
    with subprocess.Popen(  # noqa: S603 our own server
        [*command, "--data", str(data), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "BACKHAUL_SQLSERVER_PASSWORD": PASSWORD},
    ) as process:
        try:
            assert process.stdout
            yield process, int(process.stdout.readline().rsplit(",", 1)[1])
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_goes_away_is_unavailable_until_it_is_back(
    tmp_path: Path, container: Container, how: signal.Signals
) -> None:
    full = order_of(container, sample().full(), "x")
    with server_process(tmp_path) as (process, port):
        settings = login_at(port)
        with closing(SqlServerTarget(settings, watch_interval_s=0.05)) as target:
            target.ensure_credential(container.url, lambda: SIGNATURE)

            def stop(percent: float) -> bool:
                if percent > 5:
                    process.send_signal(how)
                return True

            with pytest.raises(TargetUnavailable):
                target.restore(full, stop)
            process.wait()
            with server_process(tmp_path, port):
                assert target.read_position("x") == INTERRUPTED
                target.restore(full, always)
                assert target.read_position("x").redo_start_lsn


def test_two_restores_of_one_database_wait_for_each_other(
    slow: Server, container: Container
) -> None:
    full = order_of(container, sample().full(), "x")
    seen: list[BaseException] = []

    def watch(percent: float) -> bool:
        if not seen:
            with target_on(slow) as other, pytest.raises(TargetUnavailable) as refusal:
                other.restore(full, always)
            seen.append(refusal.value)
        return True

    with target_on(slow) as target:
        target.restore(full, watch)
        assert target.read_position("x").redo_start_lsn
    assert isinstance(seen[0], TargetUnavailable)
    assert seen[0].number == 3101


def test_messages_that_come_at_the_end_all_at_once_will_do(
    tmp_path: Path, container: Container
) -> None:
    settings = Settings(data=tmp_path / "d", password=PASSWORD, separated_messages=False)
    full = order_of(container, sample().full(), "x")
    with serve(settings) as together, target_on(together) as target:
        target.ensure_credential(container.url, lambda: SIGNATURE)
        target.restore(full, always)
        assert target.read_position("x").redo_start_lsn


def test_a_short_restore_is_not_watched_and_needs_no_second_connection(
    server: Server, container: Container, target: SqlServerTarget
) -> None:
    def watch(percent: float) -> bool:
        pytest.fail("the restore was over before")

    with target_on(server, watch_interval_s=5.0) as patient:
        patient.restore(order_of(container, SampleDatabase("short").full(), "short"), watch)
        assert len(server.instance.sessions.list()) <= 3
