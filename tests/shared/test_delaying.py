"""Logs and differentials wait until they are old enough, and what ends that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from local.sqlserver import Server
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.sweeping import survey
from shared.vocabulary import MigrationState, MigrationStatus
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene, guids, refusal_of, request, restored, sample

BOTH = pytest.mark.parametrize("restore_with", ["inline", "agent"])
DELAY = 60


def let_pass(scene: Scene, order: MigrationOrder, name: str, minutes: float) -> None:
    """Let a file have arrived earlier."""
    record = scene.place.catalog.read_file(order.folder, name)
    assert record is not None
    earlier = record.arrived_on - timedelta(minutes=minutes)
    scene.place.catalog.record_file(record.model_copy(update={"arrived_on": earlier}), over=record)


def is_restless(scene: Scene, order: MigrationOrder) -> bool:
    return order.id in survey(scene.place).restless


@BOTH
def test_a_log_is_restored_once_it_is_old_enough(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    scene = make_scene(server, {"restore_with": restore_with})
    source = sample()
    taken = [source.full(), source.log(), source.log(), source.log()]
    _, first, second, third = scene.drop_backups("f", taken)
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    let_pass(scene, order, first, DELAY + 1)
    let_pass(scene, order, third, DELAY + 1)
    assert scene.drive(order).action is Action.WAIT
    assert restored(scene, order) == guids(taken[:2])

    details = scene.details(order)
    assert details.migration_state is MigrationState.WAIT_FOR_RESTORE_DELAY
    assert second in (details.waiting_for or "")
    assert "60 minutes" in (details.waiting_for or "")
    assert details.restore_blocking_reason is None
    assert details.pending_log_backups_count == 2
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    assert scene.shown(order).properties.restore_delay_minutes == DELAY
    assert not is_restless(scene, order)

    let_pass(scene, order, second, DELAY + 1)
    assert is_restless(scene, order)
    scene.drive(order)
    assert restored(scene, order) == guids(taken)
    assert scene.details(order).pending_log_backups_count == 0


def test_a_held_differential_does_not_hold_up_logs(scene: Scene) -> None:
    source = sample()
    full, log, differential, last = (
        source.full(),
        source.log(),
        source.differential(),
        source.log(),
    )
    _, first, jump, _ = scene.drop_backups("f", [full, log, differential, last])
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    let_pass(scene, order, first, DELAY + 1)
    scene.drive(order)
    assert restored(scene, order) == guids([full, log])
    assert jump in (scene.details(order).waiting_for or "")
    let_pass(scene, order, jump, DELAY + 1)
    scene.drive(order)
    assert restored(scene, order) == guids([full, log, differential])


def test_a_held_differential_over_a_gap_is_waited_for(scene: Scene) -> None:
    source = sample()
    full = source.full()
    source.log()
    differential = source.differential()
    _, jump, _ = scene.drop_backups("f", [full, differential, source.log()])
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    scene.drive(order)
    details = scene.details(order)
    assert jump in (details.waiting_for or "")
    assert details.restore_blocking_reason is None


@BOTH
def test_a_cutover_lifts_the_delay(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    scene = make_scene(server, {"restore_with": restore_with})
    source = sample()
    taken = [source.full(), source.log(), source.log(stripes=2)]
    scene.drop_backups("f", taken)
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    scene.drive(order)
    assert restored(scene, order) == guids(taken[:1])
    scene.cutover(order)
    assert is_restless(scene, order)
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_what_is_held_may_be_given_up(scene: Scene) -> None:
    """A mistake that is in the held logs never reaches the target."""
    source = sample()
    taken = [source.full(), source.log()]
    full, _ = scene.drop_backups("f", taken)
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    scene.drive(order)
    scene.cutover(order, acceptDataLoss={"lastRestoredFilename": full.removeprefix("f/")})
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken[:1])


def test_a_gap_behind_what_is_held_still_refuses_a_cutover(scene: Scene) -> None:
    source = sample()
    taken = [source.full(), source.log()]
    source.log()
    scene.drop_backups("f", [*taken, source.log()])
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    scene.drive(order)
    error = refusal_of(lambda: scene.cutover(order))
    assert "chainContinuous" in error.message


def test_the_delay_is_a_part_of_what_was_asked_for(scene: Scene) -> None:
    scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    scene.create("f", scene.database("Sales"), restoreDelayMinutes=DELAY)
    other = refusal_of(lambda: scene.create("f", scene.database("Sales")))
    assert other.code == "OperationInProgress"


@pytest.mark.parametrize("minutes", [-1, 10_081, 1.5, "long"])
def test_a_delay_is_whole_minutes_up_to_a_week(minutes: object) -> None:
    with pytest.raises(ValidationError, match="restoreDelayMinutes"):
        request("f", "Sales", restoreDelayMinutes=minutes)
