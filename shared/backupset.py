"""What a backup says of itself: its label, its header, its files. Pure models, no I/O.

The field names are the columns of RESTORE LABELONLY, HEADERONLY and FILELISTONLY in snake case;
`model_dump(by_alias=True)` gives the columns as SQL Server spells them. A column that the reader
cannot place is None, never a guess.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.lsn import Lsn

_SPECIAL = {
    "lsn": "LSN",
    "guid": "GUID",
    "id": "ID",
    "url": "URL",
}


def _column(name: str) -> str:
    """Return SQL Server's spelling of a column, for instance first_lsn -> FirstLSN."""
    return "".join(_SPECIAL.get(word, word.capitalize()) for word in name.split("_"))


class Columns(BaseModel):
    """Base of the three result sets: frozen, strict about unknown fields, columns as aliases."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_column, populate_by_name=True
    )


class BackupType(IntEnum):
    """BackupType of RESTORE HEADERONLY."""

    DATABASE = 1
    LOG = 2
    FILE = 4
    DIFFERENTIAL = 5
    DIFFERENTIAL_FILE = 6
    PARTIAL = 7
    DIFFERENTIAL_PARTIAL = 8

    @property
    def word(self) -> str:
        """The word that the status JSON uses."""
        return _WORDS[self]

    @property
    def label(self) -> str:
        """The short label for tables and sentences."""
        return _LABELS[self]

    @property
    def description(self) -> str:
        """BackupTypeDescription of RESTORE HEADERONLY."""
        return _DESCRIPTIONS[self]


_WORDS = {
    BackupType.DATABASE: "Database",
    BackupType.LOG: "TransactionLog",
    BackupType.FILE: "File",
    BackupType.DIFFERENTIAL: "DifferentialDatabase",
    BackupType.DIFFERENTIAL_FILE: "DifferentialFile",
    BackupType.PARTIAL: "Partial",
    BackupType.DIFFERENTIAL_PARTIAL: "DifferentialPartial",
}
_LABELS = {
    BackupType.DATABASE: "full",
    BackupType.LOG: "log",
    BackupType.FILE: "file",
    BackupType.DIFFERENTIAL: "differential",
    BackupType.DIFFERENTIAL_FILE: "differential file",
    BackupType.PARTIAL: "partial",
    BackupType.DIFFERENTIAL_PARTIAL: "differential partial",
}
_DESCRIPTIONS = {
    BackupType.DATABASE: "Database",
    BackupType.LOG: "Transaction Log",
    BackupType.FILE: "File or Filegroup",
    BackupType.DIFFERENTIAL: "Database Differential",
    BackupType.DIFFERENTIAL_FILE: "File Differential",
    BackupType.PARTIAL: "Partial",
    BackupType.DIFFERENTIAL_PARTIAL: "Partial Differential",
}


class MediaLabel(Columns):
    """RESTORE LABELONLY: which media set this file belongs to, and which family of it it is."""

    media_name: str | None = None
    media_set_id: UUID = Field(alias="MediaSetId")
    family_count: int = Field(ge=1, le=64)
    family_sequence_number: int = Field(ge=1, le=64)
    media_family_id: int = Field(alias="MediaFamilyId")
    media_sequence_number: int
    media_description: str | None = None
    software_name: str
    software_vendor_id: int = Field(alias="SoftwareVendorId")
    media_date: datetime | None = None
    mirror_count: int = Field(alias="Mirror_Count")
    is_compressed: bool
    has_password: bool = Field(
        alias="MediaHasPassword", description="Not a column of LABELONLY: MEDIAPASSWORD was given."
    )


class DatabaseFile(Columns):
    """One row of RESTORE FILELISTONLY. Sizes are bytes."""

    logical_name: str
    physical_name: str
    type: str = Field(description="D data, L log, F full-text, S FILESTREAM or memory-optimised")
    file_group_name: str | None = None
    size: int
    max_size: int
    file_id: int
    create_lsn: Lsn
    drop_lsn: Lsn | None = None
    unique_id: UUID
    read_only_lsn: Lsn | None = None
    read_write_lsn: Lsn | None = None
    backup_size_in_bytes: int
    source_block_size: int
    file_group_id: int = Field(alias="FileGroupID")
    log_group_guid: UUID | None = None
    differential_base_lsn: Lsn | None = None
    differential_base_guid: UUID | None = None
    is_read_only: bool | None = None
    is_present: bool | None = None
    tde_thumbprint: bytes | None = Field(default=None, alias="TDEThumbprint")
    snapshot_url: str | None = None


class BackupHeader(Columns):
    """One row of RESTORE HEADERONLY, as far as the bytes tell. Dates are local to the source."""

    backup_name: str | None = None
    backup_description: str | None = None
    backup_type: BackupType
    compressed: bool
    position: int
    user_name: str | None = None
    server_name: str | None = None
    database_name: str
    database_version: int
    database_creation_date: datetime | None = None
    backup_size: int
    first_lsn: Lsn
    last_lsn: Lsn
    checkpoint_lsn: Lsn
    database_backup_lsn: Lsn
    backup_start_date: datetime | None = None
    backup_finish_date: datetime | None = None
    sort_order: int
    unicode_locale_id: int = Field(alias="UnicodeLocaleId")
    unicode_comparison_style: int
    compatibility_level: int
    software_vendor_id: int = Field(alias="SoftwareVendorId")
    software_version_major: int
    software_version_minor: int
    software_version_build: int
    machine_name: str | None = None
    flags: int
    binding_id: UUID
    recovery_fork_id: UUID
    collation: str | None = None
    family_guid: UUID
    has_bulk_logged_data: bool
    is_snapshot: bool
    is_read_only: bool
    is_single_user: bool
    has_backup_checksums: bool
    is_damaged: bool
    begins_log_chain: bool
    has_incomplete_meta_data: bool
    is_force_offline: bool
    is_copy_only: bool
    first_recovery_fork_id: UUID | None = None
    fork_point_lsn: Lsn | None = None
    recovery_model: str
    differential_base_lsn: Lsn | None = None
    differential_base_guid: UUID | None = None
    backup_set_guid: UUID
    compressed_backup_size: int | None = None


class BackupContent(BaseModel):
    """What one file holds: a media label, and a header and file list per backup set in it.

    `sets` is in order of position and may be empty: a media header to which no set was written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: MediaLabel
    sets: tuple[tuple[BackupHeader, tuple[DatabaseFile, ...]], ...]
