"""What the periodic check finds: who is to be woken, and who may keep a restore slot."""

from __future__ import annotations

import pytest
from azure.data.tables import TableServiceClient

from local.azurite import Azurite
from local.samples import SampleDatabase
from local.sqlserver import Server
from shared import restoring
from shared.errors import BackhaulError
from shared.records import MigrationOrder, MigrationProgress
from shared.sweeping import survey
from shared.vocabulary import BlockingReason, MigrationStatus
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene


def check_found(
    scene: Scene, order: MigrationOrder, *, restless: bool, busy: bool | None = None
) -> None:
    found = survey(scene.place)
    assert (order.id in found.restless) is restless
    assert (order.id in found.busy) is (restless if busy is None else busy)


def test_a_migration_is_woken_as_long_as_it_has_work(scene: Scene) -> None:
    source = SampleDatabase("Sales")
    order = scene.create("f", scene.database("Sales"))
    check_found(scene, order, restless=True, busy=False)
    scene.drive(order)
    check_found(scene, order, restless=False)

    scene.drop_backups("f", [source.full(), source.log()])
    check_found(scene, order, restless=True)
    # It has looked, and decided to restore: whoever was to do it may have died since.
    restoring.take_turn(scene.place, order.id)
    assert scene.status(order) is MigrationStatus.RESTORING
    check_found(scene, order, restless=True)
    scene.drive(order)
    check_found(scene, order, restless=False)

    scene.cutover(order)
    check_found(scene, order, restless=True)
    scene.drive(order)
    check_found(scene, order, restless=False)


def test_a_migration_in_the_middle_of_a_run_is_busy(make_scene: MakeScene, server: Server) -> None:
    """Between two batches, and before the last look has seen what was restored."""
    scene = make_scene(server, batch_sets=2)
    source = SampleDatabase("Sales")
    scene.drop_backups("f", [source.full(), *(source.log() for _ in range(4))])
    order = scene.create("f", scene.database("Sales"))
    before = scene.progress(order)
    restoring.restore_batch(scene.place, order.id)
    check_found(scene, order, restless=True)
    _, stored = scene.read(order)
    stored.update(position=before.position)
    check_found(scene, order, restless=True)


def test_a_cancel_wakes_and_an_end_is_left_alone(scene: Scene) -> None:
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cancel(order)
    check_found(scene, order, restless=True)
    scene.drive(order)
    check_found(scene, order, restless=False)


def test_whoever_waits_for_the_target_tries_again_and_holds_no_slot(bare: Scene) -> None:
    bare.drop_backups("f", [SampleDatabase("Sales").full()])
    order = bare.create("f", "Sales")
    with pytest.raises(BackhaulError):
        restoring.take_turn(bare.place, order.id)
    blocking = bare.progress(order).blocking
    assert blocking is not None
    assert blocking.code is BlockingReason.TARGET_NOT_READY
    check_found(bare, order, restless=True, busy=False)


def test_a_gap_is_waited_for_in_peace(scene: Scene) -> None:
    source = SampleDatabase("Sales")
    full, _, third = source.full(), source.log(), source.log()
    scene.drop_backups("f", [full, third])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    check_found(scene, order, restless=False)
    scene.drop_backups("f", [source.log()])
    check_found(scene, order, restless=False)


def test_a_cutover_that_has_waited_too_long_is_woken(make_scene: MakeScene, server: Server) -> None:
    scene = make_scene(server, cutover_wait_hours=1e-9)
    scene.drop_backups("f", [SampleDatabase("Sales").full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order, lastBackupName="never.trn")
    check_found(scene, order, restless=True, busy=False)


def test_a_queued_migration_that_lost_its_work_leaves_the_queue(scene: Scene) -> None:
    source = SampleDatabase("Sales")
    name = scene.drop_backups("f", [source.full()])[0]
    order = scene.create("f", scene.database("Sales"))
    restoring.take_turn(scene.place, order.id)
    restoring.note_queued(scene.place, order.id, 1)
    check_found(scene, order, restless=True)
    scene.drop(name, b"no backup any more")
    check_found(scene, order, restless=True, busy=False)


def test_one_migrations_trouble_does_not_hide_the_others(bare: Scene, azurite: Azurite) -> None:
    broken, fine = bare.create("broken", "Broken"), bare.create("fine", "Fine")
    (name,) = bare.drop_backups("broken", [SampleDatabase("Sales").full()])
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    table = service.get_table_client(bare.place.settings.table_prefix + "Backups")
    for row in table.query_entities("RowKey ge 'D' and RowKey lt 'E'"):
        table.update_entity({**row, "doc": "{}"})
    found = survey(bare.place)
    assert found.restless == [fine.id]
    assert broken.id in found.busy, "nobody knows, so nothing is taken from it"
    assert name


def test_a_new_attempt_is_woken_whatever_the_old_one_left(scene: Scene) -> None:
    order = scene.create("f", scene.database("Sales"))
    scene.cancel(order)
    scene.drive(order)
    again = scene.create("f", order.target_database)
    assert scene.progress(again) == MigrationProgress(operation_id=again.operation_id)
    check_found(scene, again, restless=True, busy=False)


def test_unread_blobs_are_found_a_thousand_at_a_time(bare: Scene) -> None:
    for number in range(3):
        bare.container.upload_blob(f"a/{number}.txt", b"x")
    assert [blob.name for blob in survey(bare.place).unchecked] == ["a/0.txt", "a/1.txt", "a/2.txt"]
    bare.check_unchecked()
    assert survey(bare.place).unchecked == []
