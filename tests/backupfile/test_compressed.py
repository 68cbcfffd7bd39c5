"""Compressed backups: every record of the real ones, and what the reader makes of damaged ones."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleBackup, SampleDatabase, appended, compressed
from local.samples.xpress import compress
from shared.backupfile import BytesSource, layout, read_backup, reader
from shared.backupfile.sums import record_sum
from shared.backupfile.xpress import expand
from shared.backupset import BackupContent
from shared.errors import BackupFileError
from tests.backupfile.real_backups import RealBackup, each
from tests.backupfile.sources import CountingSource
from tests.backupfile.walk import Part, slow_record_sum, walk, with_checksums_repaired

_HEAD = 28


def sample(**options: Any) -> SampleBackup:
    return SampleDatabase("Sales", data_bytes=65536, **options).full()


def records(data: bytes | bytearray, tag: str = "DATA") -> list[Part]:
    return [part for part in walk(data) if part.tag == tag]


def payload_of(data: bytes, record: Part) -> tuple[bytes, int]:
    """Return a record's payload and the length it expands to."""
    start = record.offset + _HEAD
    return data[start : start + record.length], data[record.offset + 1] * 512


def as_compressed(content: BackupContent) -> BackupContent:
    return content.model_copy(
        update={
            "label": content.label.model_copy(update={"is_compressed": True}),
            "sets": tuple(
                (header.model_copy(update={"compressed": True}), files)
                for header, files in content.sets
            ),
        }
    )


def refusal_of(data: bytes | bytearray) -> BackupFileError:
    with pytest.raises(BackupFileError) as refusal:
        read_backup(BytesSource(bytes(data)))
    assert refusal.value.action
    return refusal.value


@each(compressed=True)
def test_every_record_has_its_checksum_and_expands_to_its_length(backup: RealBackup) -> None:
    data = backup.path.read_bytes()
    for record in records(data):
        payload, length = payload_of(data, record)
        stated = struct.unpack_from("<I", data, record.offset + 24)[0]
        assert record_sum(payload) == slow_record_sum(payload) == stated
        assert len(expand(payload, length)) == length


@each(compressed=True)
def test_records_expand_to_one_unbroken_sequence_of_blocks(backup: RealBackup) -> None:
    data = backup.path.read_bytes()
    expanded = bytearray()
    marks = 0
    for part in walk(data):
        if part.tag == "DATA":
            expanded += expand(*payload_of(data, part))
        elif part.tag == "SFMB":
            expanded += data[part.offset : part.offset + part.length]
            marks += 1
        if marks == 1:  # the label and its filemark fill what stands before the set
            expanded = expanded.ljust(part.offset + part.length, b"\0")

    tags = [part.tag for part in walk(expanded) if part.is_block]

    assert tags[:5] == ["TAPE", "SFMB", "SSET", "VOLB", "MSCI"]
    assert tags[-5:] == ["MSLS", "SFMB", "ESET", "ESET", "SFMB"]
    assert set(tags[5:-5]) == {"MSDA", "MSTL"}


@each(compressed=True)
def test_copy_cut_anywhere_is_truncated(backup: RealBackup) -> None:
    data = backup.path.read_bytes()
    parts = list(walk(data))
    ends = {part.offset + delta for part in parts for delta in (0, 7)} | {len(data) - 1}
    first = next(part for part in parts if part.tag == "SFMB")
    for end in ends - {parts[0].offset, first.offset + first.length}:
        assert "truncated" in refusal_of(data[:end]).message


@settings(deadline=2000, max_examples=200)
@given(st.binary(max_size=600), st.integers(0, 127))
def test_any_payload_expands_to_its_length_or_is_refused(noise: bytes, units: int) -> None:
    table = compress(bytes(range(256)))[:256]
    for payload in (noise, table + noise):
        with suppress(ValueError):
            assert len(expand(payload, units * 512)) == units * 512


@given(st.binary(max_size=1000))
def test_record_sum_is_that_of_the_words_in_turn(payload: bytes) -> None:
    assert record_sum(payload) == slow_record_sum(payload)


@pytest.mark.parametrize("filemark_size", [512, 4096, 65536])
@pytest.mark.parametrize("version", ["2008R2", "2014", "2022"])
def test_compressed_sample_says_what_the_plain_one_says(version: str, filemark_size: int) -> None:
    database = SampleDatabase(
        "Sales", version=version, data_bytes=65536, filemark_size=filemark_size
    )
    striped, log = database.full(stripes=2), database.log(size=512)
    for backup in (striped, log, appended(log, database.differential())):
        for data, content in zip(backup.to_bytes(), backup.contents, strict=True):
            assert read_backup(BytesSource(compressed(data))) == as_compressed(content)


def test_header_costs_two_reads_however_many_records() -> None:
    backup = SampleDatabase("Sales", data_bytes=4 * 2**20).full()
    source = CountingSource(compressed(backup.to_bytes()[0]))

    read_backup(source)

    assert [length for _, length in source.reads] == [65536, 65536]


def test_header_of_many_files_stays_in_bounds() -> None:
    database = SampleDatabase("Wide", filegroups=["PRIMARY", "Sales"], files_per_filegroup=300)
    backup = database.full()
    source = CountingSource(compressed(backup.to_bytes()[0]))

    assert read_backup(source) == as_compressed(backup.contents[0])
    assert len(source.reads) <= 6
    assert source.bytes_read <= 2**20


def test_damaged_record_is_named_by_its_offset() -> None:
    data = bytearray(compressed(sample().to_bytes()[0]))
    for record in (records(data)[0], records(data)[1]):
        damaged = bytearray(data)
        damaged[record.offset + _HEAD + 300] ^= 1

        refusal = refusal_of(damaged)

        assert refusal.reason_code == "HeaderUnreadable"
        assert "checksum of a record" in refusal.message
        assert refusal.offset == record.offset


def test_damage_that_was_compressed_is_named_by_its_record() -> None:
    plain = bytearray(sample().to_bytes()[0])
    msls = next(part for part in walk(plain) if part.tag == "MSLS").offset
    start = msls + 56 + 22 + layout.SCIN.offset_of("backup_finish_date")
    plain[start : start + 5] = b"\x1f\xbf\xff\xff\xff"
    data = compressed(bytes(plain))

    refusal = refusal_of(data)

    assert f"backup_finish_date of SCIN at offset {start}" in refusal.message
    last = max(record.offset for record in records(data)[:-1])
    assert f"its first record is at offset {last} of the file" in refusal.message
    assert refusal.offset == last


@pytest.mark.parametrize("place", ["count", "length", "checksum", "entry", "kind"])
def test_damaged_index_is_damage(place: str) -> None:
    data = bytearray(compressed(sample().to_bytes()[0]))
    (index,) = records(data, "INDEX")
    end = index.offset + layout.RECORD_BYTES + index.length
    at = {
        "count": end - 16 + 4,
        "length": end - 16 + 8,
        "checksum": end - 16 + 12,
        "entry": index.offset + layout.RECORD_BYTES + 16,
        "kind": index.offset,
    }[place]
    data[at] ^= 1

    refusal = refusal_of(data)

    assert refusal.reason_code == "HeaderUnreadable"
    assert "data index" in refusal.message


def test_entry_that_leads_out_of_the_set_is_damage() -> None:
    data = bytearray(compressed(sample().to_bytes()[0]))
    (index,) = records(data, "INDEX")
    at = index.offset + layout.RECORD_BYTES + 16
    entries = bytearray(data[at : at + 16 * data[index.offset + layout.RECORD_BYTES + 4]])
    entries[-8:] = (0x1E0).to_bytes(8, "little")
    data[at : at + len(entries)] = entries
    for head in (index.offset + 24 + 12, index.offset + 24 + index.length - 4):
        data[head : head + 4] = record_sum(bytes(entries)).to_bytes(4, "little")

    assert "order of the data index" in refusal_of(data).message


def test_records_of_another_algorithm_are_named() -> None:
    """Their checksum may be right, or their kind another: neither is damage for certain."""
    data = bytearray(compressed(sample().to_bytes()[0]))
    record = records(data)[1]
    other = bytearray(data)
    at = record.offset + _HEAD
    other[at : at + record.length] = b"\x28\xb5\x2f\xfd" * (record.length // 4) + bytes(
        record.length % 4
    )

    refusal = refusal_of(with_checksums_repaired(other, list(walk(data))))

    assert refusal.reason_code == "UnsupportedBackupType"
    assert "cannot be expanded" in refusal.message
    assert "encrypted" in refusal.message
    other = bytearray(data)
    other[record.offset] = 0x25
    refusal = refusal_of(other)
    assert refusal.reason_code == "UnsupportedBackupType"
    assert "record of kind 0x25" in refusal.message


def test_records_of_the_header_longer_than_is_believed_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "HEADER_LIMIT", 300)
    data = compressed(sample().to_bytes()[0])

    refusal = refusal_of(data)

    assert "records of the final header" in refusal.message
    assert "expected at most 300" in refusal.message
