"""Which migration a blob belongs to, and which database a folder holds."""

from __future__ import annotations

import pytest

from local.samples import SampleBackup, SampleDatabase
from shared.backupset import BackupSet, merge_families
from shared.folder import below, folder_of, lies_in, migration_id, owner_of, sort_contents


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("sales/full.bak", "sales"),
        ("sales/FULL/full.bak", "sales"),
        ("SQL01$PROD/sales/LOG/x.trn", "SQL01$PROD/sales"),
        ("SQL01/sales/Diff/x.bak", "SQL01/sales"),
        ("sales/LOG_COPY_ONLY/x.trn", "sales"),
        ("log/x.trn", ""),
        ("full.bak", ""),
        ("sales/logs/x.trn", "sales/logs"),
    ],
)
def test_folder_of_a_database_leaves_out_the_folder_of_the_kind(name: str, folder: str) -> None:
    assert folder_of(name) == folder


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("sales/full.bak", "sales"),
        ("sales/eu/LOG/x.trn", "sales/eu"),
        ("sales2/full.bak", ""),
        ("full.bak", ""),
        ("salesfull.bak", ""),
    ],
)
def test_the_longest_folder_owns_a_blob(name: str, owner: str) -> None:
    assert owner_of(name, ["", "sales", "sales/eu"]) == owner


def test_without_a_folder_around_it_a_blob_has_no_owner() -> None:
    assert owner_of("hr/full.bak", ["sales"]) is None


def test_paths_below_a_folder() -> None:
    assert below("sales/LOG/x.trn", "sales") == "LOG/x.trn"
    assert below("x.trn", "") == "x.trn"
    assert lies_in("anything", "")


def test_ids_are_readable_safe_and_one_per_folder() -> None:
    folders = [
        "",
        "sales",
        "Sales",
        "SQL01/sales",
        "SQL01-sales",
        "a b",
        "a/b",
        "ü" * 200,
        "a" * 90,
    ]
    ids = [migration_id(folder) for folder in folders]
    assert len(set(ids)) == len(ids)
    assert ids[1] == "sales"
    assert all(id_.isascii() and len(id_) <= 70 and not set(id_) & set("/\\?# ") for id_ in ids)


def _sets(*backups: SampleBackup) -> tuple[BackupSet, ...]:
    return merge_families(
        BackupSet.of(content.sets[0][0], content.label, name)
        for backup in backups
        for content, name in zip(backup.contents, backup.file_names, strict=True)
    )


def test_the_first_full_backup_settles_whose_folder_it_is() -> None:
    sales, hr = SampleDatabase("Sales"), SampleDatabase("HR")
    mine, log = sales.full(), sales.log()
    hr.full()
    foreign = hr.full(name="hr-full")
    contents = sort_contents(_sets(foreign, log, mine), None, None)
    assert contents.source is not None
    assert contents.source.database_name == "Sales"
    assert {s.database_name for s in contents.own} == {"Sales"}
    assert [s.database_name for s in contents.foreign] == ["HR"]


def test_what_was_settled_stays_when_an_older_full_backup_arrives() -> None:
    sales, hr = SampleDatabase("Sales"), SampleDatabase("HR")
    older = sales.full(name="sales-full")
    hr.full()
    settled = sort_contents(_sets(hr.full(name="hr-full")), None, None).source
    contents = sort_contents(_sets(older, hr.full(name="hr-full-2")), settled, None)
    assert contents.source == settled
    assert {s.database_name for s in contents.own} == {"HR"}


def test_a_wanted_name_chooses_among_the_databases_of_a_folder() -> None:
    sales, hr = SampleDatabase("Sales"), SampleDatabase("HR")
    contents = sort_contents(_sets(sales.full(name="s"), hr.full(name="h")), None, "HR")
    assert {s.database_name for s in contents.own} == {"HR"}


def test_without_a_full_backup_nothing_is_settled() -> None:
    sales = SampleDatabase("Sales")
    sales.full()
    contents = sort_contents(_sets(sales.log()), None, None)
    assert contents.source is None
    assert len(contents.own) == 1


def test_a_striped_full_backup_settles_before_all_its_files_are_there() -> None:
    first, _ = _parts(SampleDatabase("Sales").full(stripes=2))
    assert sort_contents((first,), None, None).source is not None


def _parts(backup: SampleBackup) -> list[BackupSet]:
    return [
        BackupSet.of(content.sets[0][0], content.label, name)
        for content, name in zip(backup.contents, backup.file_names, strict=True)
    ]
