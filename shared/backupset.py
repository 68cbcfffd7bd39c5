"""What a backup says of itself: its label, its header, its files. Pure models, no I/O.

The field names are the columns of RESTORE LABELONLY, HEADERONLY and FILELISTONLY in snake case;
`model_dump(by_alias=True)` gives the columns as SQL Server spells them. A column that the reader
cannot place is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    type: str | None = Field(
        description="D data, L log, F full-text, S FILESTREAM or memory-optimised, None unknown"
    )
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

    @property
    def is_tail_log(self) -> bool:
        """Whether the database was damaged or taken offline for this log (column Flags)."""
        return self.is_force_offline or bool(self.flags & _TAIL_LOG)


class BackupContent(BaseModel):
    """What one file holds: a media label, and a header and file list per backup set in it.

    `sets` is in order of position and may be empty: a media header to which no set was written.
    `time_zones` are how many minutes east of UTC the source was when each set was begun, summer
    time included; None where the file does not tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: MediaLabel
    sets: tuple[tuple[BackupHeader, tuple[DatabaseFile, ...]], ...]
    time_zones: tuple[int | None, ...] = ()


class SetFile(BaseModel):
    """One file of a backup set: its name, and which media family of the set it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family_sequence_number: int = Field(ge=1, le=64)
    media_set_id: UUID | None = None


class BackupSet(BaseModel):
    """The output of one BACKUP statement, with those of its files that are known.

    What is not known is None and never refuses anything; a recovery fork of zeros is not known.
    `files` is in family order, one file a family: what one RESTORE names. `copies` are the other
    files of the set that are known: the same families once more, or those of another media set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backup_set_guid: UUID
    backup_type: BackupType
    database_name: str
    server_name: str = ""
    availability_group_name: str | None = None
    family_guid: UUID | None = None
    first_lsn: Lsn
    last_lsn: Lsn
    checkpoint_lsn: Lsn
    database_backup_lsn: Lsn
    differential_base_lsn: Lsn | None = None
    differential_base_guid: UUID | None = None
    first_recovery_fork_id: UUID | None = None
    recovery_fork_id: UUID | None = None
    fork_point_lsn: Lsn | None = None
    backup_start_date: datetime | None = None
    backup_finish_date: datetime | None = None
    is_copy_only: bool = False
    has_bulk_logged_data: bool = False
    is_force_offline: bool = False
    is_damaged: bool = False
    begins_log_chain: bool = False
    has_backup_checksums: bool = False
    position: int = 1
    family_count: int = Field(ge=1, le=64)
    files: tuple[SetFile, ...]
    copies: tuple[SetFile, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _settle_forks(cls, data: Any) -> Any:
        """Zeros are an unknown fork; if only one of the two forks is known, both are that one."""
        if not isinstance(data, dict):
            return data
        first, last = (
            None if data.get(key) in _UNKNOWN_FORKS else data[key]
            for key in ("first_recovery_fork_id", "recovery_fork_id")
        )
        return {
            **data,
            "first_recovery_fork_id": first if first is not None else last,
            "recovery_fork_id": last if last is not None else first,
        }

    @classmethod
    def of(cls, header: BackupHeader, label: MediaLabel, name: str) -> BackupSet:
        """Make a set of the header and label of one of its files."""
        shared = (set(cls.model_fields) & set(BackupHeader.model_fields)) - {"server_name"}
        return cls(
            **{field: getattr(header, field) for field in shared},
            server_name=header.server_name or "",
            family_count=label.family_count,
            files=(
                SetFile(
                    name=name,
                    family_sequence_number=label.family_sequence_number,
                    media_set_id=label.media_set_id,
                ),
            ),
        )

    @property
    def missing_families(self) -> tuple[int, ...]:
        """Numbers of the media families of which no file is known, ascending."""
        present = {file.family_sequence_number for file in self.files}
        return tuple(n for n in range(1, self.family_count + 1) if n not in present)

    @property
    def is_empty(self) -> bool:
        """Whether this is a log backup without a single log record."""
        return self.backup_type is BackupType.LOG and self.first_lsn == self.last_lsn


def merge_families(parts: Iterable[BackupSet]) -> tuple[BackupSet, ...]:
    """Join parts with the same BackupSetGUID: the stripes of a set, and copies of its files.

    The result does not depend on the order of `parts`; it is ordered by LastLSN. Of copies the
    first by name is used. Files of one set that come from two media sets cannot serve one RESTORE
    (error 3258): those of the media set with the most families are used.
    """
    by_guid: dict[UUID, list[BackupSet]] = {}
    for part in parts:
        by_guid.setdefault(part.backup_set_guid, []).append(part)
    merged = [_merge(group) for group in by_guid.values()]
    merged.sort(key=lambda s: (s.last_lsn, s.first_lsn, s.backup_set_guid))
    return tuple(merged)


def _merge(group: list[BackupSet]) -> BackupSet:
    if len(group) == 1 and len(group[0].files) == 1:
        return group[0]
    every = sorted(
        {file for part in group for file in (*part.files, *part.copies)},
        key=lambda f: (f.name, f.family_sequence_number, str(f.media_set_id)),
    )
    known_media = {file.media_set_id for file in every} - {None}
    choices = [_one_a_family(every, media) for media in sorted(known_media, key=str)] or [
        _one_a_family(every, None)
    ]
    files = max(choices, key=len)
    first = min(group, key=lambda part: min(f.name for f in part.files))
    copies = tuple(file for file in every if file not in files)
    return first.model_copy(update={"files": files, "copies": copies})


def _one_a_family(files: Sequence[SetFile], media: UUID | None) -> tuple[SetFile, ...]:
    """Return the first file of each family; a file whose media set is not known fits any."""
    chosen: dict[int, SetFile] = {}
    for file in files:
        if file.media_set_id in (media, None):
            chosen.setdefault(file.family_sequence_number, file)
    return tuple(chosen[number] for number in sorted(chosen))


_TAIL_LOG = 0x40
_UNKNOWN_FORKS = (None, "", UUID(int=0), str(UUID(int=0)))
