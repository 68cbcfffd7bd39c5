"""What the instance remembers of its databases, credentials and restores. Frozen values."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.backupset import BackupHeader, BackupType
from shared.lsn import Lsn


class Record(BaseModel):
    """Base of what is kept on disk: in `table`, by the field that `key` names."""

    table: ClassVar[str]
    key: ClassVar[str]

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="hex", val_json_bytes="hex"
    )


class ClockBase(Record):
    """A moment of the server's clock, and how much faster than the real one it goes from there."""

    table: ClassVar[str] = "clock"
    key: ClassVar[str] = "clock_id"

    clock_id: int = 1
    real: datetime
    simulated: datetime
    factor: float = Field(gt=0)


class Counter(Record):
    """A number that never goes back: ids that were given are not given again."""

    table: ClassVar[str] = "counters"
    key: ClassVar[str] = "name"

    name: str
    value: int


class DatabaseState(IntEnum):
    """sys.databases.state."""

    ONLINE = 0
    RESTORING = 1


class PhysicalFile(Record):
    """A file of a database: a row of sys.master_files. Sizes are bytes. Nothing is on disk."""

    file_id: int
    type: str = Field(description="D data, L log, F full-text, S FILESTREAM or memory-optimised")
    logical_name: str
    physical_name: str
    size: int
    max_size: int
    data_space_id: int
    unique_id: UUID
    create_lsn: Lsn
    is_read_only: bool = False


class Position(Record):
    """Where roll forward stands: everything before `redo_start_lsn` is applied.

    `reported_lsn` is what sys.master_files shows for it, which may lie a few slots lower;
    `reached` is the source's local time that it stands for, None where that is not known.
    """

    redo_start_lsn: Lsn
    reported_lsn: Lsn
    redo_start_fork_guid: UUID
    differential_base_lsn: Lsn
    differential_base_guid: UUID | None
    differential_base_time: datetime | None
    reached: datetime | None = None


class Interruption(Record):
    """A data backup whose restore did not come to its end."""

    backup_set_guid: UUID
    backup_type: BackupType


class DatabaseUser(Record):
    """A SQL user of a database. Without a login of its `sid` it is orphaned; None has no login."""

    principal_id: int
    name: str
    sid: bytes | None


class Database(Record):
    """A database. `position` is None unless it is restoring and a full has been restored whole."""

    table: ClassVar[str] = "databases"
    key: ClassVar[str] = "database_id"

    database_id: int
    name: str
    state: DatabaseState
    create_date: datetime
    owner: str
    recovery_model: str
    compatibility_level: int
    collation: str
    family_guid: UUID
    database_guid: UUID
    recovery_fork_guid: UUID
    files: tuple[PhysicalFile, ...]
    position: Position | None = None
    interruption: Interruption | None = None
    users: tuple[DatabaseUser, ...] = ()
    user_access: str = "MULTI_USER"
    is_read_only: bool = False
    page_verify: str = "CHECKSUM"
    is_encrypted: bool = False
    is_trustworthy_on: bool = False
    is_broker_enabled: bool = False
    last_good_check: datetime | None = None
    is_corrupt: bool = False
    standby_file: str | None = None
    standby_is_lost: bool = False
    database_version: int = Field(default=0, description="that of its backups; 0 is not known")

    @property
    def is_in_standby(self) -> bool:
        """Whether it can be read between two restores."""
        return self.state is DatabaseState.ONLINE and self.standby_file is not None

    @property
    def is_system(self) -> bool:
        """Whether it is master, tempdb, model or msdb."""
        return self.database_id <= 4


class Credential(Record):
    """A server credential. The secret never leaves the instance again."""

    table: ClassVar[str] = "credentials"
    key: ClassVar[str] = "credential_id"

    credential_id: int
    name: str
    identity: str
    secret: str = Field(default="", repr=False)
    create_date: datetime
    modify_date: datetime


class RestoredBackup(Record):
    """A row of msdb.dbo.backupset that RESTORE wrote."""

    table: ClassVar[str] = "backupset"
    key: ClassVar[str] = "backup_set_id"

    backup_set_id: int
    media_set_id: int
    header: BackupHeader


class RestoreRecord(Record):
    """A row of msdb.dbo.restorehistory. Written when the restore is complete, never before."""

    table: ClassVar[str] = "restorehistory"
    key: ClassVar[str] = "restore_history_id"

    restore_history_id: int
    restore_date: datetime
    destination_database_name: str
    user_name: str
    backup_set_id: int
    restore_type: str = Field(description="D database, I differential, L log")
    replace: bool
    recovery: bool
    device_count: int
    stop_at: datetime | None = None
    stop_at_mark_name: str | None = None
    stop_before: bool = False
    physical_names: tuple[tuple[int, str], ...] = Field(description="file number and path")
