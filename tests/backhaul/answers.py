"""Answers of the app, made by the code that makes the real ones, from sample backups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from local.samples import SampleBackup, SampleDatabase
from shared.aftermath import Aftermath, Source, StepRecord
from shared.chain import DatabaseState, TargetPosition
from shared.models import CutoverReadiness, Migration
from shared.opened import DatabaseFacts, OrphanedUser, OrphanedUsers
from shared.readiness import Scan
from shared.records import (
    Blocking,
    CurrentRestore,
    FileRecord,
    MigrationOrder,
    MigrationProgress,
    Preflight,
    PreflightCheck,
    Refusal,
    RestoredBackup,
    SourceDatabase,
)
from shared.status import describe, summarise
from shared.targets import ServerFacts
from shared.vocabulary import (
    AfterStep,
    BlockingReason,
    InvalidReason,
    MigrationState,
    MigrationStatus,
    RestoreState,
    StepState,
)

START = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
OPERATION = UUID("6f0f1c0e-5f1d-4a52-9a0e-0d3c8e1f2a33")
ID = "SQL01-sales-0a1b2c3d"
FOLDER = "SQL01/sales"


class Story:
    """A migration of a database with a striped full, a differential, and `logs` logs.

    `restored` of the sets are on the target. `missing` logs (by number, from 0) never arrived.
    """

    def __init__(
        self,
        *,
        logs: int = 4,
        restored: int = 0,
        missing: Sequence[int] = (),
        name: str = "SalesProd",
        folder: str = FOLDER,
        notes: str = "notes.txt",
    ) -> None:
        source = SampleDatabase(name, seed=4, data_bytes=64 * 1024)
        full = source.full(stripes=2)
        covered = source.log()
        differential = source.differential()
        later = [source.log() for _ in range(logs)]
        present = [log for number, log in enumerate(later) if number not in missing]
        self.folder = folder
        self._sets = [full, differential, *present]
        self.files = [
            *self._records("FULL", [full]),
            *self._records("LOG", [covered, *present]),
            *self._records("DIFF", [differential]),
            FileRecord(
                name=self._path(notes),
                folder=folder,
                etag="0x9",
                size=10,
                arrived_on=START,
                checked_on=START,
                refusal=Refusal(
                    code=InvalidReason.NOT_A_BACKUP,
                    reason="no backup: the file begins with 6e 6f 74 65 73",
                    action="Remove the file or leave it.",
                ),
            ),
        ]
        self.restored = [
            RestoredBackup(
                number=number,
                backup_set_guid=backup.header.backup_set_guid,
                backup_type=backup.header.backup_type,
                files=self._names(backup),
                last_lsn=backup.header.last_lsn,
                recovery_fork_id=backup.header.recovery_fork_id,
                backup_finish_date=backup.header.backup_finish_date,
                restored_on=START + timedelta(minutes=number),
                seconds=number / 4,
            )
            for number, backup in enumerate(self._sets[:restored], start=1)
        ]
        self.source = SourceDatabase(
            database_name=name, server_name="SQL01", family_guid=full.header.family_guid
        )

    def show(self, status: MigrationStatus, **progress: Any) -> Migration:
        """Return the migration with all details."""
        given, order = self._progress(status, progress), self._order(progress)
        return describe(order, given, self.files, self.restored, "landing", Scan())

    def summarise(self, status: MigrationStatus, **progress: Any) -> Migration:
        """Return the migration as lists have it."""
        return summarise(self._order(progress), self._progress(status, progress))

    def readiness(self, status: MigrationStatus, **progress: Any) -> CutoverReadiness:
        """Return the answer to a cutover that only checks."""
        scan = Scan(unread=[], completed_on=START + timedelta(hours=1))
        given, order = self._progress(status, progress), self._order(progress)
        shown = describe(order, given, self.files, self.restored, "landing", scan)
        assert shown.properties.migration_status_details is not None
        return shown.properties.migration_status_details.cutover_readiness

    def restoring(self, number: int, percent: float) -> CurrentRestore:
        """Return that a set is being restored."""
        backup = self._sets[number]
        return CurrentRestore(
            backup_set_guid=backup.header.backup_set_guid,
            backup_type=backup.header.backup_type,
            files=self._names(backup),
            started_on=START,
            percent=percent,
        )

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _names(self, backup: SampleBackup) -> tuple[str, ...]:
        kind = backup.stem.split("_")[1]
        return tuple(self._path(f"{kind}/{name}") for name in backup.file_names)

    def _records(self, kind: str, backups: Sequence[SampleBackup]) -> list[FileRecord]:
        return [
            FileRecord(
                name=self._path(f"{kind}/{name}"),
                folder=self.folder,
                etag="0x1",
                size=len(data),
                arrived_on=START,
                checked_on=START,
                header=content.sets[0][0],
                label=content.label,
            )
            for backup in backups
            for name, data, content in zip(
                backup.file_names, backup.to_bytes(), backup.contents, strict=True
            )
        ]

    def _order(self, progress: dict[str, Any]) -> MigrationOrder:
        return MigrationOrder(
            id=ID,
            operation_id=OPERATION,
            target="sql-vm-1",
            target_database=progress.get("name", "Sales"),
            folder=self.folder,
            offline=progress.get("offline", False),
            last_backup_name=progress.get("last_backup_name"),
            created_on=START,
        )

    def _progress(self, status: MigrationStatus, given: dict[str, Any]) -> MigrationProgress:
        last = self.restored[-1] if self.restored else None
        own = ("name", "offline", "last_backup_name")
        said: dict[str, Any] = {
            "state": MigrationState.WAIT_FOR_LOG_BACKUP,
            "restore_state": RestoreState.RESTORE_COMPLETED,
            "ended_on": START + timedelta(minutes=90) if status.is_final else None,
        }
        return MigrationProgress(
            operation_id=OPERATION,
            status=status,
            source=self.source,
            server=SERVER,
            position=TargetPosition(
                state=DatabaseState.RESTORING if last else DatabaseState.ABSENT,
                redo_start_lsn=last.last_lsn if last else None,
            ),
            begun=last is not None,
            restored_sets=len(self.restored),
            full_backup=self.restored[0] if self.restored else None,
            last_restored=last,
            **(said | {key: value for key, value in given.items() if key not in own}),
        )


SERVER = ServerFacts(
    server_name="SQLVM1",
    product_version="16.0.4165.4",
    product_major_version=16,
    engine_edition=3,
    edition="Developer Edition (64-bit)",
    database_version=957,
    default_data_path="/data/",
    default_log_path="/data/",
    simulated=True,
)
AFTERMATH = Aftermath(
    opened_on=START,
    steps=(
        StepRecord(
            name=AfterStep.ONLINE,
            state=StepState.DONE,
            message="The database was read back ONLINE.",
        ),
        StepRecord(
            name=AfterStep.COMPATIBILITY_LEVEL,
            state=StepState.SKIPPED,
            message="It is kept as it was at the source.",
        ),
        StepRecord(
            name=AfterStep.ORPHANED_USERS,
            state=StepState.DONE,
            message="2 users have no login on the target.",
        ),
        StepRecord(
            name=AfterStep.CHECK_DATABASE,
            state=StepState.FAILED,
            message="DBCC CHECKDB found damage in the database: page (1:57)",
            action="Keep the source.",
            sql_error_number=8928,
        ),
        StepRecord(
            name=AfterStep.OWNER, state=StepState.DONE, message="The database belongs to 'sa'."
        ),
    ),
    orphans=OrphanedUsers(
        count=2,
        users=(
            OrphanedUser(name="anna", sid="0x0102", kind="SQL_USER"),
            OrphanedUser(name="CONTOSO\\bob", sid="0x0103", kind="WINDOWS_USER"),
        ),
    ),
    facts=DatabaseFacts(
        state="ONLINE",
        owner="sa",
        login="svc",
        compatibility_level=130,
        recovery_model="FULL",
        page_verify="CHECKSUM",
        is_trustworthy_on=False,
        is_broker_enabled=False,
        is_encrypted=False,
        is_cdc_enabled=False,
    ),
    source=Source(compatibility_level=130, major_version=13),
)
GAP = Blocking(
    code=BlockingReason.CHAIN_GAP,
    reason="Log SQL01/sales/LOG/x.trn starts at LSN 5, but the target ends at 4.",
    action="Upload the log backup that contains LSN 4.",
    since=START,
)
PREFLIGHT = Preflight(
    checked_on=START,
    checks=(
        PreflightCheck(
            name="connection",
            state="pass",
            message="SQLVM1, Developer Edition (64-bit) 16.0.4165.4, as 'backhaul'.",
            required=True,
        ),
        PreflightCheck(
            name="certificates",
            state="unknown",
            message="The target has not read the backup.",
            required=True,
        ),
        PreflightCheck(
            name="freeSpace",
            state="fail",
            message="Too little is free on the target. D:\\: 53,687,091,200 bytes needed,"
            " 10,000,000,000 bytes free.",
            action="Make room on the disk, or let the files go to another one.",
            required=True,
            code=BlockingReason.TARGET_STORAGE_FULL,
        ),
        PreflightCheck(
            name="agent",
            state="fail",
            message="Restores run on a connection of the app and end with it: SQL Server Agent"
            " does not run.",
            action="Start SQL Server Agent and let the login use it.",
            required=False,
            code=BlockingReason.TARGET_NOT_READY,
        ),
    ),
)
