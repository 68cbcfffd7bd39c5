"""Puts blocks and streams of the Microsoft Tape Format together.

A set is a list of pieces: bytes, or a `Bulk` whose data is made when it is written. So the length
of a set is known, and can stand in its own header, before its data exists.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from local.samples.payload import EXTENT, sector_sum
from shared.backupfile import layout
from shared.backupfile.codec import Layout, Pair, checksum


def stream(tag: bytes, data: bytes, attributes: int = 0) -> bytes:
    """Return a stream of small data, up to where the next one begins."""
    raw = _stream_header(tag, len(data), attributes) + data
    return raw + bytes(-len(raw) % layout.STREAM_ALIGNMENT)


def fill(at: int, unit: int) -> bytes:
    """Return the SPAD that goes from `at` to the next multiple of `unit` it can reach."""
    return stream_to(b"SPAD", at, layout.STREAM.size, unit)


def stream_to(tag: bytes, at: int, smallest: int, unit: int, attributes: int = 0) -> bytes:
    """Return a stream of zeros at `at`; it and what follows, `smallest` in all, end at `unit`."""
    end = at + smallest
    end += -end % unit
    following = smallest - layout.STREAM.size
    return stream(tag, bytes(end - following - at - layout.STREAM.size), attributes)


def _stream_header(tag: bytes, length: int, attributes: int) -> bytes:
    raw = layout.STREAM.pack({"id": tag, "length": length, "media_attributes": attributes})
    covered = raw[: layout.CHECKED_STREAM_BYTES]
    return bytes(covered) + checksum(bytes(covered)).to_bytes(2, "little")


Extents = Callable[[], Iterator[bytes]]
_BLANK = bytes(EXTENT)


class Bulk:
    """A stream of whole extents, and the CSUM stream behind it if it is checksummed.

    Without `make` the extents are zeros.
    """

    def __init__(self, tag: bytes, attributes: int, extents: int, make: Extents | None) -> None:
        self.is_blank = make is None
        self._make = make or partial(repeat, _BLANK, extents)
        self._checksummed = bool(attributes & layout.STREAM_CHECKSUMMED)
        data = layout.DATA_PADDING + extents * EXTENT
        self._head = _stream_header(tag, data, attributes) + bytes(layout.DATA_PADDING)
        self._length = len(self._head) + extents * EXTENT + len(self._tail(0))

    def __len__(self) -> int:
        return self._length

    def parts(self) -> Iterator[bytes]:
        """Make the data: yield the stream's header, each extent, and what follows them."""
        yield self._head
        total = 0
        for extent in self._make():
            yield extent
            if self._checksummed and not self.is_blank:
                total = sector_sum(extent, total)
        yield self._tail(total)

    def _tail(self, total: int) -> bytes:
        return stream(b"CSUM", total.to_bytes(4, "little")) if self._checksummed else b""


Piece = bytes | Bulk


def structure(
    table: Layout, values: Mapping[str, Any], texts: Mapping[str, str | None], strings_at: int
) -> bytearray:
    """Return a structure with its strings behind it, from `strings_at` on, and pairs to them."""
    pairs: dict[str, Pair] = {}
    strings = bytearray()
    for name, value in texts.items():
        raw = (value or "").encode("utf-16-le", "surrogatepass")
        # A text that may be left out has no place, one that is empty has.
        pairs[name] = Pair(0, 0) if value is None else Pair(len(raw), strings_at + len(strings))
        strings += raw
    fixed = table.pack({**values, **pairs})
    return fixed + bytes(strings_at - len(fixed)) + strings


def block(
    tag: bytes,
    body: bytearray,
    *,
    attributes: int = 0,
    logical_address: int = 0,
    control_block_id: int = 0,
    with_strings: bool = False,
) -> bytearray:
    """Return a block's header and strings; `body` counts from the block's start."""
    body += bytes(-len(body) % layout.STREAM_ALIGNMENT)
    header = layout.BLOCK.pack(
        {
            "type": tag,
            "attributes": attributes,
            "first_stream": len(body) & 0xFFFF,
            "logical_address": logical_address,
            "control_block_id": control_block_id,
            "string_type": layout.UTF16 if with_strings else 0,
            "system_data": layout.SSET_SYSTEM_DATA if tag == b"SSET" else None,
        }
    )
    covered = header[: layout.CHECKED_BLOCK_BYTES]
    body[: len(header)] = covered + checksum(bytes(covered)).to_bytes(2, "little")
    return body


def filemark_block(
    earlier: Sequence[int], size: int, *, of_2005: bool, follows_index: bool = False
) -> bytes:
    """Return an SFMB of that size, which lists the latest filemarks that fit, newest first."""
    start = layout.FILEMARK_ARRAY_2005 if of_2005 else layout.FILEMARK_ARRAY
    capacity = (size - start) // 8
    listed = earlier[: -capacity - 1 : -1]
    values = {"capacity": capacity, "used": len(listed), "array_offset": start}
    body = layout.SFMB.pack(values)[:start]
    body += bytes(start - len(body)) + struct.pack(f"<{len(listed)}Q", *listed)
    body += bytes(size - len(body))
    attributes = 0 if of_2005 else layout.SFMB_ATTRIBUTES
    attributes |= layout.SFMB_FOLLOWS_INDEX if follows_index else 0
    return bytes(block(b"SFMB", body, attributes=attributes))


class SetBlocks:
    """The numbered blocks of one set in one media family, from its SSET on."""

    def __init__(self, filemark_size: int) -> None:
        self.pieces: list[Piece] = []
        self.length = 0
        self.unit = max(layout.BLOCK_UNIT, filemark_size)
        self._count = 0

    def open(self, tag: bytes, body: bytearray, *, with_strings: bool = False) -> None:
        """Begin the next block."""
        head = block(
            tag,
            body,
            logical_address=self.length // layout.BLOCK_UNIT,
            control_block_id=self._count,
            with_strings=with_strings,
        )
        self._count += 1
        self._add(bytes(head))

    def small(self, tag: bytes, data: bytes, attributes: int = 0) -> None:
        """Add a stream to the block that is open."""
        self._add(stream(tag, data, attributes))

    def bulk(self, bulk: Bulk) -> None:
        """Add a stream of extents; an APAD lets its data begin at a multiple of the filemark."""
        after_it = 2 * layout.STREAM.size + layout.DATA_PADDING
        self._add(stream_to(b"APAD", self.length, after_it, self.unit, layout.STREAM_ALIGNS))
        self._add(bulk)

    def close(self, unit: int = layout.BLOCK_UNIT) -> None:
        """End the block with its SPAD."""
        self._add(fill(self.length, unit))

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.length += len(piece)
