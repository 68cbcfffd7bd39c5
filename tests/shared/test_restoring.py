"""Restores, recoveries and cancels on a target: in order, refused, stopped and at their end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from local.sqlserver import Server
from shared import restoring
from shared.arrivals import check_blob
from shared.chain import DatabaseState
from shared.errors import BackhaulError
from shared.looking import read_migration
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.vocabulary import (
    BlockingReason,
    InvalidReason,
    MigrationStatus,
    RestoreState,
)
from tests.shared.conftest import MakeScene
from tests.shared.scene import TARGET, Scene, guids, restored, sample

KIB = 1024
INLINE = {"restore_with": "inline"}


# In order


def test_a_migration_restores_the_plan_and_nothing_else(scene: Scene) -> None:
    source = sample()
    full, covered = source.full(stripes=2), source.log()
    differential, *logs = source.differential(), *(source.log() for _ in range(3))
    scene.drop_backups("f", [*logs[::-1], covered, differential, full])
    order = scene.create("f", scene.database("Sales"))
    turn = scene.drive(order)
    assert turn.action is Action.WAIT
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    assert restored(scene, order) == guids([full, differential, *logs])
    recorded = scene.place.catalog.list_restored(order.operation_id)
    assert [row.backup_set_guid for row in recorded] == guids([full, differential, *logs])
    assert [row.number for row in recorded] == [1, 2, 3, 4, 5]
    scene.cutover(order)
    assert scene.drive(order).action is Action.FINISH
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert not any(row.replace for row in scene.history(order.target_database))


def test_a_batch_ends_after_so_many_sets_and_says_that_there_is_more(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, INLINE, batch_sets=2)
    source = sample()
    scene.drop_backups("f", [source.full(), *(source.log() for _ in range(4))])
    order = scene.create("f", scene.database("Sales"))
    turn = restoring.restore_batch(scene.place, order.id)
    assert turn.action is Action.RESTORE
    assert scene.progress(order).restored_sets == 2


# What fails on the target


def _refused_by(scene: Scene, order: MigrationOrder) -> tuple[BlockingReason, str, str]:
    """Try to restore; return code, reason and action, as the API shows them."""
    try:
        scene.drive(order)
    except BackhaulError:
        scene.drive(order)
    details = scene.details(order)
    assert details.restore_state is RestoreState.BLOCKED
    assert details.restore_blocking_reason_code
    assert details.restore_blocked_since
    return (
        details.restore_blocking_reason_code,
        details.restore_blocking_reason or "",
        details.restore_blocking_action or "",
    )


def test_a_target_out_of_reach(bare: Scene) -> None:
    bare.drop_backups("f", [sample().full()])
    order = bare.create("f", "Sales")
    code, reason, action = _refused_by(bare, order)
    assert code is BlockingReason.TARGET_NOT_READY
    assert "127.0.0.1,1" in reason
    assert action


def test_a_target_that_stays_out_of_reach_is_tried_once_at_a_time(bare: Scene) -> None:
    order = bare.create("f", "Sales")
    with pytest.raises(BackhaulError):
        restoring.take_turn(bare.place, order.id)
    since = bare.details(order).restore_blocked_since
    turn = restoring.take_turn(bare.place, order.id)
    assert turn.action is Action.WAIT
    assert turn.status["blockingReasonCode"] == "TargetNotReady"
    assert bare.details(order).restore_blocked_since == since


def test_a_wrong_password(make_scene: MakeScene, server: Server) -> None:
    scene = make_scene(server, {"password": "not this one"})
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    code, reason, action = _refused_by(scene, order)
    assert code is BlockingReason.TARGET_REFUSED
    assert "18456" in reason
    assert "not this one" not in reason
    assert action


def test_a_target_that_the_settings_do_not_name_any_more(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    turn = scene.drive(order, scene.with_settings(targets={}))
    assert turn.action is Action.WAIT
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.TARGET_REFUSED
    assert repr(TARGET) in (details.restore_blocking_reason or "")
    assert "BACKHAUL_TARGETS" in (details.restore_blocking_action or "")
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_a_database_that_is_there_already_is_never_touched(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), source.log()]
    first = scene.create("first", scene.database("Sales"))
    scene.drop_backups("first", backups)
    scene.drive(first)
    scene.cutover(first)
    scene.drive(first)
    before = scene.history(first.target_database)
    second = scene.create("second", first.target_database)
    scene.drop_backups("second", backups)
    code, reason, _ = _refused_by(scene, second)
    assert code is BlockingReason.TARGET_DATABASE_EXISTS
    assert repr(first.target_database) in reason
    assert scene.history(first.target_database) == before
    scene.cancel(second)
    scene.drive(second)
    with scene.on_target() as target:
        assert target.read_position(first.target_database).state is DatabaseState.ONLINE


def test_a_file_that_the_target_finds_damaged_is_taken_out_of_the_plan(scene: Scene) -> None:
    source = sample()
    full, log = source.full(), source.log()
    name = scene.drop_backups("f", [full, log])[1]
    judged = scene.place.catalog.read_file("f", name)
    assert judged is not None
    # Cut short, but judged as if it were whole: what only the target can see.
    cut = scene.drop(name, log.to_bytes()[0][:-700])
    assert cut is not None
    scene.place.catalog.record_file(judged.model_copy(update={"etag": cut.etag}), over=cut)
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    assert restored(scene, order) == guids([full])
    (invalid,) = scene.details(order).invalid_file_details
    assert invalid.reason_code is InvalidReason.TARGET_REFUSED_BACKUP
    assert "3256" in invalid.reason
    assert invalid.action
    scene.drop(name, log.to_bytes()[0])
    scene.drive(order)
    assert restored(scene, order) == guids([full, log])


def test_a_header_that_the_target_reads_otherwise_is_held_with_both_answers(scene: Scene) -> None:
    source = sample()
    full = source.full()
    (name,) = scene.drop_backups("f", [full])
    judged = scene.place.catalog.read_file("f", name)
    assert judged is not None
    assert judged.header is not None
    wrong = judged.header.model_copy(update={"database_version": 700, "checkpoint_lsn": 7})
    scene.place.catalog.record_file(judged.model_copy(update={"header": wrong}), over=judged)
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    assert restored(scene, order) == []
    assert not scene.progress(order).begun
    (invalid,) = scene.details(order).invalid_file_details
    assert invalid.reason_code is InvalidReason.TARGET_DISAGREES
    assert "database_version: 700 in the file, 904 by the target" in invalid.reason
    assert f"{full.header.checkpoint_lsn} by the target" in invalid.reason


def test_a_target_without_a_credential_says_what_it_may_not_read(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, {"manage_credential": False})
    (name,) = scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    code, reason, action = _refused_by(scene, order)
    assert code is BlockingReason.STORAGE_ACCESS_DENIED
    assert "3201" in reason
    assert name in reason
    assert "credential" in action


def test_trouble_keeps_the_status_that_was_ordered(scene: Scene) -> None:
    scene.drop_backups("f", [(source := sample()).full(), source.log()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    nowhere = scene.with_settings(targets={})
    scene.cutover(order)
    scene.drive(order, nowhere)
    assert scene.status(order) is MigrationStatus.COMPLETING
    assert "no target" in (scene.details(order).complete_restore_error_message or "")
    scene.cancel(order)
    scene.drive(order, nowhere)
    assert scene.status(order) is MigrationStatus.CANCELING
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED


def test_success_leaves_no_warning_of_the_tries_before_it(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order)
    scene.drive(order, scene.with_settings(targets={}))
    assert scene.progress(order).complete_error
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert scene.progress(order).complete_error is None


# Cancel in the middle


def _while_restoring(scene: Scene, order: MigrationOrder, act: Callable[[], object]) -> None:
    """Run a batch, and do something once the server is seen to restore."""
    batch = threading.Thread(target=restoring.restore_batch, args=(scene.place, order.id))
    batch.start()
    deadline = time.monotonic() + 20
    while (current := scene.progress(order).current) is None or current.percent == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    act()
    batch.join(30)
    assert not batch.is_alive()


def test_a_cancel_stops_a_restore_in_the_middle(make_scene: MakeScene, slow: Server) -> None:
    scene = make_scene(slow, INLINE)
    scene.drop_backups("f", [sample(data_bytes=8_000 * KIB).full()])
    order = scene.create("f", scene.database("Sales"))
    began = time.monotonic()
    shown = []

    def look_and_cancel() -> None:
        shown.append(scene.details(order))
        scene.cancel(order)

    _while_restoring(scene, order, look_and_cancel)
    assert time.monotonic() - began < 6, "it was restored to its end, which takes 8 s"
    assert shown[0].restoring_files == 1
    assert 0 < (shown[0].current_restore_percent_completed or 0) < 90
    assert 0 < (shown[0].restore_percent_completed or 0) < 90
    assert shown[0].active_backup_sets[0].restore_start_date
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ABSENT


def test_an_interrupted_full_restore_is_begun_again(make_scene: MakeScene, slow: Server) -> None:
    scene = make_scene(slow, INLINE)
    source = sample(data_bytes=2_500 * KIB)
    backups = [source.full(), source.log()]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("Sales"))
    calm = scene.progress(order).model_copy(update={"begun": True})
    _while_restoring(scene, order, lambda: scene.cancel(order))
    with scene.on_target() as target:
        position = target.read_position(order.target_database)
    assert (position.state, position.redo_start_lsn) == (DatabaseState.RESTORING, None)
    # As after a crash: no cancel, and no more known than that the database is ours.
    scene.place.catalog.change_order(order.id, lambda old: old.model_copy(update={"cancel": None}))
    scene.put_back(order, calm)
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


# Files that change


def test_a_file_that_becomes_another_backup_is_planned_anew(
    make_scene: MakeScene, slow: Server
) -> None:
    scene = make_scene(slow, INLINE)
    source = sample(data_bytes=2_500 * KIB)
    full, log, differential = source.full(), source.log(), source.differential()
    names = scene.drop_backups("f", [full, log])
    order = scene.create("f", scene.database("Sales"))
    # The plan is full and log; while the full is restored, the log's blob turns into something
    # else, and is judged as that.
    _while_restoring(scene, order, lambda: scene.drop(names[1], differential.to_bytes()[0]))
    assert scene.progress(order).blocking is None
    scene.drive(order)
    assert restored(scene, order) == guids([full, differential])


def test_a_file_that_is_gone_when_its_turn_comes_is_missed_by_name(scene: Scene) -> None:
    source = sample()
    names = scene.drop_backups("f", [source.full(), source.log(), source.log()])
    scene.container.delete_blob(names[1])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.CHAIN_GAP
    assert [f.reason_code for f in details.invalid_file_details] == [InvalidReason.BLOB_REMOVED]


# The end


def test_a_cutover_ends_with_what_was_restored_whatever_becomes_of_the_last_file(
    scene: Scene,
) -> None:
    source = sample()
    names = scene.drop_backups("f", [source.full(), source.log()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order)
    scene.drop(names[1], b"this is no backup any more")
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_a_cutover_whose_backup_has_come_does_not_expire_while_it_is_restored(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, cutover_wait_hours=1e-9)
    source = sample()
    scene.drop_backups("f", [source.full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    (name,) = scene.drop_backups("f", [source.log()])
    scene.cutover(order, lastBackupName=name.removeprefix("f/"))
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_a_cutover_whose_backup_does_not_come_ends_and_the_migration_goes_on(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, cutover_wait_hours=1e-9)
    source = sample()
    scene.drop_backups("f", [source.full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order, lastBackupName="never.trn")
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    told = scene.details(order).complete_restore_error_message or ""
    assert "'never.trn'" in told
    again = read_migration(scene.place, order.id)[0]
    assert again.cutover is None
    scene.drop_backups("f", [source.log()])
    scene.drive(order)
    assert scene.details(order).complete_restore_error_message == told
    scene.cutover(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_a_last_backup_of_another_database_is_told_from_one_that_has_not_come(
    scene: Scene,
) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    (foreign,) = scene.drop_backups("f", [sample("HR").full()])
    scene.cutover(order, lastBackupName=foreign.removeprefix("f/"))
    scene.drive(order)
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.FILE_INVALID
    assert "'HR'" in (details.restore_blocking_reason or "")


def test_an_offline_migration_ends_by_itself_with_files_beyond_its_end(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), source.log(), source.log(), source.log()]
    names = scene.drop_backups("f", backups)
    end = names[2].rpartition("/")[2]
    order = scene.create(
        "f",
        scene.database("Sales"),
        offlineConfiguration={"offline": True, "lastBackupName": end},
    )
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert restored(scene, order) == guids(backups[:3])


def test_a_blob_is_read_once_and_its_migration_told(scene: Scene) -> None:
    (name,) = scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    assert check_blob(scene.place, name)[1] == order.id


def test_what_a_source_wrote_before_it_was_set_back_holds_nothing_up(scene: Scene) -> None:
    source = sample()
    full, log = source.full(), source.log()
    given_up = [source.log(), source.log(), source.differential()]
    source.fork(log)
    lived = [source.log(), source.log()]
    scene.drop_backups("f", [full, log, *given_up, *lived])
    order = scene.create("f", scene.database("SetBack"), sourceDatabaseName="Sales")
    scene.drive(order)
    assert restored(scene, order) == guids([full, log, *lived])
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    assert scene.details(order).cutover_readiness.pending_files == []


def test_a_line_of_history_that_the_source_gave_up_is_never_called_ready(scene: Scene) -> None:
    source = sample()
    full, log = source.full(), source.log()
    given_up = [source.log(), source.log(), source.log()]
    source.fork(log)
    lived = source.log()
    assert lived.header.last_lsn < given_up[-1].header.last_lsn
    scene.drop_backups("f", [full, log, *given_up])
    order = scene.create("f", scene.database("Abandoned"), sourceDatabaseName="Sales")
    scene.drive(order)
    assert restored(scene, order) == guids([full, log, *given_up])
    scene.drop_backups("f", [lived])
    scene.drive(order)
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.OTHER_RECOVERY_FORK
    assert scene.status(order) is not MigrationStatus.READY_FOR_CUTOVER
