"""Runs a verification to its end, in pieces or not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from shared.backupfile import ByteSource, BytesSource, layout, read_backup
from shared.verification import Check, advance, begin
from shared.verification.pages import page_limits
from shared.vocabulary import VerificationLevel
from tests.backupfile.walk import Part, walk

ALL = 1 << 50


def verified(data: bytes | bytearray, level: VerificationLevel = VerificationLevel.DATA) -> Check:
    return verified_source(BytesSource(bytes(data)), level)


def verified_source(source: ByteSource, level: VerificationLevel, budget: int = ALL) -> Check:
    """Verify in pieces; between two of them the check is JSON, as in an orchestration."""
    check = begin(source, level)
    while not check.done:
        check = advance(source, Check.model_validate_json(check.model_dump_json()), budget)
    return check


class Victim(NamedTuple):
    """Bytes under a checksum, and the place that must be named when one of them is turned."""

    kind: str
    start: int
    length: int
    named: int


def victims(data: bytes) -> list[Victim]:
    """Return all that carries a checksum in a file: headers, streams, pages, records."""
    return list(_victims(data, list(walk(data))))


def _victims(data: bytes, parts: list[Part]) -> Iterator[Victim]:
    block = 0
    for part in parts:
        at = part.offset
        if part.is_block:
            block = at
            yield Victim("block", at, layout.BLOCK.size, at)
        elif part.tag == "DATA":
            yield Victim("record", at + 24, part.length + 4, at)
        elif part.tag in {"PADDING", "INDEX"}:
            continue
        else:
            yield Victim("stream", at, layout.STREAM.size, at)
            start, length = at + 24, part.length - 2
            if part.tag in {"MQDA", "MQTL"} and length > 0 and part.attributes & 0x0100:
                yield Victim("sum", start, length, block)
            elif part.tag == "MQDA" and length > 0:
                yield from _summed_pages(data, start, length)


def _summed_pages(data: bytes, start: int, length: int) -> Iterator[Victim]:
    """Yield pages with a checksum, by the plain rules."""
    limits = page_limits(read_backup(BytesSource(data)).sets[0][1])
    for at in range(start, start + length, 8192):
        version, kind, flags = data[at], data[at + 1], data[at + 5]
        number = int.from_bytes(data[at + 32 : at + 36], "little")
        file_id = int.from_bytes(data[at + 36 : at + 38], "little")
        if version == 1 and 1 <= kind <= 20 and flags & 2 and number < limits[file_id]:
            yield Victim("page", at, 8192, at)
            yield Victim("page header", at, 64, at)


def turned(data: bytes, victim: Victim, chance: random.Random) -> bytearray:
    """Return the file with one bit of a victim turned."""
    damaged = bytearray(data)
    damaged[victim.start + chance.randrange(victim.length)] ^= 1 << chance.randrange(8)
    return damaged
