"""Work on a target that is done twice, at once, too late, or after a crash."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

import pytest

from local.sqlserver import Server
from shared import restoring
from shared.chain import DatabaseState
from shared.errors import BackhaulError
from shared.outlook import Action
from shared.records import MigrationProgress
from shared.targets import RestoreOrder
from shared.vocabulary import (
    BlockingReason,
    MigrationState,
    MigrationStatus,
)
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene, guids, restored, sample

KIB = 1024


# Crashes: a piece of work runs again, with less written down than was done


def test_a_restore_that_nobody_wrote_down_is_not_done_again(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), source.log(), source.log()]
    scene.drop_backups("f", backups[:2])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    before = scene.progress(order)
    scene.drop_backups("f", backups[2:])
    scene.drive(order)
    scene.put_back(order, before)
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert scene.progress(order).restored_sets == 3
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_a_crash_right_after_the_first_restore_keeps_the_database_ours(scene: Scene) -> None:
    source = sample()
    scene.drop_backups("f", [source.full(), source.log()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    claimed = MigrationProgress(operation_id=order.operation_id, begun=True)
    scene.put_back(order, claimed)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    assert scene.progress(order).restored_sets == 2
    assert len(restored(scene, order)) == 2


def test_a_restored_file_that_was_replaced_before_its_restore_was_written_down(
    scene: Scene,
) -> None:
    source = sample()
    full, log, other = source.full(), source.log(), source.log()
    names = scene.drop_backups("f", [full, log])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    done = scene.progress(order)
    last = scene.place.catalog.list_restored(order.operation_id)[0]
    # The next log came under the name of the one before, as BACKUP LOG ... WITH INIT writes it.
    scene.put_back(
        order,
        done.model_copy(
            update={"last_restored": last, "restored_sets": 1, "history_id": done.history_id - 1}
        ),
    )
    scene.drop(names[1], other.to_bytes()[0])
    scene.drive(order)
    assert scene.progress(order).blocking is None
    assert restored(scene, order) == guids([full, log, other])
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_a_recovery_that_nobody_wrote_down_ends_in_success(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order)
    before = scene.progress(order).model_copy(update={"recovering": True})
    scene.drive(order)
    scene.put_back(order, before)
    assert restoring.recover(scene.place, order.id).action is Action.FINISH
    assert restoring.recover(scene.place, order.id).action is Action.FINISH
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_a_cancel_that_comes_after_the_recovery_ends_in_success(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order)
    before = scene.progress(order).model_copy(update={"recovering": True})
    scene.drive(order)
    scene.put_back(order, before)
    scene.cancel(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ONLINE


def test_a_drop_that_nobody_wrote_down_ends_in_canceled(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    before = scene.progress(order)
    scene.cancel(order)
    scene.drive(order)
    scene.put_back(order, before)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED


def test_a_clean_up_that_runs_again_late_spares_the_migration_that_was_started_anew(
    scene: Scene,
) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.cancel(order)
    scene.drive(order)
    again = scene.create("f", order.target_database)
    assert again.operation_id != order.operation_id
    assert restoring.clean_up(scene.place, order.id).action is Action.RESTORE
    scene.drive(again)
    assert restoring.clean_up(scene.place, order.id).action is Action.WAIT
    assert scene.status(again) is MigrationStatus.READY_FOR_CUTOVER


def test_a_place_in_the_queue_that_is_noted_late_leaves_an_ended_migration_alone(
    scene: Scene,
) -> None:
    order = scene.create("f", scene.database("Sales"))
    turn = restoring.note_queued(scene.place, order.id, 3)
    waiting_for = str(turn.status["waitingFor"])
    assert waiting_for.startswith("a restore slot of target 't', which restores 4 databases at")
    assert "place 3 in the queue" in waiting_for
    assert scene.details(order).restore_queue_place == 3
    scene.cancel(order)
    scene.drive(order)
    assert restoring.note_queued(scene.place, order.id, 2).action is Action.FINISH
    assert scene.progress(order).state is MigrationState.CANCELED


# Two at once


def test_a_second_batch_at_the_same_time_restores_nothing_twice(
    make_scene: MakeScene, slow: Server
) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=800 * KIB)
    backups = [source.full(), source.log(), source.log()]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("Sales"))

    def batch(wait: float) -> None:
        time.sleep(wait)
        for _ in range(20):
            with suppress(BackhaulError):
                if restoring.restore_batch(scene.place, order.id).action is not Action.RESTORE:
                    return
            time.sleep(0.2)  # as the orchestration's retry does

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(batch, wait) for wait in (0.0, 0.5)]:
            done.result()
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    recorded = scene.place.catalog.list_restored(order.operation_id)
    assert [row.backup_set_guid for row in recorded] == guids(backups)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_two_migrations_to_one_database_do_not_mix(scene: Scene) -> None:
    """Ordered at the same moment, or started by themselves: the API has not seen the other."""
    source = sample()
    backups = [source.full(), source.log()]
    name = scene.database("Sales")
    first = scene.create("one", name)
    second = first.model_copy(
        update={
            "id": "two",
            "folder": "two",
            "operation_id": UUID(int=2),
            "target_database": name.upper(),
            "created_on": scene.place.now(),
        }
    )
    assert scene.place.catalog.create_order(second)
    scene.drop_backups("one", backups)
    scene.drop_backups("two", backups)
    scene.drive(second)
    assert not scene.progress(second).begun
    details = scene.details(second)
    assert details.restore_blocking_reason_code is BlockingReason.TARGET_DATABASE_EXISTS
    assert "'one'" in (details.restore_blocking_reason or "")
    scene.drive(first)
    assert scene.status(first) is MigrationStatus.READY_FOR_CUTOVER
    scene.cancel(second)
    scene.drive(second)
    with scene.on_target() as target:
        assert target.read_position(name).state is DatabaseState.RESTORING


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_somebody_elses_restore_is_noticed_and_the_database_left_alone(
    scene: Scene, whose: str
) -> None:
    source = sample()
    ours, theirs = source.full(), sample("Theirs").full()
    (name, *_) = scene.drop_backups("f", [ours, source.log()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    (name_of_theirs,) = scene.drop_backups("elsewhere", [theirs])
    full, file = (ours, name) if whose == "ours" else (theirs, name_of_theirs)
    with scene.on_target() as target:
        target.drop(order.target_database)
        target.restore(
            RestoreOrder(
                database=order.target_database,
                backup_set_guid=full.header.backup_set_guid,
                backup_type=full.header.backup_type,
                urls=(scene.place.blobs.url_of(file),),
                checksum=True,
            ),
            lambda percent: True,
        )
    scene.drive(order)
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.CONCURRENT_CHANGE
    assert str(full.header.backup_set_guid) in (details.restore_blocking_reason or "")
    scene.cancel(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.RESTORING


# A credential that expires


def test_a_signature_that_is_refused_is_renewed(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), source.log()]
    scene.drop_backups("f", backups[:1])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    with scene.on_target() as target:
        url = scene.place.blobs.container_url
        target.ensure_credential(url, lambda: "sv=2024-08-04&sig=expired", renew=True)
    scene.drop_backups("f", backups[1:])
    assert scene.drive(order).status["blockingReasonCode"] == "StorageAccessDenied"
    assert scene.progress(order).access_denied
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert not scene.progress(order).access_denied
