"""Walks all blocks and streams of a backup in memory, apart from the reader: what tests compare."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import reduce
from operator import xor
from typing import NamedTuple


class Part(NamedTuple):
    """A block or a stream: its type, place, and what its header says of it."""

    tag: str
    offset: int
    attributes: int
    length: int
    """Of a block up to its first stream, of a stream its data."""
    is_block: bool

    @property
    def checked_bytes(self) -> int:
        """How many bytes of the header its checksum covers; the checksum follows them."""
        return 50 if self.is_block else 20


def words_xor(data: bytes) -> int:
    """XOR of the 16-bit words, the slow and plain way."""
    words: Iterator[tuple[int]] = struct.iter_unpack("<H", data)
    return reduce(xor, (word for (word,) in words))


def walk(data: bytes | bytearray) -> Iterator[Part]:
    """Yield blocks, each followed by its streams, to the end of the file."""
    at = 0
    while at < len(data):
        tag, attributes, length = struct.unpack_from("<4sIH", data, at)
        yield Part(tag.decode(), at, attributes, length, is_block=True)
        at += length
        while tag != b"SFMB":
            name, attributes, size = struct.unpack_from("<4s2xHQ", data, at)
            yield Part(name.decode(), at, attributes, size, is_block=False)
            at += 22 + size
            if name == b"SPAD":
                break
            at += -at % 4


def with_checksums_repaired(data: bytearray, parts: list[Part]) -> bytes:
    """Return the file with valid checksums in all headers, so that lies in them are believed."""
    for part in parts:
        end = part.offset + part.checked_bytes
        data[end : end + 2] = words_xor(bytes(data[part.offset : end])).to_bytes(2, "little")
    return bytes(data)
