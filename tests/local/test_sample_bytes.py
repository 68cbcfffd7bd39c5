"""The writer of samples: what it writes is read back, and looks like what SQL Server writes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleDatabase, appended
from local.samples.sets import SampleSet
from local.samples.writer import write_backup
from shared.backupfile import BytesSource, read_backup
from shared.backupset import BackupHeader, DatabaseFile, MediaLabel
from tests.backupfile.real_backups import real_backups
from tests.backupfile.walk import Part, walk, words_xor
from tests.local.backup_strategies import database_files, headers, labels


def written(label: MediaLabel, sets: Sequence[SampleSet], filemark_size: int = 512) -> bytes:
    out = io.BytesIO()
    write_backup(out, label, sets, filemark_size=filemark_size)
    return out.getvalue()


@settings(deadline=2000)
@given(labels(), headers(), st.lists(database_files, max_size=4), st.sampled_from([512, 4096]))
def test_whatever_is_written_is_read(
    label: MediaLabel, header: BackupHeader, files: list[DatabaseFile], filemark_size: int
) -> None:
    data = written(label, [SampleSet(header, tuple(files))], filemark_size)

    content = read_backup(BytesSource(data))

    assert content.label == label
    assert content.sets == ((header, tuple(files)),)


def shape(data: bytes) -> list[tuple[str, int]]:
    """Return blocks and streams by type and attributes; runs of log blocks count as one."""
    parts = [(part.tag, part.attributes) for part in walk(data)]
    steps = [(tag, attributes) for tag, attributes in parts if tag not in ("APAD", "SPAD")]
    return [step for step, _ in groupby(steps)]


_ALIKE = {
    "full of 2008 R2": ("2008R2", "full", False, "RestoreTimeClean/RestoreTimeClean.bak"),
    "log of 2008 R2": ("2008R2", "log", False, "RestoreTimeClean/RestoreTimeClean_1.trn"),
    "full with checksum": ("2008R2", "full", True, "SQL2008_db3_FULL_20170518_041739.bak"),
    "log with checksum": ("2008R2", "log", True, "Cube_Query_History_LOG_20170518_041831.trn"),
    "differential": ("2008R2", "differential", False, "difftest-diff1.bak"),
    "full of 2005": ("2005", "full", False, "Northwind-Database/northwind.bak"),
    "full of 2012": ("2012", "full", False, "fugazy18__Database/Library.bak"),
    "full of 2017": ("2017", "full", False, "andreifarafonow__MindBoxSQL/backup.bak"),
    "full of 2019": ("2019", "full", False, "Docmilo__DapperDemo/TestDB.bak"),
    "full of 2019 with checksum": ("2019", "full", True, "Sps-Security/Backup/backup.bak"),
}


@pytest.mark.parametrize("name", _ALIKE)
def test_blocks_and_streams_are_those_of_a_real_file(name: str) -> None:
    version, kind, checksums, path = _ALIKE[name]
    real = [backup for backup in real_backups() if str(backup.path).endswith(path)]
    if not real:
        pytest.skip("needs the real backups of ../shared/backups, which are not here")
    database = SampleDatabase("Sales", version=version, checksums=checksums)
    backup = database.full()
    if kind != "full":
        backup = database.differential() if kind == "differential" else database.log()

    assert shape(backup.to_bytes()[0]) == shape(real[0].path.read_bytes())


def assert_sound(data: bytes) -> None:
    """Check what holds in every real file, by other means than the writer's."""
    parts = list(walk(data))
    start = 0
    for part in parts:
        covered = part.offset + part.checked_bytes
        assert words_xor(data[part.offset : covered]) == struct.unpack_from("<H", data, covered)[0]
        if part.tag == "SSET":
            start = part.offset
        elif part.tag in ("VOLB", "MSCI", "MSDA", "MSTL", "MSLS"):
            (address,) = struct.unpack_from("<Q", data, part.offset + 20)
            assert part.offset == start + 1024 * address
        elif part.tag in ("MQDA", "MQTL") and part.length:
            assert (part.offset + 24) % (512 * data[64]) == 0
    check_stream_sums(data, parts)


def check_stream_sums(data: bytes, parts: list[Part]) -> None:
    for part, following in pairwise(parts):
        if following.tag != "CSUM":
            continue
        total = 0
        for (word,) in struct.iter_unpack("<512s", data[part.offset + 24 :][: part.length - 2]):
            sector = 0
            for (number,) in struct.iter_unpack("<I", word):
                sector ^= number
            total = ((total << 1 | total >> 31) & 0xFFFFFFFF) ^ sector
        assert total == struct.unpack_from("<I", data, following.offset + 22)[0]


@pytest.mark.parametrize("filemark_size", [512, 1024, 4096])
@pytest.mark.parametrize("version", ["2005", "2008R2", "2014", "2025"])
def test_samples_have_the_marks_of_real_files(version: str, filemark_size: int) -> None:
    database = SampleDatabase(
        "Sales", version=version, filemark_size=filemark_size, data_bytes=200_000
    )
    backups = [database.full(stripes=2), database.log(), database.differential()]

    for backup in (*backups, appended(*backups[1:])):
        for data in backup.to_bytes():
            assert_sound(data)


def test_check_of_stream_sums_holds_on_a_real_file() -> None:
    path = "SQL2008_dbOrphanUsers_LOG_20170518_041831.trn"
    real = [backup for backup in real_backups() if backup.path.name == path]
    if not real:
        pytest.skip("needs the real backups of ../shared/backups, which are not here")

    assert_sound(real[0].path.read_bytes())


@pytest.mark.parametrize("filemark_size", [512, 4096])
def test_backup_size_counts_from_label_to_final_header_over_all_families(
    filemark_size: int,
) -> None:
    database = SampleDatabase("Sales", filemark_size=filemark_size)
    backup = database.full(stripes=3)
    total = 0
    for data in backup.to_bytes():
        places = {part.tag: part.offset for part in walk(data) if part.is_block}
        total += places["MSLS"] - places["SSET"] + max(1024, filemark_size)

    assert backup.header.backup_size == backup.header.compressed_backup_size == total


def test_large_backup_is_written_without_holding_it() -> None:
    class Counter(io.RawIOBase):
        length = largest = 0

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            assert isinstance(data, bytes | bytearray)
            self.length += len(data)
            self.largest = max(self.largest, len(data))
            return len(data)

    out = Counter()

    SampleDatabase("Big", data_bytes=32 * 1024 * 1024).full().write_family(1, out)  # type: ignore[arg-type]  # RawIOBase is enough

    assert out.length > 32 * 1024 * 1024
    assert out.largest == 65536
