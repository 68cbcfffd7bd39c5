"""FROM DISK: a backup file on this machine."""

from __future__ import annotations

import errno
from pathlib import Path

from local.sqlserver.errors import SqlError, refuse
from local.sqlserver.media.device import END_OF_FILE

_SYSTEM_ERRORS = {
    errno.ENOENT: "2(The system cannot find the file specified.)",
    errno.ENOTDIR: "3(The system cannot find the path specified.)",
    errno.EACCES: "5(Access is denied.)",
    errno.EPERM: "5(Access is denied.)",
    errno.EISDIR: "5(Access is denied.)",
    errno.EINVAL: "123(The filename, directory name, or volume label syntax is incorrect.)",
    errno.ENAMETOOLONG: "123(The filename, directory name, or volume label syntax is incorrect.)",
}
_MAX_NAME = 259


class DiskDevice:
    """A file that is open for reading."""

    device_type = 2

    def __init__(self, name: str, folder: Path) -> None:
        """Open it; relative names start from `folder`. Raises SqlError 3201."""
        self.name = name
        try:
            if "://" in name or "\0" in name or not 0 < len(name) <= _MAX_NAME:
                raise OSError(errno.EINVAL, "not a file name")  # noqa: TRY301 one way out
            path = folder / name
            self._file = path.open("rb")
            self.size = path.stat().st_size
        except OSError as exc:
            raise refuse(3201, name, _system_error(exc)) from exc

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes; raises SqlError 3203."""
        try:
            self._file.seek(offset)
            data = self._file.read(length)
        except OSError as exc:
            raise refuse(3203, self.name, _system_error(exc)) from exc
        return whole(self.name, data, length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def whole(name: str, data: bytes, length: int) -> bytes:
    """Return data that is as long as was asked for; raises SqlError 3203 if it is shorter."""
    if len(data) != length:
        raise _end_of_file(name)
    return data


def _end_of_file(name: str) -> SqlError:
    return refuse(3203, name, END_OF_FILE)


def _system_error(error: OSError) -> str:
    return _SYSTEM_ERRORS.get(error.errno or 0, f"1117({error.strerror})")
