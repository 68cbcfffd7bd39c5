"""The histories that samples play: the rules of SQL Server hold in the headers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleBackup, SampleDatabase, appended
from local.samples.versions import VERSIONS
from shared.backupfile import BytesSource, FileSource, layout, read_backup
from shared.backupset import BackupType
from shared.lsn import Lsn


def small(name: str = "Sales", **options: object) -> SampleDatabase:
    return SampleDatabase(name, data_bytes=65536, **options)  # type: ignore[arg-type]  # passed on


def play(database: SampleDatabase, steps: str) -> list[SampleBackup]:
    """F full, C copy-only full, D differential, L log, c copy-only log, R restore and fork."""
    backups: list[SampleBackup] = []
    for step in steps:
        if step == "F":
            backups.append(database.full(stripes=2))
        elif step == "C":
            backups.append(database.full(copy_only=True))
        elif step == "D":
            backups.append(database.differential())
        elif step == "L":
            backups.append(database.log())
        elif step == "c":
            backups.append(database.log(copy_only=True))
        else:
            database.fork(backups[len(backups) // 2])
    return backups


@settings(deadline=5000, max_examples=40)
@given(
    st.sampled_from(sorted(VERSIONS)),
    st.integers(0, 2**32),
    st.text("FCDLcR", max_size=12),
)
def test_all_files_of_a_history_are_read_back(version: str, seed: int, steps: str) -> None:
    backups = play(small(version=version, seed=seed), "F" + steps)

    for backup in backups:
        for data, content in zip(backup.to_bytes(), backup.contents, strict=True):
            assert read_backup(BytesSource(data)) == content


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_logs_follow_each_other_without_gap(seed: int, count: int) -> None:
    database = small(seed=seed)
    full = database.full()

    logs = [database.log(size=400_000).header for _ in range(count)]

    assert logs[0].first_lsn <= full.header.last_lsn < logs[0].last_lsn
    assert all(log.last_lsn == following.first_lsn for log, following in pairwise(logs))
    assert [log.begins_log_chain for log in logs] == [True] + [False] * (count - 1)
    assert all(log.database_backup_lsn == full.header.checkpoint_lsn for log in logs)


def test_full_and_differential_do_not_break_the_log_chain() -> None:
    database = small()

    first, *_, last = (b.header for b in play(database, "FLFDL") if "LOG" in b.stem)

    assert first.last_lsn == last.first_lsn


def test_differential_is_based_on_the_latest_full_that_is_not_copy_only() -> None:
    first, second, copy, log, differential = (b.header for b in play(small(), "FFCLD"))

    assert differential.differential_base_lsn == second.checkpoint_lsn
    assert differential.differential_base_guid == second.backup_set_guid
    assert differential.database_backup_lsn == second.checkpoint_lsn
    assert copy.is_copy_only
    assert copy.database_backup_lsn == second.checkpoint_lsn
    assert first.database_backup_lsn == 0
    assert second.database_backup_lsn == first.checkpoint_lsn
    assert log.differential_base_lsn is None


def test_copy_only_log_is_overlapped_by_the_next_log() -> None:
    _, copy, log = (backup.header for backup in play(small(), "FcL"))

    assert copy.is_copy_only
    assert copy.first_lsn == log.first_lsn
    assert copy.last_lsn < log.last_lsn


def test_empty_log_stands_at_the_end_of_the_log_before() -> None:
    database = small()
    database.full()
    log = database.log().header

    empty = database.empty_log().header

    assert empty.first_lsn == empty.last_lsn == log.last_lsn
    assert database.log().header.first_lsn == log.last_lsn


def test_empty_log_needs_a_log_right_before() -> None:
    database = small()
    database.full()

    with pytest.raises(ValueError, match="there is log of Sales"):
        database.empty_log()


def test_tail_log_is_the_last_backup() -> None:
    database = small()
    database.full()
    tail = database.tail_log().header

    assert tail.is_force_offline
    assert tail.flags & layout.FLAG_TAIL_LOG
    with pytest.raises(ValueError, match="offline since its tail-log backup"):
        database.log()


def test_log_after_a_fork_begins_at_the_fork_point() -> None:
    database = small()
    full, first, second = play(database, "FLL")
    database.fork(first)

    header = database.log().header

    assert header.first_lsn == first.header.last_lsn == second.header.first_lsn
    assert header.recovery_fork_id != first.header.recovery_fork_id
    assert header.first_recovery_fork_id == first.header.recovery_fork_id
    assert header.fork_point_lsn == header.first_lsn
    assert header.family_guid == full.header.family_guid
    assert header.binding_id != full.header.binding_id


def test_log_after_a_stop_inside_a_log_crosses_the_fork_point() -> None:
    database = small()
    _, first = play(database, "FL")
    database.fork(first, blocks_before_end=3)
    backup = database.log()
    following = database.log()

    (header, _), *_ = read_backup(BytesSource(backup.to_bytes()[0])).sets

    assert header.first_lsn == first.header.first_lsn
    assert header.first_recovery_fork_id == first.header.recovery_fork_id
    assert header.recovery_fork_id == following.header.first_recovery_fork_id
    assert header.fork_point_lsn is not None
    assert header.first_lsn < header.fork_point_lsn < first.header.last_lsn
    assert header == backup.header
    assert following.header.fork_point_lsn is None


def test_fork_goes_back_to_the_differential_base_of_then() -> None:
    database = small()
    first, second = play(database, "FF")
    database.fork(first)

    differential = database.differential().header

    assert differential.differential_base_guid == first.header.backup_set_guid
    assert differential.last_lsn != second.header.last_lsn


def test_simple_recovery_ends_the_chain_and_a_data_backup_begins_one() -> None:
    database = small()
    _, before = play(database, "FL")
    database.set_recovery_model("SIMPLE")
    simple = database.differential()
    database.set_recovery_model("FULL")
    with pytest.raises(ValueError, match="needs the full or bulk-logged recovery"):
        database.log()
    bridge = database.differential()

    after = database.log().header

    assert simple.header.recovery_model == "SIMPLE"
    assert after.begins_log_chain
    assert before.header.last_lsn < after.first_lsn <= bridge.header.last_lsn


def test_what_the_server_would_refuse_is_refused() -> None:
    database = small()
    with pytest.raises(ValueError, match="needs the full or bulk-logged recovery"):
        database.log()
    with pytest.raises(ValueError, match="needs a full backup first"):
        database.differential()
    full = database.full()
    with pytest.raises(ValueError, match="is no log of more than 1 blocks"):
        database.fork(full, blocks_before_end=1)
    with pytest.raises(ValueError, match="take log backups more often"):
        database.log(size=32 * 1024 * 1024)


def test_log_numbers_go_on_across_virtual_log_files() -> None:
    database = small()
    database.full()

    lsns = [database.log(size=1_500_000).header.last_lsn for _ in range(9)]

    assert lsns == sorted(lsns)
    assert lsns[-1].parts[0] - lsns[0].parts[0] >= 6
    assert all(block >= 16 for _, block, _ in (lsn.parts for lsn in lsns))


def test_same_seed_makes_the_same_bytes() -> None:
    def files(seed: int) -> list[bytes]:
        return [data for backup in play(small(seed=seed), "FLDL") for data in backup.to_bytes()]

    assert files(1) == files(1)
    assert files(1) != files(2)


def test_databases_of_one_seed_share_nothing() -> None:
    sales, people = small("Sales").full().header, small("People").full().header

    assert sales.family_guid != people.family_guid
    assert sales.backup_set_guid != people.backup_set_guid


def test_stripes_share_the_media_set_and_nothing_else(tmp_path: Path) -> None:
    backup = small().full(stripes=3)

    contents = [read_backup(FileSource(path)) for path in backup.write(tmp_path)]

    assert backup.file_names == (
        "Sales_FULL_20260301_021500_1.bak",
        "Sales_FULL_20260301_021500_2.bak",
        "Sales_FULL_20260301_021500_3.bak",
    )
    assert {content.label.media_set_id for content in contents} == {backup.labels[0].media_set_id}
    assert [content.label.family_sequence_number for content in contents] == [1, 2, 3]
    assert len({content.label.media_family_id for content in contents}) == 3
    assert len({content.sets for content in contents}) == 1


def test_names_that_files_cannot_have_stay_in_the_header(tmp_path: Path) -> None:
    backup = small("../a:b").full()

    (path,) = backup.write(tmp_path)

    assert path.parent == tmp_path
    assert path.name == ".._a_b_FULL_20260301_021500.bak"
    assert read_backup(FileSource(path)).sets[0][0].database_name == "../a:b"


def test_appended_sets_of_two_databases_keep_their_headers() -> None:
    log = play(small("Sales"), "FL")[1]
    full = small("People").full()

    together = appended(log, full)

    assert [sample.header.database_name for sample in together.sets] == ["Sales", "People"]
    assert [sample.header.position for sample in together.sets] == [1, 2]
    assert together.sets[1].header.backup_size == full.header.backup_size - 1024
    assert read_backup(BytesSource(together.to_bytes()[0])) == together.contents[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_header_tells_the_version(version: str) -> None:
    header = small(version=version).full().header

    assert header.software_version_major == VERSIONS[version].major
    assert header.database_version == VERSIONS[version].database_version
    assert (header.compressed_backup_size is None) == (version == "2005")


def test_clock_and_lsns_only_go_forward() -> None:
    headers = [backup.header for backup in play(small(seed=3), "FLLDLFLcLCL")]

    for header, following in pairwise(headers):
        assert header.backup_start_date is not None
        assert following.backup_start_date is not None
        assert header.backup_start_date < following.backup_start_date
        assert header.last_lsn <= following.last_lsn
        assert isinstance(header.checkpoint_lsn, Lsn)
    assert {header.backup_type for header in headers} == {
        BackupType.DATABASE,
        BackupType.LOG,
        BackupType.DIFFERENTIAL,
    }
