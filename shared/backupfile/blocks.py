"""The blocks and streams of the Microsoft Tape Format, as far as SQL Server uses it.

A block is a header with strings, then streams up to the SPAD that fills it; filemarks have no
streams and list the filemarks before them. Source: MTF 1.00a, and the files named in `layout`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.backupfile import faults, layout
from shared.backupfile.codec import Layout, Pair, Region, checksum, letters, text
from shared.backupfile.ranges import View

STREAMS_PER_BLOCK = 64
"""More than any known block has (5); each is at least 22 bytes on."""

NAME_LIMIT = 256
"""UTF-16 units of a name; SQL Server allows 128."""
DESCRIPTION_LIMIT = 512
"""UTF-16 units; SQL Server allows 255."""


class Block(NamedTuple):
    """A block's header and strings, without its streams."""

    tag: bytes
    header: Region

    @property
    def name(self) -> str:
        """The four letters of the type."""
        return self.tag.decode("latin-1")

    def fields(self, table: Layout) -> dict[str, Any]:
        """Return the fields that `table` places in this block."""
        return table.unpack(self.header)

    def text(self, pair: Pair, what: str, limit: int = NAME_LIMIT) -> str | None:
        """Return the string that `pair` points at."""
        return text(self.header, 0, pair, limit, what)


class Stream(NamedTuple):
    """Where the data of a stream lies in the file."""

    tag: bytes
    start: int
    length: int
    attributes: int

    @property
    def next(self) -> int:
        """Where the next stream begins; after a SPAD, the next block."""
        end = self.start + self.length
        return end if self.tag == b"SPAD" else end + -end % layout.STREAM_ALIGNMENT


def read_block(view: View, offset: int, tag: bytes, length: int | None = None) -> Block:
    """Read the block that must begin at `offset`; checks its type, checksum and extent.

    `length` is that of the header and its strings where the block does not tell it itself.
    """
    name = tag.decode("latin-1")
    region = view.at(offset, layout.BLOCK.size, f"block {name}")
    fields = layout.BLOCK.unpack(region)
    if fields["type"] != tag:
        raise faults.damaged("block type", offset, letters(fields["type"]), letters(tag))
    _check(f"block {name}", region, layout.CHECKED_BLOCK_BYTES, fields["checksum"])
    if length is None:
        length = fields["first_stream"]
    if length < layout.BLOCK.size:
        raise faults.damaged(
            f"header of block {name}", offset, f"{length} bytes", f"at least {layout.BLOCK.size}"
        )
    return Block(tag, view.at(offset, length, f"block {name}"))


def streams(view: View, block: Block) -> Iterator[Stream]:
    """Yield the streams of a block in order, the last being its SPAD."""
    at = block.header.start + len(block.header.data)
    for _ in range(STREAMS_PER_BLOCK):
        stream = read_stream(view, at, block.name)
        yield stream
        if stream.tag == b"SPAD":
            return
        at = stream.next
    raise faults.damaged(
        f"streams of block {block.name}",
        block.header.start,
        f"more than {STREAMS_PER_BLOCK}",
        "a SPAD among them",
    )


def read_stream(view: View, offset: int, block: str) -> Stream:
    """Read the header of the stream at `offset`; checks its checksum and extent."""
    region = view.at(offset, layout.STREAM.size, f"stream of block {block}")
    fields = layout.STREAM.unpack(region)
    tag, length = fields["id"], fields["length"]
    _check(f"stream of block {block}", region, layout.CHECKED_STREAM_BYTES, fields["checksum"])
    start = offset + layout.STREAM.size
    if fields["encryption_algorithm"] or fields["compression_algorithm"]:
        raise faults.unsupported(
            f"stream {letters(tag)} at offset {offset} is encrypted or compressed by the tape"
            f" format (algorithms {fields['encryption_algorithm']:#x} and"
            f" {fields['compression_algorithm']:#x}), which is not known of SQL Server",
            "Take the backup without ENCRYPTION; the database itself may stay encrypted.",
            offset,
        )
    if length > view.size - start:
        raise faults.damaged(
            f"length of stream {letters(tag)}", offset, length, f"at most {view.size - start}"
        )
    return Stream(tag, start, length, fields["media_attributes"])


def next_block(view: View, block: Block) -> int:
    """Return where the block after this one begins."""
    *_, last = streams(view, block)
    return last.next


def find_stream(view: View, block: Block, tag: bytes) -> Stream:
    """Return the first stream of that type in a block."""
    for stream in streams(view, block):
        if stream.tag == tag:
            return stream
    raise faults.damaged(
        f"streams of block {block.name}", block.header.start, "none of that type", letters(tag)
    )


def read_filemark(view: View, offset: int, size: int) -> tuple[int, ...]:
    """Read the SFMB of `size` bytes at `offset`; return the filemarks before it, newest first.

    The block's own length field has 16 bits, too few for the largest size, so the label's counts.
    """
    block = read_block(view, offset, b"SFMB", size)
    fields = block.fields(layout.SFMB)
    newer = fields["array_offset"] == layout.FILEMARK_ARRAY
    start = layout.FILEMARK_ARRAY if newer else layout.FILEMARK_ARRAY_2005
    used, room = fields["used"], (size - start) // 8
    if used > room:
        raise faults.damaged("number of filemarks", offset, used, f"at most {room}")
    earlier = struct.unpack_from(f"<{used}Q", block.header.data, start)
    bound = offset
    for mark in earlier:
        if not 0 < mark <= bound - size:
            raise faults.damaged("list of filemarks", offset, mark, f"an offset below {bound}")
        bound = mark
    return earlier


def looks_like_block(region: Region, at: int, tag: bytes) -> bool:
    """Tell whether a block of that type with a valid checksum begins at `region.data[at]`."""
    if region.data[at : at + 4] != tag or at + layout.BLOCK.size > len(region.data):
        return False
    expected: int = layout.BLOCK.unpack(region, at)["checksum"]
    return checksum(region.data[at : at + layout.CHECKED_BLOCK_BYTES]) == expected


def _check(what: str, region: Region, covered: int, expected: int) -> None:
    seen = checksum(region.data[:covered])
    if seen != expected:
        raise faults.damaged(
            f"checksum of {what}", region.start, f"{seen:#06x}", f"{expected:#06x}"
        )
