"""Which ranges of a file are read: its head and its tail, and more only where needed."""

from __future__ import annotations

from typing import Protocol

from shared.backupfile import faults
from shared.backupfile.codec import Region
from shared.backupfile.source import ByteSource

WINDOW = 64 * 1024
"""The least that is read at once. The head holds the label and the start of the first set, the
tail its final header, whatever lies between."""


class View(Protocol):
    """What blocks are read from: a file, or what records of a compressed one expand to."""

    @property
    def size(self) -> int:
        """Where the bytes end."""
        ...

    def at(self, offset: int, length: int, what: str) -> Region:
        """Return exactly these bytes, which hold `what`; raises BackupFileError without them."""
        ...


class Ranges:
    """The parts of a file that have been read. Keeps the head, the tail and the latest other."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.size = source.size
        whole = self.size <= 2 * WINDOW
        self._head = self._read(0, self.size if whole else WINDOW)
        self._tail: Region | None = self._head if whole else None
        self._other = self._head

    def at(self, offset: int, length: int, what: str) -> Region:
        """Return exactly these bytes, which hold `what`.

        Raises BackupFileError when they do not lie within the file.
        """
        end = offset + length
        if end > self.size:
            raise faults.damaged(
                f"{what} reaches past the end", offset, f"{length} bytes", f"an end by {self.size}"
            )
        for known in (self._head, self._other):
            if known.start <= offset and end <= known.start + len(known.data):
                return self._cut(known, offset, length)
        tail_start = self.size - WINDOW
        if offset >= tail_start:
            if self._tail is None:
                self._tail = self._read(tail_start, WINDOW)
            return self._cut(self._tail, offset, length)
        self._other = self._read(offset, min(max(length, WINDOW), self.size - offset))
        return self._cut(self._other, offset, length)

    @staticmethod
    def _cut(known: Region, offset: int, length: int) -> Region:
        at = offset - known.start
        return Region(offset, known.data[at : at + length])

    def _read(self, offset: int, length: int) -> Region:
        data = self._source.read(offset, length)
        if len(data) != length:
            raise faults.changed(offset, length, len(data))
        return Region(offset, data)
