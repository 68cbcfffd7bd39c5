"""The container of compressed backups (MSSQLBAK): expands the records that a header stands in.

The records hold the same blocks as an uncompressed file; `layout` says how. What is expanded is
a `View`, whose offsets count expanded bytes, as those of an uncompressed file would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

from shared.backupfile import faults, layout
from shared.backupfile.codec import Region
from shared.backupfile.ranges import Ranges, View
from shared.backupfile.sums import record_sum
from shared.backupfile.xpress import expand
from shared.errors import BackupFileError

_TAKE_IT_PLAIN = "Take the backup WITH NO_COMPRESSION, or with COMPRESSION by MS_XPRESS."


class Expanded(NamedTuple):
    """Bytes of the expanded file, which begin at `start`; the first record stands at `offset`."""

    offset: int
    start: int
    data: bytes

    @property
    def size(self) -> int:
        """Where the expanded bytes end."""
        return self.start + len(self.data)

    def at(self, offset: int, length: int, what: str) -> Region:
        """Return exactly these bytes; raises BackupFileError when the records do not hold them."""
        first = offset - self.start
        if first < 0 or offset + length > self.size:
            raise faults.damaged(
                f"{what} reaches past the records", offset, f"{length} bytes", f"to {self.size}"
            )
        return Region(offset, self.data[first : first + length])


class Record(NamedTuple):
    """A record: where it stands, its kind, and the bytes it takes with its header."""

    offset: int
    kind: int
    expanded: int
    size: int

    @property
    def end(self) -> int:
        """Where the next one stands."""
        return self.offset + self.size


class Entry(NamedTuple):
    """A place of the data index: expanded bytes from the SSET, and the record that begins there."""

    address: int
    offset: int


class Index(NamedTuple):
    """The data index of a set, and where its record stands."""

    offset: int
    entries: tuple[Entry, ...]


@contextmanager
def in_records(view: View) -> Iterator[None]:
    """Say of damage found in expanded bytes which record of the file they come from."""
    try:
        yield
    except BackupFileError as error:
        if isinstance(view, Expanded):
            raise faults.expanded(error, view.offset) from error
        raise


def check_version(ranges: Ranges) -> None:
    """Refuse a container of a version that is not known; they frame their records otherwise."""
    fields = layout.CONTAINER.unpack(ranges.at(0, layout.CONTAINER.size, "the first bytes"))
    if fields["version"] != layout.CONTAINER_VERSION:
        raise faults.unsupported(
            f"compressed backup in a container of version {fields['version']}; the one that is"
            f" known is {layout.CONTAINER_VERSION}",
            _TAKE_IT_PLAIN,
            layout.CONTAINER.offset_of("version"),
        )


def read_record(ranges: Ranges, offset: int) -> Record:
    """Read the header of the record at `offset`: data or padding; an index tells its own size."""
    fields = layout.RECORD.unpack(ranges.at(offset, layout.RECORD.size, "record"))
    kind, length = fields["kind"], fields["length"]
    if kind == layout.RECORD_DATA:
        size = layout.DATA_RECORD.size + length
        return Record(offset, kind, fields["units"] * layout.RECORD_UNIT, size)
    if kind == layout.RECORD_PADDING:
        return Record(offset, kind, 0, layout.RECORD_BYTES + length)
    raise faults.unsupported(
        f"compressed backup with a record of kind {kind:#04x} at offset {offset}: damaged,"
        " encrypted, or compressed by an algorithm other than MS_XPRESS",
        "Upload it again; if it is refused again, take it WITH NO_COMPRESSION and no ENCRYPTION.",
        offset,
    )


def read_index(ranges: Ranges, start: int, end: int) -> Index:
    """Read the data index of a set; its record ends at `end`, the filemark that closes the set.

    `start` is where the set begins; every entry must name a place between the two. An entry for
    the start comes first; a set without pages or log needs no other.
    """
    at = end - layout.INDEX.size
    tail = ranges.at(at, layout.INDEX.size, "data index")
    fields = layout.INDEX.unpack(tail)
    count, length = fields["count"], fields["length"]
    offset = end - length - layout.RECORD_BYTES
    listed = count * layout.INDEX_ENTRY.size
    if not start < offset <= at or not 0 <= listed <= length - 2 * layout.INDEX.size:
        raise faults.damaged("data index", at, f"{count} entries in {length} bytes", "less")
    first = ranges.at(offset + layout.RECORD_BYTES, layout.INDEX.size, "data index")
    kind = ranges.at(offset, 1, "data index").data[0]
    if kind != layout.RECORD_INDEX or first.data != tail.data:
        raise faults.damaged(
            "data index",
            offset,
            f"kind {kind:#04x}, {first.data.hex()}",
            f"0x2c, {tail.data.hex()}",
        )
    table = ranges.at(first.start + layout.INDEX.size, listed, "data index")
    _check("the data index", offset, record_sum(table.data), fields["checksum"])
    entries = (
        Entry(0, start),
        *(
            Entry(**layout.INDEX_ENTRY.unpack(table, at))
            for at in range(0, listed, layout.INDEX_ENTRY.size)
        ),
    )
    for entry, after in pairwise((*entries, Entry(1 << 63, offset))):
        if not (entry.offset < after.offset and entry.address < after.address):
            raise faults.damaged("order of the data index", offset, entry.offset, after.offset)
    return Index(offset, entries)


def expand_record(ranges: Ranges, offset: int, start: int) -> tuple[Expanded, int]:
    """Return what the data record at `offset` holds, and where the next record stands.

    `start` is the address of what it holds.
    """
    record = read_record(ranges, offset)
    if record.kind != layout.RECORD_DATA:
        raise faults.damaged("kind of record", offset, f"{record.kind:#04x}", "0x21")
    region = ranges.at(offset, record.size, "record")
    payload = region.data[layout.DATA_RECORD.size :]
    expected = layout.DATA_RECORD.unpack(region)["checksum"]
    _check("a record", offset, record_sum(payload), expected)
    try:
        data = expand(payload, record.expanded)
    except ValueError as exc:
        raise faults.unsupported(
            f"compressed backup with a record at offset {offset} that cannot be expanded ({exc}),"
            " though its checksum is right: encrypted, or compressed by an algorithm other than"
            " MS_XPRESS",
            _TAKE_IT_PLAIN,
            offset,
        ) from exc
    return Expanded(offset, start, data), record.end


def expand_to(ranges: Ranges, entry: Entry, start: int, end: int, limit: int) -> Expanded:
    """Return what the records from an entry to `end` hold.

    Neither they nor that may have more than `limit` bytes. `start` is the address of the SSET that
    the entry counts from.
    """
    if end - entry.offset > limit:
        what = "records of the final header"
        raise faults.damaged(what, entry.offset, f"{end - entry.offset} bytes", f"at most {limit}")
    address = start + entry.address
    pieces, offset, length = [], entry.offset, 0
    while offset < end:
        piece, offset = expand_record(ranges, offset, address + length)
        pieces.append(piece.data)
        length += len(piece.data)
        if length > limit or not piece.data:
            raise faults.damaged(
                "expanded end of the set", entry.offset, f"{length} bytes", f"1 to {limit}"
            )
    if offset != end:
        raise faults.damaged("end of the last record", offset, offset, end)
    return Expanded(entry.offset, address, b"".join(pieces))


def _check(what: str, offset: int, seen: int, expected: int) -> None:
    if seen != expected:
        raise faults.damaged(f"checksum of {what}", offset, f"{seen:#010x}", f"{expected:#010x}")
