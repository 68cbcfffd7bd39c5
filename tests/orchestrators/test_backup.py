"""A blob is checked, then its migration is told; the verdict stands whoever cannot be told."""

from __future__ import annotations

import pytest

from orchestrators.backup import validate_backup
from tests.orchestrators.driver import Call, run

BLOB = {"name": "sales/full.bak"}
VERDICT = {"name": "sales/full.bak", "verdict": "Accepted", "migrationId": "sales"}
ANSWERS = {"check_backup": VERDICT, "wake_migration": {}}


def test_the_verdict_is_told_and_returned() -> None:
    told = run(validate_backup, BLOB, ANSWERS)
    assert told.calls == [
        Call("activity", "check_backup", BLOB),
        Call("activity", "wake_migration", {"migrationId": "sales"}),
    ]
    assert told.result == VERDICT
    assert told.statuses == [VERDICT]
    assert told == run(validate_backup, BLOB, ANSWERS)


def test_a_blob_of_nobody_wakes_nobody() -> None:
    verdict = {**VERDICT, "migrationId": None}
    told = run(validate_backup, BLOB, {"check_backup": verdict})
    assert told.names == ["check_backup"]
    assert told.result == verdict


def test_a_migration_that_cannot_be_told_is_left_to_the_periodic_check() -> None:
    assert run(validate_backup, BLOB, ANSWERS, fail_at=1).result == VERDICT


VERIFYING = {**VERDICT, "verdict": "Verifying", "level": "data", "percentCompleted": 10.0}


def test_a_file_is_read_in_parts_until_there_is_a_verdict() -> None:
    bad = {**VERDICT, "verdict": "BackupDamaged"}
    answers = {**ANSWERS, "check_backup": VERIFYING, "verify_backup": [VERIFYING, VERIFYING, bad]}
    told = run(validate_backup, BLOB, answers)
    assert told.names == [
        "check_backup",
        "wake_migration",
        *["verify_backup"] * 3,
        "wake_migration",
    ]
    assert told.result == bad
    assert told.statuses == [VERIFYING, VERIFYING, VERIFYING, bad]


def test_a_large_file_is_read_on_in_another_generation_so_that_the_history_stays_short() -> None:
    told = run(
        validate_backup, BLOB, {**ANSWERS, "check_backup": VERIFYING, "verify_backup": VERIFYING}
    )
    assert told.next_input == BLOB
    assert told.result is None
    assert len(told.calls) < 30


def test_a_check_that_keeps_failing_fails_so_that_it_is_started_again() -> None:
    with pytest.raises(Exception, match="check_backup"):
        run(validate_backup, BLOB, ANSWERS, fail_at=0)
