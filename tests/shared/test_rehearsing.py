"""Rehearsals on a target: what they measure, what they leave behind, and what they never touch."""

from __future__ import annotations

import json
import time
from contextlib import closing, suppress

import pytest

from local.sqlserver import Server
from shared import ordering, restoring
from shared.catalog import Catalog
from shared.chain import DatabaseState
from shared.errors import BackhaulError, StorageUnavailable
from shared.looking import read_migration
from shared.models import LastRehearsal, RehearseRequest, RestartRequest
from shared.outlook import Action
from shared.records import MigrationOrder, MigrationProgress
from shared.rehearsing import order_rehearsal
from shared.sweeping import survey
from shared.targets.connection import Session
from shared.vocabulary import EstimateBasis, MigrationStatus
from shared.workplace import Workplace
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene, refusal_of, restored, sample, settings_of

ENDED_WELL = MigrationStatus.SUCCEEDED


def rehearse(scene: Scene, order: MigrationOrder) -> MigrationOrder:
    """Order a rehearsal; return its order."""
    wish = RehearseRequest(migration_operation_id=order.operation_id)
    found = scene.place.catalog.read_order(order_rehearsal(scene.place, order.id, wish))
    assert found is not None
    return found


def begun(scene: Scene, logs: int = 3) -> MigrationOrder:
    """Return a migration that is ready for its cutover."""
    source = sample()
    scene.drop_backups("f", [source.full(), *(source.log() for _ in range(logs))])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    return order


def last(scene: Scene, order: MigrationOrder) -> LastRehearsal:
    found = ordering.show_migration(scene.place, order.id).properties.last_rehearsal
    assert found is not None
    return found


def state(scene: Scene, order: MigrationOrder) -> DatabaseState:
    with scene.on_target() as target:
        found: DatabaseState = target.read_position(order.target_database).state
        return found


def run(server: Server, *statements: str) -> None:
    with closing(Session(settings_of(server))) as session:
        for statement in statements:
            session.run(statement, doing="what somebody else does")


def fail(server: Server, order: MigrationOrder, **fault: object) -> None:
    """Let the next restore to a migration's database fail."""
    plan = {"do": "error", "percent": 0, "database": order.target_database, **fault}
    run(server, f"EXEC sp_simulate_fault N'{json.dumps(plan)}'")


def jobs_of(server: Server, order: MigrationOrder) -> list[object]:
    with closing(Session(settings_of(server))) as session:
        pattern = f"Backhaul % {order.operation_id}%"
        return [
            *session.query(
                "SELECT name FROM msdb.dbo.sysjobs WHERE name LIKE ?", pattern, doing="look"
            )
        ]


def test_it_restores_opens_checks_and_drops_and_the_migration_goes_on(
    scene: Scene, server: Server
) -> None:
    order = begun(scene)
    before = scene.details(order).cutover_readiness
    assert before.estimate_basis is EstimateBasis.SIZE
    assert before.data_loss_window_seconds is not None
    rehearsal = rehearse(scene, order)
    assert last(scene, order).ended_on is None
    assert scene.drive(rehearsal).action is Action.FINISH
    shown = last(scene, order)
    assert shown.migration_status is ENDED_WELL, shown
    names = [step.name for step in shown.steps]
    assert names == ["restoreFull", "restoreLogs", "recover", "checkDatabase", "drop"]
    assert shown.total_seconds == pytest.approx(sum(step.seconds for step in shown.steps), abs=0.01)
    assert shown.expected_cutover_seconds is not None
    assert shown.expected_cutover_seconds > 2
    assert shown.database.startswith(order.target_database)
    assert state(scene, rehearsal) is DatabaseState.ABSENT
    assert jobs_of(server, rehearsal) == []
    assert restored(scene, rehearsal) == restored(scene, order)
    assert state(scene, order) is DatabaseState.RESTORING
    assert scene.details(order).cutover_readiness.estimate_basis is EstimateBasis.MEASURED
    scene.cutover(order)
    scene.drive(order)
    assert scene.status(order) is ENDED_WELL


def test_on_a_target_without_agent_it_is_the_same(make_scene: MakeScene, server: Server) -> None:
    scene = make_scene(server, {"restore_with": "inline"})
    order = begun(scene)
    rehearsal = rehearse(scene, order)
    scene.drive(rehearsal)
    assert len(last(scene, order).steps) == 5
    assert state(scene, rehearsal) is DatabaseState.ABSENT


# Orders


def test_the_same_again_begins_no_other_before_it_has_ended(scene: Scene) -> None:
    order = begun(scene)
    first = rehearse(scene, order)
    assert rehearse(scene, order) == first
    scene.drive(first)
    second = rehearse(scene, order)
    assert second.operation_id != first.operation_id
    assert second.target_database != first.target_database
    assert second.rehearsal is not None
    assert second.rehearsal.before is not None, "what was measured stays known meanwhile"
    assert scene.details(order).cutover_readiness.estimate_basis is EstimateBasis.MEASURED


def test_what_cannot_be_rehearsed_is_refused(bare: Scene) -> None:
    order = bare.create("f", "Sales")
    refused = refusal_of(lambda: rehearse(bare, order))
    assert (refused.status, refused.code) == (409, "RehearsalNotPossible")
    source = sample()
    bare.drop_backups("f", [source.full(), source.log()])
    rehearsal = rehearse(bare, order)
    assert refusal_of(lambda: rehearse(bare, rehearsal)).code == "RehearsalNotPossible"
    stale = RehearseRequest(migration_operation_id=rehearsal.operation_id)
    refused = refusal_of(lambda: order_rehearsal(bare.place, "f", stale))
    assert refused.code == "OperationIdNotFound"
    again = RestartRequest(migration_operation_id=rehearsal.operation_id)
    refused = refusal_of(lambda: ordering.order_restart(bare.place, rehearsal.id, again))
    assert (refused.status, refused.code) == (409, "OperationInProgress")
    refused = refusal_of(lambda: bare.cancel(rehearsal, keep_target=True))
    assert (refused.status, refused.code) == (400, "InvalidRequest")
    bare.cutover(order, lastBackupName="x.trn")
    assert refusal_of(lambda: rehearse(bare, order)).code == "RehearsalNotPossible"


def test_it_is_shown_with_its_migration_and_not_in_the_list(bare: Scene) -> None:
    bare.drop_backups("f", [sample().full()])
    order = bare.create("f", "Sales")
    rehearsal = rehearse(bare, order)
    assert [one.id for one in ordering.list_migrations(bare.place)] == ["f"]
    itself = ordering.show_migration(bare.place, rehearsal.id)
    assert itself.properties.rehearsal_of == "f"
    assert last(bare, order).database == itself.name


def test_its_record_goes_with_that_of_its_migration(bare: Scene) -> None:
    bare.drop_backups("f", [sample().full()])
    order = bare.create("f", "Sales")
    rehearsal = rehearse(bare, order)
    bare.cancel(rehearsal)
    bare.drive(rehearsal)
    survey(bare.place)
    assert bare.place.catalog.read_order(rehearsal.id) is not None
    bare.place.catalog.delete_migration(order)
    survey(bare.place)
    assert bare.place.catalog.read_order(rehearsal.id) is None


def test_backups_in_its_folder_are_the_migrations(scene: Scene) -> None:
    source = sample()
    scene.drop_backups("f", [source.full()])
    order = scene.create("f", scene.database("Sales"))
    rehearsal = rehearse(scene, order)
    scene.drop_backups("f", [source.log(), source.log()])
    scene.drive(order)
    scene.drive(rehearsal)
    assert len(restored(scene, order)) == 3
    assert len(restored(scene, rehearsal)) == 1, "later files are not part of it"


# Ends before its end


def test_a_cancel_leaves_nothing_behind(make_scene: MakeScene, slow: Server) -> None:
    scene = make_scene(slow)
    source = sample(data_bytes=2_000_000)
    scene.drop_backups("f", [source.full()])
    order = scene.create("f", scene.database("Sales"))
    early = rehearse(scene, order)
    scene.cancel(early)
    assert scene.drive(early).action is Action.FINISH
    assert last(scene, order).migration_status is MigrationStatus.CANCELED
    late = rehearse(scene, order)
    assert restoring.restore_batch(scene.place, late.id).pause_s, "its job runs"
    scene.cancel(late)
    assert restoring.take_turn(scene.place, late.id).action is Action.CLEAN_UP
    scene.drive(late)
    assert last(scene, order).migration_status is MigrationStatus.CANCELED
    assert state(scene, late) is DatabaseState.ABSENT
    assert jobs_of(slow, late) == []


@pytest.mark.parametrize("how", ["cutover", "cancel", "delete"])
def test_it_ends_when_its_migration_does(scene: Scene, how: str) -> None:
    order = begun(scene)
    rehearsal = rehearse(scene, order)
    turn = restoring.restore_batch(scene.place, rehearsal.id)
    assert turn.action is Action.RESTORE
    if how == "cutover":
        scene.cutover(order)
    elif how == "cancel":
        scene.cancel(order)
    else:
        scene.place.catalog.delete_migration(order)
    assert restoring.take_turn(scene.place, rehearsal.id).action is Action.CLEAN_UP
    scene.drive(rehearsal)
    assert scene.status(rehearsal) is MigrationStatus.CANCELED
    assert state(scene, rehearsal) is DatabaseState.ABSENT


def test_what_a_migration_would_wait_for_ends_it(scene: Scene) -> None:
    source = sample()
    names = scene.drop_backups("f", [source.full(), source.log(), source.log()])
    order = scene.create("f", scene.database("Sales"))
    rehearsal = rehearse(scene, order)
    scene.container.delete_blob(names[1])
    scene.drive(rehearsal)
    shown = last(scene, order)
    assert shown.migration_status is MigrationStatus.FAILED
    assert shown.failure is not None
    assert shown.failure.code == "RehearsalFailed"
    assert "log" in shown.failure.message
    assert state(scene, rehearsal) is DatabaseState.ABSENT


def test_a_backup_that_the_target_refuses_fails_it_and_stays_the_migrations(
    scene: Scene, server: Server
) -> None:
    order = begun(scene)
    rehearsal = rehearse(scene, order)
    fail(server, rehearsal, number=3241)
    scene.drive(rehearsal)
    shown = last(scene, order)
    assert shown.migration_status is MigrationStatus.FAILED, shown
    assert scene.details(order).unrestorable_files == 0
    assert state(scene, rehearsal) is DatabaseState.ABSENT


def test_too_little_room_fails_it_and_says_so(scene: Scene, server: Server) -> None:
    order = begun(scene)
    rehearsal = rehearse(scene, order)
    fail(server, rehearsal, number=3257, values=["/data", "9", "5"])
    scene.drive(rehearsal)
    shown = last(scene, order)
    assert shown.migration_status is MigrationStatus.FAILED
    assert shown.failure is not None
    assert "room on the target for a second copy" in shown.failure.action
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_damage_fails_it_and_the_database_is_dropped(scene: Scene, server: Server) -> None:
    order = begun(scene, logs=0)
    rehearsal = rehearse(scene, order)
    restoring.restore_batch(scene.place, rehearsal.id)
    fault = f'{{"do": "corrupt-database", "database": "{rehearsal.target_database}", "after_s": 0}}'
    run(server, f"EXEC sp_simulate_fault N'{fault}'")
    database = server.instance.find(rehearsal.target_database)
    deadline = time.monotonic() + 20
    while not (database and database.is_corrupt):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        database = server.instance.find(rehearsal.target_database)
    scene.drive(rehearsal)
    shown = last(scene, order)
    assert shown.migration_status is MigrationStatus.FAILED
    assert shown.failure is not None
    assert shown.failure.sql_error_number == 8928
    assert "checkDatabase" in [step.name for step in shown.steps]
    assert state(scene, rehearsal) is DatabaseState.ABSENT


# What is not its own


def test_a_database_that_has_the_name_is_not_touched(scene: Scene, server: Server) -> None:
    order = begun(scene)
    rehearsal = rehearse(scene, order)
    run(server, f"CREATE DATABASE [{rehearsal.target_database}]")
    scene.drive(rehearsal)
    assert last(scene, order).migration_status is MigrationStatus.FAILED
    assert state(scene, rehearsal) is DatabaseState.ONLINE


def test_a_scratch_database_that_somebody_opened_is_left_and_named(
    scene: Scene, server: Server
) -> None:
    order = begun(scene, logs=0)
    rehearsal = rehearse(scene, order)
    restoring.restore_batch(scene.place, rehearsal.id)
    run(server, f"RESTORE DATABASE [{rehearsal.target_database}] WITH RECOVERY")
    scene.drive(rehearsal)
    shown = last(scene, order)
    assert shown.migration_status is MigrationStatus.FAILED
    assert shown.failure is not None
    assert rehearsal.target_database in shown.failure.message
    assert state(scene, rehearsal) is DatabaseState.ONLINE


def test_the_server_itself_spares_what_somebody_else_restored(scene: Scene) -> None:
    source = sample()
    full, log = source.full(), source.log()
    scene.drop_backups("f", [full, log])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    with scene.on_target() as target:
        rows = target.read_restore_history(order.target_database, 0)
        target.drop_scratch(order.target_database, rows[0].restore_history_id)
        assert state(scene, order) is DatabaseState.RESTORING
        target.drop_scratch(order.target_database, rows[-1].restore_history_id)
        target.drop_scratch(order.target_database, rows[-1].restore_history_id)
    assert state(scene, order) is DatabaseState.ABSENT


def test_sessions_in_the_scratch_database_do_not_keep_it(scene: Scene, server: Server) -> None:
    order = begun(scene, logs=0)
    rehearsal = rehearse(scene, order)
    while restoring.take_turn(scene.place, rehearsal.id).action is not Action.CLEAN_UP:
        turn = restoring.take_turn(scene.place, rehearsal.id)
        act = restoring.recover if turn.action is Action.RECOVER else restoring.restore_batch
        act(scene.place, rehearsal.id)
    with closing(Session(settings_of(server))) as somebody:
        somebody.run(f"USE [{rehearsal.target_database}]", doing="looking at it")
        scene.drive(rehearsal)
    assert last(scene, order).migration_status is ENDED_WELL
    assert state(scene, rehearsal) is DatabaseState.ABSENT


# Crashes


class Tables(Catalog):
    """A catalog whose n-th write of progress does not happen, as if the worker had died there."""

    def dies_at(self, number: int) -> Tables:
        self._left = number
        return self

    def _replace_progress(self, migration_id: str, progress: MigrationProgress, etag: str) -> str:
        self._left -= 1
        if self._left == 0:
            raise StorageUnavailable("the worker has died")
        return super()._replace_progress(migration_id, progress, etag)

    @property
    def has_died(self) -> bool:
        return self._left <= 0


def test_a_death_before_any_write_leaves_no_scratch_database_in_the_end(
    scene: Scene, server: Server
) -> None:
    order = begun(scene, logs=1)
    died, number = True, 0
    while died:
        number += 7
        rehearsal = rehearse(scene, order)
        mortal = Workplace(scene.place.settings)
        tables = Tables(mortal.settings).dies_at(number)
        mortal.__dict__["catalog"] = tables
        with suppress(BackhaulError):
            scene.drive(rehearsal, mortal)
        died = tables.has_died
        scene.drive(rehearsal)
        now = read_migration(scene.place, rehearsal.id)[1].now
        assert now.status is ENDED_WELL, (number, now.failure, now.rehearsal)
        assert state(scene, rehearsal) is DatabaseState.ABSENT
        assert jobs_of(server, rehearsal) == []
    assert number > 12
