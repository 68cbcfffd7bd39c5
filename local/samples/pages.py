"""The data files of a sample database: extents of eight pages with headers, rows and checksums.

Repeatable from a seed, and made when they are written. Pages 0 to 9 of a file are what SQL Server
keeps there, among them the boot page, which agrees with the header of the backup.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from functools import lru_cache

from local.samples.payload import EXTENT, noise, rows, sector_sum
from shared.backupfile import layout
from shared.lsn import Lsn

EXTENT_PAGES = EXTENT // layout.PAGE_SIZE
_SYSTEM_PAGES = {
    0: layout.PAGE_FILE_HEADER,
    1: layout.PAGE_PFS,
    2: layout.PAGE_GAM,
    3: layout.PAGE_SGAM,
    4: None,
    5: None,
    6: layout.PAGE_DIFFERENTIAL_MAP,
    7: layout.PAGE_BULK_MAP,
}
_PFS_INTERVAL = 8088
_INDEX_EVERY = 5
_PAGE_NAME = struct.Struct("<IH")
_NAME_AT = layout.PAGE.offset_of("page_id")
_CHECKSUM_AT = layout.PAGE.offset_of("checksum")
_SECTORS = layout.PAGE_SIZE // 512


@dataclass(frozen=True)
class PageContent:
    """What all pages of a backup have in common. `boot` is the boot page behind its header.

    With `encrypted`, all but headers is noise, as under transparent data encryption.
    """

    seed: int
    lsn: Lsn
    boot: bytes
    checksums: bool = True
    encrypted: bool = False


def extent(content: PageContent, file_id: int, number: int) -> bytes:
    """Return an extent of a data file, by its number in the file."""
    first = number * EXTENT_PAGES
    return b"".join(_page(content, file_id, page) for page in range(first, first + EXTENT_PAGES))


def _page(content: PageContent, file_id: int, number: int) -> bytes:
    kind = _page_type(file_id, number)
    if kind is None:
        return bytes(layout.PAGE_SIZE)
    blank, total = _nameless(content, kind, number % EXTENT_PAGES)
    page = bytearray(blank)
    _PAGE_NAME.pack_into(page, _NAME_AT, number, file_id)
    if content.checksums:
        # Both words stand in the first of 16 sectors, so that they are rotated 15 times.
        name = number ^ file_id
        turns = _SECTORS - 1
        total ^= (name << turns | name >> 32 - turns) & 0xFFFFFFFF
        page[_CHECKSUM_AT : _CHECKSUM_AT + 4] = total.to_bytes(4, "little")
    return bytes(page)


def _page_type(file_id: int, number: int) -> int | None:
    """Return what a page is, None if it was never formatted."""
    if number in _SYSTEM_PAGES:
        return _SYSTEM_PAGES[number]
    if number == layout.BOOT_PAGE_ID and file_id == 1:
        return layout.PAGE_BOOT
    if number % _PFS_INTERVAL == 0:
        return layout.PAGE_PFS
    return layout.PAGE_DATA if number % _INDEX_EVERY else layout.PAGE_INDEX


@lru_cache(maxsize=64)
def _nameless(content: PageContent, kind: int, slot: int) -> tuple[bytes, int]:
    """Return a page that lacks its number and file, and the checksum of that."""
    body, count = _body(content, kind, slot)
    header = layout.PAGE.pack(
        {
            "type": kind,
            "flags": layout.PAGE_CHECKSUMMED if content.checksums else 0,
            "slot_count": count,
            "object_id": 100 + kind,
            "free_data": layout.PAGE_HEADER_BYTES + len(body.rstrip(b"\0")),
            "lsn": content.lsn,
        }
    )
    page = bytes(header).ljust(layout.PAGE_HEADER_BYTES, b"\0") + body
    return page, sector_sum(page)


def _body(content: PageContent, kind: int, slot: int) -> tuple[bytes, int]:
    """Return what stands behind the header, and how many rows that is."""
    size = layout.PAGE_SIZE - layout.PAGE_HEADER_BYTES
    if content.encrypted:
        return noise(content.seed + slot)[:size], 1
    if kind == layout.PAGE_BOOT:
        return content.boot.ljust(size, b"\0"), 1
    if kind not in (layout.PAGE_DATA, layout.PAGE_INDEX):
        return (b"\x44" if kind == layout.PAGE_PFS else b"\0").ljust(1, b"\0") * size, 1
    table = rows(content.seed + slot)
    ends: list[int] = []
    body = bytearray()
    room = size * random.Random(content.seed + slot).randint(30, 90) // 100  # noqa: S311 sample
    for row in table:
        if len(body) + len(row) + 2 * len(ends) > room:
            break
        ends.append(layout.PAGE_HEADER_BYTES + len(body))
        body += row
    slots = struct.pack(f"<{len(ends)}H", *reversed(ends))
    return bytes(body.ljust(size - len(slots), b"\0") + slots), len(ends)
