"""Databases that somebody else left restoring: taken over, or left alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from local.samples import SampleBackup
from shared.chain import DatabaseState
from shared.records import MigrationOrder
from shared.targets import RestoreOrder
from shared.vocabulary import BlockingReason, MigrationStatus
from tests.shared.scene import Scene, guids, restored, sample


def left_restoring(scene: Scene, database: str, backups: Sequence[SampleBackup]) -> None:
    """Restore backups as somebody else does, from a folder that no migration looks at."""
    with scene.on_target() as target:
        for backup in backups:
            (name,) = scene.drop_backups("by-hand", [backup])
            scene.place.let_target_read(target, "t")
            target.restore(
                RestoreOrder(
                    database=database,
                    backup_set_guid=backup.header.backup_set_guid,
                    backup_type=backup.header.backup_type,
                    urls=(scene.place.blobs.url_of(name),),
                    checksum=True,
                ),
                lambda percent: True,
            )


def adopt(scene: Scene, database: str, backups: Sequence[SampleBackup]) -> MigrationOrder:
    scene.drop_backups("f", backups)
    order = scene.create("f", database, adopt=True)
    scene.drive(order)
    return order


def test_a_database_is_taken_over_from_its_position(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), *(source.log() for _ in range(3))]
    database = scene.database("Sales")
    left_restoring(scene, database, backups[:2])
    order = adopt(scene, database, backups)
    assert restored(scene, order) == guids(backups), "nothing twice"
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    recorded = scene.place.catalog.list_restored(order.operation_id)
    assert [row.backup_set_guid for row in recorded] == guids(backups)
    scene.cutover(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_the_folder_needs_only_what_is_still_to_come(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), *(source.log() for _ in range(3))]
    database = scene.database("Sales")
    left_restoring(scene, database, backups[:2])
    order = adopt(scene, database, backups[2:])
    assert restored(scene, order) == guids(backups)
    details = scene.details(order)
    assert details.is_full_backup_restored
    assert details.restored_files == 2
    scene.cutover(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


@pytest.mark.parametrize("case", ["not asked", "other family", "online", "nothing here"])
def test_what_is_not_to_be_adopted_is_left_alone(scene: Scene, case: str) -> None:
    source = sample()
    theirs = [source.full()]
    database = scene.database("Sales")
    left_restoring(scene, database, theirs)
    ours = [sample("Other").full()] if case == "other family" else [*theirs, source.log()]
    if case == "online":
        with scene.on_target() as target:
            target.recover(database)
    scene.drop_backups("f", () if case == "nothing here" else ours)
    order = scene.create("f", database, adopt=case != "not asked")
    scene.drive(order)
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.TARGET_DATABASE_EXISTS
    assert ("adopted" in (details.restore_blocking_reason or "")) == (case != "not asked")
    assert restored(scene, order) == guids(theirs)
    scene.cancel(order)
    scene.drive(order)
    with scene.on_target() as target:
        assert target.read_position(database).state is not DatabaseState.ABSENT
