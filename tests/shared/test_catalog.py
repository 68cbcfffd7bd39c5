"""The catalog on real tables: many writers, half-written rows, long documents, many rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import get_args
from uuid import UUID, uuid4

import pytest
from azure.data.tables import TableServiceClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from local.azurite import Azurite
from local.samples import SampleDatabase
from shared.backupset import BackupHeader, BackupSet, BackupType, MediaLabel
from shared.catalog import Catalog, KnownVersion
from shared.chain import TargetPosition
from shared.errors import StorageError, StorageUnavailable
from shared.looking import read_migration
from shared.records import FileRecord, MigrationOrder, Record, RestoredBackup
from shared.storage import BlobSource, BlobVersion
from shared.targets import ServerFacts
from shared.vocabulary import MigrationStatus
from tests.shared.files import NOW, records_of, refused
from tests.shared.scene import Scene


@pytest.fixture
def catalog(bare: Scene) -> Catalog:
    return bare.place.catalog


def order(**changes: object) -> MigrationOrder:
    given = MigrationOrder(
        id="f",
        operation_id=UUID(int=1),
        target="t",
        target_database="Sales",
        folder="f",
        created_on=NOW,
    )
    return given.model_copy(update=changes)


@contextmanager
def at_once(count: int) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(count) as pool:
        yield pool


# Files


def test_of_many_first_verdicts_on_a_file_one_counts(catalog: Catalog) -> None:
    (file,) = records_of(SampleDatabase("Sales").full())
    versions = [file.model_copy(update={"etag": f"0x{number}"}) for number in range(8)]
    with at_once(8) as pool:
        written = list(pool.map(lambda v: catalog.record_file(v, over=None), versions))
    assert sum(written) == 1
    assert catalog.read_file("f", file.name) == versions[written.index(True)]
    assert len(catalog.data_backups("f")) == 1


def test_who_judged_an_older_version_does_not_overwrite_the_newer_verdict(catalog: Catalog) -> None:
    (file,) = records_of(SampleDatabase("Sales").full())
    newer = file.model_copy(update={"etag": "0x2"})
    late = file.model_copy(update={"refusal": refused("x").refusal})
    assert catalog.record_file(file, over=None)
    assert catalog.record_file(newer, over=file)
    assert not catalog.record_file(late, over=file)
    assert not catalog.forget_file(file)
    assert catalog.read_file("f", file.name) == newer


def test_a_file_that_is_uploaded_again_has_one_row_in_the_index(catalog: Catalog) -> None:
    source = SampleDatabase("Sales")
    (full,) = records_of(source.full())
    (log,) = records_of(source.log())
    log = log.model_copy(update={"name": full.name})
    bad = refused("x").model_copy(update={"name": full.name})
    known: FileRecord | None = None
    for version, data, logs in ((full, 1, 0), (log, 0, 1), (bad, 0, 0), (full, 1, 0)):
        assert catalog.record_file(version, over=known)
        known = version
        assert len(catalog.data_backups("f")) == data
        assert len(catalog.logs_after("f", None, None)[0]) == logs
    assert catalog.list_versions("f") == {full.name: KnownVersion("0x1", usable=True)}


def test_an_unusable_file_is_forgotten(catalog: Catalog) -> None:
    file = refused("notes.txt")
    assert catalog.record_file(file, over=None)
    assert catalog.forget_file(file)
    assert list(catalog.list_files("f")) == []
    assert not catalog.forget_file(file)


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    folder=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_files_and_folders_of_any_name_are_kept(catalog: Catalog, name: str, folder: str) -> None:
    file = refused("x").model_copy(update={"name": name, "folder": folder})
    known = catalog.read_file(folder, name)
    assert known in (None, file)
    assert known is not None or catalog.record_file(file, over=None)
    assert catalog.read_file(folder, name) == file
    assert file in list(catalog.list_files(folder))
    assert name in catalog.list_versions(folder)


def test_a_document_of_any_length_comes_back_whole(catalog: Catalog) -> None:
    base = refused("x")
    assert base.refusal is not None
    for number, length in enumerate((15_000, 16_000, 40_000, 100_000)):
        reason = "\N{OIL DRUM}" * length
        long = base.model_copy(
            update={
                "name": f"f/{number}",
                "refusal": base.refusal.model_copy(update={"reason": reason}),
            }
        )
        assert catalog.record_file(long, over=None)
        assert catalog.read_file("f", long.name) == long
        short = base.model_copy(update={"name": long.name})
        assert catalog.record_file(short, over=long)
        assert catalog.read_file("f", long.name) == short, "a piece of the long one was left"


def test_more_rows_than_a_page_holds(catalog: Catalog, bare: Scene, azurite: Azurite) -> None:
    """A query answers with at most 1,000 rows at a time."""
    source = SampleDatabase("Sales")
    source.full()
    (log,) = records_of(source.log())
    assert catalog.record_file(log, over=None)
    _copy_rows(bare, azurite, log, 2_300)
    assert len(list(catalog.list_files("f"))) == 2_301
    assert len(catalog.list_versions("f")) == 2_301
    logs, whole = catalog.logs_after("f", None, None)
    assert (len(logs), whole) == (2_301, True)
    assert [part.last_lsn for part in logs] == sorted(part.last_lsn for part in logs)
    logs, whole = catalog.logs_after("f", None, 1_500)
    assert (len(logs), whole) == (1_500, False)


def _copy_rows(bare: Scene, azurite: Azurite, log: FileRecord, count: int) -> None:
    """Write rows like those of a log, a hundred in one transaction, as no app would."""
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    table = service.get_table_client(bare.place.settings.table_prefix + "Backups")
    rows = {row["RowKey"][0]: dict(row) for row in table.list_entities()}
    assert log.backup is not None
    steps = []
    for number in range(1, count + 1):
        lsn = log.backup.last_lsn + number
        key = f"{number:040d}"
        index = f"L|{lsn:025d}|{key}"
        part = log.backup.model_copy(update={"last_lsn": lsn, "backup_set_guid": uuid4()})
        steps.append(
            {
                **rows["F"],
                "RowKey": f"F|{key}",
                "name": json.dumps(f"f/{number}.trn"),
                "index": index,
            }
        )
        doc = part.model_dump_json(exclude_none=True)
        steps.append({**rows["L"], "RowKey": index, "doc": doc})
    for start in range(0, len(steps), 100):
        table.submit_transaction([("create", row) for row in steps[start : start + 100]])


def test_a_window_never_tears_stripes_apart(catalog: Catalog) -> None:
    source = SampleDatabase("Sales")
    source.full()
    logs = [source.log(stripes=stripes) for stripes in (1, 3, 2, 3, 1, 2)]
    for log in logs:
        for record in records_of(log):
            assert catalog.record_file(record, over=None)
    for limit in range(1, 13):
        parts, whole = catalog.logs_after("f", None, limit)
        counts = [len(log.file_names) for log in logs]
        taken = 0
        while counts and taken < limit:
            taken += counts.pop(0)
        assert len(parts) == taken
        assert whole is (not counts)
    after = logs[2].header.last_lsn
    assert {part.last_lsn for part in catalog.logs_after("f", after, None)[0]} == {
        log.header.last_lsn for log in logs[3:]
    }


# Migrations


def test_of_many_orders_for_one_folder_one_counts(catalog: Catalog) -> None:
    orders = [order(operation_id=UUID(int=number)) for number in range(8)]
    with at_once(8) as pool:
        created = list(pool.map(catalog.create_order, orders))
    assert sum(created) == 1
    found = catalog.read_migration("f")
    assert found is not None
    assert found[0] == orders[created.index(True)]
    assert found[1].now.operation_id == found[0].operation_id


def test_an_order_whose_progress_was_never_written_is_healed(
    catalog: Catalog, bare: Scene, azurite: Azurite
) -> None:
    catalog.create_order(order())
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    table = service.get_table_client(bare.place.settings.table_prefix + "Migrations")
    table.delete_entity("progress", "f")
    ((listed, now),) = catalog.list_migrations()
    assert (listed, now.status) == (order(), MigrationStatus.CREATING)
    found = catalog.read_migration("f")
    assert found is not None
    found[1].update(begun=True)
    again = catalog.read_migration("f")
    assert again is not None
    assert again[1].now.begun


def test_a_new_attempt_whose_progress_was_never_written_is_not_taken_for_the_old_one(
    catalog: Catalog,
) -> None:
    catalog.create_order(order())
    _end(catalog)
    # As after a crash: the new order is written, the progress is that of the old one.
    catalog.change_order("f", lambda _: order(operation_id=UUID(int=2)))
    ((_, listed),) = catalog.list_migrations()
    assert listed.status is MigrationStatus.CREATING
    found = catalog.read_migration("f")
    assert found is not None
    assert found[1].now.operation_id == UUID(int=2)
    assert found[1].now.status is MigrationStatus.CREATING


def _end(catalog: Catalog) -> None:
    found = catalog.read_migration("f")
    assert found is not None
    found[1].update(status=MigrationStatus.CANCELED)


def test_whoever_looks_while_a_migration_is_started_anew_leaves_its_progress_alone(
    catalog: Catalog,
) -> None:
    catalog.create_order(order())
    _end(catalog)
    again = order(operation_id=UUID(int=2))

    def start_and_work() -> None:
        assert catalog.replace_ended(again, order())
        found = catalog.read_migration("f")
        assert found is not None
        found[1].update(begun=True, history_id=7)

    with at_once(4) as pool:
        looks = [pool.submit(catalog.read_migration, "f") for _ in range(30)]
        work = pool.submit(start_and_work)
        looks += [pool.submit(catalog.read_migration, "f") for _ in range(30)]
        work.result()
        for look in looks:
            found = look.result()
            assert found is not None
            assert found[0].operation_id == found[1].now.operation_id
    final = catalog.read_migration("f")
    assert final is not None
    assert (final[1].now.begun, final[1].now.history_id) == (True, 7)


def test_of_many_new_attempts_one_counts(catalog: Catalog) -> None:
    catalog.create_order(order())
    _end(catalog)
    orders = [order(operation_id=UUID(int=number)) for number in range(2, 10)]
    with at_once(8) as pool:
        replaced = list(pool.map(lambda new: catalog.replace_ended(new, order()), orders))
    assert sum(replaced) == 1
    assert catalog.read_order("f") == orders[replaced.index(True)]


def test_a_lost_update_of_the_progress_is_noticed(catalog: Catalog) -> None:
    catalog.create_order(order())
    first, second = (catalog.read_migration("f") for _ in range(2))
    assert first is not None
    assert second is not None
    first[1].update(restored_sets=1)
    with pytest.raises(StorageUnavailable, match="changed by another worker"):
        second[1].update(restored_sets=2)
    first[1].update(restored_sets=3)
    found = catalog.read_migration("f")
    assert found is not None
    assert found[1].now.restored_sets == 3


def test_no_change_of_an_order_is_lost(catalog: Catalog) -> None:
    catalog.create_order(order(target_database=""))

    def add(number: int) -> None:
        catalog.change_order(
            "f",
            lambda old: old.model_copy(update={"target_database": old.target_database + "x"}),
        )

    with at_once(4) as pool:
        list(pool.map(add, range(12)))
    found = catalog.read_order("f")
    assert found is not None
    assert found.target_database == "x" * 12


def test_an_unknown_migration_is_none(catalog: Catalog) -> None:
    assert catalog.read_migration("nobody") is None
    assert catalog.read_order("nobody") is None
    assert catalog.change_order("nobody", lambda old: old) is None
    assert catalog.list_migrations() == []


def test_a_row_of_a_newer_app_is_an_error_that_names_it(
    catalog: Catalog, bare: Scene, azurite: Azurite
) -> None:
    catalog.create_order(order())
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    table = service.get_table_client(bare.place.settings.table_prefix + "Migrations")
    row = table.get_entity("progress", "f")
    row["doc"] = row["doc"].replace('"Creating"', '"Levitating"')
    table.update_entity(row)
    with pytest.raises(StorageError, match=r"row 'f' .* MigrationProgress: status") as error:
        catalog.read_migration("f")
    assert error.value.action


def test_tables_that_are_gone_are_no_unknown_migration(
    catalog: Catalog, bare: Scene, azurite: Azurite
) -> None:
    service = TableServiceClient.from_connection_string(azurite.connection_string)
    service.delete_table(bare.place.settings.table_prefix + "Migrations")
    with pytest.raises(StorageError, match="a table of the catalog does not exist"):
        read_migration(bare.place, "f")


def kept_models(of: type[BaseModel] = Record) -> Iterator[type[BaseModel]]:
    yield of
    for each in of.__subclasses__():
        yield from kept_models(each)


KEPT: list[type[BaseModel]] = [BackupHeader, MediaLabel, BackupSet, TargetPosition, ServerFacts]


@pytest.mark.parametrize("model", [*KEPT, *kept_models()])
def test_whatever_may_be_unknown_can_be_left_out_of_a_row(model: type[BaseModel]) -> None:
    """What is None is not written; a field that must be there would make a row unreadable."""
    for name, field in model.model_fields.items():
        if type(None) in get_args(field.annotation):
            assert not field.is_required(), name


# Restored sets


def test_restored_sets_come_in_order_and_once(catalog: Catalog) -> None:
    def restored(number: int) -> RestoredBackup:
        return RestoredBackup(
            number=number,
            backup_set_guid=UUID(int=number),
            backup_type=BackupType.LOG,
            files=("f/x",),
            last_lsn=number,
            recovery_fork_id=None,
            backup_finish_date=None,
            restored_on=NOW + timedelta(seconds=number),
        )

    operation = uuid4()
    for number in (1, 2, 3, 3, 10, 2):
        catalog.add_restored(operation, restored(number))
    found = catalog.list_restored(operation)
    assert [row.number for row in found] == [1, 2, 3, 10]
    assert catalog.list_restored(uuid4()) == []


# Blobs


def test_a_container_that_is_gone_is_no_missing_blob(bare: Scene) -> None:
    bare.container.delete_container()
    with pytest.raises(StorageError, match="the container does not exist"):
        bare.place.blobs.find("f/x.bak")
    with pytest.raises(StorageError, match="the container does not exist"):
        list(bare.place.blobs.list())


def test_a_read_is_pinned_to_one_version(bare: Scene) -> None:
    bare.container.upload_blob("f/x", b"one")
    blob = bare.place.blobs.find("f/x")
    assert isinstance(blob, BlobVersion)
    source: BlobSource = bare.place.blobs.source(blob)
    assert source.read(0, 3) == b"one"
    bare.container.upload_blob("f/x", b"two", overwrite=True)
    with pytest.raises(StorageError, match="reading 'f/x'"):
        source.read(0, 3)
    assert bare.place.blobs.find("f/y") is None
