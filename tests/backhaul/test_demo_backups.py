"""The backups of the demonstration: one chain compressed, one striped, one with a named end."""

from __future__ import annotations

from pathlib import Path

from backhaul.demo_backups import Dropped, take_samples
from shared.backupfile import FileSource, read_backup
from shared.backupset import BackupContent, BackupType
from shared.vocabulary import VerificationLevel
from tests.verification.running import verified_source


def contents(dropped: Dropped) -> list[BackupContent]:
    return [read_backup(FileSource(path)) for _, path in dropped.files]


def test_samples_show_the_kinds_of_chains(tmp_path: Path) -> None:
    dropped = sales, warehouse, archive = take_samples(tmp_path, seed=1)

    assert all(content.label.is_compressed for content in contents(sales))
    assert BackupType.DIFFERENTIAL in {c.sets[0][0].backup_type for c in contents(sales)}
    assert {content.label.family_count for content in contents(warehouse)} == {1, 3}
    assert archive.last_backup in {name.partition("/")[2] for name, _ in archive.files}
    for one in dropped:
        for _, path in one.files:
            assert not verified_source(FileSource(path), VerificationLevel.DATA).findings


def test_samples_are_the_same_again(tmp_path: Path) -> None:
    first, second = (take_samples(tmp_path / name, seed=1) for name in ("first", "second"))

    for one, other in zip(first, second, strict=True):
        for (name, path), (again, copy) in zip(one.files, other.files, strict=True):
            assert name == again
            assert path.read_bytes() == copy.read_bytes()
