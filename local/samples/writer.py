"""Writes backup files: a media header, and any number of backup sets, block by block.

Any BackupHeader and file list can be written; what they say is not checked here (`history` makes
ones that agree with each other). Positions are those of the list.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from local.samples.blocks import (
    Bulk,
    Piece,
    block,
    filemark_block,
    fill,
    stream,
    stream_to,
    structure,
)
from local.samples.container import Container
from local.samples.payload import EXTENT
from local.samples.sets import SampleSet, header_block, set_blocks
from local.samples.versions import SQL_SERVER_2005
from shared.backupfile import layout
from shared.backupset import MediaLabel

_PASSWORD_DIGEST = "\0" * 8
"""Stands for the 16 bytes that SQL Server makes of a media password."""
_COMPRESSED_BLOCKS = 5120
"""What the blocks between pages and log come to, with what real files have more."""


def write_backup(
    out: BinaryIO, label: MediaLabel, sets: Sequence[SampleSet], *, filemark_size: int = 512
) -> None:
    """Write one media family of one or several sets, as BACKUP and BACKUP ... NOINIT would.

    The data is made while it is written, so a large backup needs no memory. Raises ValueError for
    a compressed one whose label has no room before the first filemark.
    """
    of_2005 = bool(sets) and sets[0].header.software_version_major == SQL_SERVER_2005
    form = Container if label.is_compressed else _PlainFile
    file = form(out, filemark_size, of_2005=of_2005)
    file.write(_tape(label, filemark_size))
    file.filemark()
    entries: list[bytes] = []
    for sample in sets:
        start = file.offset
        blocks = set_blocks(sample, label, filemark_size, start)
        header_block(blocks, b"MSLS", sample, final=True)
        for piece in blocks.pieces:
            file.write(piece)
        file.filemark()
        entries.append(_map_entry(sample, start))
        file.write(_end_of_set(sample, label, blocks.unit, entries, file.offset))
        file.filemark()


def families(label: MediaLabel) -> Iterator[MediaLabel]:
    """Yield labels of all families of a media set, as far as what they hold depends on them."""
    for number in range(1, label.family_count + 1):
        yield label.model_copy(update={"family_sequence_number": number})


def backup_size(sample: SampleSet, label: MediaLabel, *, filemark_size: int = 512) -> int:
    """Return BackupSize: SSET to MSLS over all families, for the first set with their labels."""
    total = sum(
        set_blocks(sample, family, filemark_size, start=0).length for family in families(label)
    )
    if sample.header.position == 1:
        total += label.family_count * max(layout.BLOCK_UNIT, filemark_size)
    return total


def compressed_backup_size(
    sample: SampleSet, label: MediaLabel, *, filemark_size: int = 512
) -> int:
    """Return CompressedBackupSize, to some hundred bytes, over all families.

    In real files it is the length of all records of the set but the last, and 3072 to 6144 bytes
    more. The blocks are taken as a fixed size, since this size stands in them.
    """
    total = 0
    for family in families(label):
        container = Container(_Nowhere(), filemark_size)
        empty = container.offset
        for piece in set_blocks(sample, family, filemark_size, start=0).pieces:
            for extent in piece.parts() if isinstance(piece, Bulk) else ():
                if len(extent) == EXTENT:
                    container.write_extent(extent)
        total += container.offset - empty + _COMPRESSED_BLOCKS
    return total


class _Nowhere(io.BytesIO):
    """A file that forgets what is written."""

    def write(self, data: object) -> int:
        return 0


class _PlainFile:
    """An uncompressed backup as it grows, with its filemarks."""

    def __init__(self, out: BinaryIO, filemark_size: int, *, of_2005: bool = False) -> None:
        self._out = out
        self._filemark_size = filemark_size
        self._of_2005 = of_2005
        self._filemarks: list[int] = []
        self.offset = 0

    def write(self, piece: Piece) -> None:
        """Write blocks or a stream of extents; those of zeros become a hole."""
        for part in piece.parts() if isinstance(piece, Bulk) else (piece,):
            if isinstance(piece, Bulk) and piece.is_blank and len(part) == EXTENT:
                self._out.seek(EXTENT, os.SEEK_CUR)
            else:
                self._out.write(part)
        self.offset += len(piece)

    def filemark(self) -> None:
        """Write an SFMB."""
        mark = filemark_block(self._filemarks, self._filemark_size, of_2005=self._of_2005)
        self._filemarks.append(self.offset)
        self.write(mark)


def _tape(label: MediaLabel, filemark_size: int) -> bytes:
    values: dict[str, Any] = {
        "media_family_id": label.media_family_id,
        "media_sequence_number": label.media_sequence_number,
        "filemark_units": filemark_size // layout.FILEMARK_UNIT,
        "software_vendor_id": label.software_vendor_id,
        "media_date": label.media_date,
        "password_algorithm": layout.PASSWORD_ALGORITHM if label.has_password else 0,
    }
    texts = {
        "media_name": label.media_name,
        "media_description": label.media_description,
        "media_password": _PASSWORD_DIGEST if label.has_password else None,
        "software_name": label.software_name + "\0\0",
    }
    raid = layout.RAID.pack(
        {
            "media_set_id": label.media_set_id,
            "family_count": label.family_count,
            "mirror_count": label.mirror_count,
            "family_sequence_number": label.family_sequence_number,
        }
    )
    body = structure(layout.TAPE, values, texts, layout.TAPE.size)
    head = block(b"TAPE", body, attributes=layout.TAPE_ATTRIBUTES, with_strings=True)
    head += stream(b"RAID", bytes(raid))
    return bytes(head + fill(len(head), max(layout.BLOCK_UNIT, filemark_size)))


def _end_of_set(
    sample: SampleSet, label: MediaLabel, unit: int, entries: Sequence[bytes], offset: int
) -> bytes:
    """Return both ESETs: the first carries the set map, the second says where the first is.

    In 2005 it says where the map is.
    """
    set_map = layout.TSMP.pack({"media_family_id": label.media_family_id, "sets": len(entries)})
    set_map += bytes(layout.TSMP_BYTES - len(set_map)) + b"".join(entries)
    first = _eset(sample, set_map_address=0)
    first += stream_to(b"OTCP", len(first), layout.STREAM.size, unit)
    set_map_at = len(first)
    first += stream(b"TSMP", bytes(set_map))
    first += fill(len(first), unit)
    of_2005 = sample.header.software_version_major == SQL_SERVER_2005
    second = _eset(sample, set_map_address=offset + (set_map_at if of_2005 else 0))
    return bytes(first + second + fill(len(second), unit))


def _eset(sample: SampleSet, set_map_address: int) -> bytearray:
    values = {
        "attributes": sample.attributes,
        "set_map_address": set_map_address,
        "position": sample.header.position,
        "media_write_date": sample.header.backup_start_date,
    }
    body = layout.ESET.pack(values)
    return block(b"ESET", body + bytes(layout.ESET_FIRST_STREAM - len(body)))


def _map_entry(sample: SampleSet, start: int) -> bytes:
    """Return what the set map says of one set and its volume."""
    header = sample.header
    texts = {"backup_name": header.backup_name, "user_name": header.user_name}
    values = {
        "set_attributes": sample.attributes,
        "set_address": start,
        "position": header.position,
        "size": header.compressed_backup_size if header.compressed else header.backup_size,
        "media_write_date": header.backup_start_date,
        "time_zone": sample.time_zone_quarters,
    }
    entry = structure(layout.TSMP_SET, values, texts, layout.TSMP_SET.size)
    volume = structure(
        layout.TSMP_VOLUME,
        {"media_write_date": header.backup_start_date},
        {
            "device_name": sample.device_name,
            "volume_name": sample.volume_name or None,
            "machine_name": header.machine_name,
        },
        layout.TSMP_VOLUME_BYTES,
    )
    for part in (entry, volume):
        part[:2] = len(part).to_bytes(2, "little")
    return bytes(entry + volume)
