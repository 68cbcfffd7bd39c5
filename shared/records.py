"""What the catalog keeps: files, migrations as ordered, migrations as they stand. Pure models."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.after_recovery import AfterRecovery
from shared.aftermath import Aftermath
from shared.backupset import BackupHeader, BackupSet, BackupType, MediaLabel
from shared.chain import TargetPosition
from shared.lsn import Lsn
from shared.restore_options import RestoreOptions
from shared.stop_point import StopPoint
from shared.targets import ServerFacts
from shared.targets.files import ListedFile
from shared.verification.check import Check
from shared.vocabulary import (
    BlockingReason,
    FailureCode,
    InvalidReason,
    MigrationState,
    MigrationStatus,
    RehearsalStep,
    RestoreRunner,
    RestoreState,
    VerificationLevel,
)


class Record(BaseModel):
    """Base of what is kept: frozen; a field that an older version wrote is passed over.

    What is None is not written, so every field that may be has None as its default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Refusal(Record):
    """Why a file cannot be used, and what to do about it."""

    code: InvalidReason
    reason: str
    action: str


class FileRecord(Record):
    """One version of a blob and the verdict on it. `header` and `label` are None if unreadable.

    `verified` is the level that the verdict is of, `notes` what could not be checked there. While
    more of the file is to be read, `verifying` tells how far that has come, and it is of no use.
    `database_files` are those of a full backup, unless they are too many to be kept. `time_zone`
    is that of the source when the backup was begun, in minutes east of UTC.
    """

    name: str
    folder: str
    etag: str
    size: int
    arrived_on: datetime
    checked_on: datetime
    header: BackupHeader | None = None
    label: MediaLabel | None = None
    refusal: Refusal | None = None
    verified: VerificationLevel = VerificationLevel.HEADER
    verifying: Check | None = None
    notes: tuple[str, ...] = ()
    database_files: tuple[ListedFile, ...] = ()
    time_zone: int | None = None

    @property
    def backup(self) -> BackupSet | None:
        """The part of a backup set that this file is, or None if it cannot be used, or not yet."""
        return self.claimed if self.verifying is None else None

    @property
    def claimed(self) -> BackupSet | None:
        """What the file is by its header, verified or not; None if it was refused."""
        if self.header is None or self.label is None or self.refusal is not None:
            return None
        return BackupSet.of(self.header, self.label, self.name)

    @property
    def is_removed(self) -> bool:
        """Whether it was removed while it was of use."""
        return self.refusal is not None and self.refusal.code is InvalidReason.BLOB_REMOVED


class CutoverOrder(Record):
    """A cutover that was accepted: recover after `last_backup_name`, a file or path, or at `stop`.

    `awaited` tells a file that the request named, and that may be still to come, from the last
    restored one that was filled in when the request named none.
    """

    last_backup_name: str | None = None
    stop: StopPoint | None = None
    awaited: bool
    requested_on: datetime
    expires_on: datetime


class CancelOrder(Record):
    """A cancel that was accepted; with `delete` the record goes too, once it is carried out."""

    keep_target: bool
    requested_on: datetime
    delete: bool = False


class Measured(Record):
    """What a rehearsal has measured: its restores as a whole, and the recovery."""

    size_bytes: int
    restore_seconds: float
    recovery_seconds: float


class RehearsalOf(Record):
    """Which attempt of which migration is rehearsed; `before` is what the last one measured."""

    migration_id: str
    operation_id: UUID
    before: Measured | None = None


class MigrationOrder(Record):
    """What was asked for. Written by the API only; the orchestration reads it.

    `retries` counts how often a migration that had given up was asked to go on. `adopt` allows it
    to go on with a database that somebody else left restoring. One with `rehearsal` restores to a
    scratch database, which is dropped in the end. Logs and differentials are restored
    `restore_delay_minutes` after they arrived.
    """

    id: str
    operation_id: UUID
    target: str
    target_database: str
    folder: str
    offline: bool = False
    last_backup_name: str | None = None
    source_database_name: str | None = None
    created_on: datetime
    priority: int = 0
    adopt: bool = False
    restore_delay_minutes: int = 0
    verify: VerificationLevel = VerificationLevel.HEADER
    after_recovery: AfterRecovery = AfterRecovery()
    restore_options: RestoreOptions = RestoreOptions()
    restart_of: UUID | None = None
    rehearsal: RehearsalOf | None = None
    retries: int = 0
    cutover: CutoverOrder | None = None
    cancel: CancelOrder | None = None


class SourceDatabase(Record):
    """The database that a migration moves, settled by its first usable full backup."""

    database_name: str
    server_name: str
    family_guid: UUID | None = None


class RestoredBackup(Record):
    """A set that the target holds, in the order of `number`. Times are aware UTC.

    `stop` is the stop point that it was restored under, reached or not.
    """

    number: int
    backup_set_guid: UUID
    backup_type: BackupType
    files: tuple[str, ...]
    last_lsn: Lsn
    recovery_fork_id: UUID | None = None
    backup_finish_date: datetime | None = None
    restored_on: datetime
    seconds: float | None = None
    stop: StopPoint | None = None


class StopTrial(Record):
    """How a log ended that was restored under a stop point; `lsn` is where the target stands then.

    `reached` is None if there is reason to doubt what was believed of it.
    """

    backup_set_guid: UUID
    point: StopPoint
    reached: bool | None = None
    lsn: Lsn | None = None


class CurrentRestore(Record):
    """The restore that is running."""

    backup_set_guid: UUID
    backup_type: BackupType
    files: tuple[str, ...]
    started_on: datetime
    percent: float = 0.0


class PreflightCheck(Record):
    """One check of the target before anything is restored; `code` is what a failed one blocks with.

    A check that could not be made is unknown.
    """

    name: str
    state: Literal["pass", "fail", "unknown"]
    message: str
    action: str = ""
    required: bool
    code: BlockingReason | None = None


class Preflight(Record):
    """The checks of the target, for the full backup of `full` if one is known.

    `needs` are bytes by mount point, `renew_on` is when the target's credential is to be looked at
    again.
    """

    checked_on: datetime
    full: UUID | None = None
    checks: tuple[PreflightCheck, ...]
    needs: dict[str, int] = {}
    renew_on: datetime | None = None

    @property
    def failed(self) -> PreflightCheck | None:
        """The first check that keeps anything from being restored."""
        return next((c for c in self.checks if c.required and c.state == "fail"), None)


class Blocking(Record):
    """What keeps a migration from going on, in words, and since when."""

    code: BlockingReason
    reason: str
    action: str
    since: datetime


class Failure(Record):
    """Why a migration ended without success, and what to do about it."""

    code: FailureCode
    message: str
    action: str
    sql_error_number: int | None = None
    file: str | None = None


class TimedStep(Record):
    """How long a step of a rehearsal took."""

    name: RehearsalStep
    seconds: float


class Rehearsal(Record):
    """What a rehearsal has come to.

    `verdict` and `failure` are how it ends, once the scratch database is `gone`; `recovery_seconds`
    is None if nobody saw both ends of the recovery.
    """

    recovery_seconds: float | None = None
    steps: tuple[TimedStep, ...] = ()
    measured: Measured | None = None
    expected_cutover_seconds: float | None = None
    verdict: MigrationStatus | None = None
    failure: Failure | None = None
    gone: bool = False


class StandbyRefusal(Record):
    """Why the target did not let the database be read, when it had come to `last_lsn`."""

    reason: str
    action: str
    sql_error_number: int | None = None
    last_lsn: Lsn | None = None


class MigrationProgress(Record):
    """Where a migration stands. Written by the orchestration's activities only.

    `history_id` is the last row of the target's restore history that was taken over, at first
    the last one that is older than this migration. `begun` is set before the first restore,
    `recovering` before the recovery, so that a crash in between is told from somebody else's
    work. `adopted_at` is how far a database had come that somebody else had begun. `batch` are the
    sets that the target was last asked to restore, under `batch_stop` if they are logs, `current`
    is there only while that goes on. `stop_trial` is how the last log under a stop point ended.
    `brings_files` is the log that failed last because it adds files to the database.
    `access_denied` tells that the target could not read the container when it tried last.
    `failing_since` is when the target failed first with nothing restored after that,
    `retriable_since` when the migration gave it up, `retries` how many of the order's were
    answered. `outlook` is what the last look decided: the periodic check wakes a migration whose
    outlook has changed.

    `aftermath` is there once the database is open; `left_as` is its state on the target if a
    cancel did not drop it.
    """

    operation_id: UUID
    status: MigrationStatus = MigrationStatus.CREATING
    state: MigrationState = MigrationState.VALIDATING_SETTINGS
    restore_state: RestoreState = RestoreState.INITIALIZING
    ended_on: datetime | None = None
    source: SourceDatabase | None = None
    server: ServerFacts | None = None
    position: TargetPosition | None = None
    begun: bool = False
    adopted_at: Lsn | None = None
    recovering: bool = False
    aftermath: Aftermath | None = None
    rehearsal: Rehearsal | None = None
    history_id: int = 0
    restored_sets: int = 0
    full_backup: RestoredBackup | None = None
    last_restored: RestoredBackup | None = None
    batch: tuple[BackupSet, ...] = ()
    batch_stop: StopPoint | None = None
    stop_trial: StopTrial | None = None
    brings_files: UUID | None = None
    restores_with: RestoreRunner | None = None
    standby_refusal: StandbyRefusal | None = None
    current: CurrentRestore | None = None
    waiting_for: str | None = None
    queue_place: int | None = None
    blocking: Blocking | None = None
    failure: Failure | None = None
    retries: int = 0
    access_denied: bool = False
    failing_since: datetime | None = None
    retriable_since: datetime | None = None
    complete_error: str | None = None
    outlook: str = ""
    preflight: Preflight | None = None
    pending_logs: int = Field(default=0, ge=0)
    pending_differentials: int = Field(default=0, ge=0)
    left_as: str | None = None

    @property
    def is_winding_up(self) -> bool:
        """Whether it is a rehearsal whose end is settled, and whose database is to be dropped."""
        return self.rehearsal is not None and self.rehearsal.verdict is not None

    @property
    def has_full(self) -> bool:
        """Whether a full backup is restored, by this migration or before it."""
        return self.full_backup is not None or self.adopted_at is not None
