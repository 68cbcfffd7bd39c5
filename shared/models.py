"""The JSON that goes in and out: requests, the status of a migration, inputs of orchestrations.

Names and spelling follow the status JSON of Azure Database Migration Service, so that scripts
written for it go on working; docs/status.md explains each field. LSNs are strings. Times are UTC
with Z, except a backup's own dates, which are local to the source. What is unknown is absent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from shared.after_recovery import (
    AfterRecovery,
    AfterRecoveryStep,
    RecoveredDatabase,
    ToDoItem,
)
from shared.json_model import Json
from shared.lsn import Lsn
from shared.restore_options import RestoreOptions
from shared.stop_point import StopPoint
from shared.vocabulary import (
    BlockingReason,
    EstimateBasis,
    FailureCode,
    FileStatus,
    IgnoreReason,
    InvalidReason,
    MigrationState,
    MigrationStatus,
    RehearsalStep,
    RestoreRunner,
    RestoreState,
    SetStatus,
    StandbyState,
    VerificationLevel,
)

# Blob names and folders are at most 1,024 characters, SQL Server's names at most 128.
_BLOB_NAME = 1024
_SQL_NAME = 128

LONGEST_DELAY_MINUTES = 7 * 24 * 60
"""How long a migration may hold logs and differentials back at most."""

# Inputs of orchestrations and activities


class ArrivedBlob(Json):
    """Input of `validate_backup`: a blob by name; its version is looked up when it is read."""

    name: str = Field(min_length=1, max_length=_BLOB_NAME)


class MigrationRef(Json):
    """Input of `migrate_database` and its activities. `version` is that of the orchestrator.

    `slot_of` is the target of which the generation before has kept a restore slot.
    """

    migration_id: str = Field(min_length=1, max_length=100)
    version: int = 1
    slot_of: str | None = None


class QueuedMigration(MigrationRef):
    """Input of `note_queued`: the place in the queue for a restore slot, from 1 on."""

    place: int = Field(ge=1)


# Requests


class AzureBlobLocation(Json):
    """Where the backups lie: a folder of the container that the app watches."""

    blob_container_name: str | None = None
    folder: str = Field(default="", max_length=_BLOB_NAME)


class SourceLocation(Json):
    """`backupConfiguration.sourceLocation`."""

    file_storage_type: Literal["AzureBlob"] = "AzureBlob"
    azure_blob: AzureBlobLocation


class BackupConfiguration(Json):
    """`backupConfiguration`."""

    source_location: SourceLocation


class OfflineConfiguration(Json):
    """`offlineConfiguration`: offline ends by itself at the named last backup."""

    offline: bool = False
    last_backup_name: str | None = Field(default=None, min_length=1, max_length=_BLOB_NAME)

    @model_validator(mode="after")
    def _offline_needs_an_end(self) -> OfflineConfiguration:
        if self.offline and self.last_backup_name is None:
            raise ValueError("an offline migration needs lastBackupName: the file it ends with")
        if not self.offline and self.last_backup_name is not None:
            raise ValueError(
                "lastBackupName belongs to offline migrations; an online one names it at cutover"
            )
        return self


class MigrationRequestProperties(Json):
    """`properties` of a request to create a migration."""

    kind: Literal["SqlVm"] = "SqlVm"
    scope: str | None = Field(default=None, description="Name of the target in the settings.")
    source_database_name: str | None = Field(default=None, min_length=1, max_length=_SQL_NAME)
    backup_configuration: BackupConfiguration
    offline_configuration: OfflineConfiguration = OfflineConfiguration()
    priority: int = Field(default=0, ge=-10, le=10)
    adopt: bool = False
    restore_delay_minutes: int = Field(default=0, ge=0, le=LONGEST_DELAY_MINUTES)
    verify: VerificationLevel | None = None
    after_recovery: AfterRecovery | None = None
    restore_options: RestoreOptions | None = None


class MigrationRequest(Json):
    """Body of `POST /migrations`. `name` is the name of the database on the target."""

    name: str = Field(min_length=1, max_length=_SQL_NAME)
    properties: MigrationRequestProperties


class DataLoss(Json):
    """What a forced cutover acknowledges: the state of the target that the user has seen."""

    last_restored_filename: str


class CutoverRequest(Json):
    """Body of `POST /migrations/ID/cutover`."""

    migration_operation_id: UUID
    last_backup_name: str | None = Field(default=None, min_length=1, max_length=_BLOB_NAME)
    stop_at: StopPoint | None = None
    confirm_no_more_backups: bool = False
    accept_data_loss: DataLoss | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> CutoverRequest:
        if self.stop_at is not None and (self.last_backup_name or self.accept_data_loss):
            raise ValueError("stopAt goes neither with lastBackupName nor with acceptDataLoss")
        return self


class CutoverCheck(Json):
    """Body of `POST /migrations/ID/cutover?validateOnly=true`; the rest of a cutover is ignored."""

    model_config = ConfigDict(extra="ignore")

    stop_at: StopPoint | None = None


class CancelRequest(Json):
    """Body of `POST /migrations/ID/cancel`."""

    migration_operation_id: UUID
    keep_target: bool = False


class RetryRequest(Json):
    """Body of `POST /migrations/ID/retry`."""

    migration_operation_id: UUID


class RehearseRequest(Json):
    """Body of `POST /migrations/ID/rehearse`."""

    migration_operation_id: UUID


class RestartRequest(Json):
    """Body of `POST /migrations/ID/restart`."""

    migration_operation_id: UUID


# Status


class VerifyingFile(Json):
    """A file that is being read further before it may be restored."""

    file_name: str
    level: VerificationLevel
    percent_completed: float
    total_size: int


class BackupFileInfo(Json):
    """One file of a backup set; `file_name` is the path below the migration's folder.

    `verified` is the level that it has passed, `verification_notes` what could not be checked.
    """

    file_name: str
    status: FileStatus
    total_size: int
    family_sequence_number: int
    e_tag: str
    arrived_on: datetime
    checked_on: datetime
    verified: VerificationLevel
    verification_notes: list[str]


class BackupSetInfo(Json):
    """One backup set."""

    backup_set_id: UUID
    backup_type: str
    first_lsn: Lsn
    last_lsn: Lsn
    checkpoint_lsn: Lsn
    database_backup_lsn: Lsn
    differential_base_lsn: Lsn | None = None
    recovery_fork_id: UUID | None = None
    backup_start_date: datetime | None = None
    backup_finish_date: datetime | None = None
    list_of_backup_files: list[BackupFileInfo]
    is_backup_restored: bool
    is_copy_only: bool
    backup_size: int
    compressed_backup_size: int | None = None
    has_backup_checksums: bool
    family_count: int
    number_of_stripes: int
    database_name: str
    server_name: str | None = None
    backup_size_mb: float | None = None
    restore_status: SetStatus
    restore_start_date: datetime | None = None
    restore_finish_date: datetime | None = None
    ignore_reasons: list[str]
    ignore_reason_codes: list[IgnoreReason]


class InvalidFile(Json):
    """A file that cannot be used: why, and what to do about it."""

    file_name: str
    reason_code: InvalidReason
    reason: str
    action: str
    detected_on: datetime
    backup_set_id: UUID | None = None


class ChainGap(Json):
    """The hole in the chain, as far as it is known."""

    after_file_name: str | None = None
    after_last_lsn: Lsn
    before_file_name: str | None = None
    before_first_lsn: Lsn | None = None


class MissingStripes(Json):
    """A set of which files are missing, by their number."""

    backup_set_id: UUID
    family_count: int
    present_sequence_numbers: list[int]
    missing_sequence_numbers: list[int]
    waiting_since: datetime | None = None


class RestoredUpTo(Json):
    """How far the target has come."""

    last_lsn: Lsn
    backup_finish_date: datetime | None = None


class ReadinessCheck(Json):
    """One check before a cutover."""

    name: str
    state: Literal["pass", "fail", "unknown"]
    message: str
    required: bool


class PreflightCheckInfo(ReadinessCheck):
    """One check of the target before anything is restored."""

    action: str | None = None
    checked_on: datetime


class PreflightReport(Json):
    """Whether a target can take a database, check by check."""

    ready: bool
    checks: list[PreflightCheckInfo]


class PendingFile(Json):
    """A file that waits to be restored."""

    file_name: str
    backup_type: str
    status: FileStatus
    total_size: int


class CutoverReadiness(Json):
    """Whether a cutover now would lose nothing, check by check."""

    ready: bool
    checks: list[ReadinessCheck]
    last_restored_filename: str | None = None
    restored_up_to: RestoredUpTo | None = None
    pending_log_backups_count: int
    pending_files: list[PendingFile]
    unread_files: list[str]
    data_loss_window_seconds: int | None = None
    last_scan_completed_on: datetime | None = None
    estimated_cutover_seconds: int | None = None
    estimate_basis: EstimateBasis = EstimateBasis.NONE


class StandbyInfo(Json):
    """`standby`: whether a database can be read that is to be read between restores.

    `reason` and what follows tell of one that the target refused to let be read.
    """

    state: StandbyState
    reason: str | None = None
    action: str | None = None
    sql_error_number: int | None = None


class CutoverStop(Json):
    """`cutoverStop`: the stop point of an accepted cutover, and whether the target stands there."""

    stop_at: StopPoint
    reached: bool
    reached_lsn: Lsn | None = None


class MigrationStatusDetails(Json):
    """`migrationStatusDetails`."""

    migration_state: MigrationState
    restore_state: RestoreState
    blob_container_name: str
    is_full_backup_restored: bool
    full_backup_set_info: BackupSetInfo | None = None
    last_restored_backup_set_info: BackupSetInfo | None = None
    active_backup_sets: list[BackupSetInfo]
    waiting_for: str | None = None
    restore_queue_place: int | None = None
    restore_blocking_reason: str | None = None
    restore_blocking_reason_code: BlockingReason | None = None
    restore_blocking_action: str | None = None
    restore_blocked_since: datetime | None = None
    complete_restore_error_message: str | None = None
    cutover_stop: CutoverStop | None = None
    restores_with: RestoreRunner | None = None
    standby: StandbyInfo | None = None
    current_restoring_filename: str | None = None
    current_restore_percent_completed: float | None = None
    restore_percent_completed: float | None = None
    current_restored_size: float | None = None
    current_restore_plan_size: float | None = None
    last_restored_filename: str | None = None
    last_restored_file_time: datetime | None = None
    last_uploaded_file_name: str | None = None
    last_uploaded_file_time: datetime | None = None
    pending_log_backups_count: int
    pending_diff_backups_count: int
    detected_files: int
    queued_files: int
    skipped_files: int
    restoring_files: int
    restored_files: int
    unrestorable_files: int
    invalid_files: list[str]
    invalid_file_details: list[InvalidFile]
    chain_gap: ChainGap | None = None
    waiting_for_stripes: list[MissingStripes]
    verifying_files: list[VerifyingFile]
    restored_up_to: RestoredUpTo | None = None
    estimated_restore_seconds_remaining: int | None = None
    estimated_cutover_seconds: int | None = None
    estimate_basis: EstimateBasis = EstimateBasis.NONE
    restore_throughput_mbps: float | None = None
    preflight: list[PreflightCheckInfo]
    cutover_readiness: CutoverReadiness
    after_recovery: list[AfterRecoveryStep] = Field(default_factory=list)
    recovered_database: RecoveredDatabase | None = None
    to_do: list[ToDoItem] = Field(default_factory=list)


class MigrationStatusWarnings(Json):
    """`migrationStatusWarnings`: the short form for lists."""

    restore_blocking_reason: str | None = None
    restore_blocking_reason_code: BlockingReason | None = None
    complete_restore_error_message: str | None = None
    file_upload_blocking_error_count: int
    warning_count: int


class MigrationFailure(Json):
    """`migrationFailureError`: why a migration ended without success."""

    code: FailureCode
    message: str
    action: str
    sql_error_number: int | None = None
    file: str | None = None


class RehearsalStepInfo(Json):
    """How long a step of a rehearsal took."""

    name: RehearsalStep
    seconds: float


class LastRehearsal(Json):
    """`lastRehearsal`: the newest rehearsal of a migration, under way or ended."""

    id: str
    migration_operation_id: UUID
    migration_status: MigrationStatus
    database: str
    started_on: datetime
    ended_on: datetime | None = None
    waiting_for: str | None = None
    restored_sets: int
    last_restored_filename: str | None = None
    steps: list[RehearsalStepInfo]
    total_seconds: float | None = None
    expected_cutover_seconds: float | None = None
    failure: MigrationFailure | None = None


class TargetServer(Json):
    """The target server, as it describes itself."""

    server_name: str
    product_version: str
    edition: str
    simulated: bool


class MigrationProperties(Json):
    """`properties` of a migration."""

    kind: Literal["SqlVm"] = "SqlVm"
    scope: str
    provisioning_state: Literal["Succeeded"] = "Succeeded"
    migration_status: MigrationStatus
    started_on: datetime
    ended_on: datetime | None = None
    source_database_name: str | None = None
    source_server_name: str | None = None
    migration_operation_id: UUID
    restart_of: UUID | None = None
    migration_failure_error: MigrationFailure | None = None
    backup_configuration: BackupConfiguration
    offline_configuration: OfflineConfiguration
    priority: int = 0
    adopt: bool = False
    restore_delay_minutes: int = 0
    verify: VerificationLevel = VerificationLevel.HEADER
    after_recovery: AfterRecovery = AfterRecovery()
    restore_options: RestoreOptions = RestoreOptions()
    target_server: TargetServer | None = None
    migration_status_warnings: MigrationStatusWarnings
    restored_up_to: RestoredUpTo | None = None
    rehearsal_of: str | None = None
    last_rehearsal: LastRehearsal | None = None
    migration_status_details: MigrationStatusDetails | None = None


class Migration(Json):
    """A migration; `name` is the name of the database on the target."""

    id: str
    name: str
    type: Literal["databaseMigrations"] = "databaseMigrations"
    properties: MigrationProperties
