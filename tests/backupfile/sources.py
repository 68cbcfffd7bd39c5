"""Byte sources for tests."""

from __future__ import annotations

from shared.backupfile import BytesSource


class CountingSource(BytesSource):
    """A source that keeps account of what was read from it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[tuple[int, int]] = []

    def read(self, offset: int, length: int) -> bytes:
        data = super().read(offset, length)
        self.reads.append((offset, len(data)))
        return data

    @property
    def bytes_read(self) -> int:
        return sum(length for _, length in self.reads)
