"""Where a migration's files go, from the request to the files on the target."""

from __future__ import annotations

from shared import ordering
from shared.models import RestartRequest
from shared.vocabulary import BlockingReason, MigrationStatus
from tests.shared.scene import TARGET, Scene, sample

FOLDER = "/var/opt/mssql/data"


def paths(scene: Scene, but: str) -> dict[str, str]:
    with scene.place.target(TARGET) as target:
        return dict(target.read_paths(but))


def test_files_go_where_the_request_says_and_a_restart_keeps_it(scene: Scene) -> None:
    source, name = sample(), scene.database("Sales")
    full = source.full()
    data = full.files[0].logical_name
    path = f"{FOLDER}/{name}'s own.mdf"
    wanted = {"moveFiles": {data: path}, "blockSize": 65536}
    scene.drop_backups("f", [full, source.log()])
    order = scene.create("f", name, restoreOptions=wanted)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    assert paths(scene, "")[path] == name
    assert scene.create("f", name, restoreOptions=wanted) == order
    shown = scene.shown(order).properties.restore_options.as_json()
    assert shown.items() >= wanted.items()

    scene.cancel(order)
    scene.drive(order)
    ordering.order_restart(
        scene.place, order.id, RestartRequest(migration_operation_id=order.operation_id)
    )
    again = scene.read(order)[0]
    assert again.restore_options == order.restore_options
    scene.drive(again)
    assert paths(scene, "")[path] == name


def test_a_file_that_the_backup_does_not_have_is_told_with_those_that_it_has(scene: Scene) -> None:
    full = sample().full()
    scene.drop_backups("f", [full])
    wanted = {"moveFiles": {"Slaes": f"{FOLDER}/x.mdf"}}
    order = scene.create("f", scene.database("Sales"), restoreOptions=wanted)
    scene.drive(order)
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.RESTORE_OPTIONS_REFUSED
    assert details.restore_blocking_reason is not None
    for file in full.files:
        assert repr(file.logical_name) in details.restore_blocking_reason
    assert "restoreOptions" in (details.restore_blocking_action or "")
    assert not scene.progress(order).begun


def test_a_place_that_is_taken_holds_it_up_until_it_is_free(scene: Scene) -> None:
    source = sample()
    full = source.full()
    path = f"{FOLDER}/{scene.database('taken')}.mdf"
    wanted = {"moveFiles": {full.files[0].logical_name: path}}
    scene.drop_backups("f", [full])
    scene.drop_backups("g", [sample().full()])
    first = scene.create("f", scene.database("A"), restoreOptions=wanted)
    second = scene.create("g", scene.database("B"), restoreOptions=wanted)
    scene.drive(first)
    scene.drive(second)
    details = scene.details(second)
    assert details.restore_blocking_reason_code is BlockingReason.TARGET_DATABASE_EXISTS
    assert repr(first.target_database) in (details.restore_blocking_reason or "")
    assert not scene.progress(second).begun
    scene.cancel(first)
    scene.drive(first)
    scene.drive(second)
    assert scene.status(second) is MigrationStatus.READY_FOR_CUTOVER
    assert paths(scene, "")[path] == second.target_database
