"""Reads a source that is a network away before the bytes are asked for, a few blocks at once."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from shared.backupfile.source import ByteSource

BLOCK = 2 * 1024 * 1024
BLOCKS_AHEAD = 8
"""With the block in use and what is made of it, about 24 MiB."""
_SEQUENTIAL = BLOCK // 2
"""A read of this length or more is one of many in order; shorter ones are headers anywhere."""


class ReadAhead:
    """A source whose long reads, one after the other, find their bytes already there.

    Use as a context manager. The source must be one that several threads may read.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(BLOCKS_AHEAD, thread_name_prefix="read-ahead")
        self._blocks: dict[int, Future[bytes]] = {}
        self.size = source.size

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self, offset: int, length: int) -> bytes:
        """Return a range; raises what the source raises."""
        end = min(offset + length, self.size)
        if length < _SEQUENTIAL or offset >= end:
            return self._source.read(offset, length)
        first, last = offset // BLOCK, (end - 1) // BLOCK
        for number in [n for n in self._blocks if not first <= n <= last + BLOCKS_AHEAD]:
            self._blocks.pop(number).cancel()
        pieces = []
        for number in range(first, last + 1):
            self._fetch(number, first)
            start = number * BLOCK
            block = self._blocks[number].result()
            pieces.append(block[max(0, offset - start) : end - start])
        return b"".join(pieces)

    def _fetch(self, number: int, first: int) -> None:
        """See to it that a block is on its way, and as many after the first as may be."""
        end = min(first + BLOCKS_AHEAD, -(-self.size // BLOCK))
        for wanted in range(number, max(number + 1, end)):
            if wanted not in self._blocks:
                self._blocks[wanted] = self._pool.submit(self._source.read, wanted * BLOCK, BLOCK)
