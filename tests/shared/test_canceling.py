"""What becomes of the database on the target when its migration is canceled, in every state."""

from __future__ import annotations

from contextlib import closing

import pytest

from local.sqlserver import Server
from shared import restoring
from shared.chain import DatabaseState, TargetPosition
from shared.errors import TargetError
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.targets.connection import Session
from shared.vocabulary import MigrationStatus, ToDo
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene, sample, settings_of

ABSENT, ONLINE, RESTORING = (
    DatabaseState.ABSENT,
    DatabaseState.ONLINE,
    DatabaseState.RESTORING,
)


def restored(scene: Scene) -> MigrationOrder:
    source = sample()
    scene.drop_backups("f", [source.full(), source.log()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    return order


def by_others(server: Server, statement: str) -> None:
    with closing(Session(settings_of(server))) as session:
        session.run(statement, doing="what somebody else does")


def state_of(scene: Scene, order: MigrationOrder) -> DatabaseState:
    with scene.on_target() as target:
        position: TargetPosition = target.read_position(order.target_database)
    return position.state


@pytest.mark.parametrize("keep_target", [False, True])
@pytest.mark.parametrize(
    ("meanwhile", "dropped_to", "left"),
    [
        ("SELECT 1", ABSENT, None),
        ("RESTORE DATABASE [{}] WITH RECOVERY", ONLINE, "open"),
        ("DROP DATABASE [{}]", ABSENT, None),
    ],
    ids=["restoring", "recovered by others", "dropped by others"],
)
def test_a_database_is_dropped_only_while_it_is_restoring(
    scene: Scene,
    server: Server,
    meanwhile: str,
    dropped_to: DatabaseState,
    left: str | None,
    *,
    keep_target: bool,
) -> None:
    order = restored(scene)
    by_others(server, meanwhile.format(order.target_database))
    before = state_of(scene, order)
    scene.cancel(order, keep_target=keep_target)
    assert scene.drive(order).action is Action.FINISH
    assert scene.status(order) is MigrationStatus.CANCELED
    after = state_of(scene, order)
    assert after is (before if keep_target else dropped_to)
    todo = [(item.code, item.text) for item in scene.details(order).to_do]
    if after is ABSENT:
        assert todo == []
    else:
        ((code, text),) = todo
        assert code is ToDo.DATABASE_LEFT
        assert (left or "restoring") in text
        assert repr(order.target_database) in text


def test_a_stranger_that_is_restoring_is_not_dropped(scene: Scene) -> None:
    order = restored(scene)
    scene.cancel(order, keep_target=True)
    scene.drive(order)
    other = scene.create("other", order.target_database.upper())
    scene.drive(other)
    scene.cancel(other)
    scene.drive(other)
    assert scene.status(other) is MigrationStatus.CANCELED
    assert state_of(scene, order) is RESTORING
    assert scene.details(other).to_do == []


def test_a_database_that_others_recover_while_it_is_being_dropped_stays(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server)
    order = restored(scene)
    scene.cancel(order)
    # The look was made, and right before the DROP somebody recovers the database.
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is RESTORING
        by_others(server, f"RESTORE DATABASE [{order.target_database}] WITH RECOVERY")
        with pytest.raises(TargetError, match="is ONLINE, not RESTORING"):
            target.drop(order.target_database)
    assert restoring.clean_up(scene.place, order.id).action is Action.FINISH
    assert state_of(scene, order) is ONLINE


def test_a_cancel_that_did_not_write_its_end_down_does_it_again(scene: Scene) -> None:
    order = restored(scene)
    before = scene.progress(order)
    scene.cancel(order, keep_target=True)
    scene.drive(order)
    scene.put_back(order, before)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.CANCELED
    assert scene.progress(order).left_as == "restoring"
