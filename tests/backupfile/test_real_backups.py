"""The reader against real backups: every fact of the manifest, and how little is read for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from shared.backupfile import FileSource, read_backup
from shared.backupfile.ranges import WINDOW
from shared.backupset import BackupType, Columns
from shared.errors import BackupFileError
from shared.lsn import Lsn
from tests.backupfile.real_backups import RealBackup, each
from tests.backupfile.sources import CountingSource
from tests.backupfile.walk import walk

_OTHER_SPELLINGS = {"MirrorCount": "Mirror_Count"}
"""Columns that the manifest spells another way than RESTORE LABELONLY does."""


def _spell(value: object) -> object:
    """Spell a value as the manifest does."""
    if isinstance(value, Lsn):
        return str(value)
    if isinstance(value, UUID):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _columns(model: Columns, wanted: dict[str, Any]) -> dict[str, object]:
    columns = {name.lower(): value for name, value in model.model_dump(by_alias=True).items()}
    return {name: _spell(columns[_OTHER_SPELLINGS.get(name, name).lower()]) for name in wanted}


@each()
def test_every_fact_of_the_manifest_is_read(backup: RealBackup) -> None:
    content = read_backup(FileSource(backup.path))

    label = backup.facts["LABELONLY"]
    assert _columns(content.label, label) == label
    assert len(content.sets) == len(backup.facts["sets"])
    for (header, files), facts in zip(content.sets, backup.facts["sets"], strict=True):
        wanted = dict(facts["HEADERONLY"])
        assert header.backup_type.description == wanted.pop("BackupTypeDescription")
        wanted |= {name: v for name, v in facts["likely"].items() if name != "ForkHistory"}
        assert _columns(header, wanted) == wanted
        assert len(files) == len(facts["FILELISTONLY"])
        for file, row in zip(files, facts["FILELISTONLY"], strict=True):
            assert _columns(file, row) == row
    assert list(content.time_zones) == [
        one["timeZoneOffsetMinutes"] for one in backup.facts["sets"]
    ]


@each()
def test_head_and_tail_are_all_that_is_read_of_one_set(backup: RealBackup) -> None:
    source = CountingSource(backup.path.read_bytes())

    read_backup(source)

    between = max(0, len(backup.facts["sets"]) - 1)
    if source.size <= 2 * WINDOW:
        assert source.reads == [(0, source.size)]
    else:
        assert source.reads[:2] == [(0, WINDOW), (source.size - WINDOW, WINDOW)]
        assert len(source.reads) == 2 + between
        assert source.bytes_read == (2 + between) * WINDOW


@each()
def test_of_the_samples_only_the_first_log_of_a_recovery_fork_crosses_to_it(
    backup: RealBackup,
) -> None:
    for header, _ in read_backup(FileSource(backup.path)).sets:
        if header.first_recovery_fork_id == header.recovery_fork_id:
            assert header.fork_point_lsn is None
        else:
            assert header.backup_type is BackupType.LOG
            assert header.fork_point_lsn == header.first_lsn


@each(compressed=False)
def test_copy_cut_at_any_block_is_truncated(backup: RealBackup) -> None:
    data = backup.path.read_bytes()
    blocks = [part for part in walk(data) if part.is_block]
    # What ends at a filemark that closes a set, or opens the first, looks whole and is.
    whole = {b.offset for i, b in enumerate(blocks) if i and blocks[i - 1].tag == "SFMB"}
    ends_of_data = {b.offset for b in blocks if b.tag == "ESET"}

    for block in blocks[1:]:
        if block.offset in whole - ends_of_data:
            continue
        with pytest.raises(BackupFileError, match="truncated") as refusal:
            read_backup(CountingSource(data[: block.offset]))
        assert refusal.value.reason_code == "HeaderUnreadable"
        assert f"{block.offset} bytes" in refusal.value.message
