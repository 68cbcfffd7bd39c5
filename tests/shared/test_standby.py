"""A migration whose database can be read while it waits."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from shared.chain import DatabaseState, TargetPosition
from shared.looking import glance
from shared.lsn import Lsn
from shared.outlook import Action
from shared.records import MigrationOrder, MigrationProgress, StandbyRefusal
from shared.restore_options import RestoreOptions
from shared.standby import is_due
from shared.targets import tsql
from shared.targets.driver import find_driver, load_odbc
from shared.vocabulary import BlockingReason, FailureCode, MigrationStatus, StandbyState
from tests.shared.conftest import MakeScene
from tests.shared.scene import PASSWORD, Scene, guids, restored, sample

VERSION = "2022"  # of the server: nothing is to be upgraded
ASKED = {"restoreOptions": {"standby": True}}
ONLINE, STANDBY = DatabaseState.ONLINE, DatabaseState.STANDBY
ABSENT, RESTORING = DatabaseState.ABSENT, DatabaseState.RESTORING


@pytest.fixture
def readable(request: pytest.FixtureRequest, make_scene: MakeScene, server: Server) -> Scene:
    return make_scene(server, {"restore_with": getattr(request, "param", "inline")})


def own_sample() -> SampleDatabase:
    """Return a source database of the server's version."""
    return SampleDatabase("Sales", data_bytes=64 * 1024, version=VERSION)


def reader_in(server: Server, database: str) -> Any:
    """Return a connection that sits in a database."""
    connection = load_odbc().connect(
        f"DRIVER={{{find_driver()}}};SERVER=tcp:127.0.0.1,{server.port};UID=sa;PWD={PASSWORD};"
        "TrustServerCertificate=yes",
        autocommit=True,
    )
    connection.execute(f"USE {tsql.identifier(database)}")
    return connection


def state_of(scene: Scene, order: MigrationOrder) -> DatabaseState:
    with scene.on_target() as target:
        state = target.read_position(order.target_database).state
    assert isinstance(state, DatabaseState)
    return state


def standby_of(scene: Scene, order: MigrationOrder) -> StandbyState | None:
    told = scene.details(order).standby
    return told.state if told else None


both_runners = pytest.mark.parametrize("readable", ["agent", "inline"], indirect=True)


@both_runners
def test_it_is_read_between_logs_and_recovered_whoever_reads(
    readable: Scene, server: Server
) -> None:
    scene, source = readable, own_sample()
    backups = [source.full(), source.log()]
    scene.drop_backups("f", backups)
    order = scene.create("f", scene.database("a]b'c\"d;--"), **ASKED)
    scene.drive(order)
    for taken in (source.log, source.differential, source.log):
        assert state_of(scene, order) is STANDBY
        assert standby_of(scene, order) is StandbyState.READABLE
        assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
        assert not glance(scene.place, *_now(scene, order)).restless
        reader = reader_in(server, order.target_database)
        backups.append(taken())
        scene.drop_backups("f", backups[-1:])
        assert glance(scene.place, *_now(scene, order)).busy
        scene.drive(order)
        reader.close()
    assert restored(scene, order) == guids(backups)
    reader = reader_in(server, order.target_database)
    scene.cutover(order)
    scene.drive(order)
    reader.close()
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert state_of(scene, order) is ONLINE
    assert restored(scene, order) == guids(backups)
    assert standby_of(scene, order) is None


def _now(scene: Scene, order: MigrationOrder) -> tuple[MigrationOrder, MigrationProgress]:
    order, stored = scene.read(order)
    return order, stored.now


@pytest.mark.parametrize(("keep", "left"), [(False, ABSENT), (True, STANDBY)])
def test_a_cancel_drops_it_unless_it_is_kept(
    readable: Scene, server: Server, keep: bool, left: DatabaseState
) -> None:
    readable.drop_backups("f", [own_sample().full()])
    order = readable.create("f", readable.database("Sales"), **ASKED)
    readable.drive(order)
    reader = reader_in(server, order.target_database)
    readable.cancel(order, keep_target=keep)
    readable.drive(order)
    reader.close()
    assert readable.status(order) is MigrationStatus.CANCELED
    assert state_of(readable, order) is left
    to_do = readable.details(order).to_do
    assert [("in standby" in item.text) for item in to_do] == ([True] if keep else [])


@both_runners
def test_a_crash_between_any_two_steps_is_got_over(readable: Scene) -> None:
    scene, source = readable, own_sample()
    backups = [source.full(), source.log()]
    scene.drop_backups("f", backups[:1])
    order = scene.create("f", scene.database("Sales"), **ASKED)
    begun = scene.progress(order)
    scene.drive(order)
    resting = scene.progress(order)
    # It was put into standby, and nobody wrote that down; nor even that it was restored.
    for before in (
        resting.model_copy(update={"position": None, "outlook": ""}),
        begun.model_copy(update={"begun": True}),
    ):
        scene.put_back(order, before)
        scene.drive(order)
        assert state_of(scene, order) is STANDBY
        assert scene.progress(order).restored_sets == 1
    # It was taken back for a log that was not begun.
    with scene.on_target() as target:
        target.stop_standing_by(order.target_database)
    scene.drive(order)
    assert state_of(scene, order) is STANDBY
    scene.drop_backups("f", backups[1:])
    with scene.on_target() as target:
        target.stop_standing_by(order.target_database)
    scene.drive(order)
    assert state_of(scene, order) is STANDBY
    assert restored(scene, order) == guids(backups)


def test_an_older_version_goes_on_without_and_says_why(scene: Scene) -> None:
    source = sample()
    backups = [source.full(), source.log()]
    scene.drop_backups("f", backups[:1])
    order = scene.create("f", scene.database("Sales"), **ASKED)
    scene.drive(order)
    scene.drop_backups("f", backups[1:])
    scene.drive(order)
    details = scene.details(order)
    assert details.standby is not None
    assert details.standby.state is StandbyState.REFUSED
    assert details.standby.sql_error_number == 3180
    assert "upgraded by its recovery only" in (details.standby.reason or "")
    assert details.restore_blocking_reason is None
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    assert state_of(scene, order) is RESTORING
    assert not glance(scene.place, *_now(scene, order)).restless
    scene.cutover(order)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert restored(scene, order) == guids(backups)


def test_a_refusal_is_tried_again_after_the_next_restore(
    make_scene: MakeScene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(
        data=tmp_path_factory.mktemp("undo"),
        password=PASSWORD,
        directories=("/undo",),
    )
    with serve(settings) as server:
        scene, source = make_scene(server), own_sample()
        full = source.full()
        names = {file.logical_name: f"/undo/{n}" for n, file in enumerate(full.files)}
        scene.drop_backups("f", [full])
        # The undo file goes to the folder for logs, which nothing else needs here.
        options = {"standby": True, "logFolder": "/late", "moveFiles": names}
        order = scene.create("f", scene.database("Sales"), restoreOptions=options)
        scene.drive(order)
        told = scene.details(order).standby
        assert told is not None
        assert (told.state, told.sql_error_number) == (StandbyState.REFUSED, 5123)
        assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
        server.instance.settings = settings_with(server, "/late")
        scene.drive(order)
        assert standby_of(scene, order) is StandbyState.REFUSED
        scene.drop_backups("f", [source.log()])
        scene.drive(order)
        assert standby_of(scene, order) is StandbyState.READABLE


def settings_with(server: Server, folder: str) -> Settings:
    """Return the server's settings with a folder that somebody made meanwhile."""
    old = server.instance.settings
    return replace(old, directories=(*old.directories, folder))


def test_a_lost_undo_file_ends_the_migration(readable: Scene, server: Server) -> None:
    source = own_sample()
    readable.drop_backups("f", [source.full()])
    order = readable.create("f", readable.database("Sales"), **ASKED)
    readable.drive(order)
    server.instance.damage(order.target_database, standby_is_lost=True)
    readable.drop_backups("f", [source.log()])
    readable.drive(order)
    shown = readable.shown(order).properties
    assert shown.migration_status is MigrationStatus.FAILED
    why = shown.migration_failure_error
    assert why is not None
    assert (why.code, why.sql_error_number) == (FailureCode.RESTORE_FAILED, 3441)


def test_a_cancel_after_the_undo_file_was_lost_drops_the_database(
    readable: Scene, server: Server
) -> None:
    readable.drop_backups("f", [own_sample().full()])
    order = readable.create("f", readable.database("Sales"), **ASKED)
    readable.drive(order)
    server.instance.damage(order.target_database, standby_is_lost=True)
    readable.cancel(order)
    readable.drive(order)
    assert state_of(readable, order) is ABSENT


def test_a_standby_that_nobody_asked_for_is_somebody_elses(readable: Scene) -> None:
    readable.drop_backups("f", [own_sample().full()])
    order = readable.create("f", readable.database("Sales"))
    readable.drive(order)
    with readable.on_target() as target:
        target.stand_by(order.target_database, None)
    readable.drive(order)
    details = readable.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.CONCURRENT_CHANGE
    assert "into standby by somebody else" in (details.restore_blocking_reason or "")
    assert details.standby is None
    readable.cancel(order)
    readable.drive(order)
    assert state_of(readable, order) is STANDBY


def test_it_can_be_cut_over_from_standby(readable: Scene) -> None:
    readable.drop_backups("f", [own_sample().full()])
    order = readable.create("f", readable.database("Sales"), **ASKED)
    readable.drive(order)
    ready = readable.details(order).cutover_readiness
    assert [check.name for check in ready.checks if check.state == "fail"] == []


def test_an_offline_migration_ends_from_standby(readable: Scene) -> None:
    source = own_sample()
    full, log = source.full(), source.log()
    readable.drop_backups("f", [full])
    offline = {"offline": True, "lastBackupName": log.file_names[0]}
    order = readable.create("f", readable.database("Sales"), offlineConfiguration=offline, **ASKED)
    readable.drive(order)
    assert state_of(readable, order) is STANDBY
    readable.drop_backups("f", [log])
    readable.drive(order)
    assert readable.status(order) is MigrationStatus.SUCCEEDED


# When it is due, whatever else is known


def progress(**fields: Any) -> MigrationProgress:
    return MigrationProgress(operation_id=UUID(int=1), begun=True, **fields)


@pytest.mark.parametrize(
    ("asked", "state", "has_full"), list(product([True, False], DatabaseState, [True, False]))
)
def test_only_a_database_that_is_restoring_and_has_its_full_is_due(
    scene_order: MigrationOrder, asked: bool, state: DatabaseState, has_full: bool
) -> None:
    order = scene_order.model_copy(update={"restore_options": RestoreOptions(standby=asked)})
    position = TargetPosition(state=state, redo_start_lsn=Lsn(5) if has_full else None)
    assert is_due(order, progress(), position) is (
        asked and state is DatabaseState.RESTORING and has_full
    )


@pytest.mark.parametrize(
    ("number", "at", "due"),
    [(3180, 5, False), (3180, 4, False), (5123, 5, False), (5123, 4, True), (None, 4, True)],
)
def test_a_refusal_holds_until_more_is_restored_or_for_good(
    scene_order: MigrationOrder, number: int | None, at: int, due: bool
) -> None:
    order = scene_order.model_copy(update={"restore_options": RestoreOptions(standby=True)})
    why = StandbyRefusal(reason="r", action="a", sql_error_number=number, last_lsn=Lsn(at))
    now = progress(standby_refusal=why, adopted_at=Lsn(5))
    position = TargetPosition(state=DatabaseState.RESTORING, redo_start_lsn=Lsn(5))
    assert is_due(order, now, position) is due


@pytest.fixture(scope="module")
def scene_order() -> MigrationOrder:
    return MigrationOrder.model_validate(
        {
            "id": "f",
            "operation_id": UUID(int=1),
            "target": "t",
            "target_database": "x",
            "folder": "f",
            "created_on": "2026-01-01T00:00:00Z",
        }
    )


def test_the_action_is_one_that_the_orchestration_knows() -> None:
    from orchestrators.migration import _ACTIVITIES

    assert set(_ACTIVITIES) == {action.value for action in Action} - {"wait", "finish"}
