"""Migrations whose restores the server does by itself: followed, stopped, resumed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from local.samples import SampleBackup
from local.sqlserver import Server
from shared import restoring
from shared.batches import pause_s
from shared.chain import DatabaseState
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.vocabulary import BlockingReason, MigrationStatus, RestoreRunner
from shared.work import Turn
from tests.shared.conftest import MakeScene
from tests.shared.scene import TARGET, Scene, guids, restored, sample

KIB = 1024
LONGEST_ACTIVITY_S = 5.0


def begin(scene: Scene, folder: str, backups: list[SampleBackup]) -> MigrationOrder:
    """Order a migration and let it start its first batch, which the server is then at."""
    scene.drop_backups(folder, backups)
    order = scene.create(folder, scene.database("Sales"))
    assert poll(scene, order).pause_s > 0
    return order


def poll(scene: Scene, order: MigrationOrder) -> Turn:
    began = time.monotonic()
    turn = restoring.restore_batch(scene.place, order.id)
    assert time.monotonic() - began < LONGEST_ACTIVITY_S
    return turn


def poll_until(scene: Scene, order: MigrationOrder, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline
        poll(scene, order)


def test_a_long_restore_is_followed_from_one_look_to_the_next(
    make_scene: MakeScene, slow: Server
) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=4_000 * KIB)
    backups = [source.full(), source.log()]
    order = begin(scene, "f", backups)
    details = scene.details(order)
    assert details.restores_with is RestoreRunner.AGENT
    assert details.restoring_files == 1
    poll_until(scene, order, lambda: scene.details(order).current_restore_percent_completed != 0)
    turn = restoring.take_turn(scene.place, order.id)
    assert (turn.action, turn.pause_s) == (Action.RESTORE, 1.0)
    assert turn.status["migrationState"] == "RestoringFullBackup"
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    with scene.on_target() as target:
        assert target.find_batch(order.target_database) is None


def test_short_logs_cost_no_wait(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), *(source.log() for _ in range(5))]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("Sales"))
    turns = [poll(scene, order), poll(scene, order)]
    assert [turn.pause_s for turn in turns] == [0, 0]
    assert [turn.action for turn in turns] == [Action.RESTORE, Action.WAIT]
    assert restored(scene, order) == guids(backups)


@pytest.mark.parametrize(
    ("elapsed", "pause"), [(0, 1), (5, 1), (20, 2), (100, 10), (300, 30), (36_000, 30)]
)
def test_pauses_grow_from_a_second_to_half_a_minute(elapsed: float, pause: float) -> None:
    assert pause_s(elapsed) == pause


def test_a_crash_at_any_point_resumes_the_job_that_runs(
    make_scene: MakeScene, slow: Server
) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=4_000 * KIB)
    backups = [source.full(), source.log()]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("Sales"))
    calm = scene.progress(order)
    poll(scene, order)
    # As if the worker had died right after it was decided that the database is ours.
    scene.put_back(order, calm.model_copy(update={"begun": True}))
    scene.drive(order)
    assert restored(scene, order) == guids(backups)


@pytest.mark.parametrize("keep_target", [False, True])
def test_a_cancel_stops_the_job_and_then_drops_the_database_or_keeps_it(
    make_scene: MakeScene, slow: Server, *, keep_target: bool
) -> None:
    scene = make_scene(slow)
    order = begin(scene, "f", [sample(data_bytes=9_000 * KIB).full()])
    scene.cancel(order, keep_target=keep_target)
    assert poll(scene, order).action is Action.CLEAN_UP
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED
    with scene.on_target() as target:
        assert target.find_batch(order.target_database) is None
        state = target.read_position(order.target_database).state
    assert state is (DatabaseState.RESTORING if keep_target else DatabaseState.ABSENT)


def test_a_cutover_that_ends_within_a_batch_stops_it_there(
    make_scene: MakeScene, slow: Server
) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=300 * KIB)
    full, *logs = source.full(), *(source.log(size=1_500 * KIB) for _ in range(4))
    scene.drop_backups("f", [full, *logs])
    order = scene.create("f", scene.database("Sales"))
    poll_until(scene, order, lambda: scene.progress(order).restored_sets >= 1)
    poll_until(scene, order, lambda: scene.progress(order).current is not None)
    scene.cutover(order, lastBackupName=logs[1].file_names[0])
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert restored(scene, order)[:3] == guids([full, *logs[:2]])
    assert not set(guids(logs[2:])) & set(restored(scene, order))


def test_a_full_is_not_given_up_for_a_newer_one(make_scene: MakeScene, slow: Server) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=3_000 * KIB)
    first = source.full()
    order = begin(scene, "f", [first])
    scene.drop_backups("f", [source.full()])
    scene.drive(order)
    assert restored(scene, order) == guids([first])


def test_a_job_of_an_earlier_attempt_is_waited_for(make_scene: MakeScene, slow: Server) -> None:
    scene = make_scene(slow)
    full = sample(data_bytes=3_000 * KIB).full()
    first = begin(scene, "f", [full])
    # Its record is lost, its job is not: as after a deletion by force.
    _, stored = scene.read(first)
    stored.update(status=MigrationStatus.CANCELED)
    second = scene.create("f", first.target_database)
    assert second.operation_id != first.operation_id
    assert poll(scene, second).action is Action.WAIT
    why = scene.details(second).restore_blocking_reason_code
    assert why is BlockingReason.CONCURRENT_CHANGE
    with scene.on_target() as target:
        while (batch := target.find_batch(first.target_database)) and batch.running:
            time.sleep(0.2)
    scene.drive(second)
    with scene.on_target() as target:
        assert target.find_batch(first.target_database) is None
    assert len(restored(scene, second)) == 1
    why = scene.details(second).restore_blocking_reason_code
    assert why is BlockingReason.TARGET_DATABASE_EXISTS


def test_a_restored_log_whose_file_was_replaced_meanwhile_is_taken_over(
    make_scene: MakeScene, slow: Server
) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=300 * KIB)
    full, *logs = source.full(), *(source.log(size=1_500 * KIB) for _ in range(3))
    names = scene.drop_backups("f", [full, *logs[:2]])
    order = scene.create("f", scene.database("Sales"))
    poll_until(scene, order, lambda: scene.progress(order).restored_sets >= 1)
    poll_until(scene, order, lambda: scene.progress(order).current is not None)
    with scene.on_target() as target:
        while len(target.read_restore_history(order.target_database, 0)) < 2:
            time.sleep(0.1)
    # The source writes its logs under one name, and this one was read to its end.
    scene.drop(names[1], logs[2].to_bytes()[0])
    scene.drive(order)
    assert scene.progress(order).blocking is None
    assert restored(scene, order) == guids([full, *logs])


def test_a_target_without_its_agent_restores_on_a_connection(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, {"restore_with": "inline"})
    backups = [sample().full()]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert scene.details(order).restores_with is RestoreRunner.INLINE
    assert TARGET in scene.place.settings.targets
