"""Migrations that give up, are asked to go on, begin anew, end in failure, or are taken away."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from local.sqlserver import Server
from shared import ordering, restoring
from shared.chain import DatabaseState
from shared.errors import TargetError, TargetUnavailable
from shared.models import RestartRequest, RetryRequest
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.sweeping import survey
from shared.vocabulary import FailureCode, MigrationStatus
from shared.work import Turn, Work
from shared.workplace import Workplace
from tests.shared.conftest import MakeScene
from tests.shared.scene import TARGET, Scene, guids, refusal_of, restored, sample, settings_of

GONE = {TARGET: settings_of(None)}
LONG_AGO = timedelta(hours=9)


def look(place: Workplace, order: MigrationOrder) -> Turn | None:
    """Look as the orchestration does, which tries again what is not available."""
    with suppress(TargetUnavailable):
        return restoring.take_turn(place, order.id)
    return None


def give_up(scene: Scene, order: MigrationOrder) -> None:
    """Let the target be out of reach for longer than a migration goes on trying."""
    gone = scene.with_settings(targets=GONE)
    look(gone, order)
    _, stored = scene.read(order)
    assert stored.now.failing_since is not None
    stored.update(failing_since=stored.now.failing_since - LONG_AGO)
    turn = look(gone, order) or look(gone, order)
    assert turn is not None
    assert turn.action is Action.WAIT
    assert turn.status["migrationStatus"] == "Retriable"
    assert scene.status(order) is MigrationStatus.RETRIABLE


def retry(scene: Scene, order: MigrationOrder) -> None:
    ordering.order_retry(
        scene.place, order.id, RetryRequest(migration_operation_id=order.operation_id)
    )


def test_a_target_that_stays_away_is_given_up_and_a_retry_goes_on(scene: Scene) -> None:
    backups = [sample().full()]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("Sales"))
    assert refusal_of(lambda: retry(scene, order)).code == "MigrationRetryNotAllowed"
    give_up(scene, order)
    # Nothing is tried any more, though the target is back.
    turn = restoring.take_turn(scene.place, order.id)
    assert turn.action is Action.WAIT
    assert restored(scene, order) == []
    assert order.id not in survey(scene.place).restless
    retry(scene, order)
    assert order.id in survey(scene.place).restless
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_without_a_retry_it_is_canceled_after_its_time_and_says_so(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    give_up(scene, order)
    _, stored = scene.read(order)
    assert stored.now.retriable_since is not None
    stored.update(retriable_since=stored.now.retriable_since - LONG_AGO)
    assert order.id in survey(scene.place).restless
    assert restoring.take_turn(scene.place, order.id).action is Action.FINISH
    shown = ordering.show_migration(scene.place, order.id).properties
    assert shown.migration_status is MigrationStatus.CANCELED
    assert shown.migration_failure_error is not None
    assert shown.migration_failure_error.code is FailureCode.TIMEOUT_WAITING_FOR_RETRY
    with scene.on_target() as target:
        state = target.read_position(order.target_database).state
    assert state is DatabaseState.RESTORING, "what was restored stays"


def test_one_that_gave_up_can_be_canceled(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    give_up(scene, order)
    scene.cancel(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ABSENT


def test_an_accepted_cutover_does_not_give_up(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order)
    gone = scene.with_settings(targets=GONE, retry_minutes=1e-9)
    for _ in range(3):
        look(gone, order)
    assert scene.status(order) is MigrationStatus.COMPLETING
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_a_restart_begins_anew_with_the_old_settings(scene: Scene) -> None:
    backups = [sample().full()]
    scene.drop_backups("f", backups)
    first = scene.create("f", scene.database("Sales"))
    wish = RestartRequest(migration_operation_id=first.operation_id)

    def restart() -> None:
        ordering.order_restart(scene.place, first.id, wish)

    assert refusal_of(restart).code == "OperationInProgress"
    scene.drive(first)
    scene.cancel(first)
    scene.drive(first)
    restart()
    second, stored = scene.read(first)
    assert second.operation_id != first.operation_id
    assert second.restart_of == first.operation_id
    assert second.cancel is None
    assert stored.now.status is MigrationStatus.CREATING
    restart()
    assert scene.read(first)[0] == second, "the same request again begins nothing"
    scene.drive(second)
    assert restored(scene, second) == guids(backups * 2)
    assert scene.status(second) is MigrationStatus.READY_FOR_CUTOVER
    stale = RestartRequest(migration_operation_id=uuid4())
    refusal = refusal_of(lambda: ordering.order_restart(scene.place, first.id, stale))
    assert refusal.code == "OperationIdNotFound"


def test_a_record_goes_and_the_database_stays(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    scene.cutover(order)
    scene.drive(order)
    gone = ordering.delete_migration(scene.place, order.id, order.operation_id, force=False)
    assert gone is None
    assert ordering.list_migrations(scene.place) == []
    assert refusal_of(lambda: ordering.show_migration(scene.place, order.id)).status == 404
    assert scene.place.catalog.list_restored(order.operation_id) == []
    # An orchestration that is still there ends.
    assert restoring.take_turn(scene.place, order.id).action is Action.FINISH
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ONLINE


def test_an_active_one_is_deleted_by_force_once_it_is_canceled(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)

    def delete(*, force: bool) -> object:
        return ordering.delete_migration(scene.place, order.id, order.operation_id, force=force)

    assert refusal_of(lambda: delete(force=False)).code == "OperationInProgress"
    assert delete(force=True) is not None
    survey(scene.place)
    assert ordering.list_migrations(scene.place), "it goes after its cancel, not before"
    scene.drive(order)
    survey(scene.place)
    assert ordering.list_migrations(scene.place) == []
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ABSENT


@pytest.mark.parametrize("number", [3313, 4323])
def test_what_nothing_can_cure_ends_the_migration(
    make_scene: MakeScene, server: Server, number: int
) -> None:
    scene = make_scene(server)
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    _, stored = scene.read(order)

    def fail(target: object) -> object:
        raise TargetError("During undoing", number=number, action="Begin again with the full.")

    work = Work.begin(scene.place, order.id)
    assert work.on_target(fail).action is Action.FINISH  # type: ignore[arg-type]
    shown = ordering.show_migration(scene.place, order.id).properties
    assert shown.migration_status is MigrationStatus.FAILED
    assert shown.migration_failure_error is not None
    assert shown.migration_failure_error.sql_error_number == number
    assert shown.migration_status_warnings.warning_count == 1
    assert stored.now.failure is None
