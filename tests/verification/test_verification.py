"""What is found, what is not, and how little is read for it."""

from __future__ import annotations

import random
import tracemalloc
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleDatabase, appended, compressed
from shared.backupfile import BytesSource, FileSource
from shared.verification import advance, begin, verdict_of
from shared.verification import backup as opened
from shared.vocabulary import VerificationLevel
from tests.backupfile.real_backups import RealBackup, each, needs_real_backups, real_backups
from tests.backupfile.sources import CountingSource
from tests.backupfile.walk import walk, with_checksums_repaired
from tests.verification.running import turned, verified, verified_source, victims

EXTENT = 65536


@lru_cache(maxsize=1)
def samples() -> dict[str, bytes]:
    """Whole files of all styles."""
    files: dict[str, bytes] = {}
    for version in ("2005", "2008R2", "2014", "2022"):
        database = SampleDatabase("Sales", version=version, data_bytes=2 * EXTENT)
        full, log = database.full(), database.log()
        files[f"full {version}"] = full.to_bytes()[0]
        files[f"log {version}"] = log.to_bytes()[0]
        files[f"appended {version}"] = appended(full, log, database.differential()).to_bytes()[0]
        files[f"compressed {version}"] = compressed(files[f"full {version}"])
        files[f"compressed log {version}"] = compressed(files[f"log {version}"])
    wide = SampleDatabase("Wide", filemark_size=4096, checksums=False, data_bytes=EXTENT)
    files["stripe"], _ = wide.full(stripes=2).to_bytes()
    files["compressed stripe"] = compressed(files["stripe"])
    return files


names = pytest.mark.parametrize("name", samples())


@names
@pytest.mark.parametrize("level", VerificationLevel)
def test_whole_file_is_good(name: str, level: VerificationLevel) -> None:
    check = verified(samples()[name], level)

    assert check.findings == []
    assert verdict_of(check).result == "good"


@each()
@pytest.mark.parametrize("level", VerificationLevel)
def test_real_backup_is_good(backup: RealBackup, level: VerificationLevel) -> None:
    check = verified_source(FileSource(backup.path), level)

    assert check.findings == []
    assert check.tally.skipped_bytes == check.tally.unknown_blocks == 0


def _hunt(files: list[bytes], flips: int) -> None:
    chance = random.Random(42)  # noqa: S311 which bits are turned, no secret
    kinds = set()
    for number in range(flips):
        data = files[number % len(files)]
        victim = chance.choice(victims(data))
        kinds.add(victim.kind)

        check = verified(turned(data, victim, chance))

        offsets = [finding.offset for finding in check.findings]
        assert offsets, f"a bit in {victim} was not missed"
        if victim.kind not in {"block", "stream"}:
            assert victim.named in offsets, f"{victim} is named {check.findings}"
    assert {"block", "stream", "sum", "record"} <= kinds


def test_every_turned_bit_of_samples_is_found_and_its_place_named() -> None:
    _hunt([data for name, data in samples().items() if "appended" not in name], 300)


@needs_real_backups
def test_thousand_turned_bits_in_real_backups_are_found_and_their_places_named() -> None:
    _hunt([b.path.read_bytes() for b in real_backups() if b.facts["sets"]], 1000)


@needs_real_backups
@pytest.mark.parametrize("kind", ["page", "page header"])
def test_turned_bit_of_a_page_names_file_and_page(kind: str) -> None:
    chance = random.Random(7)  # noqa: S311 which bits are turned, no secret
    data = next(
        backup.path.read_bytes()
        for backup in real_backups()
        if any(victim.kind == "page" for victim in victims(backup.path.read_bytes()))
    )
    for _ in range(60):
        victim = chance.choice([v for v in victims(data) if v.kind == kind])
        (finding,) = verified(turned(data, victim, chance)).findings
        assert finding.offset == victim.start
        assert finding.block == "MSDA"
        assert finding.page_number is not None
        assert finding.file_id is not None


@names
def test_pieces_of_any_size_come_to_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = BytesSource(samples()[name])
    whole = verified_source(source, VerificationLevel.DATA)
    for module in ("plain", "records"):
        monkeypatch.setattr(f"shared.verification.{module}.CHUNK", EXTENT)

    pieces = verified_source(source, VerificationLevel.DATA, budget=1)

    assert pieces.model_copy(update={"spent": whole.spent}) == whole


def test_position_moves_on_and_stays_small() -> None:
    source = BytesSource(samples()["full 2022"])
    check = begin(source, VerificationLevel.DATA)
    seen = [check.at]
    while not check.done:
        check = advance(source, check, 1)
        seen.append(check.at)
        assert len(check.model_dump_json()) < 1500

    assert seen == sorted(seen)
    assert seen[-1] == source.size


class _Sparse:
    """A file of which pages and log are holes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes) -> int:
        if len(data) >= EXTENT:
            self._file.seek(len(data), 1)
        else:
            self._file.write(data)
        return len(data)

    def close(self) -> None:
        self._file.close()


def _hollow(path: Path, megabytes: int) -> Path:
    database = SampleDatabase("Big", data_bytes=megabytes * 2**20, checksums=False)
    out = _Sparse(path)
    database.full().write_family(1, out)  # type: ignore[arg-type] # only writes are needed
    out.close()
    return path


def test_structure_of_a_gigabyte_costs_less_than_a_percent(tmp_path: Path) -> None:
    class Counting(FileSource):
        count = 0

        def read(self, offset: int, length: int) -> bytes:
            Counting.count += length
            return super().read(offset, length)

    source = Counting(_hollow(tmp_path / "big.bak", 1024))

    check = verified_source(source, VerificationLevel.STRUCTURE)

    assert source.size > 2**30
    assert check.findings == []
    assert Counting.count < source.size / 100


def test_memory_stays_below_64_mib(tmp_path: Path) -> None:
    source = FileSource(_hollow(tmp_path / "big.bak", 200))
    tracemalloc.start()
    try:
        check = verified_source(source, VerificationLevel.DATA)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert check.findings == []
    assert peak < 64 * 2**20


@pytest.mark.parametrize("level", VerificationLevel)
def test_what_is_no_backup_is_a_finding(level: VerificationLevel) -> None:
    for data in (b"", b"hello, world", samples()["full 2022"][:-600]):
        check = verified(data, level)
        assert check.done
        assert len(check.findings) == 1
        assert check.findings[0].reason_code in {"EmptyBlob", "NotABackup", "HeaderUnreadable"}


def test_damage_in_one_set_leaves_the_others_to_be_checked() -> None:
    data = bytearray(samples()["appended 2022"])
    blocks = [part for part in walk(data) if part.tag == "MSDA"]
    data[blocks[0].offset + 20] ^= 1
    data[blocks[-1].offset + 20] ^= 1

    check = verified(data, VerificationLevel.STRUCTURE)

    assert [f.offset for f in check.findings] == [blocks[0].offset, blocks[-1].offset]
    assert check.tally.skipped_bytes > 0
    assert "behind the damage were not checked" in verdict_of(check).notes[-1]


def test_findings_beyond_the_first_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.verification.check.FINDINGS_KEPT", 2)
    whole = samples()["compressed 2022"]
    data = bytearray(whole)
    records = [part for part in walk(whole) if part.tag == "DATA"][1:-1]
    for part in records:
        data[part.offset + 40] ^= 1

    ended = verified(data, VerificationLevel.DATA)
    damaged_headers = verified(data, VerificationLevel.HEADER)

    assert [len(ended.findings), ended.findings_dropped] == [1, 0]
    assert ended.findings == damaged_headers.findings
    for part in records[:1] + records[-1:]:
        data[part.offset + 40] ^= 1
    ended = verified(data)
    assert len(ended.findings) == 2
    assert ended.findings_dropped == len(records) - 4
    assert verdict_of(ended).result == "damaged"


@pytest.mark.parametrize(
    ("checksums", "note"),
    [(True, "Taken WITH CHECKSUM: all"), (False, "Taken without CHECKSUM: ")],
)
def test_verdict_says_what_cannot_be_checked(checksums: bool, note: str) -> None:
    backup = SampleDatabase("Sales", data_bytes=EXTENT, checksums=checksums).full()

    notes = verdict_of(verified(backup.to_bytes()[0])).notes

    assert notes[0].startswith(note)
    assert any("of log carry none" in line for line in notes) is not checksums


def test_file_that_changes_on_the_way_is_a_finding() -> None:
    data = samples()["full 2022"]
    check = begin(BytesSource(data), VerificationLevel.DATA)

    check = advance(BytesSource(data[: len(data) // 2]), check, 1)

    assert check.done
    assert "truncated" in check.findings[0].message


def test_one_read_more_than_the_headers_for_each_chunk() -> None:
    data = samples()["full 2022"]
    source = CountingSource(data)
    verified_source(source, VerificationLevel.DATA)

    assert max(length for _, length in source.reads) <= opened.CHUNK
    assert source.bytes_read < 3 * len(data)


indexes = st.sampled_from(sorted(samples()))


@settings(deadline=2000, max_examples=100)
@given(indexes, st.data())
def test_damaged_files_give_findings_and_nothing_else(name: str, data: st.DataObject) -> None:
    whole = samples()[name]
    parts = list(walk(whole))
    lying = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        part = data.draw(st.sampled_from(parts))
        at = min(len(lying) - 1, part.offset + data.draw(st.integers(0, 120)))
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        value = data.draw(st.sampled_from([0, 1, 7, 22, 512, 0xFFFF, 2**32 - 1, 2**63, 2**64 - 1]))
        lying[at : at + width] = value.to_bytes(8, "little")[: len(lying[at : at + width])]
    for damaged in (bytes(lying), with_checksums_repaired(lying, parts)):
        for level in VerificationLevel:
            assert verified(damaged, level).done


@settings(deadline=2000, max_examples=100)
@given(indexes, st.data())
def test_cut_file_is_found(name: str, data: st.DataObject) -> None:
    whole = samples()[name]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    check = verified(cut)
    ends = {part.offset + part.length for part in walk(whole) if part.tag == "SFMB"}
    assert check.findings or len(cut) in ends
