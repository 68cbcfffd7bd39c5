"""Records of files as the catalog has them, made of sample backups without storage."""

from __future__ import annotations

from datetime import datetime, timezone

from local.samples import SampleBackup
from shared.backupset import BackupSet, merge_families
from shared.records import FileRecord, Refusal
from shared.vocabulary import InvalidReason

NOW = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)


def records_of(backup: SampleBackup, folder: str = "f", *, under: str = "") -> list[FileRecord]:
    """Return the records of a backup's files, `under` a folder below the migration's."""
    return [
        FileRecord(
            name=f"{folder}/{under}{name}",
            folder=folder,
            etag="0x1",
            size=1000,
            arrived_on=NOW,
            checked_on=NOW,
            header=content.sets[0][0],
            label=content.label,
        )
        for name, content in zip(backup.file_names, backup.contents, strict=True)
    ]


def refused(
    name: str, folder: str = "f", code: InvalidReason = InvalidReason.NOT_A_BACKUP
) -> FileRecord:
    """Return the record of a file that cannot be used."""
    return FileRecord(
        name=f"{folder}/{name}",
        folder=folder,
        etag="0x1",
        size=10,
        arrived_on=NOW,
        checked_on=NOW,
        refusal=Refusal(code=code, reason="It is no backup.", action="Remove it."),
    )


def sets_of(*backups: SampleBackup, folder: str = "f") -> tuple[BackupSet, ...]:
    """Return the sets of backups, each whole."""
    return merge_families(
        part
        for backup in backups
        for record in records_of(backup, folder)
        if (part := record.backup) is not None
    )
