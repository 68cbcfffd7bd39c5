"""What fills pages and log of a sample, repeatable from a seed, and the sums over it."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from functools import lru_cache

EXTENT = 65536
"""Bytes that are made at once: the smallest transfer size, to which BACKUP rounds data up."""
_SECTOR = 512
_TURN = 32 * _SECTOR
"""After so many bytes a sum has rotated back to where it was."""
_WORD = 0xFFFFFFFF
_PHRASES = (
    "Praha, Vodickova ulice, first floor on the left",
    "shipped with the blue label, two parcels of three",
    "returned by the customer within thirty days",
    "invoice paid by bank transfer, reminder was sent",
    "order for the spring catalogue, large size, green",
    "Lisboa, Avenida da Liberdade, ring twice and wait",
    "no comment",
    "see the note of the day before",
)
_FIXED = struct.Struct("<BBHIII")
_VARIABLE = struct.Struct("<HBHH")


def shares(total: int, count: int) -> list[int]:
    """Return how much each of `count` gets of a total that is dealt out evenly."""
    share, rest = divmod(total, count)
    return [share + (number < rest) for number in range(count)]


@lru_cache(maxsize=8)
def noise(seed: int) -> bytes:
    """Return an extent that cannot be compressed."""
    return random.Random(seed).randbytes(EXTENT)  # noqa: S311 sample bytes, no secret


def row(number: int, text: str) -> bytes:
    """Return a row of a table: three numbers and a text."""
    fixed = _FIXED.pack(0x30, 0, _FIXED.size, number, number % 7, 0)
    end = _FIXED.size + _VARIABLE.size + len(text)
    return fixed + _VARIABLE.pack(4, 0, 1, end) + text.encode()


@lru_cache(maxsize=16)
def rows(seed: int) -> tuple[bytes, ...]:
    """Return rows for a page and more, of the kind that compresses well."""
    chance = random.Random(seed)  # noqa: S311 sample bytes, no secret
    first = chance.randrange(1 << 20)
    return tuple(
        row(first + number, "; ".join(chance.choices(_PHRASES, k=chance.randint(1, 5))))
        for number in range(180)
    )


@lru_cache(maxsize=8)
def _log_extent(seed: int) -> bytes:
    # Each log record has an id of its own, and the row before and after.
    found = bytearray()
    while len(found) < EXTENT:
        found += noise(seed)[len(found) % 60000 :][:24] + b"".join(
            rows(seed)[len(found) % 179 :][:2]
        )
    return bytes(found[:EXTENT])


def log(extents: int, seed: int) -> Iterator[bytes]:
    """Yield extents of log."""
    for _ in range(extents):
        yield _log_extent(seed)


def sector_sum(data: bytes, value: int = 0) -> int:
    """Return the sum that streams and pages are checked by, over whole sectors, from `value` on.

    It rotates left by one for each sector of 512 bytes and takes in the XOR of the sector's words.
    """
    for at in range(0, len(data), _TURN):
        folded = int.from_bytes(data[at : at + _TURN], "little")
        # The low word of each sector becomes the XOR of its 128.
        for bits in (2048, 1024, 512, 256, 128, 64, 32):
            folded ^= folded >> bits
        for sector in range(0, 8 * len(data[at : at + _TURN]), 8 * _SECTOR):
            value = (value << 1 | value >> 31) & _WORD ^ folded >> sector & _WORD
    return value
