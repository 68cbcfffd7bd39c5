"""How a backup file spells numbers, LSNs, GUIDs, dates and text, in both directions.

`Layout` turns a table of fields (see `layout`) into one compiled struct, so that the reader and
the writer of samples cannot disagree about an offset. Nothing here knows a block by name.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.backupfile import faults
from shared.lsn import Lsn


class Region(NamedTuple):
    """Bytes of the file together with the offset they begin at."""

    start: int
    data: bytes


class Kind(NamedTuple):
    """How one value is stored: a struct code (little-endian) and the conversions around it."""

    code: str
    decode: Callable[[Any], Any] | None = None
    encode: Callable[[Any], Any] | None = None


class Pair(NamedTuple):
    """Where a string lies: its size in bytes and its offset from the start of the structure."""

    size: int
    offset: int


_LSN = struct.Struct("<IIH")
_DATE_LIMIT = 1 << 40
_SIZE_LIMIT = 1 << 63
_NO_LSN = bytes(10)


def _lsn(raw: bytes) -> Lsn:
    return Lsn.of(*_LSN.unpack(raw))


def _lsn_bytes(lsn: Lsn | None) -> bytes:
    return _NO_LSN if lsn is None else _LSN.pack(*Lsn(lsn).parts)


def _guid(raw: bytes) -> UUID:
    return UUID(bytes_le=raw)


def _guid_bytes(guid: UUID) -> bytes:
    return guid.bytes_le


def _date(raw: bytes) -> datetime | None:
    packed = int.from_bytes(raw, "big")
    if packed == 0:
        return None
    return datetime(  # noqa: DTZ001 the file has the source's local time and says no zone here
        packed >> 26,
        packed >> 22 & 15,
        packed >> 17 & 31,
        packed >> 12 & 31,
        packed >> 6 & 63,
        packed & 63,
    )


def _date_bytes(date: datetime | None) -> bytes:
    if date is None:
        return bytes(5)
    packed = date.year << 26 | date.month << 22 | date.day << 17
    return (packed | date.hour << 12 | date.minute << 6 | date.second).to_bytes(5, "big")


def _size(value: int) -> int:
    if value >= _SIZE_LIMIT:
        raise ValueError("a size above 8 EiB")
    return value


def _pair(raw: int) -> Pair:
    return Pair(raw & 0xFFFF, raw >> 16)


def _pair_bytes(pair: Pair) -> int:
    return pair.size | pair.offset << 16


U8 = Kind("B")
I8 = Kind("b")
U16 = Kind("H")
U32 = Kind("I")
U64 = Kind("Q")
SIZE = Kind("Q", _size)
"""Bytes of storage: a u64 that must fit 63 bits, as every consumer of it does."""
TAG = Kind("4s")
COLLATION = Kind("5s")
LSN = Kind("10s", _lsn, _lsn_bytes)
"""u32 virtual log file, u32 block, u16 slot."""
GUID = Kind("16s", _guid, _guid_bytes)
"""Mixed-endian, as Windows keeps it in memory."""
DATE = Kind("5s", _date, _date_bytes)
"""Big-endian bits: year 14, month 4, day 5, hour 5, minute 6, second 6; all zero is none."""
PAIR = Kind("I", _pair, _pair_bytes)
"""u16 size in bytes, u16 offset."""

_EMPTY: dict[Kind, Any] = {
    TAG: bytes(4),
    COLLATION: bytes(5),
    LSN: None,
    GUID: UUID(int=0),
    DATE: None,
    PAIR: Pair(0, 0),
}


class Field(NamedTuple):
    """One field of a structure. `source` says where its place and meaning were learnt.

    `usual` is what every known file holds there; the writer puts it where it is told nothing.
    """

    name: str
    offset: int
    kind: Kind
    source: str
    usual: Any = None


class Layout:
    """The fields of one structure in the order of their offsets; gaps are skipped or zero."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.fields = fields
        code, at = "<", 0
        for field in fields:
            width = struct.calcsize("<" + field.kind.code)
            code += f"{field.offset - at}x{field.kind.code}"
            at = field.offset + width
        self._struct = struct.Struct(code)
        self.size = self._struct.size
        self._names = tuple(field.name for field in fields)
        self._decoders = tuple((f.name, f.kind.decode) for f in fields if f.kind.decode)

    def unpack(self, region: Region, at: int = 0) -> dict[str, Any]:
        """Return the fields of the structure that begins at `region.data[at]`.

        Raises BackupFileError when the structure does not fit, or a value is impossible.
        """
        if at + self.size > len(region.data):
            raise faults.damaged(
                f"{self.name} is too short",
                region.start + at,
                f"{max(0, len(region.data) - at)} bytes",
                f"at least {self.size}",
            )
        raw = self._struct.unpack_from(region.data, at)
        values: dict[str, Any] = dict(zip(self._names, raw, strict=True))
        name = ""
        try:
            for name, decode in self._decoders:
                values[name] = decode(values[name])
        except ValueError as exc:
            seen = values[name]
            raise faults.damaged(
                f"{name} of {self.name}",
                region.start + at + self.offset_of(name),
                f"{seen.hex() if isinstance(seen, bytes) else seen} ({exc})",
                "a possible value",
            ) from exc
        return values

    def offset_of(self, name: str) -> int:
        """Return where that field stands."""
        return next(field.offset for field in self.fields if field.name == name)

    def pack(self, values: Mapping[str, Any]) -> bytearray:
        """Return the structure with these values; unnamed fields get their usual value."""
        unknown = values.keys() - {field.name for field in self.fields}
        if unknown:
            raise KeyError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        return bytearray(self._struct.pack(*(self._raw(f, values) for f in self.fields)))

    @staticmethod
    def _raw(field: Field, values: Mapping[str, Any]) -> Any:
        value = values.get(field.name, field.usual)
        if value is None:
            value = _EMPTY.get(field.kind, 0)
        return value if field.kind.encode is None else field.kind.encode(value)


def letters(tag: bytes) -> str:
    """Return the type of a block, stream or chunk for a message, whatever its bytes are."""
    return ascii(tag.decode("latin-1"))


def checksum(data: bytes) -> int:
    """Return the XOR of the 16-bit words of up to 64 bytes (MTF 1.00a, header checksum)."""
    folded = int.from_bytes(data, "little")
    for bits in (256, 128, 64, 32, 16):
        folded ^= folded >> bits
    return folded & 0xFFFF


def text(region: Region, at: int, pair: Pair, limit: int, what: str) -> str | None:
    """Return the UTF-16 string that `pair` names in the structure at `region.data[at]`.

    None when it is empty. `limit` is the longest length, in UTF-16 units, that is believed. A lone
    surrogate, which SQL Server lets into a name, becomes U+FFFD: no text of ours could carry it.
    """
    if pair.size == 0:
        return None
    start = at + pair.offset
    end = start + pair.size
    if pair.size % 2 or pair.size > 2 * limit or end > len(region.data):
        raise faults.damaged(
            f"the text {what}",
            region.start + at,
            f"{pair.size} bytes at {pair.offset}",
            f"an even number up to {2 * limit} within the {len(region.data) - at} bytes there",
        )
    return region.data[start:end].decode("utf-16-le", "replace").rstrip("\0") or None
