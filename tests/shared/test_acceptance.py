"""Which backups are refused, for which reason first, and where the target must agree."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from local.samples import SampleDatabase, appended
from shared.acceptance import RULES, Policy, disagreements, judge, judge_name
from shared.backupset import BackupContent, BackupType
from shared.lsn import Lsn
from shared.records import Refusal
from shared.targets import ServerHeader
from shared.vocabulary import InvalidReason

POLICY = Policy(oldest_database_version=655)
CONTENT = SampleDatabase("Sales").full().contents[0]
HEADER = CONTENT.sets[0][0]

# Rule by rule, in their order: what breaks it, in the header and in the label.
BREAKS: list[tuple[InvalidReason, dict[str, Any], dict[str, Any], tuple[str, ...]]] = [
    (InvalidReason.UNSUPPORTED_BACKUP_TYPE, {"is_snapshot": True}, {}, ("snapshot",)),
    (InvalidReason.BACKUP_DAMAGED, {"is_damaged": True}, {}, ("3182",)),
    (InvalidReason.HEADER_UNREADABLE, {"first_lsn": Lsn(10**24)}, {}, ("FirstLSN", "LastLSN")),
    (InvalidReason.SYSTEM_DATABASE, {"database_name": "MSDB"}, {}, ("'MSDB'", "3168")),
    (InvalidReason.VERSION_NOT_SUPPORTED, {"database_version": 611}, {}, ("611", "655")),
    (InvalidReason.MEDIA_PASSWORD, {}, {"has_password": True}, ("MEDIAPASSWORD",)),
]


def content(header: dict[str, Any], label: dict[str, Any]) -> BackupContent:
    return CONTENT.model_copy(
        update={
            "label": CONTENT.label.model_copy(update=label),
            "sets": ((HEADER.model_copy(update=header), ()),),
        }
    )


def verdict(given: BackupContent) -> Refusal:
    refusal = judge(given, POLICY)
    assert refusal is not None
    assert refusal.action
    return refusal


def test_a_good_backup_of_each_type_is_accepted() -> None:
    source = SampleDatabase("Sales")
    for backup in (source.full(), source.log(), source.differential(), source.full(copy_only=True)):
        assert judge(backup.contents[0], POLICY) is None


@pytest.mark.parametrize(("code", "header", "label", "words"), BREAKS, ids=[b[0] for b in BREAKS])
def test_each_rule_objects_in_its_own_words(
    code: InvalidReason, header: dict[str, Any], label: dict[str, Any], words: tuple[str, ...]
) -> None:
    refusal = verdict(content(header, label))
    assert refusal.code is code
    for word in words:
        assert word in refusal.reason


@pytest.mark.parametrize(("first", "second"), list(combinations(BREAKS, 2)))
def test_of_two_objections_the_first_counts(first: Any, second: Any) -> None:
    both = content(first[1] | second[1], first[2] | second[2])
    assert verdict(both).code is first[0]


def test_the_table_has_every_rule() -> None:
    assert len(BREAKS) == len(RULES)


@pytest.mark.parametrize(
    "backup_type",
    [
        BackupType.FILE,
        BackupType.DIFFERENTIAL_FILE,
        BackupType.PARTIAL,
        BackupType.DIFFERENTIAL_PARTIAL,
    ],
)
def test_backups_of_parts_are_refused_by_name(backup_type: BackupType) -> None:
    refusal = verdict(content({"backup_type": backup_type}, {}))
    assert refusal.code is InvalidReason.UNSUPPORTED_BACKUP_TYPE
    assert f"a {backup_type.label} backup" in refusal.reason


def test_a_mirror_is_refused() -> None:
    refusal = verdict(content({}, {"mirror_count": 2}))
    assert refusal.code is InvalidReason.UNSUPPORTED_BACKUP_TYPE
    assert "one of 2 mirrors" in refusal.reason


@pytest.mark.parametrize(
    ("major", "named"), [(8, "SQL Server 2000"), (9, "SQL Server 2005"), (99, "99.x")]
)
def test_an_old_release_is_named(major: int, named: str) -> None:
    refusal = verdict(content({"database_version": 539, "software_version_major": major}, {}))
    assert f"comes from {named} " in refusal.reason


def test_the_oldest_version_is_a_setting() -> None:
    assert judge(content({"database_version": 655}, {}), POLICY) is None
    newest_only = Policy(oldest_database_version=HEADER.database_version + 1)
    assert judge(CONTENT, newest_only) is not None


def test_an_empty_log_is_no_contradiction() -> None:
    assert judge(content({"first_lsn": HEADER.last_lsn}, {}), POLICY) is None


def test_the_number_of_sets_is_judged_before_any_of_them() -> None:
    source = SampleDatabase("master")
    several = verdict(appended(source.full(), source.log(), source.log()).contents[0])
    assert several.code is InvalidReason.APPENDED_BACKUPS
    assert "3 backup sets (1 full, 2 log)" in several.reason
    none = verdict(CONTENT.model_copy(update={"sets": ()}))
    assert none.code is InvalidReason.NOT_A_BACKUP


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("a/b.bak", True),
        ("a/...bak", True),
        ("a/.../b", True),
        ("a/.b/c..", True),
        ("..", False),
        ("a/../b", False),
        ("./b", False),
        ("a/.", False),
    ],
)
def test_names_that_no_client_sends_are_refused(name: str, allowed: bool) -> None:
    refusal = judge_name(name)
    assert (refusal is None) is allowed
    assert refusal is None or refusal.code is InvalidReason.NAME_NOT_ALLOWED


def theirs(**changes: object) -> ServerHeader:
    given = {name: getattr(HEADER, name) for name in ServerHeader.model_fields}
    return ServerHeader.model_validate({**given, **changes})


def test_the_target_must_agree_in_every_column() -> None:
    assert disagreements(HEADER, [theirs()]) == []
    for name in ServerHeader.model_fields:
        other = HEADER.model_copy(update={name: "other"})
        (found,) = disagreements(other, [theirs()])
        assert (found.column, found.ours) == (name, "other")


@pytest.mark.parametrize("count", [0, 2])
def test_the_target_must_see_one_set(count: int) -> None:
    (found,) = disagreements(HEADER, [theirs()] * count)
    assert (found.column, found.theirs) == ("number of backup sets", count)
