"""Which columns of a backup are read where they are likely to stand, but not proved to.

Everything else is proved: by the database's own boot page, by its log, or by the other backups of
its chain. `layout` says of each field how it was learnt.
"""

from __future__ import annotations

from shared.backupfile import layout
from shared.backupset import BackupHeader, BackupType, Columns, DatabaseFile, MediaLabel

_PROVED_TYPES = {BackupType.DATABASE, BackupType.LOG, BackupType.DIFFERENTIAL}
_PROVED_COLLATIONS = {"SQL_Latin1_General_CP1_CI_AS", "Latin1_General_CI_AS"}
_LIKELY_OF_HEADER = {
    *layout.FLAG_COLUMNS.keys() - {"has_backup_checksums"},
    *("backup_description", "begins_log_chain", "compressed_backup_size", "flags"),
    *("first_recovery_fork_id", "fork_point_lsn"),
}
_SECOND_PASS = 15
"""From this major version on, a file has two sizes; which one FILELISTONLY shows is not known."""


def likely_of_label(label: MediaLabel) -> list[str]:
    """Return the likely columns of RESTORE LABELONLY that have a value, in order."""
    return _present(label, {"media_description", "mirror_count"})


def likely_of_header(header: BackupHeader) -> list[str]:
    """Return the likely columns of RESTORE HEADERONLY that have a value, in order."""
    likely = set(_LIKELY_OF_HEADER)
    if header.backup_type not in _PROVED_TYPES:
        likely.add("backup_type")
    if header.recovery_model == "BULK-LOGGED":
        likely.add("recovery_model")
    if header.collation not in _PROVED_COLLATIONS:
        likely.add("collation")
    return _present(header, likely)


def likely_of_file(file: DatabaseFile, header: BackupHeader) -> list[str]:
    """Return the likely columns of a row of RESTORE FILELISTONLY that have a value, in order."""
    twice = file.type == "D" and header.software_version_major >= _SECOND_PASS
    return _present(file, {"backup_size_in_bytes"} if twice else set())


def _present(row: Columns, names: set[str]) -> list[str]:
    """Return the columns of these fields, as SQL Server spells them."""
    fields = type(row).model_fields
    return [
        field.alias or name
        for name, field in fields.items()
        if name in names and getattr(row, name) is not None
    ]
