"""The tables of msdb that RESTORE writes: which sets were restored, in which order, to where.

Source: Microsoft Learn, "restorehistory", "restorefile" and "backupset".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from local.sqlserver.engine.model import RestoredBackup, RestoreRecord
from local.sqlserver.engine.rules import restore_type
from local.sqlserver.results import Field
from local.sqlserver.sqltypes import (
    BIT,
    DATETIME,
    INT,
    LSN,
    SMALLINT,
    TINYINT,
    UNIQUEIDENTIFIER,
    char,
    numeric,
    nvarchar,
)


class RestoredFile(NamedTuple):
    """A file that a restore wrote."""

    restore_history_id: int
    file_number: int
    path: str


def restored_files(restores: Iterable[RestoreRecord]) -> Iterable[RestoredFile]:
    """Return the rows of restorefile."""
    for restore in restores:
        for number, path in restore.physical_names:
            yield RestoredFile(restore.restore_history_id, number, path)


RESTOREHISTORY: tuple[Field[RestoreRecord], ...] = (
    Field("restore_history_id", INT, lambda r: r.restore_history_id),
    Field("restore_date", DATETIME, lambda r: r.restore_date),
    Field("destination_database_name", nvarchar(128), lambda r: r.destination_database_name),
    Field("user_name", nvarchar(128), lambda r: r.user_name),
    Field("backup_set_id", INT, lambda r: r.backup_set_id),
    Field("restore_type", char(1), lambda r: r.restore_type),
    Field("replace", BIT, lambda r: r.replace),
    Field("recovery", BIT, lambda r: r.recovery),
    Field("restart", BIT, lambda r: 0),
    Field("stop_at", DATETIME, lambda r: r.stop_at),
    Field("device_count", TINYINT, lambda r: r.device_count),
    Field("stop_at_mark_name", nvarchar(128), lambda r: r.stop_at_mark_name),
    Field("stop_before", BIT, lambda r: r.stop_before),
)
RESTOREFILE: tuple[Field[RestoredFile], ...] = (
    Field("restore_history_id", INT, lambda f: f.restore_history_id),
    Field("file_number", numeric(10), lambda f: f.file_number),
    Field("destination_phys_drive", nvarchar(260), lambda f: f.path[:2]),
    Field("destination_phys_name", nvarchar(260), lambda f: f.path),
)
BACKUPSET: tuple[Field[RestoredBackup], ...] = (
    Field("backup_set_id", INT, lambda b: b.backup_set_id),
    Field("backup_set_uuid", UNIQUEIDENTIFIER, lambda b: b.header.backup_set_guid),
    Field("media_set_id", INT, lambda b: b.media_set_id),
    Field("position", INT, lambda b: b.header.position),
    Field("name", nvarchar(128), lambda b: b.header.backup_name),
    Field("user_name", nvarchar(128), lambda b: b.header.user_name),
    Field("software_major_version", TINYINT, lambda b: b.header.software_version_major),
    Field("software_minor_version", TINYINT, lambda b: b.header.software_version_minor),
    Field("software_build_version", SMALLINT, lambda b: b.header.software_version_build),
    Field("first_lsn", LSN, lambda b: b.header.first_lsn),
    Field("last_lsn", LSN, lambda b: b.header.last_lsn),
    Field("checkpoint_lsn", LSN, lambda b: b.header.checkpoint_lsn),
    Field("database_backup_lsn", LSN, lambda b: b.header.database_backup_lsn),
    Field("database_creation_date", DATETIME, lambda b: b.header.database_creation_date),
    Field("backup_start_date", DATETIME, lambda b: b.header.backup_start_date),
    Field("backup_finish_date", DATETIME, lambda b: b.header.backup_finish_date),
    Field("type", char(1), lambda b: restore_type(b.header.backup_type)),
    Field("compatibility_level", TINYINT, lambda b: b.header.compatibility_level),
    Field("database_version", INT, lambda b: b.header.database_version),
    Field("backup_size", numeric(20), lambda b: b.header.backup_size),
    Field("database_name", nvarchar(128), lambda b: b.header.database_name),
    Field("server_name", nvarchar(128), lambda b: b.header.server_name),
    Field("machine_name", nvarchar(128), lambda b: b.header.machine_name),
    Field("flags", INT, lambda b: b.header.flags),
    Field("collation_name", nvarchar(128), lambda b: b.header.collation),
    Field("family_guid", UNIQUEIDENTIFIER, lambda b: b.header.family_guid),
    Field("has_bulk_logged_data", BIT, lambda b: b.header.has_bulk_logged_data),
    Field("has_backup_checksums", BIT, lambda b: b.header.has_backup_checksums),
    Field("is_damaged", BIT, lambda b: b.header.is_damaged),
    Field("begins_log_chain", BIT, lambda b: b.header.begins_log_chain),
    Field("is_force_offline", BIT, lambda b: b.header.is_force_offline),
    Field("is_copy_only", BIT, lambda b: b.header.is_copy_only),
    Field(
        "first_recovery_fork_guid",
        UNIQUEIDENTIFIER,
        lambda b: b.header.first_recovery_fork_id or b.header.recovery_fork_id,
    ),
    Field("last_recovery_fork_guid", UNIQUEIDENTIFIER, lambda b: b.header.recovery_fork_id),
    Field("fork_point_lsn", LSN, lambda b: b.header.fork_point_lsn),
    Field("database_guid", UNIQUEIDENTIFIER, lambda b: b.header.binding_id),
    Field("differential_base_lsn", LSN, lambda b: b.header.differential_base_lsn),
    Field("differential_base_guid", UNIQUEIDENTIFIER, lambda b: b.header.differential_base_guid),
    Field("compressed_backup_size", numeric(20), lambda b: b.header.compressed_backup_size),
    Field("recovery_model", nvarchar(60), lambda b: b.header.recovery_model),
)
