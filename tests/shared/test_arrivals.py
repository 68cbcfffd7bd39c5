"""Blobs arrive, change, move to other migrations and go: the catalog follows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.storage.blob import BlobProperties

from local.samples import SampleDatabase, appended
from local.sqlserver import Server
from shared import storage
from shared.arrivals import check_blob, files_of, unchecked_blobs
from shared.blob_event import FinishedBlob
from shared.errors import RequestError
from shared.looking import gather, read_migration
from shared.records import FileRecord, MigrationOrder, MigrationProgress
from shared.vocabulary import InvalidReason
from tests.shared.conftest import MakeScene
from tests.shared.scene import TARGET, Scene


def names(blobs: list[FinishedBlob]) -> list[str]:
    return [blob.name for blob in blobs]


def code_of(record: FileRecord | None) -> InvalidReason | None:
    assert record is not None
    return record.refusal.code if record.refusal else None


# Verdicts


def test_each_kind_of_file_gets_its_verdict(bare: Scene) -> None:
    source = SampleDatabase("Sales")
    full, log = source.full(), source.log()
    whole = full.to_bytes()[0]
    files = {
        "full.bak": (whole, None),
        "notes.txt": (b"see wiki", InvalidReason.NOT_A_BACKUP),
        "empty.bak": (b"", InvalidReason.EMPTY_BLOB),
        "cut.bak": (whole[: len(whole) // 2], InvalidReason.HEADER_UNREADABLE),
        "two.bak": (
            appended(log, source.log()).to_bytes()[0],
            InvalidReason.APPENDED_BACKUPS,
        ),
        "master.bak": (
            SampleDatabase("master").full().to_bytes()[0],
            InvalidReason.SYSTEM_DATABASE,
        ),
    }
    for name, (content, code) in files.items():
        record = bare.drop(f"f/{name}", content)
        assert code_of(record) is code, name
        assert record == bare.place.catalog.read_file("f", f"f/{name}")
        if record and record.refusal:
            assert record.refusal.reason
            assert record.refusal.action
    assert len(bare.place.catalog.data_backups("f")) == 1


def test_a_version_is_read_once(bare: Scene) -> None:
    (name,) = bare.drop_backups("f", [SampleDatabase("Sales").full()])
    first = bare.place.catalog.read_file("f", name)
    assert check_blob(bare.place, name)[0] == first
    bare.container.upload_blob(name, b"something else", overwrite=True)
    assert code_of(check_blob(bare.place, name)[0]) is InvalidReason.NOT_A_BACKUP
    assert bare.place.catalog.data_backups("f") == []


def test_checks_of_one_blob_at_the_same_time_agree(bare: Scene) -> None:
    content = SampleDatabase("Sales").full().to_bytes()[0]
    bare.container.upload_blob("f/x.bak", content)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: check_blob(bare.place, "f/x.bak")[0], range(6)))
    assert len({record.checked_on for record in found if record}) == 1
    assert len(bare.place.catalog.data_backups("f")) == 1


def test_a_blob_that_is_still_being_copied_is_told_from_one_that_is_here() -> None:
    properties = BlobProperties(name="f/x.bak")
    properties.copy.status = "pending"
    assert storage.version_of(properties).is_arriving
    properties.copy.status = "success"
    assert not storage.version_of(properties).is_arriving


# Gone


def test_a_usable_file_that_is_gone_is_missed(bare: Scene) -> None:
    source = SampleDatabase("Sales")
    name = bare.drop_backups("f", [source.full(), source.log()])[1]
    bare.container.delete_blob(name)
    record, _ = check_blob(bare.place, name)
    assert code_of(record) is InvalidReason.BLOB_REMOVED
    assert bare.place.catalog.logs_after("f", None, None) == ([], True)
    assert check_blob(bare.place, name)[0] == record
    bare.drop(name, source.log().to_bytes()[0])
    assert len(bare.place.catalog.logs_after("f", None, None)[0]) == 1


def test_an_unusable_file_that_is_gone_is_forgotten(bare: Scene) -> None:
    bare.drop("f/cut.bak", SampleDatabase("Sales").full().to_bytes()[0][:9000])
    bare.drop("f/kept.txt", b"text")
    assert list(unchecked_blobs(bare.place)) == []
    bare.container.delete_blob("f/cut.bak")
    assert list(unchecked_blobs(bare.place)) == [FinishedBlob("f/cut.bak", "")]
    assert check_blob(bare.place, "f/cut.bak") == (None, None)
    assert [file.name for file in bare.place.catalog.list_files("f")] == ["f/kept.txt"]
    assert list(unchecked_blobs(bare.place)) == []


def test_a_blob_that_never_was_leaves_no_trace(bare: Scene) -> None:
    assert check_blob(bare.place, "f/never.bak") == (None, None)
    assert list(bare.place.catalog.list_files("f")) == []


@pytest.mark.parametrize("name", ["f/../x.bak", "./x.bak", "f/./x.bak", ".."])
def test_a_name_that_nobody_can_ask_for_is_refused(bare: Scene, name: str) -> None:
    record, _ = check_blob(bare.place, name)
    assert code_of(record) is InvalidReason.NAME_NOT_ALLOWED
    assert check_blob(bare.place, name)[0] == record


# Migrations above, below, and beside


def test_a_migration_above_takes_over_what_was_judged_before(bare: Scene) -> None:
    source = SampleDatabase("Sales")
    files = bare.drop_backups("a/b", [source.full(), source.log()])
    order = bare.create("a", "Sales")
    assert names(list(unchecked_blobs(bare.place))) == sorted(files)
    assert names(list(unchecked_blobs(bare.place, "a"))) == sorted(files)
    for name in files:
        assert check_blob(bare.place, name)[1] == order.id
    assert list(unchecked_blobs(bare.place)) == []
    assert sorted(file.name for file in files_of(bare.place, order)) == sorted(files)


def test_a_migration_below_takes_its_files_out_of_the_one_above(bare: Scene) -> None:
    upper, lower = SampleDatabase("Upper"), SampleDatabase("Lower")
    above = bare.create("a", "Upper")
    bare.drop_backups("a", [upper.full(), upper.log()])
    moved = bare.drop_backups("a/b", [lower.full(), lower.log()])
    bare.drop("a/b/cut.bak", b"text")
    assert len(files_of(bare.place, above)) == 5
    below = bare.create("a/b", "Lower")
    assert len(files_of(bare.place, above)) == 2
    assert names(list(unchecked_blobs(bare.place))) == [*sorted(moved), "a/b/cut.bak"]
    for blob in list(unchecked_blobs(bare.place)):
        assert check_blob(bare.place, blob.name)[1] == below.id
    assert list(unchecked_blobs(bare.place)) == []
    assert len(files_of(bare.place, below)) == 3
    for order, name in ((above, "Upper"), (below, "Lower")):
        _, known = gather(bare.place, *_now(bare, order.id))
        assert {s.database_name for s in known.sets} == {name}
        assert len(known.sets) == 2
    # Gone from below: the stale row of above is nobody's business any more.
    bare.container.delete_blob("a/b/cut.bak")
    assert list(unchecked_blobs(bare.place)) == [FinishedBlob("a/b/cut.bak", "")]
    check_blob(bare.place, "a/b/cut.bak")
    assert list(unchecked_blobs(bare.place)) == []


def _now(scene: Scene, migration: str) -> tuple[MigrationOrder, MigrationProgress]:
    order, stored = read_migration(scene.place, migration)
    return order, stored.now


def test_only_files_of_the_folder_itself_are_scanned_for_a_migration(bare: Scene) -> None:
    bare.create("a", "A")
    bare.create("a/b", "B")
    for name in ("a/x", "ab/x", "a/b/x", "x"):
        bare.container.upload_blob(name, b"x")
    assert names(list(unchecked_blobs(bare.place, "a"))) == ["a/x"]
    assert names(list(unchecked_blobs(bare.place, "a/b"))) == ["a/b/x"]
    assert names(list(unchecked_blobs(bare.place))) == ["a/b/x", "a/x", "ab/x", "x"]


# Automatic start


@pytest.fixture
def auto(make_scene: MakeScene, server: Server) -> Scene:
    return make_scene(server, auto_start=True)


def test_the_first_usable_full_starts_the_migration_of_its_folder(auto: Scene) -> None:
    source = SampleDatabase("Sales")
    full, log = source.full(), source.log()
    auto.drop_backups("SQL01/sales/LOG", [log])
    auto.drop("SQL01/sales/FULL/cut.bak", full.to_bytes()[0][:9000])
    assert auto.place.catalog.list_orders() == []
    auto.drop_backups("SQL01/sales/FULL", [full])
    (order,) = auto.place.catalog.list_orders()
    assert (order.folder, order.target_database, order.target) == ("SQL01/sales", "Sales", TARGET)
    assert not order.offline
    assert list(unchecked_blobs(auto.place)) == []
    assert len(files_of(auto.place, order)) == 3


def test_all_stripes_at_once_start_one_migration(auto: Scene) -> None:
    full = SampleDatabase("Sales").full(stripes=6)
    for name, content in zip(full.file_names, full.to_bytes(), strict=True):
        auto.container.upload_blob(f"s/{name}", content)
    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda n: check_blob(auto.place, f"s/{n}")[1], full.file_names))
    assert set(ids) == {"s"}
    assert len(auto.place.catalog.list_orders()) == 1
    assert len(auto.place.catalog.data_backups("s")) == 6


def test_a_start_that_was_cut_off_is_made_good(auto: Scene) -> None:
    """The order comes first, the verdict last: without it the blob counts as unread."""
    (name,) = auto.drop_backups("s", [SampleDatabase("Sales").full()])
    (order,) = auto.place.catalog.list_orders()
    again = auto.with_settings(table_prefix=auto.place.settings.table_prefix + "X")
    again.catalog.create_order(order)
    assert names(list(unchecked_blobs(again))) == [name]
    assert check_blob(again, name)[1] == order.id
    assert again.catalog.list_orders() == [order]


def test_a_request_and_an_automatic_start_are_one_migration(auto: Scene) -> None:
    auto.drop_backups("s", [SampleDatabase("Sales").full()])
    (started,) = auto.place.catalog.list_orders()
    assert auto.create("s", "Sales") == started
    with pytest.raises(RequestError) as refusal:
        auto.create("s", "Sales", sourceDatabaseName="HR")
    assert refusal.value.status == 409


def test_of_a_request_and_an_automatic_start_at_once_one_counts(auto: Scene) -> None:
    full = SampleDatabase("Sales").full()
    name = f"s/{full.file_names[0]}"
    auto.container.upload_blob(name, full.to_bytes()[0])
    with ThreadPoolExecutor(4) as pool:
        checks = [pool.submit(check_blob, auto.place, name) for _ in range(2)]
        creates = [pool.submit(auto.create, "s", "Sales") for _ in range(2)]
        ids = {check.result()[1] for check in checks} | {create.result().id for create in creates}
    assert ids == {"s"}
    assert len(auto.place.catalog.list_orders()) == 1


def test_two_folders_of_one_database_start_two_migrations_and_one_restores(auto: Scene) -> None:
    source = SampleDatabase(auto.database("Sales"))
    full = source.full()
    auto.drop_backups("one", [full])
    auto.drop_backups("two", [full])
    first, second = auto.place.catalog.list_orders()
    auto.drive(second)
    auto.drive(first)
    assert not auto.progress(second).begun
    assert auto.progress(first).restored_sets == 1
    assert len(auto.history(first.target_database)) == 1
