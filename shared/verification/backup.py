"""The backup that is verified: its bytes, its filemarks, and what it says of its files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from shared.backupfile import layout
from shared.backupfile.blocks import read_filemark
from shared.backupfile.faults import changed, damaged
from shared.backupfile.ranges import Ranges
from shared.backupfile.reader import read_outline, read_sets
from shared.backupfile.source import ByteSource
from shared.backupset import BackupHeader, DatabaseFile
from shared.verification.blockwalk import Part

CHUNK = 4 * 1024 * 1024
"""Bytes that are read at once: whole pages, and many records."""


class Backup:
    """A backup whose header is readable. Raises BackupFileError when it is not."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.ranges = Ranges(source)
        self.outline = read_outline(self.ranges)

    @cached_property
    def sets(self) -> Sequence[tuple[BackupHeader, tuple[DatabaseFile, ...]]]:
        """Headers and file lists."""
        return list(read_sets(self.ranges, self.outline))

    @property
    def is_compressed(self) -> bool:
        """Whether the blocks stand in records."""
        return self.outline.label.is_compressed

    @property
    def parts(self) -> int:
        """How many parts there are: one before each filemark."""
        return len(self.outline.marks)

    def part(self, number: int) -> Part:
        """Return a part: the label, then in turns a set and what ends it."""
        marks, size = self.outline.marks, self.outline.filemark_size
        start = 0 if number == 0 else marks[number - 1] + size
        first = "TAPE" if number == 0 else "SSET" if number % 2 else "ESET"
        sets = tuple(mark + size for mark in marks[:number:2])
        return Part(start, marks[number], first, sets)

    def files_of(self, part: int) -> Sequence[DatabaseFile]:
        """Return the file list of the set that a part is."""
        return self.sets[part // 2][1]

    def read(self, offset: int, length: int) -> memoryview:
        """Return exactly these bytes; raises BackupFileError when the file has become shorter."""
        data = self._source.read(offset, length)
        if len(data) != length:
            raise changed(offset, length, len(data))
        return memoryview(data)

    def check_filemark(self, number: int) -> None:
        """Check the filemark that ends a part; it lists those before it, as far as it has room."""
        marks, size = self.outline.marks, self.outline.filemark_size
        listed = read_filemark(self.ranges, marks[number], size)
        expected = tuple(reversed(marks[:number]))
        room = (size - layout.FILEMARK_ARRAY) // 8
        if listed != expected[: len(listed)] or len(listed) < min(number, room):
            raise damaged("list of filemarks", marks[number], listed[:3], expected[:3])
