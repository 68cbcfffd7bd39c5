"""What the reader makes of whole, truncated, damaged and foreign files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from local.samples import SampleBackup, SampleDatabase, appended
from local.samples.writer import write_backup
from shared.backupfile import BytesSource, FileSource, layout, read_backup, reader
from shared.backupfile.ranges import WINDOW
from shared.backupset import BackupType, MediaLabel
from shared.errors import BackupFileError
from tests.backupfile.sources import CountingSource
from tests.backupfile.walk import Part, walk, with_checksums_repaired


def one_log() -> SampleBackup:
    database = SampleDatabase("Sales", data_bytes=65536)
    database.full()
    return database.log()


def written(label: MediaLabel, backup: SampleBackup | None = None) -> bytes:
    out = io.BytesIO()
    write_backup(out, label, backup.sets if backup else ())
    return out.getvalue()


def refusal_of(data: bytes) -> BackupFileError:
    with pytest.raises(BackupFileError) as refusal:
        read_backup(BytesSource(data))
    assert refusal.value.action
    return refusal.value


def part_of(data: bytes | bytearray, tag: str) -> Part:
    return next(part for part in walk(data) if part.tag == tag)


@pytest.mark.parametrize(
    ("data", "reason_code", "message"),
    [
        (b"", "EmptyBlob", "0 bytes"),
        (b"hello, world", "NotABackup", "begins with 68 65 6c 6c 6f"),
        (b"PK\x03\x04" + bytes(5000), "NotABackup", "begins with 50 4b 03 04"),
        (bytes(100_000), "NotABackup", "begins with 00 00"),
        (b"TAPE recorders, all that we know: " * 99, "NotABackup", "no tape header follows"),
        (b"MSSQLBAK" + bytes(9000), "UnsupportedBackupType", "container of version 0"),
        (b"MSSQLBAK\2\0\0\0" + bytes(9000), "UnsupportedBackupType", "record of kind 0x00"),
        (b"MSSQLBAK", "HeaderUnreadable", "truncated"),
        (b"MSSQ", "HeaderUnreadable", "truncated"),
        (b"TA", "HeaderUnreadable", "truncated or still being written: it has 2 bytes"),
        (b"TAPE", "HeaderUnreadable", "truncated or still being written: it has 4 bytes"),
    ],
)
def test_what_is_no_readable_backup_is_refused_by_code(
    data: bytes, reason_code: str, message: str
) -> None:
    refusal = refusal_of(data)

    assert refusal.reason_code == reason_code
    assert message in refusal.message


def test_tape_format_file_of_other_software_is_no_backup() -> None:
    label = one_log().labels[0].model_copy(update={"software_name": "NTBackup"})

    refusal = refusal_of(written(label))

    assert refusal.reason_code == "NotABackup"
    assert "written by 'NTBackup'" in refusal.message


def test_media_header_without_a_set_has_no_sets() -> None:
    label = one_log().labels[0]

    content = read_backup(BytesSource(written(label)))

    assert content.label == label
    assert content.sets == ()


def test_media_password_does_not_hide_the_header() -> None:
    backup = one_log()
    label = backup.labels[0].model_copy(update={"has_password": True, "media_name": "Tape 7"})

    content = read_backup(BytesSource(written(label, backup)))

    assert content.label == label
    assert content.sets[0][0] == backup.header


@pytest.mark.parametrize("missing", [1, 511, 512, 513, 3000, 65536, 70000])
def test_truncated_file_says_so_with_its_size(missing: int) -> None:
    data = one_log().to_bytes()[0][:-missing]

    refusal = refusal_of(data)

    assert refusal.reason_code == "HeaderUnreadable"
    assert "truncated" in refusal.message
    assert f"{len(data)} bytes" in refusal.message
    assert "no valid filemark" in refusal.message


def test_file_with_something_behind_it_has_no_filemark_at_its_end() -> None:
    refusal = refusal_of(one_log().to_bytes()[0] + bytes(512))

    assert "no valid filemark (SFMB, 512 bytes) ends it" in refusal.message


def test_file_cut_before_the_end_of_its_set_is_truncated() -> None:
    data = one_log().to_bytes()[0]

    refusal = refusal_of(data[: part_of(data, "ESET").offset])

    assert "truncated" in refusal.message
    assert "before the end of a set" in refusal.message


@pytest.mark.parametrize("tag", ["TAPE", "RAID", "SFMB", "SSET", "VOLB", "MSCI"])
def test_damaged_header_names_the_block_its_offset_and_the_checksums(tag: str) -> None:
    data = bytearray(one_log().to_bytes()[0])
    part = part_of(data, tag)
    data[part.offset + 14] ^= 0x40

    refusal = refusal_of(bytes(data))

    assert refusal.reason_code == "HeaderUnreadable"
    assert "damaged: checksum of" in refusal.message
    assert f"at offset {part.offset}: seen 0x" in refusal.message
    assert "truncated" not in refusal.message
    assert refusal.offset == part.offset


def test_damaged_final_header_is_missed_at_the_end_of_the_set() -> None:
    data = bytearray(one_log().to_bytes()[0])
    data[part_of(data, "MSLS").offset + 14] ^= 0x40

    assert "seen no block MSLS" in refusal_of(bytes(data)).message


def test_impossible_date_is_damage() -> None:
    data = bytearray(one_log().to_bytes()[0])
    start = part_of(data, "MSLS").offset + 56 + 22 + layout.SCIN.offset_of("backup_finish_date")
    data[start : start + 5] = b"\x1f\xbf\xff\xff\xff"

    refusal = refusal_of(bytes(data))

    assert refusal.offset == start
    assert "backup_finish_date of SCIN" in refusal.message


def test_unknown_backup_type_is_refused_by_its_letter() -> None:
    data = bytearray(one_log().to_bytes()[0])
    start = part_of(data, "MSLS").offset + 56 + 22 + layout.SCIN.offset_of("type_letter")
    data[start] = ord("X")

    refusal = refusal_of(bytes(data))

    assert refusal.reason_code == "UnsupportedBackupType"
    assert f"'X' at offset {start}" in refusal.message


def test_file_of_a_type_that_is_not_known_has_no_type() -> None:
    data = bytearray(one_log().to_bytes()[0])
    start = data.rindex(b"SFIN") + layout.SFIN.offset_of("type")
    data[start] = 3

    (_, files), *_ = read_backup(BytesSource(bytes(data))).sets

    assert [file.type for file in files] == ["D", None]


@pytest.mark.parametrize("version", ["2019", "2022", "2025"])
def test_lsns_of_the_tail_are_reported_not_those_of_the_head(version: str) -> None:
    backup = SampleDatabase("Sales", version=version, data_bytes=65536).full()
    data = backup.to_bytes()[0]
    start = layout.SCIN.offset_of("first_lsn")
    head, tail = (
        data[part_of(data, tag).offset + 56 + 22 + start :][:30] for tag in ("MSCI", "MSLS")
    )
    assert head != tail

    (header, _), *_ = read_backup(BytesSource(data)).sets

    assert header == backup.header


@pytest.mark.parametrize("filemark_size", [512, 4096, 65536])
def test_appended_sets_are_all_read_however_many(filemark_size: int) -> None:
    sales = SampleDatabase("Sales", data_bytes=65536, filemark_size=filemark_size)
    people = SampleDatabase("People", data_bytes=65536, filemark_size=filemark_size)
    # More sets than one filemark of 512 bytes has room to list.
    backups = [sales.full(), people.full(), *(sales.log(size=512) for _ in range(30))]
    together = appended(*backups, people.differential())
    source = CountingSource(together.to_bytes()[0])

    content = read_backup(source)

    assert content == together.contents[0]
    assert [header.position for header, _ in content.sets] == list(range(1, 34))
    assert len(source.reads) <= (3 if filemark_size < WINDOW else 5) + 2 * len(backups)


def test_more_sets_than_are_read_are_refused_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SET_LIMIT", 3)
    data = appended(*[one_log()] * 4).to_bytes()[0]

    refusal = refusal_of(data)

    assert refusal.reason_code == "AppendedBackups"
    assert "more than 3 backup sets" in refusal.message


def test_header_of_many_files_costs_one_read_more() -> None:
    database = SampleDatabase(
        "Wide", filegroups=["PRIMARY", "Sales", "Archive"], files_per_filegroup=100
    )
    backup = database.full()
    source = CountingSource(backup.to_bytes()[0])

    content = read_backup(source)

    assert content == backup.contents[0]
    assert len(content.sets[0][1]) == 301
    assert {file.file_group_name for file in backup.files} == {"PRIMARY", "Sales", "Archive", None}
    assert len(source.reads) == 3


def test_header_longer_than_is_believed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "HEADER_LIMIT", 1000)

    assert "expected at most 1000" in refusal_of(one_log().to_bytes()[0]).message


def test_blocks_of_64_kb_cost_three_reads_more() -> None:
    backup = SampleDatabase("Sales", filemark_size=65536).full()
    source = CountingSource(backup.to_bytes()[0])

    assert read_backup(source) == backup.contents[0]
    assert len(source.reads) == 5


@pytest.mark.parametrize(("column", "flag"), layout.FLAG_COLUMNS.items())
def test_flag_sets_its_column(column: str, flag: int) -> None:
    database = SampleDatabase("Sales", data_bytes=65536, checksums=False)
    database.full()

    plain, flagged = (
        read_backup(BytesSource(database.log(flags=flags).to_bytes()[0])).sets[0][0]
        for flags in (0, flag)
    )

    assert not any(getattr(plain, name) for name in layout.FLAG_COLUMNS)
    assert [name for name in layout.FLAG_COLUMNS if getattr(flagged, name)] == [column]


def test_copy_only_is_also_told_by_the_set_attributes() -> None:
    data = bytearray(one_log().to_bytes()[0])
    sset = part_of(data, "SSET").offset
    data[sset + layout.SSET.offset_of("attributes")] |= layout.SSET_COPY_ONLY

    assert read_backup(BytesSource(bytes(data))).sets[0][0].is_copy_only


def test_lone_surrogate_in_a_name_is_replaced() -> None:
    data = one_log().to_bytes()[0]
    name = "Sales".encode("utf-16-le")
    lone = "Sal\ud800s".encode("utf-16-le", "surrogatepass")

    header = read_backup(BytesSource(data.replace(name, lone))).sets[0][0]

    assert header.database_name == "Sal\ufffds"


def test_absurdly_long_name_is_damage() -> None:
    data = bytearray(one_log().to_bytes()[0])
    start = part_of(data, "MSLS").offset + 56 + 22 + layout.SCIN.offset_of("database_name")
    data[start : start + 2] = (0x400).to_bytes(2, "little")

    refusal = refusal_of(with_checksums_repaired(data, list(walk(data))))

    assert "the text database name" in refusal.message
    assert "expected an even number up to 512" in refusal.message


def test_file_that_shrinks_while_it_is_read_has_changed() -> None:
    class Shrinking(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            return super().read(offset, length)[: WINDOW // 2]

    with pytest.raises(BackupFileError, match="changed while it was read") as refusal:
        read_backup(Shrinking(one_log().to_bytes()[0]))

    assert refusal.value.reason_code == "HeaderUnreadable"


def test_error_of_the_source_passes() -> None:
    class Broken(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            raise OSError("the network is down")

    with pytest.raises(OSError, match="the network is down"):
        read_backup(Broken(b"TAPE"))


def test_file_on_disk_reads_like_bytes(tmp_path: Path) -> None:
    backup = one_log()
    (path,) = backup.write(tmp_path)

    content = read_backup(FileSource(path))

    assert content == read_backup(BytesSource(path.read_bytes())) == backup.contents[0]
    assert content.sets[0][0].backup_type is BackupType.LOG
