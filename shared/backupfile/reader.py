"""Reads the label, the headers and the file lists of a backup file.

The way through the file: the label (TAPE) at the head gives the size of a filemark; a filemark
must end the file, or the file is truncated, and lists all others; two filemarks per set give the
bounds of each set. A set's own name and GUID stand at its head (SSET, VOLB), its final header at
its tail (MSLS). The data between is never touched. In a compressed file only the records with
these blocks are expanded; filemarks stand outside of records.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from shared.backupfile.container import (
    check_version,
    expand_record,
    expand_to,
    in_records,
    read_index,
)
from shared.backupfile.header import parse_header
from shared.backupfile.ranges import Ranges, View
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


class Span(NamedTuple):
    """A backup set's bounds: its first block, and the filemark after its last."""

    start: int
    end: int


class Outline(NamedTuple):
    """What the label and the filemarks say of the whole file.

    `marks` are the offsets of all filemarks, ascending: that after the label, then two per set.
    """

    label: MediaLabel
    filemark_size: int
    marks: tuple[int, ...]

    @property
    def spans(self) -> list[Span]:
        """The bounds of the sets, in order."""
        size, marks = self.filemark_size, self.marks
        return [Span(marks[i] + size, marks[i + 1]) for i in range(0, len(marks) - 1, 2)]


class Media(NamedTuple):
    """What the head of the file says of the whole."""

    label: MediaLabel
    filemark_size: int

    @property
    def first_filemark(self) -> int:
        """Where the first filemark stands, right after the label."""
        return max(layout.BLOCK_UNIT, self.filemark_size)


class Found(NamedTuple):
    """What is read of a set, and how many bytes of header it cost."""

    header: BackupHeader
    files: tuple[DatabaseFile, ...]
    time_zone: int | None
    cost: int


def read_backup(source: ByteSource) -> BackupContent:
    """Read what a backup file says of itself; all its sets, in order of position.

    Reads 64 KiB from the head and 64 KiB from the tail, and more only for a header that is longer
    or sets in between. The LSNs are those of the tail, the final ones.

    Raises:
        BackupFileError: with `reason_code` EmptyBlob, NotABackup, HeaderUnreadable (truncated,
            damaged or changing), UnsupportedBackupType (records that are not known, or a kind)
            or AppendedBackups (more sets than are read).
        OSError: or what else the source raises.
    """
    if source.size == 0:
        raise faults.empty()
    ranges = Ranges(source)
    outline = read_outline(ranges)
    found = list(_read_sets(ranges, outline))
    return BackupContent(
        label=outline.label,
        sets=tuple((one.header, one.files) for one in found),
        time_zones=tuple(one.time_zone for one in found),
    )


def read_outline(ranges: Ranges) -> Outline:
    """Read the label and the filemarks; raises as `read_backup`."""
    media = _read_media(ranges, _is_compressed(ranges))
    return Outline(media.label, media.filemark_size, _read_marks(ranges, media))


def read_sets(
    ranges: Ranges, outline: Outline
) -> Iterator[tuple[BackupHeader, tuple[DatabaseFile, ...]]]:
    """Yield header and file list of each set, in order; raises as `read_backup`."""
    for found in _read_sets(ranges, outline):
        yield found.header, found.files


def _read_sets(ranges: Ranges, outline: Outline) -> Iterator[Found]:
    budget = HEADER_LIMIT
    for span in outline.spans:
        if outline.label.is_compressed:
            found = _read_compressed_set(ranges, span, budget)
        else:
            found = _read_set(ranges, span, outline.filemark_size, budget)
        budget -= found.cost
        yield found


def _is_compressed(ranges: Ranges) -> bool:
    """Refuse what is no backup by its first bytes, or too short to be one; a prefix of one passes.

    Return whether its blocks stand in records.
    """
    magic = ranges.at(0, min(8, ranges.size), "the first bytes").data
    compressed = magic == layout.MAGIC_COMPRESSED
    if not (layout.MAGIC_MTF.startswith(magic[:4]) or layout.MAGIC_COMPRESSED.startswith(magic)):
        raise faults.not_a_backup(
            f"no backup: the file begins with {magic.hex(' ')}, a SQL Server backup with TAPE"
        )
    start = ranges.at(0, min(ranges.size, _COMPLETE), "the label")
    whole_header = ranges.size >= layout.BLOCK.size
    if (
        not compressed
        and whole_header
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
    if compressed:
        check_version(ranges)
    return compressed


def _read_media(ranges: Ranges, compressed: bool) -> Media:
    if not compressed:
        return _media_of(ranges, compressed)
    expanded, _ = expand_record(ranges, layout.CONTAINER_RECORDS, 0)
    with in_records(expanded):
        return _media_of(expanded, compressed)


def _media_of(view: View, compressed: bool) -> Media:
    tape = read_block(view, 0, b"TAPE")
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
    stream = find_stream(view, tape, b"RAID")
    raid = layout.RAID.unpack(view.at(stream.start, stream.length, "stream RAID"))
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
        is_compressed=compressed,
        has_password=fields["media_password"].size > 0,
    )
    return Media(label, filemark_size)


def _read_marks(ranges: Ranges, media: Media) -> tuple[int, ...]:
    """Return all filemarks. Each set ends with one, then come ESETs and another.

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
    return tuple(reversed(marks))


def _read_set(ranges: Ranges, span: Span, filemark_size: int, budget: int) -> Found:
    """Read what stands before and after the data of a set; its header has `budget` bytes at most.

    The head copy of the header is only asked for its length, which is that of the tail copy.
    """
    sset, volb = _first_blocks(ranges, span.start)
    msci = read_block(ranges, next_block(ranges, volb), b"MSCI")
    head = find_stream(ranges, msci, b"MQCI")
    if head.length > budget:
        raise faults.damaged(
            "length of the backup set header", head.start, head.length, f"at most {budget}"
        )
    reach = head.length + filemark_size + 4 * layout.BLOCK_UNIT
    msls = _find_msls(ranges, max(head.start, span.end - reach), span.end)
    mqci = _header_stream(ranges, msls)
    header, files = parse_header(mqci, sset, _machine_name(volb), compressed=False)
    return Found(header, files, _time_zone(sset), len(mqci.data))


def _read_compressed_set(ranges: Ranges, span: Span, budget: int) -> Found:
    """Read a set whose blocks stand in records; the last entry of its index leads to the header.

    What the records of the header expand to has `budget` bytes at most.
    """
    index = read_index(ranges, span.start, span.end)
    head, _ = expand_record(ranges, span.start, span.start)
    with in_records(head):
        sset, volb = _first_blocks(head, span.start)
        machine_name, time_zone = _machine_name(volb), _time_zone(sset)
    tail = expand_to(ranges, index.entries[-1], span.start, index.offset, budget)
    with in_records(tail):
        mqci = _header_stream(tail, _find_msls(tail, tail.start, tail.size))
        header, files = parse_header(mqci, sset, machine_name, compressed=True)
    return Found(header, files, time_zone, len(tail.data))


def _first_blocks(view: View, start: int) -> tuple[Block, Block]:
    """Return SSET and VOLB."""
    sset = read_block(view, start, b"SSET")
    return sset, read_block(view, next_block(view, sset), b"VOLB")


def _time_zone(sset: Block) -> int | None:
    """Return minutes east of UTC; MTF has 127 for a zone that is not known."""
    quarters: int = sset.fields(layout.SSET)["time_zone"]
    return quarters * 15 if abs(quarters) <= layout.LARGEST_TIME_ZONE else None


def _machine_name(volb: Block) -> str | None:
    return volb.text(volb.fields(layout.VOLB)["machine_name"], "machine name")


def _header_stream(view: View, msls: Block) -> Region:
    stream = find_stream(view, msls, b"MQCI")
    return view.at(stream.start, stream.length, "stream MQCI")


def _find_msls(view: View, start: int, end: int) -> Block:
    """Return the MSLS block that ends at `end`, searched back to `start`."""
    region = view.at(start, max(0, end - start), "the end of the set")
    for offset in range(end - layout.FILEMARK_UNIT, start - 1, -layout.FILEMARK_UNIT):
        if looks_like_block(region, offset - start, b"MSLS"):
            msls = read_block(view, offset, b"MSLS")
            if next_block(view, msls) == end:
                return msls
    raise faults.damaged("end of the set", start, "no block MSLS", f"one that ends at {end}")
