"""Any file gives a model or our error, and soon: cut, flipped, and with lengths that lie."""

from __future__ import annotations

import time
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleDatabase, appended, compressed
from shared.backupfile import read_backup
from shared.backupfile.ranges import WINDOW
from shared.backupset import BackupContent
from shared.errors import BackupFileError
from tests.backupfile.real_backups import real_backups
from tests.backupfile.sources import CountingSource
from tests.backupfile.walk import Part, walk, with_checksums_repaired

_CODES = {"EmptyBlob", "NotABackup", "HeaderUnreadable", "UnsupportedBackupType", "AppendedBackups"}
_READS = 12
"""The most reads of these files, which have up to three sets: far below one per block."""


def outcome(data: bytes) -> BackupContent | BackupFileError:
    """Read a file within bounds of effort; anything but a model or our error fails the test."""
    source = CountingSource(data)
    result: BackupContent | BackupFileError
    try:
        result = read_backup(source)
    except BackupFileError as error:
        result = error
    assert len(source.reads) <= _READS
    assert source.bytes_read <= _READS * WINDOW + len(data)
    if isinstance(result, BackupFileError):
        assert result.reason_code in _CODES
        assert result.message
        assert result.action
    return result


@lru_cache(maxsize=1)
def victims() -> tuple[bytes, ...]:
    """Small samples of all styles, and the smallest real files of each release."""
    files = []
    for version in ("2005", "2008R2", "2014", "2022"):
        database = SampleDatabase("Sales", version=version, data_bytes=65536)
        files.append(database.full().to_bytes()[0])
        log = database.log()
        files += [log.to_bytes()[0], appended(log, database.log(), database.log()).to_bytes()[0]]
        files += [compressed(files[-3]), compressed(files[-1])]
    wide = SampleDatabase("Wide", filemark_size=4096, filegroups=["PRIMARY", "Second"])
    files += wide.full(stripes=2).to_bytes()
    smallest: dict[str, bytes] = {}
    for backup in sorted(real_backups(), key=lambda backup: backup.facts["size"]):
        kind = backup.facts["shows"][0] + " compressed" * backup.is_compressed
        if kind not in smallest:
            smallest[kind] = backup.path.read_bytes()
    return (*files, *smallest.values())


@lru_cache(maxsize=64)
def parts_of(index: int) -> list[Part]:
    return list(walk(victims()[index]))


indexes = st.integers(0, len(victims()) - 1)


def offsets(index: int) -> st.SearchStrategy[int]:
    """Offsets, most of them in and behind the headers of blocks and streams."""
    size = len(victims()[index])
    near = st.builds(
        lambda part, delta: min(size - 1, part.offset + delta),
        st.sampled_from(parts_of(index)),
        st.integers(0, 1200),
    )
    return st.one_of(near, st.integers(0, size - 1))


@settings(deadline=2000, max_examples=150)
@given(st.data(), indexes)
def test_cut_file_is_refused_or_a_whole_shorter_one(data: st.DataObject, index: int) -> None:
    whole = victims()[index]
    cut = whole[: data.draw(offsets(index))]

    result = outcome(cut)

    if isinstance(result, BackupContent):
        assert result.sets == read_backup(CountingSource(whole)).sets[: len(result.sets)]
        assert len(result.sets) < len(read_backup(CountingSource(whole)).sets)
    elif cut:
        assert result.reason_code == "HeaderUnreadable"
        assert "truncated" in result.message


@settings(deadline=2000, max_examples=300)
@given(st.data(), indexes)
def test_flipped_bits_give_a_model_or_our_error(data: st.DataObject, index: int) -> None:
    damaged = bytearray(victims()[index])
    for offset in data.draw(st.lists(offsets(index), min_size=1, max_size=4)):
        damaged[offset] ^= data.draw(st.integers(1, 255))

    outcome(bytes(damaged))


_LIES = [0, 1, 7, 8, 22, 511, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1]


@settings(deadline=2000, max_examples=400)
@given(st.data(), indexes)
def test_lengths_and_offsets_that_lie_give_a_model_or_our_error(
    data: st.DataObject, index: int
) -> None:
    lying = bytearray(victims()[index])
    for offset in data.draw(st.lists(offsets(index), min_size=1, max_size=3)):
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        value = data.draw(st.one_of(st.sampled_from(_LIES), st.integers(0, len(lying))))
        end = min(len(lying), offset + width)
        lying[offset:end] = value.to_bytes(8, "little")[: end - offset]

    outcome(with_checksums_repaired(lying, parts_of(index)))


@settings(deadline=2000, max_examples=150)
@given(st.binary(max_size=4096))
def test_any_bytes_give_our_error(data: bytes) -> None:
    assert isinstance(outcome(data), BackupFileError)
    assert isinstance(outcome(b"TAPE" + data), BackupFileError)


@settings(deadline=2000, max_examples=60)
@given(indexes, st.binary(min_size=1, max_size=2000), st.data())
def test_pieces_moved_about_give_a_model_or_our_error(
    index: int, noise: bytes, data: st.DataObject
) -> None:
    whole = victims()[index]
    at = data.draw(offsets(index))

    outcome(whole[:at] + noise + whole[at:])
    outcome(whole[:at] + whole[at + len(noise) :])


@pytest.mark.parametrize("index", range(len(victims())))
def test_unharmed_files_are_read(index: int) -> None:
    assert isinstance(outcome(victims()[index]), BackupContent)


@pytest.mark.parametrize("chunk_bytes", [9, 300])
def test_header_of_countless_chunks_costs_little(chunk_bytes: int) -> None:
    database = SampleDatabase("Wide", files_per_filegroup=6000)
    data = bytearray(database.full().to_bytes()[0])
    start = data.index(b"SFIN", data.index(b"MSLS"))
    end = data.index(b"SPAD", data.rindex(b"SFIN"))
    count = (end - start) // chunk_bytes
    chunk = b"SFIN" + chunk_bytes.to_bytes(4, "little") + bytes(chunk_bytes - 8)
    last = chunk[:4] + (end - start - (count - 1) * chunk_bytes).to_bytes(4, "little")
    data[start:end] = (chunk * (count - 1) + last).ljust(end - start, b"\0")
    began = time.perf_counter()

    assert isinstance(outcome(bytes(data)), BackupFileError)

    assert time.perf_counter() - began < 2
