"""Which set is meant by the name of the last backup."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.backupset import BackupSet, BackupType, SetFile
from shared.chain import Goal, find_named
from shared.lsn import Lsn


def log(number: int, *names: str, copies: tuple[str, ...] = ()) -> BackupSet:
    return BackupSet(
        backup_set_guid=UUID(int=number, version=4),
        backup_type=BackupType.LOG,
        database_name="Orders",
        first_lsn=Lsn(number),
        last_lsn=Lsn(number + 1),
        checkpoint_lsn=Lsn(number),
        database_backup_lsn=Lsn(0),
        family_count=len(names),
        files=tuple(SetFile(name=n, family_sequence_number=i) for i, n in enumerate(names, 1)),
        copies=tuple(SetFile(name=n, family_sequence_number=1) for n in copies),
    )


SETS = [
    log(1, "sales/a.trn"),
    log(2, "sales/b-1.trn", "sales/b-2.trn"),
    log(3, "sales/c.trn", copies=("sales/again/c.trn",)),
    log(4, "sales/Same.trn"),
    log(5, "eu/same.trn"),
    log(6, "eu/twice.trn"),
    log(7, "us/twice.trn"),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sales/a.trn", 1),
        ("a.trn", 1),
        ("A.TRN", 1),
        ("sales/b-2.trn", 2),
        ("sales/again/c.trn", 3),
        ("again/c.trn", 3),
        ("same.trn", 5),
        ("Same.trn", 4),
        ("SAME.trn", None),
        ("twice.trn", None),
        ("us/twice.trn", 7),
        (".trn", None),
        ("ales/a.trn", None),
        ("missing.trn", None),
        ("sales/a.trn/", None),
    ],
)
def test_find_named(name: str, found: int | None) -> None:
    expected = None if found is None else SETS[found - 1]
    assert find_named(SETS, name) is expected
    assert find_named(SETS[::-1], name) is expected


def test_every_type_is_wanted_unless_it_is_said() -> None:
    goal = Goal()
    assert (goal.use_differentials, goal.use_logs) == (True, True)
    assert (goal.stop_at, goal.last_backup, goal.database_name) == (None, None, None)
