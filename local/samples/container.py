"""Puts the blocks of a sample into the records of a compressed backup (MSSQLBAK).

As in real files, blocks go into records of their own between those of pages and log, and a
filemark stands as it is. What a compressed file of several sets looks like is not known; here they
follow each other, and addresses in the file are those of the records.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from local.samples.blocks import Bulk, Piece, filemark_block
from local.samples.payload import EXTENT
from local.samples.xpress import LONGEST_INPUT, compress
from shared.backupfile import BytesSource, layout
from shared.backupfile.blocks import next_block, read_block, read_filemark, streams
from shared.backupfile.codec import Region
from shared.backupfile.ranges import Ranges
from shared.backupfile.sums import record_sum

_NEVER_INITIALISED = b"\xa5"
_LONGEST_PAYLOAD = 0xFFFF


class Container:
    """A compressed backup as it grows."""

    def __init__(self, out: BinaryIO, filemark_size: int, *, of_2005: bool = False) -> None:
        self._out = out
        self._filemark_size = filemark_size
        self._of_2005 = of_2005
        self._filemarks: list[int] = []
        self._pending = bytearray()
        self._expanded = 0
        self._follows_bulk = False
        self._entries: list[bytes] = []
        self.offset = 0
        head = layout.CONTAINER.pack({})
        self._write(bytes(head).ljust(layout.CONTAINER_RECORDS, _NEVER_INITIALISED))

    def write(self, piece: Piece) -> None:
        """Add blocks or a stream of extents."""
        if not isinstance(piece, Bulk):
            self.write_blocks(piece)
            return
        for part in piece.parts():
            if len(part) == EXTENT:
                self.write_extent(part)
            else:
                self.write_blocks(part)

    def write_blocks(self, data: bytes) -> None:
        """Add what is no extent; it waits for what comes."""
        self._pending += data

    def write_extent(self, data: bytes) -> None:
        """Add pages or log."""
        self._flush()
        self._record(data)
        self._follows_bulk = True

    def filemark(self) -> None:
        """End what is written so far: the label, a set, or the blocks behind a set."""
        self._flush()
        ends_set = len(self._filemarks) % 2 == 1
        if ends_set:
            self._index()
        else:
            room = -(self.offset + layout.RECORD_BYTES) % self._filemark_size
            if not self._filemarks:
                room = self._room_behind_label()
            self._other(layout.RECORD_PADDING, bytes(room), length=room)
        self._filemarks.append(self.offset)
        mark = filemark_block(
            self._filemarks[:-1],
            self._filemark_size,
            of_2005=self._of_2005,
            follows_index=ends_set,
        )
        self._write(mark)
        self._expanded, self._entries = 0, []
        self._follows_bulk = False

    def _room_behind_label(self) -> int:
        """Return how far it is from the label to where the first filemark must stand."""
        place = max(layout.BLOCK_UNIT, self._filemark_size)
        room = place - self.offset - layout.RECORD_BYTES
        if room < 0:
            raise ValueError(
                f"the compressed label ends at {self.offset}, the first filemark stands at {place}:"
                " use shorter names, or a larger filemark"
            )
        return room

    def _flush(self) -> None:
        """Write the blocks that wait. The index leads to those behind pages or log."""
        if self._pending and self._follows_bulk:
            entry = layout.INDEX_ENTRY.pack({"address": self._expanded, "offset": self.offset})
            self._entries.append(bytes(entry))
        for at in range(0, len(self._pending), LONGEST_INPUT):
            self._record(bytes(self._pending[at : at + LONGEST_INPUT]))
        self._pending.clear()
        self._follows_bulk = False

    def _record(self, data: bytes) -> None:
        """Write a data record, or two where one has no room for what does not compress."""
        payload = compress(data)
        if len(payload) > _LONGEST_PAYLOAD:
            middle = len(data) // 2
            self._record(data[:middle])
            self._record(data[middle:])
            return
        head = layout.DATA_RECORD.pack(
            {
                "kind": layout.RECORD_DATA,
                "units": len(data) // layout.RECORD_UNIT,
                "length": len(payload),
                "checksum": record_sum(payload),
            }
        )
        self._write(bytes(head) + payload)
        self._expanded += len(data)

    def _index(self) -> None:
        """Write the data index, which ends at a multiple of the filemark size."""
        listed = b"".join(self._entries)
        least = layout.INDEX.size + len(listed) + layout.INDEX.size
        spare = -(self.offset + layout.RECORD_BYTES + least) % self._filemark_size
        head = bytes(
            layout.INDEX.pack(
                {
                    "count": len(self._entries),
                    "length": least + spare,
                    "checksum": record_sum(listed),
                }
            )
        )
        self._other(layout.RECORD_INDEX, head + listed + bytes(spare) + head, length=0)

    def _other(self, kind: int, payload: bytes, *, length: int) -> None:
        head = layout.RECORD.pack({"kind": kind, "length": length})
        self._write(bytes(head).ljust(layout.RECORD_BYTES, _NEVER_INITIALISED) + payload)

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self.offset += len(data)


def compressed(data: bytes) -> bytes:
    """Return a file of blocks in records, as it is: its header keeps the sizes of before."""
    ranges = Ranges(BytesSource(data))
    size = layout.TAPE.unpack(Region(0, data))["filemark_units"] * layout.FILEMARK_UNIT
    last = len(data) - size
    marks = [*reversed(read_filemark(ranges, last, size)), last]
    newest = layout.SFMB.unpack(Region(last, data[last:]))
    out = io.BytesIO()
    container = Container(out, size, of_2005=newest["array_offset"] != layout.FILEMARK_ARRAY)
    at = 0
    for mark in marks:
        for first, end in _bulk(ranges, at, mark):
            container.write_blocks(data[at:first])
            for extent in range(first, end, EXTENT):
                container.write_extent(data[extent : min(extent + EXTENT, end)])
            at = end
        container.write_blocks(data[at:mark])
        container.filemark()
        at = mark + size
    return out.getvalue()


def _bulk(ranges: Ranges, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where pages or log begin and end in the blocks up to `end`."""
    while at < end:
        block = read_block(ranges, at, ranges.at(at, 4, "block").data)
        for stream in streams(ranges, block):
            if stream.tag in (b"MQDA", b"MQTL") and stream.length:
                yield stream.start + layout.DATA_PADDING, stream.start + stream.length
        at = next_block(ranges, block)
