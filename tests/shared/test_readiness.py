"""Whether a cutover would lose anything: which check fails when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from local.samples import SampleBackup, SampleDatabase
from shared.chain import DatabaseState, TargetPosition
from shared.models import CutoverReadiness
from shared.readiness import EXCUSED_BY_DATA_LOSS, Scan
from shared.records import (
    Blocking,
    CancelOrder,
    CurrentRestore,
    CutoverOrder,
    FileRecord,
    MigrationOrder,
    MigrationProgress,
    RestoredBackup,
)
from shared.status import describe
from shared.vocabulary import BlockingReason, InvalidReason, MigrationStatus
from tests.shared.files import NOW, records_of, refused

SOURCE = SampleDatabase("Sales")
FULL, LOG, NEXT, BEYOND = SOURCE.full(), SOURCE.log(), SOURCE.log(stripes=2), SOURCE.log()
FOREIGN = SampleDatabase("HR").full()
LISTED = Scan(unread=[], completed_on=NOW)
LATER = NOW + timedelta(hours=1)


def restored(number: int, backup: SampleBackup) -> RestoredBackup:
    header = backup.header
    return RestoredBackup(
        number=number,
        backup_set_guid=header.backup_set_guid,
        backup_type=header.backup_type,
        files=tuple(f"f/{name}" for name in backup.file_names),
        last_lsn=header.last_lsn,
        recovery_fork_id=header.recovery_fork_id,
        restored_on=NOW,
    )


DONE = [restored(1, FULL), restored(2, LOG)]
ORDER = MigrationOrder(
    id="f", operation_id=UUID(int=1), target="t", target_database="S", folder="f", created_on=NOW
)
PROGRESS = MigrationProgress(
    operation_id=UUID(int=1),
    status=MigrationStatus.READY_FOR_CUTOVER,
    begun=True,
    full_backup=DONE[0],
    last_restored=DONE[1],
    restored_sets=2,
    position=TargetPosition(
        state=DatabaseState.RESTORING, redo_start_lsn=LOG.header.last_lsn, redo_start_fork_guid=None
    ),
)
FILES = [*records_of(FULL), *records_of(LOG)]
CUTOVER = CutoverOrder(last_backup_name="x", awaited=True, requested_on=NOW, expires_on=LATER)


def blocked(code: BlockingReason) -> dict[str, Any]:
    why = Blocking(code=code, reason="It is held up.", action="Help.", since=NOW)
    return {"blocking": why, "status": MigrationStatus.IN_PROGRESS}


def late(file: FileRecord) -> FileRecord:
    return file.model_copy(update={"checked_on": LATER})


CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "ready": ({}, set()),
    "not listed": ({"scan": Scan()}, {"noUnreadFiles"}),
    "unread": ({"scan": Scan(unread=["x.trn"], completed_on=NOW)}, {"noUnreadFiles"}),
    "offline": ({"order": {"offline": True, "last_backup_name": "x"}}, {"online"}),
    "asked for already": (
        {"order": {"cutover": CUTOVER}},
        {"notAlreadyRequested", "statusAllowsCutover"},
    ),
    "being canceled": (
        {"order": {"cancel": CancelOrder(keep_target=False, requested_on=NOW)}},
        {"statusAllowsCutover"},
    ),
    "nothing restored": (
        {
            "progress": {
                "full_backup": None,
                "last_restored": None,
                "position": TargetPosition(state=DatabaseState.ABSENT),
            },
            "done": [],
        },
        {"fullBackupRestored", "nothingPending", "targetDatabaseRestoring"},
    ),
    "restoring": (
        {
            "progress": {
                "status": MigrationStatus.RESTORING,
                "current": CurrentRestore(
                    backup_set_guid=NEXT.header.backup_set_guid,
                    backup_type=NEXT.header.backup_type,
                    files=("x",),
                    started_on=NOW,
                ),
            },
            "files": [*FILES, *records_of(NEXT)],
        },
        {"statusAllowsCutover", "nothingPending"},
    ),
    "pending": ({"files": [*FILES, *records_of(NEXT)]}, {"nothingPending"}),
    "a stripe is missing": ({"files": [*FILES, records_of(NEXT)[0]]}, {"noIncompleteStripes"}),
    "a gap": (
        {"files": [*FILES, *records_of(BEYOND)], "progress": blocked(BlockingReason.CHAIN_GAP)},
        {"noBlockingReason", "nothingPending", "chainContinuous"},
    ),
    "a late file that cannot be used": (
        {"files": [*FILES, late(refused("cut.trn", code=InvalidReason.HEADER_UNREADABLE))]},
        {"noInvalidFileNewerThanLastRestored"},
    ),
    "an old file that cannot be used": (
        {"files": [*FILES, refused("cut.trn", code=InvalidReason.HEADER_UNREADABLE)]},
        set(),
    ),
    "a late file that is no backup": ({"files": [*FILES, late(refused("notes.txt"))]}, set()),
    "a late backup of another database": (
        {"files": [*FILES, *(late(file) for file in records_of(FOREIGN))]},
        set(),
    ),
    "out of reach": (
        {"progress": blocked(BlockingReason.TARGET_NOT_READY)},
        {"noBlockingReason", "targetReady"},
    ),
    "changed by others": (
        {"progress": blocked(BlockingReason.CONCURRENT_CHANGE)},
        {"noBlockingReason", "targetDatabaseRestoring"},
    ),
    "not looked at": ({"progress": {"position": None}}, {"targetDatabaseRestoring"}),
    "ended": (
        {"progress": {"status": MigrationStatus.SUCCEEDED}},
        {"statusAllowsCutover"},
    ),
}


def judge(case: dict[str, Any]) -> CutoverReadiness:
    shown = describe(
        ORDER.model_copy(update=case.get("order", {})),
        PROGRESS.model_copy(update=case.get("progress", {})),
        case.get("files", FILES),
        case.get("done", DONE),
        "landing",
        case.get("scan", LISTED),
    )
    details = shown.properties.migration_status_details
    assert details is not None
    return details.cutover_readiness


@pytest.mark.parametrize(("case", "failing"), CASES.values(), ids=list(CASES))
def test_which_checks_fail(case: dict[str, Any], failing: set[str]) -> None:
    readiness = judge(case)
    failed = {check.name for check in readiness.checks if check.state != "pass"}
    assert failed == failing
    assert readiness.ready is (not failed)
    for check in readiness.checks:
        assert check.required
        assert bool(check.message) is (check.state != "pass")


def test_what_may_be_lost_is_excused_and_the_target_is_not() -> None:
    names = {check.name for check in judge({}).checks}
    assert names > EXCUSED_BY_DATA_LOSS
    assert names - EXCUSED_BY_DATA_LOSS == {
        "online",
        "statusAllowsCutover",
        "notAlreadyRequested",
        "fullBackupRestored",
        "targetReady",
        "targetDatabaseRestoring",
    }


def test_what_is_in_the_target_and_what_is_not_is_told() -> None:
    readiness = judge({"files": [*FILES, *records_of(NEXT), *records_of(BEYOND)]})
    assert readiness.last_restored_filename == LOG.file_names[0]
    assert readiness.restored_up_to
    assert readiness.restored_up_to.last_lsn == LOG.header.last_lsn
    assert readiness.pending_log_backups_count == 2
    assert [file.file_name for file in readiness.pending_files] == [
        *BEYOND.file_names,
        *NEXT.file_names,
    ]
    assert readiness.last_scan_completed_on == NOW


def test_a_long_list_of_pending_files_is_cut() -> None:
    source = SampleDatabase("Long")
    source.full()
    files = [record for _ in range(150) for record in records_of(source.log())]
    case = {"files": files, "done": [], "progress": {"full_backup": None, "last_restored": None}}
    readiness = judge(case)
    assert readiness.pending_log_backups_count == 150
    assert len(readiness.pending_files) == 100
    message = next(c.message for c in readiness.checks if c.name == "nothingPending")
    assert message.endswith("and 145 more.")
