"""The result sets of RESTORE LABELONLY, HEADERONLY and FILELISTONLY, in SQL Server's columns.

Source: Microsoft Learn, the pages of the three statements. A column that the bytes do not tell is
what a server shows for a backup without that feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from local.sqlserver.engine.instance import Instance
from local.sqlserver.errors import refuse
from local.sqlserver.media.device import Device
from local.sqlserver.media.mediaset import MediaSet
from local.sqlserver.results import Column, Field
from local.sqlserver.sqltypes import (
    BIGINT,
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
    varbinary,
)
from shared.backupset import BackupHeader, DatabaseFile, MediaLabel

_ZERO_GUID = UUID(int=0)
_ALGORITHM_SINCE = 16
"""Major version from which HEADERONLY has its last three columns: SQL Server 2022."""

Rows = tuple[Sequence[Column], list[tuple[object, ...]]]


_HEADER: tuple[Field[BackupHeader], ...] = (
    Field("BackupName", nvarchar(128), lambda h: h.backup_name),
    Field("BackupDescription", nvarchar(255), lambda h: h.backup_description),
    Field("BackupType", SMALLINT, lambda h: int(h.backup_type)),
    Field("ExpirationDate", DATETIME, lambda h: None),
    Field("Compressed", BIT, lambda h: h.compressed),
    Field("Position", SMALLINT, lambda h: h.position),
    Field("DeviceType", TINYINT, lambda h: None),
    Field("UserName", nvarchar(128), lambda h: h.user_name),
    Field("ServerName", nvarchar(128), lambda h: h.server_name),
    Field("DatabaseName", nvarchar(128), lambda h: h.database_name),
    Field("DatabaseVersion", INT, lambda h: h.database_version),
    Field("DatabaseCreationDate", DATETIME, lambda h: h.database_creation_date),
    Field("BackupSize", numeric(20), lambda h: h.backup_size),
    Field("FirstLSN", LSN, lambda h: h.first_lsn),
    Field("LastLSN", LSN, lambda h: h.last_lsn),
    Field("CheckpointLSN", LSN, lambda h: h.checkpoint_lsn),
    Field("DatabaseBackupLSN", LSN, lambda h: h.database_backup_lsn),
    Field("BackupStartDate", DATETIME, lambda h: h.backup_start_date),
    Field("BackupFinishDate", DATETIME, lambda h: h.backup_finish_date),
    Field("SortOrder", SMALLINT, lambda h: h.sort_order),
    Field("CodePage", SMALLINT, lambda h: 0),
    Field("UnicodeLocaleId", INT, lambda h: h.unicode_locale_id),
    Field("UnicodeComparisonStyle", INT, lambda h: h.unicode_comparison_style),
    Field("CompatibilityLevel", TINYINT, lambda h: h.compatibility_level),
    Field("SoftwareVendorId", INT, lambda h: h.software_vendor_id),
    Field("SoftwareVersionMajor", INT, lambda h: h.software_version_major),
    Field("SoftwareVersionMinor", INT, lambda h: h.software_version_minor),
    Field("SoftwareVersionBuild", INT, lambda h: h.software_version_build),
    Field("MachineName", nvarchar(128), lambda h: h.machine_name),
    Field("Flags", INT, lambda h: h.flags),
    Field("BindingID", UNIQUEIDENTIFIER, lambda h: h.binding_id),
    Field("RecoveryForkID", UNIQUEIDENTIFIER, lambda h: h.recovery_fork_id),
    Field("Collation", nvarchar(128), lambda h: h.collation),
    Field("FamilyGUID", UNIQUEIDENTIFIER, lambda h: h.family_guid),
    Field("HasBulkLoggedData", BIT, lambda h: h.has_bulk_logged_data),
    Field("IsSnapshot", BIT, lambda h: h.is_snapshot),
    Field("IsReadOnly", BIT, lambda h: h.is_read_only),
    Field("IsSingleUser", BIT, lambda h: h.is_single_user),
    Field("HasBackupChecksums", BIT, lambda h: h.has_backup_checksums),
    Field("IsDamaged", BIT, lambda h: h.is_damaged),
    Field("BeginsLogChain", BIT, lambda h: h.begins_log_chain),
    Field("HasIncompleteMetaData", BIT, lambda h: h.has_incomplete_meta_data),
    Field("IsForceOffline", BIT, lambda h: h.is_force_offline),
    Field("IsCopyOnly", BIT, lambda h: h.is_copy_only),
    Field(
        "FirstRecoveryForkID",
        UNIQUEIDENTIFIER,
        lambda h: h.first_recovery_fork_id or h.recovery_fork_id,
    ),
    Field("ForkPointLSN", LSN, lambda h: h.fork_point_lsn),
    Field("RecoveryModel", nvarchar(60), lambda h: h.recovery_model),
    Field("DifferentialBaseLSN", LSN, lambda h: h.differential_base_lsn),
    Field("DifferentialBaseGUID", UNIQUEIDENTIFIER, lambda h: h.differential_base_guid),
    Field("BackupTypeDescription", nvarchar(60), lambda h: h.backup_type.description),
    Field("BackupSetGUID", UNIQUEIDENTIFIER, lambda h: h.backup_set_guid),
    Field("CompressedBackupSize", BIGINT, lambda h: h.compressed_backup_size),
    Field("Containment", TINYINT, lambda h: 0),
    Field("KeyAlgorithm", nvarchar(32), lambda h: None),
    Field("EncryptorThumbprint", varbinary(20), lambda h: None),
    Field("EncryptorType", nvarchar(32), lambda h: None),
)
_HEADER_2022: tuple[Field[BackupHeader], ...] = (
    Field("LastValidRestoreTime", DATETIME, lambda h: None),
    Field("TimeZone", SMALLINT, lambda h: None),
    Field("CompressionAlgorithm", nvarchar(32), lambda h: "MS_XPRESS" if h.compressed else None),
)
_FILES: tuple[Field[DatabaseFile], ...] = (
    Field("LogicalName", nvarchar(128), lambda f: f.logical_name),
    Field("PhysicalName", nvarchar(260), lambda f: f.physical_name),
    Field("Type", char(1), lambda f: f.type),
    Field("FileGroupName", nvarchar(128), lambda f: f.file_group_name),
    Field("Size", numeric(20), lambda f: f.size),
    Field("MaxSize", numeric(20), lambda f: f.max_size),
    Field("FileId", BIGINT, lambda f: f.file_id),
    Field("CreateLSN", LSN, lambda f: f.create_lsn),
    Field("DropLSN", LSN, lambda f: f.drop_lsn or 0),
    Field("UniqueId", UNIQUEIDENTIFIER, lambda f: f.unique_id),
    Field("ReadOnlyLSN", LSN, lambda f: f.read_only_lsn or 0),
    Field("ReadWriteLSN", LSN, lambda f: f.read_write_lsn or 0),
    Field("BackupSizeInBytes", BIGINT, lambda f: f.backup_size_in_bytes),
    Field("SourceBlockSize", INT, lambda f: f.source_block_size),
    Field("FileGroupId", INT, lambda f: f.file_group_id),
    Field("LogGroupGUID", UNIQUEIDENTIFIER, lambda f: f.log_group_guid),
    Field("DifferentialBaseLSN", LSN, lambda f: f.differential_base_lsn or 0),
    Field(
        "DifferentialBaseGUID", UNIQUEIDENTIFIER, lambda f: f.differential_base_guid or _ZERO_GUID
    ),
    Field("IsReadOnly", BIT, lambda f: bool(f.is_read_only)),
    Field("IsPresent", BIT, lambda f: f.is_present is not False),
    Field("TDEThumbprint", varbinary(32), lambda f: f.tde_thumbprint),
    Field("SnapshotURL", nvarchar(360), lambda f: f.snapshot_url),
)
_LABEL: tuple[Field[MediaLabel], ...] = (
    Field("MediaName", nvarchar(128), lambda m: m.media_name),
    Field("MediaSetId", UNIQUEIDENTIFIER, lambda m: m.media_set_id),
    Field("FamilyCount", INT, lambda m: m.family_count),
    Field("FamilySequenceNumber", INT, lambda m: m.family_sequence_number),
    Field(
        "MediaFamilyId",
        UNIQUEIDENTIFIER,
        lambda m: UUID(fields=(m.media_family_id % 2**32, 0, 0, 0, 0, 0)),
    ),
    Field("MediaSequenceNumber", INT, lambda m: m.media_sequence_number),
    Field("MediaLabelPresent", TINYINT, lambda m: 0),
    Field("MediaDescription", nvarchar(255), lambda m: m.media_description),
    Field("SoftwareName", nvarchar(128), lambda m: m.software_name),
    Field("SoftwareVendorId", INT, lambda m: m.software_vendor_id),
    Field("MediaDate", DATETIME, lambda m: m.media_date),
    Field("Mirror_Count", INT, lambda m: m.mirror_count),
    Field("IsCompressed", BIT, lambda m: m.is_compressed),
)


def list_headers(
    instance: Instance, devices: Sequence[tuple[str, str]], position: int | None
) -> Rows:
    """Return RESTORE HEADERONLY: one row per backup set, or the one at `position`.

    One device of a striped media set is enough, as on a real server.
    """
    columns = _HEADER
    if instance.settings.product.major >= _ALGORITHM_SINCE:
        columns += _HEADER_2022
    with MediaSet(devices, instance.open_device) as media:
        sets = media.contents[0].sets
        if not sets:
            raise refuse(3254, media.devices[0].name)
        headers = [header for header, _ in sets]
        if position is not None:
            headers = [media.backup_set(position)[0]]
        rows = [_header_row(columns, header, media.devices[0]) for header in headers]
    return [field.column for field in columns], rows


def _header_row(
    columns: Sequence[Field[BackupHeader]], header: BackupHeader, device: Device
) -> tuple[object, ...]:
    return tuple(
        device.device_type if column.name == "DeviceType" else column.value(header)
        for column in columns
    )


def list_files(
    instance: Instance, devices: Sequence[tuple[str, str]], position: int | None
) -> Rows:
    """Return RESTORE FILELISTONLY of one backup set; all stripes must be named."""
    with MediaSet(devices, instance.open_device) as media:
        header, files = media.backup_set(position or 1)
        media.require_all_families()
        for thumbprint in instance.settings.thumbprints_of(header.database_name):
            # The reader does not find it in the bytes yet.
            files = tuple(f.model_copy(update={"tde_thumbprint": thumbprint}) for f in files)
        rows = [tuple(column.value(file) for column in _FILES) for file in files]
    return [field.column for field in _FILES], rows


def list_label(
    instance: Instance, devices: Sequence[tuple[str, str]], position: int | None
) -> Rows:
    """Return RESTORE LABELONLY of the first device."""
    del position
    with MediaSet(devices[:1], instance.open_device) as media:
        label = media.contents[0].label
    return (
        [field.column for field in _LABEL],
        [tuple(column.value(label) for column in _LABEL)],
    )
