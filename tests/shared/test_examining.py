"""A target is examined before anything is restored, and holds a migration up only while it must."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.azurite import Azurite
from local.samples import SampleDatabase
from local.sqlserver import EDITIONS, PRODUCTS, Server, Settings, serve
from shared import restoring
from shared.admission import check_migration
from shared.errors import BackhaulError
from shared.looking import glance
from shared.models import PreflightCheckInfo
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.targets.connection import LazySession
from shared.vocabulary import BlockingReason, MigrationStatus
from shared.workplace import Workplace
from tests.certificates import certificate
from tests.shared.conftest import MakeScene
from tests.shared.scene import PASSWORD, Scene, refusal_of, request, sample, settings_of

FOLDER = "/var/opt/mssql/data/"
MB = 1024**2
# Four system databases of 16 MB each lie on it.
SYSTEM = 64 * MB


def run(scene: Scene, *statements: str) -> None:
    """Let an administrator do something on the server."""
    with closing(LazySession(scene.place.target_settings("t"))) as administrator:
        for statement in statements:
            administrator.open().run(statement, doing=statement)


def migrate(scene: Scene) -> MigrationOrder:
    """Let the migration of a full backup do what it can, on a server of the test's own."""
    scene.drop_backups("f", [SampleDatabase("Sales").full()])
    order = scene.create("f", "Sales")
    assert scene.drive(order).action is Action.WAIT
    return order


def checks(scene: Scene, order: MigrationOrder) -> dict[str, PreflightCheckInfo]:
    return {check.name: check for check in scene.details(order).preflight}


def failed(scene: Scene, order: MigrationOrder) -> list[str]:
    return [c.name for c in scene.details(order).preflight if c.state == "fail"]


def blocked(scene: Scene, order: MigrationOrder) -> tuple[BlockingReason | None, str]:
    details = scene.details(order)
    return details.restore_blocking_reason_code, details.restore_blocking_reason or ""


def test_a_healthy_target_passes_every_check(scene: Scene) -> None:
    source = sample()
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    before = checks(scene, order)
    assert {n for n, c in before.items() if c.state == "unknown"} == {
        "version",
        "certificates",
        "features",
        "freeSpace",
    }
    scene.drop_backups("f", [source.full(), source.log()])
    scene.drive(order)
    after = checks(scene, order)
    assert [c for c in after.values() if c.state != "pass"] == []
    assert after["version"].checked_on > before["version"].checked_on
    assert "expires on" in after["containerAccess"].message
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_what_passed_is_not_asked_again(scene: Scene) -> None:
    source = sample()
    scene.drop_backups("f", [source.full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    passed = scene.progress(order).preflight
    scene.drop_backups("f", [source.log(), source.differential(), source.full()])
    scene.drive(order)
    assert scene.progress(order).preflight == passed


def test_a_disk_too_small_blocks_before_anything_is_restored_and_clears_by_itself(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    volumes = ((FOLDER, SYSTEM + 20 * MB),)
    with serve(Settings(data=tmp_path, password=PASSWORD, volumes=volumes)) as server:
        scene = make_scene(server)
        run(scene, "CREATE DATABASE [in the way]")
        order = migrate(scene)
        code, reason = blocked(scene, order)
        assert code is BlockingReason.TARGET_STORAGE_FULL
        needed = 9 * MB
        assert f"{needed:,} bytes needed, {4 * MB:,} bytes free" in reason
        assert scene.history("Sales") == []
        assert not scene.progress(order).begun
        assert glance(scene.place, order, scene.progress(order)).restless

        run(scene, "DROP DATABASE [in the way]")
        scene.drive(order)
        assert blocked(scene, order) == (None, "")
        assert failed(scene, order) == []
        assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_room_is_needed_where_the_options_let_the_files_go(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    settings = Settings(
        data=tmp_path,
        password=PASSWORD,
        volumes=((FOLDER, SYSTEM + 4 * MB), ("/mnt/big", 100 * MB), ("/mnt/small", 4 * MB)),
        directories=("/mnt/big/data", "/mnt/small/logs"),
    )
    with serve(settings) as server:
        scene = make_scene(server)
        scene.drop_backups("f", [SampleDatabase("Sales").full()])
        wanted = {"dataFolder": "/mnt/big/data", "logFolder": "/mnt/small/logs"}
        order = scene.create("f", "Sales", restoreOptions=wanted)
        scene.drive(order)
        # No file lies there yet, so another disk may be mounted: only the server can tell.
        space = checks(scene, order)["freeSpace"]
        assert (space.state, space.required) == ("fail", False)
        assert f"/mnt/small: {8 * MB:,} bytes needed, {4 * MB:,} bytes free" in space.message
        code, reason = blocked(scene, order)
        assert code is BlockingReason.TARGET_STORAGE_FULL
        assert "3257" in reason


def test_room_that_a_waiting_migration_needs_is_not_given_twice(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    volumes = ((FOLDER, SYSTEM + 15 * MB),)
    with serve(Settings(data=tmp_path, password=PASSWORD, volumes=volumes)) as server:
        scene = make_scene(server)
        orders = []
        for name in ("first", "second"):
            scene.drop_backups(name, [SampleDatabase(name).full()])
            orders.append(scene.create(name, name))
            # Looked at, and waiting for its turn.
            restoring.take_turn(scene.place, orders[-1].id)
        first, second = orders
        assert failed(scene, first) == []
        assert failed(scene, second) == ["freeSpace"]
        assert "more for migrations that wait" in blocked(scene, second)[1]
        scene.cancel(first)
        scene.drive(first)
        scene.drive(second)
        assert scene.status(second) is MigrationStatus.READY_FOR_CUTOVER


def test_a_missing_certificate_blocks_by_its_thumbprint_and_clears_by_itself(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    tde = certificate()
    thumbprint = hashlib.sha1(tde).hexdigest().upper()  # noqa: S324 what a thumbprint is
    settings = Settings(data=tmp_path, password=PASSWORD, encrypted=(("Sales", thumbprint),))
    with serve(settings) as server:
        scene = make_scene(server)
        order = migrate(scene)
        code, reason = blocked(scene, order)
        assert code is BlockingReason.CERTIFICATE_MISSING
        assert f"0x{thumbprint} is not there" in reason
        assert scene.history("Sales") == []

        run(scene, f"CREATE CERTIFICATE [c] FROM BINARY = 0x{tde.hex()}")
        scene.drive(order)
        assert "without its private key" in blocked(scene, order)[1]

        run(
            scene,
            "DROP CERTIFICATE [c]",
            f"CREATE CERTIFICATE [c] FROM BINARY = 0x{tde.hex()}"
            " WITH PRIVATE KEY (BINARY = 0x00, DECRYPTION BY PASSWORD = 'x')",
        )
        scene.drive(order)
        assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_a_login_without_rights_is_told_which_it_lacks(
    make_scene: MakeScene, azurite: Azurite, server: Server
) -> None:
    administrator = make_scene(server)
    login = administrator.database("poor")
    run(administrator, f"CREATE LOGIN [{login}] WITH PASSWORD = N'poor-1'")
    scene = make_scene(server, {"user": login, "password": "poor-1"})
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    code, reason = blocked(scene, order)
    assert code is BlockingReason.TARGET_REFUSED
    assert "CREATE ANY DATABASE" in reason
    assert set(failed(scene, order)) == {"permissions", "containerAccess", "agent"}
    assert checks(scene, order)["folders"].state == "unknown"

    run(administrator, f"ALTER SERVER ROLE dbcreator ADD MEMBER [{login}]")
    scene.drive(order)
    code, reason = blocked(scene, order)
    assert code is BlockingReason.STORAGE_ACCESS_DENIED

    run(administrator, f"GRANT ALTER ANY CREDENTIAL TO [{login}]")
    scene.drop_backups("f", [sample().full()])
    scene.drive(order)
    assert failed(scene, order) == ["agent"]
    assert checks(scene, order)["freeSpace"].state == "unknown"
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_a_target_older_than_the_backup_is_named(make_scene: MakeScene, tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path,
        password=PASSWORD,
        product=PRODUCTS["2017"],
        edition=EDITIONS["express"],
    )
    with serve(settings) as server:
        scene = make_scene(server)
        order = migrate(scene)
        code, reason = blocked(scene, order)
        assert code is BlockingReason.VERSION_NOT_SUPPORTED
        assert "SQL Server 2019" in reason
        assert "SQL Server 2017" in reason
        assert checks(scene, order)["edition"].state == "pass"
        assert scene.history("Sales") == []


def test_a_managed_identity_reads_where_the_version_allows(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    by_identity = {"container_access": "managed_identity"}
    for version, fits in (("2019", False), ("2025", True)):
        scene = make_scene(None)
        signature = scene.place.blobs.read_only_signature(timedelta(hours=1))
        settings = Settings(
            data=tmp_path / version,
            password=PASSWORD,
            product=PRODUCTS[version],
            identity=signature,
        )
        with serve(settings) as server:
            place = scene.with_settings(targets={"t": settings_of(server, **by_identity)})
            scene.drop_backups("f", [sample().full()])
            order = scene.create("f", "Sales")
            scene.drive(order, place)
            access = checks(scene, order)["containerAccess"]
            if fits:
                assert "'Managed Identity'" in access.message
                assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
            else:
                code, reason = blocked(scene, order)
                assert code is BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET
                assert "CU17" in reason


def test_how_much_is_free_may_change_while_it_is_too_little(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    volumes = ((FOLDER, SYSTEM + 8 * MB),)
    with serve(Settings(data=tmp_path, password=PASSWORD, volumes=volumes)) as server:
        scene = make_scene(server)
        order = migrate(scene)
        before = scene.details(order)
        run(scene, "CREATE DATABASE [more]")
        scene.drive(order)
        after = scene.details(order)
        assert after.restore_blocking_reason != before.restore_blocking_reason
        assert after.restore_blocked_since == before.restore_blocked_since


def test_a_name_that_is_taken_is_one_of_the_checks(scene: Scene) -> None:
    name = scene.database("Sales")
    run(scene, f"CREATE DATABASE [{name}]")
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", name)
    scene.drive(order)
    assert failed(scene, order) == ["databaseName"]
    assert blocked(scene, order)[1] == checks(scene, order)["databaseName"].message
    run(scene, f"DROP DATABASE [{name}]")
    scene.drive(order)
    assert failed(scene, order) == []


def test_a_target_out_of_reach_is_a_check_that_failed(bare: Scene, server: Server) -> None:
    order = bare.create("f", "Sales")
    with pytest.raises(BackhaulError):
        restoring.take_turn(bare.place, order.id)
    assert failed(bare, order) == ["connection"]
    assert checks(bare, order)["connection"].message == blocked(bare, order)[1]
    there = {"t": settings_of(server)}
    bare.drive(order, bare.with_settings(targets=there))
    assert failed(bare, order) == []


def test_a_signature_is_renewed_for_a_migration_that_only_waits(scene: Scene) -> None:
    scene.drop_backups("f", [sample().full()])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    made = _changed_on(scene)
    assert not glance(scene.place, order, scene.progress(order)).restless
    later = _Later(scene.place.settings, timedelta(days=4))
    assert glance(later, order, scene.progress(order)).restless
    scene.drive(order, later)
    # By the server's clock it is young still, so it stays; it is looked at again in an hour.
    preflight = scene.progress(order).preflight
    assert preflight
    assert preflight.renew_on
    assert preflight.renew_on > later.now() + timedelta(minutes=59)
    assert _changed_on(scene) == made
    assert failed(scene, order) == []


# Without creating anything


def test_a_check_alone_changes_nothing(scene: Scene) -> None:
    wanted = request("f", scene.database("Sales"))
    scene.drop_backups("f", [sample().full()])
    report = check_migration(scene.place, wanted)
    checked = {check.name: check for check in report.checks}
    assert report.ready
    assert "created at the start" in checked["containerAccess"].message
    # The sizes are those that we have read; the keys only the server can tell.
    assert checked["freeSpace"].state == "pass"
    assert checked["certificates"].state == "unknown"
    assert scene.place.catalog.list_orders() == []
    with pytest.raises(IndexError):
        _changed_on(scene)

    order = scene.create("f", wanted.name)
    restoring.take_turn(scene.place, order.id)
    assert {c.state for c in check_migration(scene.place, wanted).checks} == {"pass"}
    scene.drive(order)
    assert check_migration(scene.place, wanted).ready


def test_a_check_alone_tells_of_a_name_that_is_taken_and_of_a_server_that_is_away(
    scene: Scene, bare: Scene
) -> None:
    name = scene.database("Sales")
    run(scene, f"CREATE DATABASE [{name}]")
    report = check_migration(scene.place, request("f", name))
    assert [c.name for c in report.checks if c.state == "fail"] == ["databaseName"]
    away = check_migration(bare.place, request("f", "Sales"))
    assert (away.ready, [c.name for c in away.checks]) == (False, ["connection"])
    other = request("f", "Other")
    scene.create("f", scene.database("Mine"))
    assert refusal_of(lambda: check_migration(scene.place, other)).code == "OperationInProgress"


def test_a_database_to_take_over_is_not_in_the_way(scene: Scene) -> None:
    name = scene.database("Sales")
    first = scene.create("first", name)
    backups = [sample().full()]
    scene.drop_backups("first", backups)
    scene.drive(first)
    scene.cancel(first, keep_target=True)
    scene.drive(first)
    scene.drop_backups("second", backups)
    assert not check_migration(scene.place, request("second", name)).ready
    assert check_migration(scene.place, request("second", name, adopt=True)).ready


def test_a_signature_past_half_its_life_gets_a_new_one(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    # A day of the server is a tenth of a second.
    settings = Settings(data=tmp_path, password=PASSWORD, clock_factor=864_000.0)
    with serve(settings) as server:
        scene = make_scene(server, {"restore_with": "inline"})
        scene.drop_backups("f", [sample().full()])
        order = scene.create("f", "Sales")
        scene.drive(order)
        made = _changed_on(scene)
        time.sleep(0.5)
        scene.drive(order, _Later(scene.place.settings, timedelta(days=8)))
        assert _changed_on(scene) != made


class _Later(Workplace):
    """The workplace of another time."""

    def __init__(self, settings: Any, ahead: timedelta) -> None:
        super().__init__(settings)
        self._ahead = ahead

    def now(self) -> datetime:  # type: ignore[override]  # an instance's own clock
        return Workplace.now() + self._ahead


def _changed_on(scene: Scene) -> object:
    with closing(LazySession(scene.place.target_settings("t"))) as administrator:
        row = administrator.open().query(
            "SELECT modify_date FROM sys.credentials WHERE name = ?",
            scene.place.blobs.container_url,
            doing="reading the credential",
        )[0]
    return row["modify_date"]
