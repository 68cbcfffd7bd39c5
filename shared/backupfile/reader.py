"""Reads the label, the headers and the file lists of an uncompressed backup file.

The way through the file: the label (TAPE) at the head gives the size of a filemark; a filemark
must end the file, or the file is truncated, and lists all others; two filemarks per set give the
bounds of each set. A set's own name and GUID stand at its head (SSET, VOLB), its final header at
its tail (MSLS). The data between is never touched.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.backupfile import faults, layout
from shared.backupfile.blocks import (
    DESCRIPTION_LIMIT,
    Block,
    find_stream,
    looks_like_block,
    next_block,
    read_block,
    read_filemark,
)
from shared.backupfile.codec import Region
from shared.backupfile.header import parse_header
from shared.backupfile.ranges import Ranges
from shared.backupfile.source import ByteSource
from shared.backupset import BackupContent, BackupHeader, DatabaseFile, MediaLabel

SET_LIMIT = 1024
"""The most backup sets that are read from one file; each costs one range."""
HEADER_LIMIT = 8 * 1024 * 1024
"""The most bytes of headers in one file, over all sets. A database file takes about 1.2 KB."""

FAMILY_LIMIT = 64
"""The most media families of a media set, a limit of BACKUP."""

_COMPLETE = 1536
"""The smallest complete file: a label and a filemark."""


class Media(NamedTuple):
    """What the head of the file says of the whole."""

    label: MediaLabel
    filemark_size: int

    @property
    def first_filemark(self) -> int:
        """Where the first filemark stands, right after the label."""
        return max(layout.BLOCK_UNIT, self.filemark_size)


class Span(NamedTuple):
    """A backup set's bounds: its first block, and the filemark after its last."""

    start: int
    end: int


class Ends(NamedTuple):
    """What stands at both ends of a set: its start, its machine, its final header."""

    sset: Block
    machine_name: str | None
    mqci: Region


def read_backup(source: ByteSource) -> BackupContent:
    """Read what a backup file says of itself; all its sets, in order of position.

    Reads 64 KiB from the head and 64 KiB from the tail, and more only for a header that is longer
    or sets in between. The LSNs are those of the tail, the final ones.

    Raises:
        BackupFileError: with `reason_code` EmptyBlob, NotABackup, HeaderUnreadable (truncated,
            damaged or changing), UnsupportedBackupType (compressed) or AppendedBackups (more sets
            than are read).
        OSError: or what else the source raises.
    """
    if source.size == 0:
        raise faults.empty()
    ranges = Ranges(source)
    _check_container(ranges)
    media = _read_media(ranges)
    sets: list[tuple[BackupHeader, tuple[DatabaseFile, ...]]] = []
    budget = HEADER_LIMIT
    for span in _read_spans(ranges, media):
        ends = _read_ends(ranges, span, media.filemark_size, budget)
        budget -= len(ends.mqci.data)
        sets.append(parse_header(ends.mqci, ends.sset, ends.machine_name))
    return BackupContent(label=media.label, sets=tuple(sets))


def _check_container(ranges: Ranges) -> None:
    """Refuse what is no uncompressed backup by its first bytes; a prefix of one passes."""
    magic = ranges.at(0, min(8, ranges.size), "the first bytes").data
    if magic == layout.MAGIC_COMPRESSED:
        raise faults.unsupported(
            "compressed backup (the file begins with MSSQLBAK): not supported yet",
            "Take the backup WITH NO_COMPRESSION.",
        )
    if not (layout.MAGIC_MTF.startswith(magic[:4]) or layout.MAGIC_COMPRESSED.startswith(magic)):
        raise faults.not_a_backup(
            f"no backup: the file begins with {magic.hex(' ')}, a SQL Server backup with TAPE"
        )
    start = ranges.at(0, min(ranges.size, _COMPLETE), "the label")
    whole_header = ranges.size >= layout.BLOCK.size
    if (
        whole_header
        and not looks_like_block(start, 0, b"TAPE")
        and layout.SOFTWARE_NAME.encode("utf-16-le") not in start.data
    ):
        raise faults.not_a_backup(
            f"no backup: the file begins with TAPE, but no tape header follows and the name "
            f"{layout.SOFTWARE_NAME!r} is not among its first {len(start.data)} bytes"
        )
    if ranges.size < _COMPLETE:
        raise faults.truncated(
            ranges.size, f"no valid filemark ends it; a backup has at least {_COMPLETE} bytes"
        )


def _read_media(ranges: Ranges) -> Media:
    tape = read_block(ranges, 0, b"TAPE")
    fields = tape.fields(layout.TAPE)
    software_name = tape.text(fields["software_name"], "software name")
    if software_name != layout.SOFTWARE_NAME:
        raise faults.not_a_backup(
            f"a tape format file of other software: written by {software_name!r}, expected "
            f"{layout.SOFTWARE_NAME!r}"
        )
    filemark_size = fields["filemark_units"] * layout.FILEMARK_UNIT
    if not 0 < filemark_size <= layout.FILEMARK_LIMIT:
        raise faults.damaged(
            "size of a filemark", 64, filemark_size, f"1 to {layout.FILEMARK_LIMIT} bytes"
        )
    stream = find_stream(ranges, tape, b"RAID")
    raid = layout.RAID.unpack(ranges.at(stream.start, stream.length, "stream RAID"))
    count, number = raid["family_count"], raid["family_sequence_number"]
    if not 1 <= number <= count <= FAMILY_LIMIT:
        raise faults.damaged(
            "media family", stream.start, f"{number} of {count}", f"at most {FAMILY_LIMIT}"
        )
    label = MediaLabel(
        media_name=tape.text(fields["media_name"], "media name"),
        media_set_id=raid["media_set_id"],
        family_count=count,
        family_sequence_number=number,
        media_family_id=fields["media_family_id"],
        media_sequence_number=fields["media_sequence_number"],
        media_description=tape.text(
            fields["media_description"], "media description", DESCRIPTION_LIMIT
        ),
        software_name=software_name,
        software_vendor_id=fields["software_vendor_id"],
        media_date=fields["media_date"],
        mirror_count=raid["mirror_count"],
        is_compressed=False,
        has_password=fields["media_password"].size > 0,
    )
    return Media(label, filemark_size)


def _read_spans(ranges: Ranges, media: Media) -> list[Span]:
    """Return the bounds of the sets, in order. Each ends with a filemark, then ESETs and another.

    Raises BackupFileError for a truncated file: one that no filemark ends.
    """
    size, first = media.filemark_size, media.first_filemark
    last = ranges.size - size
    if last >= first:
        read_filemark(ranges, first, size)
    if last < first or ranges.at(last, 4, "the last filemark").data != b"SFMB":
        raise faults.truncated(ranges.size, f"no valid filemark (SFMB, {size} bytes) ends it")
    marks = [last, *read_filemark(ranges, last, size)]
    while marks[-1] > first and len(marks) <= 2 * SET_LIMIT + 1:
        # A filemark has room for so many others; the oldest it lists knows the ones before.
        earlier = read_filemark(ranges, marks[-1], size)
        if not earlier:
            break
        marks += earlier
    if len(marks) > 2 * SET_LIMIT + 1:
        raise faults.too_many_sets(SET_LIMIT)
    if marks[-1] != first:
        raise faults.damaged("list of filemarks", last, f"the oldest at {marks[-1]}", first)
    if len(marks) % 2 == 0:
        raise faults.truncated(
            ranges.size, "its last filemark is that before the end of a set, not that after it"
        )
    marks.reverse()
    return [Span(marks[i] + size, marks[i + 1]) for i in range(0, len(marks) - 1, 2)]


def _read_ends(ranges: Ranges, span: Span, filemark_size: int, budget: int) -> Ends:
    """Read what stands before and after the data of a set; its header has `budget` bytes at most.

    The head copy of the header is only asked for its length, which is that of the tail copy.
    """
    sset = read_block(ranges, span.start, b"SSET")
    volb = read_block(ranges, next_block(ranges, sset), b"VOLB")
    msci = read_block(ranges, next_block(ranges, volb), b"MSCI")
    head = find_stream(ranges, msci, b"MQCI")
    if head.length > budget:
        raise faults.damaged(
            "length of the backup set header", head.start, head.length, f"at most {budget}"
        )
    reach = head.length + filemark_size + 4 * layout.BLOCK_UNIT
    msls = _find_msls(ranges, max(head.start, span.end - reach), span.end)
    tail = find_stream(ranges, msls, b"MQCI")
    machine_name = volb.text(volb.fields(layout.VOLB)["machine_name"], "machine name")
    return Ends(sset, machine_name, ranges.at(tail.start, tail.length, "stream MQCI"))


def _find_msls(ranges: Ranges, start: int, end: int) -> Block:
    """Return the MSLS block that ends at `end`, searched back to `start`."""
    region = ranges.at(start, max(0, end - start), "the end of the set")
    for offset in range(end - layout.FILEMARK_UNIT, start - 1, -layout.FILEMARK_UNIT):
        if looks_like_block(region, offset - start, b"MSLS"):
            msls = read_block(ranges, offset, b"MSLS")
            if next_block(ranges, msls) == end:
                return msls
    raise faults.damaged("end of the set", start, "no block MSLS", f"one that ends at {end}")
