"""A sample backup: the media families that one BACKUP statement, or several, would have written."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from local.samples.sets import SampleSet
from local.samples.writer import backup_size, compressed_backup_size, write_backup
from shared.backupset import BackupContent, BackupHeader, BackupType, DatabaseFile, MediaLabel


@dataclass(frozen=True)
class SampleBackup:
    """A backup that has been taken, ready to be written. `labels` has one entry per family."""

    stem: str
    labels: tuple[MediaLabel, ...]
    sets: tuple[SampleSet, ...]
    filemark_size: int

    @property
    def header(self) -> BackupHeader:
        """The header of the first set."""
        return self.sets[0].header

    @property
    def files(self) -> tuple[DatabaseFile, ...]:
        """The file list of the first set."""
        return self.sets[0].files

    @property
    def file_names(self) -> tuple[str, ...]:
        """One name per media family."""
        return self._file_names("")

    @property
    def mirror_names(self) -> tuple[str, ...]:
        """One name per media family and further mirror; each mirror is a copy of the whole."""
        copies = range(2, self.labels[0].mirror_count + 1)
        return tuple(name for copy in copies for name in self._file_names(f"_mirror{copy}"))

    def _file_names(self, suffix: str) -> tuple[str, ...]:
        extension = "trn" if self.header.backup_type is BackupType.LOG else "bak"
        if len(self.labels) == 1:
            return (f"{self.stem}{suffix}.{extension}",)
        numbers = range(1, len(self.labels) + 1)
        return tuple(f"{self.stem}{suffix}_{number}.{extension}" for number in numbers)

    @property
    def contents(self) -> tuple[BackupContent, ...]:
        """What a reader must make of each family."""
        sets = tuple((sample.header, sample.files) for sample in self.sets)
        zones = tuple(sample.time_zone_quarters * 15 for sample in self.sets)
        return tuple(
            BackupContent(label=label, sets=sets, time_zones=zones) for label in self.labels
        )

    def write_family(self, number: int, out: BinaryIO) -> None:
        """Write media family `number`, counted from 1."""
        write_backup(out, self.labels[number - 1], self.sets, filemark_size=self.filemark_size)

    def write(self, folder: Path) -> list[Path]:
        """Write all families to a folder, then their mirrors; return the paths in this order."""
        paths = [folder / name for name in (*self.file_names, *self.mirror_names)]
        for index, path in enumerate(paths):
            with path.open("wb") as out:
                self.write_family(index % len(self.labels) + 1, out)
        return paths

    def to_bytes(self) -> tuple[bytes, ...]:
        """Return all families, in order."""
        buffers = [io.BytesIO() for _ in self.labels]
        for number, buffer in enumerate(buffers, start=1):
            self.write_family(number, buffer)
        return tuple(buffer.getvalue() for buffer in buffers)


def make_backup(
    stem: str, labels: tuple[MediaLabel, ...], sets: Sequence[SampleSet], filemark_size: int
) -> SampleBackup:
    """Number the sets and fill in their sizes, which follow from what will be written."""
    return SampleBackup(
        stem,
        labels,
        tuple(
            _placed(sample, labels[0], filemark_size, position)
            for position, sample in enumerate(sets, start=1)
        ),
        filemark_size,
    )


def appended(*backups: SampleBackup) -> SampleBackup:
    """Return the file that the same backups make WITH NOINIT, one after the other on one media."""
    first = backups[0]
    sets = [sample for backup in backups for sample in backup.sets]
    return make_backup(first.stem, first.labels, sets, first.filemark_size)


def _placed(sample: SampleSet, label: MediaLabel, filemark_size: int, position: int) -> SampleSet:
    header = sample.header.model_copy(
        update={"position": position, "compressed": label.is_compressed}
    )
    placed = replace(sample, header=header)
    size = backup_size(placed, label, filemark_size=filemark_size)
    compressed = None if header.compressed_backup_size is None else size
    if label.is_compressed:
        compressed = compressed_backup_size(placed, label, filemark_size=filemark_size)
    update = {"backup_size": size, "compressed_backup_size": compressed}
    return replace(placed, header=header.model_copy(update=update))
