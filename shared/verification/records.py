"""Verifies compressed backups: the chain of records, and the blocks in those that hold headers.

Pages and log are not expanded. Where they end, the data index tells at which expanded byte the
blocks go on; the lengths of all records must add up to that.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from shared.backupfile import faults, layout
from shared.backupfile.codec import Region
from shared.backupfile.container import Entry, expand_record, read_index, read_record
from shared.backupfile.reader import HEADER_LIMIT
from shared.errors import BackupFileError
from shared.verification.backup import CHUNK, Backup
from shared.verification.blockwalk import Part, is_at_end, leave_bulk, step
from shared.verification.check import Check, Cursor, Finding
from shared.verification.plain import next_part
from shared.vocabulary import VerificationLevel

_RECORDS_OF_HEADERS = 4096
"""The most records that are walked to find where the blocks of a part end."""
_FAR = 1 << 62
_RECORD = struct.Struct("<BBH20xI")
_SHORT_RECORD = struct.Struct("<BBH")
"""As `layout.DATA_RECORD` and `layout.RECORD`, for millions of them; a test holds them together."""


class _Extent(NamedTuple):
    """Where the records of a part begin and end in the file, and what the index says of them."""

    start: int
    end: int
    entries: tuple[Entry, ...]


class _Payload(NamedTuple):
    """A record in a chunk: where it and its payload begin there, and what its header says."""

    is_data: bool
    at: int
    start: int
    length: int
    expanded: int
    checksum: int


class _Sparse:
    """The expanded bytes of a part as a view, from the few records that hold block headers."""

    size = _FAR

    def __init__(self, backup: Backup, start: int, extent: _Extent) -> None:
        self._ranges = backup.ranges
        self._end = extent.end
        self._pieces = [
            [start + entry.address, entry.offset, entry.offset] for entry in extent.entries
        ]
        self._data = [bytearray() for _ in extent.entries]
        self.fault: BackupFileError | None = None

    def at(self, offset: int, length: int, what: str) -> Region:
        number = max((n for n, piece in enumerate(self._pieces) if piece[0] <= offset), default=0)
        piece, data = self._pieces[number], self._data[number]
        first = offset - piece[0]
        try:
            while len(data) < first + length:
                if piece[2] >= self._end or first > len(data) + layout.BLOCK_UNIT * 64:
                    break
                expanded, piece[2] = expand_record(self._ranges, piece[2], piece[0] + len(data))
                data += expanded.data
        except BackupFileError as error:
            self.fault = error
            raise
        if first < 0 or len(data) < first + length:
            raise faults.damaged(
                f"{what} is not where the data index leads", offset, f"{length} bytes", "them there"
            )
        return Region(offset, bytes(data[first : first + length]))

    def located(self, error: BackupFileError) -> BackupFileError:
        """Return an error with a place in the file."""
        if error is self.fault:
            return error
        address = error.offset or 0
        reached = [piece[1] for piece in self._pieces if piece[0] <= address]
        return faults.expanded(error, reached[-1] if reached else self._pieces[0][1])


def advance_records(backup: Backup, check: Check) -> None:
    """Take one step: the blocks of a part, or a chunk of its records."""
    part = backup.part(check.part)
    cursor = check.cursor = check.cursor or Cursor(at=part.start)
    try:
        extent = _extent(backup, part)
        if cursor.at == part.start:
            _walk_blocks(backup, check, part, extent)
            cursor.at = extent.start
            cursor.last = "records"
        if cursor.at < extent.end:
            _pass_records(backup, check, cursor, extent)
        if cursor.at == extent.end:
            backup.check_filemark(check.part)
            next_part(backup, check)
    except BackupFileError as error:
        check.find_error(error)
        check.tally.skipped_bytes += max(0, part.end - cursor.at)
        next_part(backup, check)


def _extent(backup: Backup, part: Part) -> _Extent:
    if part.first == "SSET":
        index = read_index(backup.ranges, part.start, part.end)
        return _Extent(part.start, index.offset, index.entries)
    start = layout.CONTAINER_RECORDS if part.first == "TAPE" else part.start
    return _Extent(start, part.end, (Entry(0, start),))


def _walk_blocks(backup: Backup, check: Check, part: Part, extent: _Extent) -> None:
    """Walk the blocks of a part in its expanded bytes."""
    last = extent.entries[-1]
    length, at = last.address, last.offset
    if extent.end - at > HEADER_LIMIT:
        what = "records with the last blocks"
        raise faults.damaged(what, at, f"{extent.end - at} bytes", f"at most {HEADER_LIMIT}")
    for _ in range(_RECORDS_OF_HEADERS):
        if at >= extent.end:
            break
        record = read_record(backup.ranges, at)
        length, at = length + record.expanded, record.end
    if at != extent.end:
        raise faults.damaged("end of the records", at, at, extent.end)
    check.expanded = 0
    expanded = Part(part.start, part.start + length, part.first, part.sets)
    view = _Sparse(backup, part.start, extent)
    cursor = Cursor(at=part.start)
    try:
        while not is_at_end(cursor, expanded):
            step(view, cursor, expanded, check.tally)
            if cursor.bulk is not None:
                leave_bulk(cursor, cursor.bulk, summed=False)
    except BackupFileError as error:
        check.find_error(view.located(error), cursor.block)


def _pass_records(backup: Backup, check: Check, cursor: Cursor, extent: _Extent) -> None:
    """Check the records of one chunk."""
    start = cursor.at
    data = backup.read(start, min(CHUNK, extent.end - start))
    expected = {entry.offset - start: entry.address for entry in extent.entries}
    payloads: list[_Payload] = []
    at = 0
    while (record := _next_record(data, at, start)) is not None:
        if expected.get(at, check.expanded) != check.expanded:
            what = "expanded length up to the record"
            raise faults.damaged(what, start + at, check.expanded, expected[at])
        if record.is_data:
            payloads.append(record)
            check.expanded += record.expanded
        at = record.start + record.length
    if at == 0:
        raise faults.damaged("length of the record", start, "it reaches past the end", extent.end)
    if check.level is VerificationLevel.DATA:
        _check_sums(check, start, data, payloads)
    check.tally.records += len(payloads)
    check.tally.data_bytes += sum(record.length for record in payloads)
    check.spent += at
    cursor.at = start + at


def _next_record(data: memoryview, at: int, origin: int) -> _Payload | None:
    """Return the record at `at`, or None where no whole one is; `data` begins at `origin`."""
    if at + layout.RECORD_BYTES > len(data):
        return None
    kind, units, length, checksum = (
        _RECORD.unpack_from(data, at)
        if (at + _RECORD.size <= len(data))
        else (*_SHORT_RECORD.unpack_from(data, at), 0)
    )
    if kind not in {layout.RECORD_DATA, layout.RECORD_PADDING}:
        raise faults.damaged("kind of record", origin + at, f"{kind:#04x}", "0x21 or 0x24")
    is_data = kind == layout.RECORD_DATA
    start = at + (layout.DATA_RECORD.size if is_data else layout.RECORD_BYTES)
    if start + length > len(data):
        return None
    return _Payload(is_data, at, start, length, units * layout.RECORD_UNIT, checksum)


def _check_sums(check: Check, origin: int, data: memoryview, payloads: list[_Payload]) -> None:
    # Here and not at the top, as in `plain`.
    from shared.verification.sums import record_sums

    sums = record_sums(data, [(record.start, record.length) for record in payloads])
    for record, seen in zip(payloads, sums, strict=True):
        check.tally.covered_bytes += record.length
        if seen != record.checksum:
            offset = origin + record.at
            check.find(
                Finding(
                    offset=offset,
                    block="record",
                    message=f"the checksum of the record at offset {offset} is wrong: seen"
                    f" {seen:#010x}, expected {record.checksum:#010x}",
                )
            )
