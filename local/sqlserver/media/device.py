"""What a backup device is to RESTORE, and the errors that its reading ends in."""

from __future__ import annotations

from typing import Protocol

from local.sqlserver.errors import SqlError, not_simulated, refuse
from shared.backupfile import read_backup
from shared.backupset import BackupContent
from shared.errors import BackupFileError

END_OF_FILE = "38(Reached the end of the file.)"


class Device(Protocol):
    """An open backup device. `name` is as the statement gave it.

    `read` raises SqlError 3203 or 3271 when the bytes do not come. `device_type` is the column
    of RESTORE HEADERONLY: 2 a file, 9 a URL.
    """

    name: str
    size: int
    device_type: int

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly the bytes of this range."""
        ...

    def close(self) -> None:
        """Give the file or connection back."""
        ...


def read_content(device: Device) -> BackupContent:
    """Return what the device says of itself; raises SqlError for what is no usable backup."""
    if device.size == 0:
        raise refuse(3254, device.name)
    try:
        return read_backup(device)
    except BackupFileError as exc:
        raise _server_error(device, exc) from exc


def _server_error(device: Device, error: BackupFileError) -> SqlError:
    """Return what a server says: a text file is no media family, other software's tape is one."""
    if error.reason_code == "UnsupportedBackupType":
        return not_simulated(f"{device.name}: {error.message}")
    if error.reason_code == "HeaderUnreadable" and error.offset == device.size:
        return refuse(3256, device.name)
    if error.reason_code == "NotABackup" and device.read(0, min(4, device.size)) == b"TAPE":
        return refuse(3242, device.name)
    return refuse(3241, device.name)
