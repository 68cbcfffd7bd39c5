"""Walks the blocks between two filemarks, header by header; pages and log are left to the caller.

What stands where is told by `shared.backupfile.layout`. Damage is a BackupFileError; a wrong
checksum of data, behind which the walk can go on, is not raised but returned.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.backupfile import faults, layout
from shared.backupfile.blocks import (
    STREAMS_PER_BLOCK,
    Stream,
    read_block,
    read_stream,
)
from shared.backupfile.codec import Region, letters
from shared.backupfile.ranges import View
from shared.verification.check import Bulk, Cursor, Finding, Tally

BULK = {b"MQDA", b"MQTL"}
_DATA = {"MSDA", "MSTL", "MSLS"}
_FOLLOWERS = {
    "": {"TAPE", "SSET", "ESET"},
    "TAPE": set[str](),
    "SSET": {"VOLB"},
    "VOLB": {"VOLB", "MSCI"},
    "MSCI": _DATA,
    "MSDA": _DATA,
    "MSTL": {"MSTL", "MSLS"},
    "MSLS": set[str](),
    "ESET": {"ESET"},
}
_ENDS = {"TAPE", "MSLS", "ESET"}


class Part(NamedTuple):
    """What lies between two filemarks: the label, a set, or the end of a set.

    `first` is the block it begins with; `sets` are the places of the sets so far.
    """

    start: int
    end: int
    first: str
    sets: tuple[int, ...]


def step(view: View, cursor: Cursor, part: Part, tally: Tally) -> Finding | None:
    """Take the next header: that of a block or of a stream.

    Sets `cursor.bulk` where pages or log begin; the caller passes them, or `leave_bulk` does.
    """
    if cursor.block is None:
        _enter_block(view, cursor, part, tally)
        return None
    cursor.streams += 1
    if cursor.streams > STREAMS_PER_BLOCK:
        raise faults.damaged(
            f"streams of block {cursor.block}", cursor.at, "more", f"at most {STREAMS_PER_BLOCK}"
        )
    stream = read_stream(view, cursor.at, cursor.block)
    tally.streams += 1
    if cursor.expects_sum != (stream.tag == b"CSUM"):
        wanted = "CSUM" if cursor.expects_sum else "another, nothing before it is checksummed"
        raise faults.damaged("stream", cursor.at, letters(stream.tag), wanted)
    finding = _compare_sum(view, cursor, stream) if cursor.expects_sum else None
    if stream.tag == b"TSMP":
        _check_map(view.at(stream.start, stream.length, "stream TSMP"), part)
    if stream.tag in BULK and stream.length > layout.DATA_PADDING:
        _enter_bulk(cursor, stream)
        return finding
    cursor.expects_sum = bool(stream.attributes & layout.STREAM_CHECKSUMMED)
    cursor.value = None
    cursor.at = stream.next
    if stream.tag == b"SPAD":
        cursor.last, cursor.block = cursor.block, None
    return finding


def is_at_end(cursor: Cursor, part: Part) -> bool:
    """Tell whether all blocks of the part are behind; raises for a part that ends too early."""
    if cursor.at < part.end or cursor.block is not None:
        return False
    if cursor.at > part.end or cursor.last not in _ENDS:
        raise faults.damaged(
            f"end of block {cursor.last}",
            cursor.at,
            cursor.at,
            f"a last block that ends {part.end}",
        )
    return True


def leave_bulk(cursor: Cursor, bulk: Bulk, *, summed: bool) -> None:
    """Go on behind pages or log; `summed` tells whether their checksum was taken."""
    end = bulk.start + bulk.length
    cursor.at = end + -end % layout.STREAM_ALIGNMENT
    cursor.expects_sum = bulk.checksummed
    cursor.value = bulk.value if summed else None
    cursor.bulk = None


def _enter_block(view: View, cursor: Cursor, part: Part, tally: Tally) -> None:
    tag = view.at(cursor.at, layout.BLOCK.size, "block").data[:4]
    name = tag.decode("latin-1")
    allowed = _FOLLOWERS.get(cursor.last) if cursor.last else {part.first}
    if allowed is not None and name not in allowed and (name in _FOLLOWERS or not allowed):
        expected = ", ".join(sorted(allowed)) or "a filemark"
        raise faults.damaged(
            f"block after {cursor.last or 'a filemark'}", cursor.at, name, expected
        )
    block = read_block(view, cursor.at, tag)
    if part.first == "SSET":
        address = block.fields(layout.BLOCK)["logical_address"]
        expected_address = (cursor.at - part.start) // layout.BLOCK_UNIT
        if address != expected_address:
            raise faults.damaged(
                f"logical address of block {name}", cursor.at, address, expected_address
            )
    tally.blocks += 1
    tally.unknown_blocks += name not in _FOLLOWERS
    cursor.block, cursor.block_offset, cursor.streams = name, cursor.at, 0
    cursor.at += len(block.header.data)


def _enter_bulk(cursor: Cursor, stream: Stream) -> None:
    cursor.bulk = Bulk(
        tag=stream.tag.decode(),
        offset=cursor.at,
        start=stream.start + layout.DATA_PADDING,
        length=stream.length - layout.DATA_PADDING,
        checksummed=bool(stream.attributes & layout.STREAM_CHECKSUMMED),
    )


def _compare_sum(view: View, cursor: Cursor, stream: Stream) -> Finding | None:
    if cursor.value is None:
        return None
    stored = int.from_bytes(view.at(stream.start, 4, "stream CSUM").data, "little")
    if stored == cursor.value:
        return None
    return Finding(
        offset=cursor.block_offset,
        block=cursor.block,
        message=f"the checksum of the data in block {cursor.block} at offset"
        f" {cursor.block_offset}, up to the CSUM stream at offset {cursor.at}, is wrong: seen"
        f" {cursor.value:#010x}, expected {stored:#010x}",
    )


def _check_map(region: Region, part: Part) -> None:
    """Compare the set map with the sets that were found."""
    count = layout.TSMP.unpack(region)["sets"]
    if count != len(part.sets):
        raise faults.damaged("sets in the set map", region.start, count, len(part.sets))
    at = layout.TSMP_BYTES
    for number, start in enumerate(part.sets, start=1):
        entry = layout.TSMP_SET.unpack(region, at)
        if entry["set_address"] != start or entry["position"] != number:
            seen = f"set {entry['position']} at {entry['set_address']}"
            raise faults.damaged("set map", region.start + at, seen, f"set {number} at {start}")
        at += entry["length"]
        for _ in range(entry["volumes"]):
            at += layout.TSMP_VOLUME.unpack(region, at)["length"]
