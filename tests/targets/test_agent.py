"""Restores as jobs of SQL Server Agent, on the simulated server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from shared.chain import DatabaseState
from shared.errors import TargetError, TargetUnavailable
from shared.targets import Batch, jobs
from shared.targets.sqlserver import SqlServerTarget
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import PASSWORD, raw_connection, target_on
from tests.targets.names import NASTY
from tests.targets.restores import always, order_of

OPERATION, LATER = UUID(int=1), UUID(int=2)
PATIENCE_S = 20.0
MB = 1_000_000


def wait_for(target: SqlServerTarget, database: str, until: Callable[[Batch], bool]) -> Batch:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        batch = target.find_batch(database)
        assert batch is not None, "the job is gone"
        if until(batch):
            return batch
        time.sleep(0.05)
    raise AssertionError(f"it does not come to that: {batch}")


def over(batch: Batch) -> bool:
    return not batch.running


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_a_batch_restores_in_order_whatever_the_names(
    target: SqlServerTarget, container: Container, name: str
) -> None:
    name = name[:-1] + "A"
    source = SampleDatabase(name[:60], seed=1)
    orders = [order_of(container, b, name) for b in (source.full(), source.log(), source.log())]
    assert target.detaches()
    assert target.find_batch(name) is None
    target.start_batch(OPERATION, orders)
    batch = wait_for(target, name, over)
    assert batch.operation_id == OPERATION
    assert batch.sets == tuple(order.backup_set_guid for order in orders)
    assert (batch.failed, batch.error) == (None, None)
    target.end_batch(batch)
    target.end_batch(batch)
    assert target.find_batch(name) is None
    history = target.read_restore_history(name, 0)
    assert tuple(row.backup_set_guid for row in history) == batch.sets


def test_a_step_that_fails_ends_the_batch_and_tells_the_cause(
    target: SqlServerTarget, container: Container
) -> None:
    source = SampleDatabase("Gap")
    full, _, second, third = source.full(), source.log(), source.log(), source.log()
    orders = [order_of(container, backup, "Gap") for backup in (full, second, third)]
    target.start_batch(OPERATION, orders)
    batch = wait_for(target, "Gap", over)
    assert batch.failed == second.header.backup_set_guid
    assert isinstance(batch.error, TargetError)
    assert batch.error.number == 4305
    assert len(target.read_restore_history("Gap", 0)) == 1
    target.end_batch(batch)


def test_a_batch_goes_on_without_us_and_tells_how_far_it_is(
    slow: Server, container: Container
) -> None:
    order = order_of(container, SampleDatabase("Big", data_bytes=3 * MB).full(), "Big")
    with target_on(slow) as target:
        target.start_batch(OPERATION, [order])
    with target_on(slow) as target:
        batch = wait_for(target, "Big", lambda batch: batch.percent > 10)
        assert batch.running
        batch = wait_for(target, "Big", over)
        assert batch.error is None
        assert target.read_position("Big").redo_start_lsn is not None


def test_a_batch_that_runs_is_stopped_before_it_is_removed(
    slow: Server, container: Container
) -> None:
    order = order_of(container, SampleDatabase("Big", data_bytes=9 * MB).full(), "Stopped")
    with target_on(slow) as target:
        target.start_batch(OPERATION, [order])
        batch = wait_for(target, "Stopped", lambda batch: batch.percent > 0)
        target.end_batch(batch)
        assert target.find_batch("Stopped") is None
        position = target.read_position("Stopped")
        assert (position.state, position.redo_start_lsn) == (DatabaseState.RESTORING, None)
        target.drop("Stopped")
        assert target.read_position("Stopped").state is DatabaseState.ABSENT


# Crashes between the statements that make a job


def made(server: Server, *statements: tuple[Any, ...]) -> None:
    """Run the first statements that make a job, as a worker that died did."""
    with raw_connection(server) as connection:
        for text, *parameters in statements:
            connection.execute(text, *parameters)


def test_a_job_that_was_made_and_not_started_is_started(
    server: Server, target: SqlServerTarget
) -> None:
    name = jobs.name_of("Halted", OPERATION, LATER)
    made(
        server,
        (jobs.ADD_JOB, name, ""),
        (jobs.ADD_STEP, name, jobs.step_name(LATER), "SELECT 1", jobs.QUIT_WITH_SUCCESS),
        (jobs.ADD_SERVER, name),
    )
    assert target.find_batch("Halted") is not None
    batch = wait_for(target, "Halted", over)
    assert (batch.sets, batch.error) == ((LATER,), None)
    with raw_connection(server) as connection:
        ran = connection.execute(jobs.OUTCOMES, str(batch.batch_id)).fetchall()
    assert [row.step_id for row in ran] == [1, 0]
    target.end_batch(batch)


def test_a_job_that_was_half_made_never_runs(
    server: Server, target: SqlServerTarget, container: Container
) -> None:
    order = order_of(container, SampleDatabase("Half").full(), "Half")
    name = jobs.name_of("Half", OPERATION, order.backup_set_guid)
    made(server, (jobs.ADD_JOB, name, ""))
    batch = target.find_batch("Half")
    assert batch is not None
    assert (batch.running, batch.error, batch.sets) == (False, None, ())
    with pytest.raises(TargetUnavailable, match="another worker"):
        target.start_batch(OPERATION, [order])
    target.end_batch(batch)
    target.start_batch(OPERATION, [order])
    target.end_batch(wait_for(target, "Half", over))


def test_a_batch_of_an_earlier_attempt_is_seen(slow: Server, container: Container) -> None:
    order = order_of(container, SampleDatabase("Big", data_bytes=2 * MB).full(), "Twice")
    with target_on(slow) as target:
        target.start_batch(OPERATION, [order])
        batch = target.find_batch("TWICE")
        assert batch is not None
        assert batch.operation_id == OPERATION
        target.end_batch(batch)


# The server and its Agent


def test_a_job_that_ran_when_the_server_died_is_over(tmp_path: Path, container: Container) -> None:
    settings = Settings(data=tmp_path / "s", password=PASSWORD, restore_speed=1.0)
    order = order_of(container, SampleDatabase("Big", data_bytes=9 * MB).full(), "Big")
    with serve(settings) as server, target_on(server) as target:
        target.ensure_credential(container.url, lambda: SIGNATURE)
        target.start_batch(OPERATION, [order])
        wait_for(target, "Big", lambda batch: batch.percent > 0)
    with serve(settings) as server, target_on(server) as target:
        batch = target.find_batch("Big")
        assert batch is not None
        assert not batch.running
        target.end_batch(batch)
        assert target.read_position("Big").redo_start_lsn is None


@pytest.mark.parametrize("with_agent", [True, False])
def test_the_agent_is_used_where_it_runs(
    tmp_path: Path, container: Container, with_agent: bool
) -> None:
    settings = Settings(data=tmp_path / "s", password=PASSWORD, agent=with_agent)
    with serve(settings) as server:
        with target_on(server) as target:
            assert target.detaches() is with_agent
            assert target.find_batch("x") is None
        with target_on(server, restore_with="inline") as target:
            assert not target.detaches()
        with target_on(server, restore_with="agent") as target:
            if with_agent:
                assert target.detaches()
                return
            with pytest.raises(TargetUnavailable, match="SQL Server Agent does not run"):
                target.detaches()


def test_a_batch_and_a_restore_of_our_own_never_run_at_once(
    slow: Server, container: Container
) -> None:
    """The last guard is the server's: whoever comes second has no access."""
    full = SampleDatabase("Big", data_bytes=3 * MB).full()
    with target_on(slow) as target, target_on(slow) as other:
        target.start_batch(OPERATION, [order_of(container, full, "Both")])
        wait_for(target, "Both", lambda batch: batch.percent > 0)
        with pytest.raises(TargetUnavailable):
            other.restore(order_of(container, full, "Both"), always)
        assert wait_for(target, "Both", over).error is None
        assert len(target.read_restore_history("Both", 0)) == 1
