"""Where the bytes of a backup come from: anything that knows its size and reads a range."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class ByteSource(Protocol):
    """A file, blob or buffer. `read` is costly: a source may be a network away."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset` on, at most `length`, fewer only at the end."""
        ...


class FileSource:
    """A file on disk, opened anew for each read: nothing to close, and reads are few."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self.size = self._path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        """Return a range of the file; raises OSError."""
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


class BytesSource:
    """A backup that is in memory already."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """Return a range of the buffer."""
        return self._data[offset : offset + length]
