"""Walks a backup in memory, apart from the reader: what tests compare.

An uncompressed one by its blocks and streams, a compressed one by its filemarks and records.
"""

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
    """Yield blocks, each followed by its streams, to the end of the file; or records."""
    if data[:8] == b"MSSQLBAK":
        yield from _records(data)
        return
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


_RECORD_TAGS = {0x21: "DATA", 0x24: "PADDING", 0x2C: "INDEX"}


def _records(data: bytes | bytearray) -> Iterator[Part]:
    """Yield the filemarks and records of a container; a part's length is without its header."""
    at = 0x1E0
    while at < len(data):
        if data[at : at + 4] == b"SFMB":
            size = max(1, struct.unpack_from("<H", data, at + 8)[0])
            yield Part("SFMB", at, 0, size, is_block=True)
            at += size
            continue
        tag = _RECORD_TAGS[data[at]]
        head = 28 if tag == "DATA" else 24
        code, place = ("<I", 32) if tag == "INDEX" else ("<H", 2)
        length = struct.unpack_from(code, data, at + place)[0]
        yield Part(tag, at, 0, length, is_block=False)
        at += head + length


def slow_record_sum(payload: bytes) -> int:
    """Return a record's checksum as the format is told: a word at a time."""
    value = 0
    for (word,) in struct.iter_unpack("<I", payload + bytes(-len(payload) % 4)):
        value = (value << 1 | value >> 31) & 0xFFFFFFFF ^ word
    return value


def with_checksums_repaired(data: bytearray, parts: list[Part]) -> bytes:
    """Return the file with valid checksums in all headers, so that lies in them are believed."""
    for part in parts:
        if part.tag in _RECORD_TAGS.values():
            if part.tag == "DATA":
                payload = bytes(data[part.offset + 28 : part.offset + 28 + part.length])
                checksum = slow_record_sum(payload).to_bytes(4, "little")
                data[part.offset + 24 : part.offset + 28] = checksum
            continue
        end = part.offset + part.checked_bytes
        data[end : end + 2] = words_xor(bytes(data[part.offset : end])).to_bytes(2, "little")
    return bytes(data)
