"""The bulk of a sample: database pages and log, made extent by extent, repeatable from a seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from functools import lru_cache

from shared.backupfile import layout

EXTENT = 65536
"""Bytes that are made at once: the smallest transfer size, to which BACKUP rounds data up."""
_SECTOR = 512
_PAGE_HEADER = struct.Struct("<BB30xIH58x")
_PAGE_VERSION, _DATA_PAGE = 1, 1


def shares(total: int, count: int) -> list[int]:
    """Return how much each of `count` gets of a total that is dealt out evenly."""
    share, rest = divmod(total, count)
    return [share + (number < rest) for number in range(count)]


@lru_cache(maxsize=8)
def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(EXTENT)  # noqa: S311 sample bytes, no secret


def pages(extents: int, seed: int) -> Iterator[bytes]:
    """Yield extents of eight pages, each with the header fields that name it."""
    data = bytearray(_noise(seed))
    for extent in range(extents):
        for at in range(0, EXTENT, layout.PAGE_SIZE):
            number = (extent * EXTENT + at) // layout.PAGE_SIZE
            _PAGE_HEADER.pack_into(data, at, _PAGE_VERSION, _DATA_PAGE, number, 1)
        yield bytes(data)


def log(extents: int, seed: int) -> Iterator[bytes]:
    """Yield extents of log."""
    for _ in range(extents):
        yield _noise(seed + 1)


class StreamSum:
    """What BACKUP WITH CHECKSUM puts behind a stream, as `shared.backupfile` documents it.

    A u32 that rotates left by one for each sector of 512 bytes and takes in the XOR of its words.
    """

    def __init__(self) -> None:
        self.value = 0

    def add(self, data: bytes) -> None:
        """Take in whole sectors."""
        for at in range(0, len(data), _SECTOR):
            folded = int.from_bytes(data[at : at + _SECTOR], "little")
            for bits in (2048, 1024, 512, 256, 128, 64, 32):
                folded ^= folded >> bits
            self.value = ((self.value << 1 | self.value >> 31) ^ folded) & 0xFFFFFFFF
