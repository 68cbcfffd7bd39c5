"""Rehearsals on a target: what they measure, what they leave behind, and what they never touch."""

from __future__ import annotations

import pytest

from shared import ordering
from shared.chain import DatabaseState
from shared.models import LastRehearsal, RehearseRequest
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.rehearsing import order_rehearsal
from shared.vocabulary import EstimateBasis, MigrationStatus
from tests.shared.scene import Scene, restored, sample


def rehearse(scene: Scene, order: MigrationOrder) -> MigrationOrder:
    """Order a rehearsal; return its order."""
    wish = RehearseRequest(migration_operation_id=order.operation_id)
    found = scene.place.catalog.read_order(order_rehearsal(scene.place, order.id, wish))
    assert found is not None
    return found


def last(scene: Scene, order: MigrationOrder) -> LastRehearsal:
    found = ordering.show_migration(scene.place, order.id).properties.last_rehearsal
    assert found is not None
    return found


def state(scene: Scene, order: MigrationOrder) -> DatabaseState:
    with scene.on_target() as target:
        found: DatabaseState = target.read_position(order.target_database).state
        return found


def begun(scene: Scene) -> tuple[MigrationOrder, MigrationOrder]:
    """Return a migration that is ready for its cutover, and its rehearsal, ordered only."""
    source = sample()
    full, *logs = source.full(), *(source.log() for _ in range(3))
    scene.drop_backups("f", [full, *logs])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    return order, rehearse(scene, order)


def test_a_rehearsal_restores_opens_checks_and_drops_and_the_migration_goes_on(
    scene: Scene,
) -> None:
    order, rehearsal = begun(scene)
    before = scene.details(order).cutover_readiness
    assert before.estimate_basis is EstimateBasis.SIZE
    assert scene.drive(rehearsal).action is Action.FINISH
    shown = last(scene, order)
    assert shown.migration_status is MigrationStatus.SUCCEEDED, shown
    names = [step.name for step in shown.steps]
    assert names == ["restoreFull", "restoreLogs", "recover", "checkDatabase", "drop"]
    assert shown.total_seconds == pytest.approx(sum(step.seconds for step in shown.steps))
    assert shown.expected_cutover_seconds is not None
    assert shown.expected_cutover_seconds > 2
    assert shown.database.startswith(order.target_database)
    assert state(scene, rehearsal) is DatabaseState.ABSENT
    assert restored(scene, rehearsal) == restored(scene, order)
    assert state(scene, order) is DatabaseState.RESTORING
    assert scene.details(order).cutover_readiness.estimate_basis is EstimateBasis.MEASURED
    scene.cutover(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
