"""The closed lists of words in the status JSON, spelled as users of the known tools expect.

Statuses, states and file states are those of Azure Database Migration Service and Log Replay
Service, and none is ever added; reasons are ours to add. docs/status.md explains each.
"""

from __future__ import annotations

from enum import Enum


class Word(str, Enum):
    """A word of the status JSON."""

    def __str__(self) -> str:
        return str(self.value)


class MigrationStatus(Word):
    """`migrationStatus`: where a migration stands, as scripts know it."""

    CREATING = "Creating"
    IN_PROGRESS = "InProgress"
    UPLOADING_FULL_BACKUP = "UploadingFullBackup"
    RESTORING = "Restoring"
    UPLOADING_LOG_BACKUP = "UploadingLogBackup"
    READY_FOR_CUTOVER = "ReadyForCutover"
    COMPLETING = "Completing"
    CANCELING = "Canceling"
    RETRIABLE = "Retriable"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can change any more."""
        return self in (MigrationStatus.SUCCEEDED, MigrationStatus.FAILED, MigrationStatus.CANCELED)


class RestoreState(Word):
    """`restoreState`: the finer state that Log Replay Service publishes."""

    INITIALIZING = "Initializing"
    RESTORING = "Restoring"
    RESTORE_COMPLETED = "RestoreCompleted"
    WAITING = "Waiting"
    COMPLETING_MIGRATION = "CompletingMigration"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    COMPLETED = "Completed"
    BLOCKED = "Blocked"


class RestoreRunner(Word):
    """`restoresWith`: what carries restores out on the target."""

    AGENT = "Agent"
    INLINE = "Inline"


class StandbyState(Word):
    """`standby.state`: whether a database that is to be read between restores can be read now."""

    READABLE = "Readable"
    NOT_READABLE = "NotReadable"
    REFUSED = "Refused"


class VerificationLevel(Word):
    """`verify`: how much of each backup is read before it may be restored; each has the former."""

    HEADER = "header"
    """Label, filemarks and final headers: both ends of the file."""
    STRUCTURE = "structure"
    """The headers of all blocks and streams, and of all records, to the end of the file."""
    DATA = "data"
    """All that carries a checksum: streams and pages, or the records of a compressed file."""

    def covers(self, other: VerificationLevel) -> bool:
        """Tell whether a file that was verified at this level needs no more for the other one."""
        levels = list(VerificationLevel)
        return levels.index(self) >= levels.index(other)


class MigrationState(Word):
    """`migrationState`: what is being done, for people; nothing should branch on it."""

    VALIDATING_SETTINGS = "ValidatingSettings"
    WAIT_FOR_FULL_BACKUP = "WaitForFullBackup"
    WAIT_FOR_STRIPES = "WaitForStripes"
    WAIT_FOR_RESTORE_SLOT = "WaitForRestoreSlot"
    WAIT_FOR_RESTORE_DELAY = "WaitForRestoreDelay"
    RESTORING_FULL_BACKUP = "RestoringFullBackup"
    RESTORING_DIFFERENTIAL_BACKUP = "RestoringDifferentialBackup"
    RESTORING_LOG_BACKUP = "RestoringLogBackup"
    WAIT_FOR_LOG_BACKUP = "WaitForLogBackup"
    BLOCKED = "Blocked"
    RESTORING_TAIL = "RestoringTail"
    RECOVERING = "Recovering"
    VERIFYING_TARGET = "VerifyingTarget"
    CLEANING_UP = "CleaningUp"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class FileStatus(Word):
    """`status` of one file."""

    ARRIVED = "Arrived"
    UPLOADED = "Uploaded"
    RESTORING = "Restoring"
    RESTORED = "Restored"
    IGNORED = "Ignored"
    CANCELED = "Canceled"


class SetStatus(Word):
    """`restoreStatus` of a backup set."""

    NONE = "None"
    SKIPPED = "Skipped"
    QUEUED = "Queued"
    RESTORING = "Restoring"
    RESTORED = "Restored"


class EstimateBasis(Word):
    """`estimateBasis`: what an estimate rests on."""

    MEASURED = "measured"
    SIZE = "size"
    NONE = "none"


class RehearsalStep(Word):
    """`name` of a step of a rehearsal, in their order."""

    RESTORE_FULL = "restoreFull"
    RESTORE_DIFFERENTIAL = "restoreDifferential"
    RESTORE_LOGS = "restoreLogs"
    RECOVER = "recover"
    CHECK_DATABASE = "checkDatabase"
    DROP = "drop"


class FailureCode(Word):
    """`migrationFailureError.code`: why a migration ended without success."""

    RESTORE_FAILED = "MigrationRestoreFailed"
    TIMEOUT_WAITING_FOR_RETRY = "MigrationTimeoutWaitingForRetry"
    REHEARSAL_FAILED = "RehearsalFailed"


class IgnoreReason(Word):
    """`ignoreReasonCodes`: why a good set is not restored."""

    OLDER_THAN_FULL_BACKUP = "OlderThanFullBackup"
    COVERED_BY_DIFFERENTIAL = "CoveredByDifferential"
    SUPERSEDED_DIFFERENTIAL = "SupersededDifferential"
    DIFFERENTIAL_AFTER_LOG = "DifferentialAfterLog"
    NOT_BASED_ON_THIS_FULL = "NotBasedOnThisFull"
    LATER_FULL_BACKUP = "LaterFullBackup"
    NOTHING_TO_APPLY = "NothingToApply"
    ALREADY_RESTORED = "AlreadyRestored"
    OTHER_RECOVERY_FORK = "OtherRecoveryFork"
    AFTER_LAST_BACKUP = "AfterLastBackup"
    ARRIVED_AFTER_CUTOVER = "ArrivedAfterCutover"
    BEYOND_STOP_POINT = "BeyondStopPoint"


class InvalidReason(Word):
    """`reasonCode` of a file that cannot be used."""

    NOT_A_BACKUP = "NotABackup"
    EMPTY_BLOB = "EmptyBlob"
    HEADER_UNREADABLE = "HeaderUnreadable"
    BACKUP_DAMAGED = "BackupDamaged"
    APPENDED_BACKUPS = "AppendedBackups"
    WRONG_DATABASE = "WrongDatabase"
    UNSUPPORTED_BACKUP_TYPE = "UnsupportedBackupType"
    VERSION_NOT_SUPPORTED = "VersionNotSupported"
    MEDIA_PASSWORD = "MediaPassword"  # noqa: S105 a word of the status JSON, not a secret
    SYSTEM_DATABASE = "SystemDatabase"
    NAME_NOT_ALLOWED = "NameNotAllowed"
    TARGET_DISAGREES = "TargetDisagrees"
    TARGET_REFUSED_BACKUP = "TargetRefusedBackup"
    BLOB_REMOVED = "BlobRemoved"


class BlockingReason(Word):
    """`restoreBlockingReasonCode`: what keeps a migration from going on."""

    CHAIN_GAP = "ChainGap"
    CHAIN_BROKEN_AT_SOURCE = "ChainBrokenAtSource"
    OTHER_RECOVERY_FORK = "OtherRecoveryFork"
    FULL_BACKUP_MISSING = "FullBackupMissing"
    STRIPES_MISSING = "StripesMissing"
    FILE_INVALID = "FileInvalid"
    CERTIFICATE_MISSING = "CertificateMissing"
    TARGET_STORAGE_FULL = "TargetStorageFull"
    VERSION_NOT_SUPPORTED = "VersionNotSupported"
    FEATURE_NOT_SUPPORTED_ON_TARGET = "FeatureNotSupportedOnTarget"
    TARGET_DATABASE_EXISTS = "TargetDatabaseExists"
    TARGET_NOT_READY = "TargetNotReady"
    TARGET_REFUSED = "TargetRefused"
    RESTORE_OPTIONS_REFUSED = "RestoreOptionsRefused"
    STORAGE_ACCESS_DENIED = "StorageAccessDenied"
    LAST_BACKUP_NOT_FOUND = "LastBackupNotFound"
    STOP_POINT_NOT_REACHED = "StopPointNotReached"
    CONCURRENT_CHANGE = "ConcurrentChange"


class DatabaseCheck(Word):
    """`checkDatabase`: how thoroughly DBCC CHECKDB looks at the database once it is open."""

    NONE = "none"
    PHYSICAL = "physical"
    FULL = "full"


class AfterStep(Word):
    """`name` in `afterRecovery`: what follows the recovery, in this order."""

    ONLINE = "online"
    COMPATIBILITY_LEVEL = "compatibilityLevel"
    ORPHANED_USERS = "orphanedUsers"
    CHECK_DATABASE = "checkDatabase"
    OWNER = "owner"


class StepState(Word):
    """`state` in `afterRecovery`."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class ToDo(Word):
    """`code` in `toDo`: what is left for people when a migration has ended."""

    DATABASE_LEFT = "DatabaseLeft"
    CHECK_DATABASE = "CheckDatabase"
    LOGINS = "Logins"
    OWNER = "Owner"
    COMPATIBILITY_LEVEL = "CompatibilityLevel"
    FIRST_BACKUP = "FirstBackup"
    CONNECTION_STRINGS = "ConnectionStrings"
    JOBS = "Jobs"
    LINKED_SERVERS = "LinkedServers"
    CREDENTIALS = "Credentials"
    DATABASE_OPTIONS = "DatabaseOptions"
    CHANGE_DATA_CAPTURE = "ChangeDataCapture"
    ENCRYPTION = "Encryption"
    STATISTICS = "Statistics"
