"""The status accounts for every file of a folder, whatever lies in it and however far it is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleBackup, SampleDatabase
from shared.backupset import BackupSet, merge_families
from shared.chain import DatabaseState, TargetPosition, plan_restore
from shared.folder import sort_contents
from shared.models import Migration, MigrationStatusDetails
from shared.outlook import goal_of
from shared.readiness import Scan
from shared.records import (
    CancelOrder,
    CurrentRestore,
    CutoverOrder,
    FileRecord,
    MigrationOrder,
    MigrationProgress,
    RestoredBackup,
    SourceDatabase,
)
from shared.status import describe, summarise
from shared.verification.check import Check, Cursor
from shared.vocabulary import (
    FileStatus,
    InvalidReason,
    MigrationStatus,
    SetStatus,
    VerificationLevel,
)
from tests.shared.files import NOW, records_of, refused, sets_of

ORDER = MigrationOrder(
    id="f", operation_id=UUID(int=1), target="t", target_database="S", folder="f", created_on=NOW
)


def taken() -> list[SampleBackup]:
    """Return the backups of two databases, one of which was set back, and of a system database."""
    sales = SampleDatabase("Sales")
    backups = [sales.full(stripes=2), sales.log(), sales.log(stripes=3)]
    backups += [sales.full(copy_only=True), sales.differential(), sales.log()]
    fork = backups[-1]
    backups += [sales.differential(stripes=2), sales.log(), sales.empty_log(), sales.full()]
    sales.fork(fork)
    backups += [sales.log(), sales.log()]
    other = SampleDatabase("HR")
    return [*backups, other.full(stripes=2), other.log()]


TAKEN = taken()
FILES = [
    record.model_copy(update={"arrived_on": NOW + timedelta(seconds=n), "size": 1000 + n})
    for under in ("", "copies/")
    for n, backup in enumerate(TAKEN)
    for record in records_of(backup, under=under)
]
HALF_READ = Check(level=VerificationLevel.DATA, size=1000, cursor=Cursor(at=500))
BROKEN = [refused(f"{code.value}.bak", code=code) for code in InvalidReason]


def details_of(shown: Migration) -> MigrationStatusDetails:
    found = shown.properties.migration_status_details
    assert found is not None
    return found


def check_account(shown: Migration, files: list[FileRecord]) -> None:
    details = details_of(shown)
    listed = [
        file.file_name
        for backup in details.active_backup_sets
        for file in backup.list_of_backup_files
    ]
    every = Counter([*listed, *(file.file_name for file in details.invalid_file_details)])
    assert every == Counter(file.name.removeprefix("f/") for file in files)
    assert (
        details.detected_files
        == len(files)
        == (
            details.restored_files
            + details.restoring_files
            + details.queued_files
            + details.skipped_files
            + details.unrestorable_files
        )
    )
    assert details.invalid_files == [file.file_name for file in details.invalid_file_details]
    for file in details.invalid_file_details:
        assert file.reason
        assert file.action
    for backup in details.active_backup_sets:
        skipped = backup.restore_status is SetStatus.SKIPPED
        assert bool(backup.ignore_reason_codes) is skipped
        assert all(backup.ignore_reasons)
        assert len(backup.ignore_reasons) == len(backup.ignore_reason_codes)
        assert backup.is_backup_restored is (backup.restore_status is SetStatus.RESTORED)
        assert len({file.status for file in backup.list_of_backup_files}) == 1
    percent = details.restore_percent_completed
    assert percent is None or 0 <= percent <= 100
    assert None not in _values(shown.as_json())


def _values(document: Any) -> list[Any]:
    if isinstance(document, dict):
        return [value for inner in document.values() for value in _values(inner)]
    if isinstance(document, list):
        return [value for inner in document for value in _values(inner)]
    return [document]


def restored(number: int, backup: BackupSet) -> RestoredBackup:
    return RestoredBackup(
        number=number,
        backup_set_guid=backup.backup_set_guid,
        backup_type=backup.backup_type,
        files=tuple(file.name for file in backup.files),
        last_lsn=backup.last_lsn,
        recovery_fork_id=backup.recovery_fork_id,
        restored_on=NOW + timedelta(minutes=number),
        seconds=1.5,
    )


@st.composite
def migrations(
    draw: st.DrawFn,
) -> tuple[MigrationOrder, MigrationProgress, list[FileRecord], list[RestoredBackup]]:
    """Draw a folder with some of the files, and a migration that has restored some of its plan."""
    shuffled = draw(st.permutations([*FILES, *BROKEN]))
    unread = draw(st.integers(0, 10))
    files = [
        file.model_copy(update={"verifying": HALF_READ}) if n < unread and file.backup else file
        for n, file in enumerate(shuffled[: draw(st.integers(0, len(shuffled)))])
    ]
    order = ORDER.model_copy(
        update={
            "source_database_name": draw(st.sampled_from([None, "Sales", "HR", "Nobody"])),
            "cancel": draw(
                st.sampled_from([None, CancelOrder(keep_target=False, requested_on=NOW)])
            ),
            "cutover": draw(st.sampled_from([None, *map(_cutover, (FILES[4], FILES[9]))])),
        }
    )
    usable = [part for file in files if (part := file.backup) is not None]
    contents = sort_contents(merge_families(usable), None, order.source_database_name)
    plan = plan_restore(contents.own, goal=goal_of(order)).steps
    count = draw(st.integers(0, len(plan)))
    done = [restored(n, step.backup) for n, step in enumerate(plan[:count], start=1)]
    next_one = plan[count].backup if count < len(plan) else None
    progress = MigrationProgress(
        operation_id=UUID(int=1),
        status=draw(st.sampled_from(list(MigrationStatus))),
        source=draw(st.sampled_from([None, contents.source])) if contents.source else None,
        begun=bool(done),
        restored_sets=len(done),
        full_backup=done[0] if done else None,
        last_restored=done[-1] if done else None,
        position=draw(st.sampled_from([None, *(TargetPosition(state=s) for s in DatabaseState)])),
        current=CurrentRestore(
            backup_set_guid=next_one.backup_set_guid,
            backup_type=next_one.backup_type,
            files=("x",),
            started_on=NOW,
            percent=draw(st.floats(0, 100)),
        )
        if next_one and draw(st.booleans())
        else None,
    )
    return order, progress, files, done


def _cutover(file: FileRecord) -> CutoverOrder:
    return CutoverOrder(last_backup_name=file.name, awaited=True, requested_on=NOW, expires_on=NOW)


@given(migrations())
@settings(max_examples=150, deadline=None)
def test_every_file_is_accounted_for_once(
    given_: tuple[MigrationOrder, MigrationProgress, list[FileRecord], list[RestoredBackup]],
) -> None:
    order, progress, files, done = given_
    check_account(describe(order, progress, files, done, "landing", Scan()), files)


def test_all_files_at_once_are_accounted_for() -> None:
    files = [*FILES, *BROKEN]
    check_account(describe(ORDER, _fresh(), files, [], "landing", Scan()), files)


def _fresh(**changes: object) -> MigrationProgress:
    return MigrationProgress(operation_id=UUID(int=1)).model_copy(update=changes)


def test_second_copies_of_another_databases_files_are_accounted_for() -> None:
    sales, other = SampleDatabase("Sales").full(), SampleDatabase("HR").full(stripes=2)
    files = [*records_of(sales), *records_of(other), *records_of(other, under="copies/")]
    source = SourceDatabase(database_name="Sales", server_name="SQL01")
    settled = source.model_copy(update={"family_guid": sales.header.family_guid})
    shown = describe(ORDER, _fresh(source=settled), files, [], "landing", Scan())
    check_account(shown, files)
    invalid = details_of(shown).invalid_file_details
    assert len(invalid) == 4
    assert {file.reason_code for file in invalid} == {InvalidReason.WRONG_DATABASE}
    assert all("'HR'" in file.reason and "'Sales'" in file.reason for file in invalid)


def test_a_folder_without_its_database_says_which_one_is_wanted() -> None:
    order = ORDER.model_copy(update={"source_database_name": "Sales"})
    shown = describe(order, _fresh(), records_of(TAKEN[-1]), [], "landing", Scan())
    (file,) = details_of(shown).invalid_file_details
    assert "this folder holds 'Sales'" in file.reason


def test_a_half_restored_migration() -> None:
    source = SampleDatabase("Sales")
    full, log, last = source.full(stripes=2), source.log(), source.log()
    files = [record for backup in (full, log, last) for record in records_of(backup)]
    sets = sets_of(full, log, last)
    done = [restored(1, sets[0])]
    progress = _fresh(
        status=MigrationStatus.RESTORING,
        full_backup=done[0],
        last_restored=done[0],
        current=CurrentRestore(
            backup_set_guid=log.header.backup_set_guid,
            backup_type=log.header.backup_type,
            files=("f/" + log.file_names[0],),
            started_on=NOW,
            percent=50.0,
        ),
    )
    details = details_of(describe(ORDER, progress, files, done, "landing", Scan()))
    assert [s.restore_status for s in details.active_backup_sets] == [
        SetStatus.QUEUED,
        SetStatus.RESTORING,
        SetStatus.RESTORED,
    ]
    assert (details.restored_files, details.restoring_files, details.queued_files) == (2, 1, 1)
    # Files of 1,000 bytes: two are restored, one half, one waits.
    assert details.restore_percent_completed == 62.5
    assert details.current_restore_percent_completed == 50.0
    assert details.current_restoring_filename == log.file_names[0]
    assert details.pending_log_backups_count == 1
    assert details.full_backup_set_info == details.last_restored_backup_set_info
    first = details.active_backup_sets[-1]
    assert first.restore_start_date == done[0].restored_on - timedelta(seconds=1.5)
    assert details.active_backup_sets[1].restore_start_date == NOW
    assert first.backup_size_mb
    assert details.active_backup_sets[0].restore_start_date is None


def test_what_is_being_verified_is_listed_and_not_pending() -> None:
    source = SampleDatabase("Sales")
    files = [*records_of(source.full()), *records_of(source.log())]
    files[0] = files[0].model_copy(update={"verifying": HALF_READ})
    details = details_of(describe(ORDER, _fresh(), files, [], "landing", Scan()))
    (file,) = details.verifying_files
    assert file.as_json() == {
        "fileName": files[0].name[2:],
        "level": "data",
        "percentCompleted": 50.0,
        "totalSize": 1000,
    }
    log, full = details.active_backup_sets
    assert full.list_of_backup_files[0].status is FileStatus.ARRIVED
    assert log.list_of_backup_files[0].status is FileStatus.UPLOADED
    assert (details.queued_files, details.pending_log_backups_count) == (2, 1)
    failed = {c.name: c.message for c in details.cutover_readiness.checks if c.state == "fail"}
    assert failed["noFilesBeingVerified"] == f"Being verified: {file.file_name} (50 %)."
    assert "noIncompleteStripes" not in failed


def test_missing_stripes_are_numbered_and_dated() -> None:
    first, _, third = records_of(SampleDatabase("Sales").full(stripes=3))
    files = [
        third.model_copy(update={"arrived_on": NOW + timedelta(hours=1)}),
        first.model_copy(update={"arrived_on": NOW + timedelta(hours=2)}),
    ]
    (missing,) = details_of(
        describe(ORDER, _fresh(), files, [], "landing", Scan())
    ).waiting_for_stripes
    assert missing.present_sequence_numbers == [1, 3]
    assert missing.missing_sequence_numbers == [2]
    assert missing.waiting_since == NOW + timedelta(hours=1)


def test_files_that_were_not_restored_are_canceled_with_the_migration() -> None:
    source = SampleDatabase("Sales")
    full, log = source.full(), source.log()
    files = [*records_of(full), *records_of(log)]
    done = [restored(1, sets_of(full)[0])]
    progress = _fresh(status=MigrationStatus.CANCELED, full_backup=done[0], last_restored=done[0])
    sets = details_of(describe(ORDER, progress, files, done, "landing", Scan())).active_backup_sets
    statuses = [file.status for s in sets for file in s.list_of_backup_files]
    assert statuses == [FileStatus.CANCELED, FileStatus.RESTORED]


def test_an_accepted_order_shows_at_once() -> None:
    """Before the orchestration has looked: whoever asked for it sees it in the answer."""
    ready = _fresh(status=MigrationStatus.READY_FOR_CUTOVER)
    cutover = ORDER.model_copy(update={"cutover": _cutover(FILES[0])})
    cancel = cutover.model_copy(update={"cancel": CancelOrder(keep_target=True, requested_on=NOW)})
    assert summarise(ORDER, ready).properties.migration_status is MigrationStatus.READY_FOR_CUTOVER
    assert summarise(cutover, ready).properties.migration_status is MigrationStatus.COMPLETING
    assert summarise(cancel, ready).properties.migration_status is MigrationStatus.CANCELING
    for final in (MigrationStatus.SUCCEEDED, MigrationStatus.CANCELED, MigrationStatus.FAILED):
        ended = summarise(cancel, _fresh(status=final))
        assert ended.properties.migration_status is final
