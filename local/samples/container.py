"""Turns an uncompressed sample into a compressed one: the container MSSQLBAK.

What a compressed file of several sets looks like is not known; here they follow each other. The
header is taken as it is, so that CompressedBackupSize stays that of the uncompressed file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from local.samples.xpress import compress
from shared.backupfile import BytesSource, layout
from shared.backupfile.blocks import next_block, read_block, read_filemark, streams
from shared.backupfile.codec import Region, checksum
from shared.backupfile.ranges import Ranges
from shared.backupfile.sums import record_sum

_PIECE = 32768
"""Expanded bytes of a record: noise of that size, which grows, still fits its length."""
_NEVER_INITIALISED = b"\xa5"
_BULK = {b"MQDA", b"MQTL"}


def compressed(data: bytes) -> bytes:
    """Return the file that BACKUP WITH COMPRESSION would have written in the place of `data`."""
    ranges = Ranges(BytesSource(data))
    size = layout.TAPE.unpack(Region(0, data))["filemark_units"] * layout.FILEMARK_UNIT
    last = len(data) - size
    out = bytearray(layout.CONTAINER.pack({})).ljust(layout.CONTAINER_RECORDS, _NEVER_INITIALISED)
    marks: list[int] = []
    start = 0
    for number, end in enumerate((*reversed(read_filemark(ranges, last, size)), last)):
        if number % 2:
            entries: list[bytes] = []
            for first, stop in pairwise((start, *_after_bulk(ranges, start, end), end)):
                entry = {"address": first - start, "offset": len(out)}
                entries.append(bytes(layout.INDEX_ENTRY.pack(entry)))
                out += _records(data[first:stop])
            out += _index(len(out), entries[1:], size)
        else:
            out += _records(data[start:end])
            out += _other(layout.RECORD_PADDING, bytes(-(len(out) + layout.RECORD_BYTES) % size))
        marks.append(len(out))
        out += _filemark(data[end : end + size], marks, has_index=bool(number % 2))
        start = end + size
    return bytes(out)


def _after_bulk(ranges: Ranges, start: int, end: int) -> Iterator[int]:
    """Yield where pages or log end in a set, and its blocks go on."""
    at = start
    while at < end:
        block = read_block(ranges, at, ranges.at(at, 4, "block").data)
        for stream in streams(ranges, block):
            if stream.tag in _BULK and stream.length:
                yield stream.start + stream.length
        at = next_block(ranges, block)


def _records(data: bytes) -> bytes:
    """Return data records, which hold multiples of 512 bytes."""
    out = bytearray()
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        payload = compress(piece)
        record = layout.DATA_RECORD.pack(
            {
                "kind": layout.RECORD_DATA,
                "units": len(piece) // layout.RECORD_UNIT,
                "length": len(payload),
                "checksum": record_sum(payload),
            }
        )
        out += record + payload
    return bytes(out)


def _other(kind: int, payload: bytes, *, says_length: bool = True) -> bytes:
    values = {"kind": kind, "length": len(payload) if says_length else 0}
    head = layout.RECORD.pack(values).ljust(layout.RECORD_BYTES, _NEVER_INITIALISED)
    return bytes(head) + payload


def _index(at: int, entries: Sequence[bytes], size: int) -> bytes:
    """Return the data index, which ends at a multiple of the filemark size."""
    listed = b"".join(entries)
    least = layout.INDEX.size + len(listed) + layout.INDEX.size
    spare = -(at + layout.RECORD_BYTES + least) % size
    head = bytes(
        layout.INDEX.pack(
            {"count": len(entries), "length": least + spare, "checksum": record_sum(listed)}
        )
    )
    payload = head + listed + bytes(spare) + head
    return _other(layout.RECORD_INDEX, payload, says_length=False)


def _filemark(plain: bytes, marks: Sequence[int], *, has_index: bool) -> bytes:
    """Return a filemark of the uncompressed file with the places of the compressed one."""
    fields = layout.SFMB.unpack(Region(0, plain))
    newer = fields["array_offset"] == layout.FILEMARK_ARRAY
    at = layout.FILEMARK_ARRAY if newer else layout.FILEMARK_ARRAY_2005
    mark = bytearray(plain)
    if has_index:
        mark[6] |= 4  # of the attributes
    for number in range(fields["used"]):
        place = marks[-2 - number].to_bytes(8, "little")
        mark[at + 8 * number : at + 8 * number + 8] = place
    covered = bytes(mark[: layout.CHECKED_BLOCK_BYTES])
    mark[layout.CHECKED_BLOCK_BYTES : layout.BLOCK.size] = checksum(covered).to_bytes(2, "little")
    return bytes(mark)
