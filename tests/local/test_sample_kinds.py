"""Every kind of backup that the writer can write is read back, field by field."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.samples import SampleBackup, SampleDatabase, appended
from local.samples.oddities import FOREIGN, ciphered, padded
from local.samples.versions import VERSIONS
from shared.backupfile import BytesSource, FileSource, layout, read_backup
from shared.backupset import BackupType
from shared.errors import BackupFileError
from tests.verification.running import verified

database_names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=128
).filter(lambda name: len(name.encode("utf-16-le")) <= 256)

descriptions = st.text(
    st.characters(codec="cp1252", exclude_characters="\0"), min_size=1, max_size=255
)


@st.composite
def databases(draw: st.DrawFn) -> SampleDatabase:
    """Databases of any shape and any options, of few pages."""
    version = draw(st.sampled_from(sorted(VERSIONS)))
    return SampleDatabase(
        draw(database_names),
        seed=draw(st.integers(0, 99)),
        server=draw(st.sampled_from(["SQL01", "SQL01\\PROD", "服务器"])),
        version=version,
        recovery_model=draw(st.sampled_from(["FULL", "BULK-LOGGED"])),
        data_bytes=draw(st.sampled_from([8192, 3 * 65536])),
        filegroups=draw(st.sampled_from([["PRIMARY"], ["PRIMARY", "歴史"]])),
        files_per_filegroup=draw(st.integers(1, 2)),
        page_checksums=draw(st.booleans()),
        blank=draw(st.booleans()),
        encrypted=draw(st.booleans()),
        compressed=version != "2005" and draw(st.booleans()),
        checksums=draw(st.booleans()),
        filemark_size=draw(st.sampled_from([4096, 65536])),
        transfer_size=draw(st.sampled_from([65536, 4 * 65536])),
        description=draw(st.none() | descriptions),
        media_name=draw(st.none() | database_names),
        media_description=draw(st.none() | descriptions),
        media_password=draw(st.booleans()),
        mirrors=draw(st.integers(1, 4)),
    )


def backups(database: SampleDatabase, stripes: int) -> list[SampleBackup]:
    """Take a backup of each kind."""
    return [
        database.full(stripes=stripes),
        database.full(copy_only=True),
        database.log(stripes=stripes, flags=layout.FLAG_BULK_LOGGED),
        database.empty_log(),
        database.differential(stripes=stripes),
        database.file_backup("PRIMARY"),
        database.file_backup("PRIMARY", differential=True),
        database.partial(),
        database.partial(differential=True),
        database.tail_log(stripes=stripes),
    ]


@settings(deadline=None, max_examples=10)
@given(databases(), st.integers(1, 3))
def test_every_kind_is_read_back(database: SampleDatabase, stripes: int) -> None:
    for backup in backups(database, stripes):
        for data, content in zip(backup.to_bytes(), backup.contents, strict=True):
            assert read_backup(BytesSource(data)) == content
            assert verified(data).findings == []


def test_kinds_are_told_apart() -> None:
    taken = backups(SampleDatabase("Sales", data_bytes=65536), stripes=1)

    assert [backup.header.backup_type for backup in taken] == [
        BackupType.DATABASE,
        BackupType.DATABASE,
        BackupType.LOG,
        BackupType.LOG,
        BackupType.DIFFERENTIAL,
        BackupType.FILE,
        BackupType.DIFFERENTIAL_FILE,
        BackupType.PARTIAL,
        BackupType.DIFFERENTIAL_PARTIAL,
        BackupType.LOG,
    ]
    assert [backup.header.is_copy_only for backup in taken].count(True) == 1
    assert taken[-1].header.is_force_offline


def test_file_and_partial_backups_leave_the_differential_base() -> None:
    database = SampleDatabase("Sales", data_bytes=65536)
    full = database.full()
    database.file_backup("PRIMARY")
    database.partial()

    assert database.differential().header.differential_base_guid == full.header.backup_set_guid


def test_mirrors_are_copies_of_each_family(tmp_path: Path) -> None:
    backup = SampleDatabase("Sales", data_bytes=65536, mirrors=2).full(stripes=2)

    first, second, *mirrors = backup.write(tmp_path)

    assert [path.name for path in mirrors] == [
        "Sales_FULL_20260301_021500_mirror2_1.bak",
        "Sales_FULL_20260301_021500_mirror2_2.bak",
    ]
    assert [path.read_bytes() for path in mirrors] == [first.read_bytes(), second.read_bytes()]
    assert read_backup(FileSource(first)).label.mirror_count == 2


def test_padding_of_a_page_blob_follows_the_last_filemark() -> None:
    (data,) = SampleDatabase("Sales", data_bytes=65536).full().to_bytes()

    blob = padded(data, 2**20)

    assert len(blob) == 2**20
    assert blob.startswith(data)
    assert not any(blob[len(data) :])


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_file_is_refused(name: str) -> None:
    with pytest.raises(BackupFileError) as refusal:
        read_backup(BytesSource(FOREIGN[name]))

    assert refusal.value.reason_code in ("EmptyBlob", "NotABackup", "HeaderUnreadable")


def test_ciphered_backup_is_refused_by_name() -> None:
    """What BACKUP WITH ENCRYPTION writes is not known; no record of this file expands."""
    (data,) = SampleDatabase("Sales", data_bytes=65536, compressed=True).full().to_bytes()

    with pytest.raises(BackupFileError, match="encrypted") as refusal:
        read_backup(BytesSource(ciphered(data)))

    assert refusal.value.reason_code == "UnsupportedBackupType"


def test_appended_sets_may_be_of_all_kinds() -> None:
    database = SampleDatabase("Sales", data_bytes=65536)
    together = appended(*backups(database, stripes=1))

    assert read_backup(BytesSource(together.to_bytes()[0])) == together.contents[0]
