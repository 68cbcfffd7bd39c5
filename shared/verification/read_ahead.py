"""Reads a source that is a network away before the bytes are asked for, a few blocks at once."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from shared.backupfile.source import ByteSource

BLOCK = 4 * 1024 * 1024
BLOCKS_AHEAD = 6
"""With the block in use and what is made of it, about 40 MiB."""
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
        self._base = 0
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
        if (offset - self._base) // BLOCK not in self._blocks:
            self._begin_at(offset)
        first, last = ((at - self._base) // BLOCK for at in (offset, end - 1))
        for passed in [number for number in self._blocks if number < first]:
            del self._blocks[passed]
        pieces = []
        for number in range(first, last + 1):
            self._fetch(number, first)
            start = self._base + number * BLOCK
            block = self._blocks[number].result()
            whole = start >= offset and start + len(block) <= end
            pieces.append(block if whole else block[max(0, offset - start) : end - start])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _begin_at(self, offset: int) -> None:
        """Forget what is on its way; blocks are counted from `offset` on.

        So what reads in steps of a block gets blocks as they are.
        """
        for block in self._blocks.values():
            block.cancel()
        self._blocks.clear()
        self._base = offset

    def _fetch(self, number: int, first: int) -> None:
        """See to it that a block is on its way, and as many after the first as may be."""
        end = min(first + BLOCKS_AHEAD, -(-(self.size - self._base) // BLOCK))
        for wanted in range(number, max(number + 1, end)):
            if wanted not in self._blocks:
                start = self._base + wanted * BLOCK
                self._blocks[wanted] = self._pool.submit(self._source.read, start, BLOCK)
