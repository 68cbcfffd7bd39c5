"""A sample database: what never changes, what changes, and what a backup says of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from local.samples import payload
from local.samples.versions import SQL_SERVER_2005, Version
from shared.backupfile import layout
from shared.backupset import BackupHeader, BackupType, DatabaseFile
from shared.lsn import Lsn

NO_GUID = UUID(int=0)
NO_LSN = Lsn(0)
_UNLIMITED_DATA = 35184372080640
_UNLIMITED_LOG = 2199023255552
_LOG_FILE_BYTES = 8 * 1024 * 1024
_LOG_FILE_ID = 2

DIFFERENTIAL_TYPES = {
    BackupType.DIFFERENTIAL,
    BackupType.DIFFERENTIAL_FILE,
    BackupType.DIFFERENTIAL_PARTIAL,
}


@dataclass(frozen=True)
class Database:
    """What never changes. `filegroups` begins with PRIMARY."""

    name: str
    server: str
    version: Version
    family_guid: UUID
    data_bytes: int
    filegroups: tuple[str, ...]
    files_per_filegroup: int
    checksums: bool
    page_checksums: bool
    blank: bool
    encrypted: bool


@dataclass(frozen=True)
class State:
    """The database as it stands between two backups. Zeros stand for none."""

    end: Lsn
    checkpoint: Lsn
    recovery_model: str
    binding_id: UUID
    fork: UUID
    created: datetime
    previous_fork_lsn: Lsn = NO_LSN
    previous_fork_id: UUID = NO_GUID
    log_start: Lsn | None = None
    """Where the next log backup begins; None while there is no log chain."""
    log_chain_origin: Lsn = NO_LSN
    base_lsn: Lsn = NO_LSN
    base_guid: UUID = NO_GUID
    is_offline: bool = False


@dataclass(frozen=True)
class Taken:
    """One BACKUP statement: what was asked for, and the log it saw.

    `filegroups` are those whose files were backed up.
    """

    backup_type: BackupType
    guid: UUID
    first_lsn: Lsn
    checkpoint_lsn: Lsn
    flags: int
    started: datetime
    finished: datetime
    name: str
    description: str | None
    filegroups: tuple[str, ...]


def describe(database: Database, state: State, taken: Taken) -> BackupHeader:
    """Return the header of a backup; its sizes and position are not known yet."""
    version = database.version
    machine = database.server.partition("\\")[0]
    is_differential = taken.backup_type in DIFFERENTIAL_TYPES
    flags = taken.flags | layout.FLAG_ALWAYS
    flags |= layout.FLAG_CHECKSUMS if database.checksums else 0
    flags |= layout.FLAG_DIFFERENTIAL if is_differential else 0
    # A log that begins right at the fork point is taken to cross it. No real sample shows that.
    is_log = taken.backup_type is BackupType.LOG
    point = state.previous_fork_lsn
    crosses = taken.first_lsn < point or (is_log and taken.first_lsn == point)
    return BackupHeader(
        backup_name=taken.name,
        backup_description=taken.description,
        backup_type=taken.backup_type,
        compressed=False,
        position=1,
        user_name=f"{machine}\\backup",
        server_name=database.server,
        machine_name=machine,
        database_name=database.name,
        database_version=version.database_version,
        database_creation_date=state.created,
        backup_size=0,
        compressed_backup_size=None if version.major == SQL_SERVER_2005 else 0,
        first_lsn=taken.first_lsn,
        last_lsn=state.end,
        checkpoint_lsn=taken.checkpoint_lsn,
        database_backup_lsn=state.base_lsn,
        backup_start_date=taken.started,
        backup_finish_date=taken.finished,
        sort_order=52,
        unicode_locale_id=1033,
        unicode_comparison_style=196609,
        compatibility_level=version.compatibility_level,
        software_vendor_id=layout.SOFTWARE_VENDOR_ID,
        software_version_major=version.major,
        software_version_minor=version.minor,
        software_version_build=version.build,
        binding_id=state.binding_id,
        recovery_fork_id=state.fork,
        first_recovery_fork_id=state.previous_fork_id if crosses else state.fork,
        fork_point_lsn=state.previous_fork_lsn if crosses else None,
        collation="SQL_Latin1_General_CP1_CI_AS",
        family_guid=database.family_guid,
        begins_log_chain=(
            taken.backup_type is BackupType.LOG and taken.first_lsn == state.log_chain_origin
        ),
        recovery_model=state.recovery_model,
        differential_base_lsn=state.base_lsn if is_differential else None,
        differential_base_guid=state.base_guid if is_differential else None,
        backup_set_guid=taken.guid,
        flags=flags,
        **{column: bool(flags & bit) for column, bit in layout.FLAG_COLUMNS.items()},
    )


def file_sizes(database: Database, data_bytes: int) -> tuple[int, ...]:
    """Return how much of so much data lies in each data file: whole extents."""
    count = len(database.filegroups) * database.files_per_filegroup
    extents = -(-data_bytes // payload.EXTENT)
    return tuple(payload.EXTENT * share for share in payload.shares(extents, count))


def file_list(
    database: Database, held: Sequence[int], log_bytes: int, base_lsn: Lsn, base_guid: UUID
) -> tuple[DatabaseFile, ...]:
    """Return the files of a backup that holds so much of each, the log file last."""
    files = [
        (number, group, group_id)
        for group_id, group in enumerate(database.filegroups, start=1)
        for number in range(1, database.files_per_filegroup + 1)
    ]
    whole = file_sizes(database, database.data_bytes)
    data = [
        DatabaseFile(
            logical_name=database.name if index == 0 else f"{group}_{number}",
            physical_name=f"D:\\Data\\{database.name}"
            + (".mdf" if index == 0 else f"_{group}_{number}.ndf"),
            type="D",
            file_group_name=group,
            size=max(payload.EXTENT, whole[index]),
            max_size=_UNLIMITED_DATA,
            # File 1 is the first data file and file 2 the log; others follow.
            file_id=1 if index == 0 else index + 2,
            create_lsn=NO_LSN,
            unique_id=uuid5(database.family_guid, f"data {index}"),
            backup_size_in_bytes=held[index],
            source_block_size=4096,
            file_group_id=group_id,
            differential_base_lsn=base_lsn,
            differential_base_guid=base_guid if base_guid != NO_GUID else None,
        )
        for index, (number, group, group_id) in enumerate(files)
    ]
    log = DatabaseFile(
        logical_name=f"{database.name}_log",
        physical_name=f"L:\\Log\\{database.name}_log.ldf",
        type="L",
        size=_LOG_FILE_BYTES,
        max_size=_UNLIMITED_LOG,
        file_id=_LOG_FILE_ID,
        create_lsn=NO_LSN,
        unique_id=uuid5(database.family_guid, "log"),
        backup_size_in_bytes=log_bytes,
        source_block_size=4096,
        file_group_id=0,
        differential_base_lsn=NO_LSN,
    )
    return (*data, log)
