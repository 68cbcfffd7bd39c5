"""Why a file is refused: the messages of the reader, and the codes and next steps they carry.

Offsets are bytes from the start of the file. The codes are those of the invalid files that users
see in the status.
"""

from __future__ import annotations

from shared.errors import BackupFileError

_UPLOAD_AGAIN = (
    "Compare the size with the file on the source and upload it again; if the original is "
    "refused too, take a new backup."
)


def empty() -> BackupFileError:
    """Return the error for a file of no bytes."""
    return BackupFileError(
        "EmptyBlob",
        "the file is empty (0 bytes)",
        action="Upload the backup again; if the original is empty too, take a new backup.",
    )


def not_a_backup(message: str, offset: int = 0) -> BackupFileError:
    """Return the error for a file that SQL Server did not write."""
    return BackupFileError(
        "NotABackup",
        message,
        action="Remove the file or leave it; it does not block the migration.",
        offset=offset,
    )


def unsupported(message: str, action: str, offset: int = 0) -> BackupFileError:
    """Return the error for a backup of a kind that cannot be used."""
    return BackupFileError("UnsupportedBackupType", message, action=action, offset=offset)


def too_many_sets(limit: int) -> BackupFileError:
    """Return the error for a file with more appended sets than are read."""
    return BackupFileError(
        "AppendedBackups",
        f"the file holds more than {limit} backup sets",
        action="Back up to one file per backup: WITH INIT, or a fresh name each time.",
    )


def truncated(size: int, missing: str) -> BackupFileError:
    """Return the error for a file that ends too early; `missing` is what should be there."""
    return BackupFileError(
        "HeaderUnreadable",
        f"the file is truncated or still being written: it has {size} bytes and {missing}",
        action=_UPLOAD_AGAIN,
        offset=size,
    )


def damaged(what: str, offset: int, seen: object, expected: object) -> BackupFileError:
    """Return the error for bytes that contradict the format."""
    return BackupFileError(
        "HeaderUnreadable",
        f"the file is damaged: {what} at offset {offset}: seen {seen}, expected {expected}",
        action=_UPLOAD_AGAIN,
        offset=offset,
    )


def expanded(error: BackupFileError, offset: int) -> BackupFileError:
    """Return an error found in expanded bytes with the place of the record that begins them."""
    return BackupFileError(
        error.reason_code,
        f"{error.message} (of the expanded data; its first record is at offset {offset} of the"
        " file)",
        action=error.action,
        offset=offset,
    )


def changed(offset: int, asked: int, got: int) -> BackupFileError:
    """Return the error for a file that became shorter while it was read."""
    return BackupFileError(
        "HeaderUnreadable",
        f"the file changed while it was read: {asked} bytes asked at offset {offset}, {got} came",
        action="Wait until the upload is finished; the file is checked again when it changes.",
        offset=offset,
    )
