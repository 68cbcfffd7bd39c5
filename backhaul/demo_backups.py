"""The backups of the demonstration: samples made for it, or a folder of somebody's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.samples import SampleBackup, SampleDatabase
from shared.backupfile import FileSource, read_backup
from shared.backupset import BackupSet, merge_families
from shared.errors import BackupFileError
from shared.folder import migration_id
from shared.lineage import group_by_database

_MB = 1_000_000
_ODD = re.compile(r"[^\w .-]+")


@dataclass(frozen=True)
class Dropped:
    """A database of which backups are dropped into a folder of the container.

    `files` are blob names with the files they are made of. `ordered` tells a migration that is
    ordered over HTTP from one that starts by itself at the first full backup. `last_backup` makes
    it an offline one.
    """

    database: str
    folder: str
    files: tuple[tuple[str, Path], ...]
    ordered: bool = False
    last_backup: str | None = None

    @property
    def migration(self) -> str:
        """The id that its migration has."""
        return migration_id(self.folder)

    @property
    def mode_in_words(self) -> str:
        """How the migration ends."""
        return "online" if self.last_backup is None else f"offline until {self.last_backup}"


def take_samples(folder: Path, seed: int) -> list[Dropped]:
    """Make three databases: with a differential; striped; offline with a named last backup.

    The backups of the first are compressed, as most are.
    """
    sales = SampleDatabase("Sales", seed=seed, data_bytes=5 * _MB, compressed=True)
    sales_backups = [sales.full(), *(sales.log() for _ in range(4)), sales.differential()]
    sales_backups += [sales.log() for _ in range(6)]
    warehouse = SampleDatabase("Warehouse", seed=seed, server="SQL02", data_bytes=24 * _MB)
    warehouse_backups = [warehouse.full(stripes=3), *(warehouse.log() for _ in range(8))]
    archive = SampleDatabase("Archive", seed=seed, server="SQL02", data_bytes=12 * _MB)
    archive_backups = [archive.full(), *(archive.log() for _ in range(3))]
    beyond = archive.log()
    return [
        Dropped("Sales", "sales", _write(sales_backups, folder, "sales")),
        Dropped(
            "Warehouse", "SQL02/warehouse", _write(warehouse_backups, folder, "SQL02/warehouse")
        ),
        Dropped(
            "Archive",
            "archive",
            _write([*archive_backups, beyond], folder, "archive"),
            ordered=True,
            last_backup=f"LOG/{archive_backups[-1].file_names[-1]}",
        ),
    ]


_SUBFOLDERS = {1: "FULL", 2: "LOG", 5: "DIFF"}


def _write(
    backups: Iterable[SampleBackup], folder: Path, place: str
) -> tuple[tuple[str, Path], ...]:
    """Write backups the way the usual maintenance scripts lay them out."""
    files = []
    for backup in backups:
        below = f"{place}/{_SUBFOLDERS[backup.header.backup_type]}"
        (folder / below).mkdir(parents=True, exist_ok=True)
        files += [(f"{below}/{path.name}", path) for path in backup.write(folder / below)]
    return tuple(files)


def read_folder(folder: Path) -> list[Dropped]:
    """Sort the files below a folder by database; each gets a folder of its own.

    Files that are no usable backups go along with the database they lie beside, to show what
    becomes of them; where there is no database at all the result is empty.
    """
    parts: list[BackupSet] = []
    others: list[Path] = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            content = read_backup(FileSource(file))
        except BackupFileError:
            others.append(file)
            continue
        if len(content.sets) == 1:
            parts.append(BackupSet.of(content.sets[0][0], content.label, str(file)))
        else:
            others.append(file)
    dropped: list[Dropped] = []
    for number, (key, group) in enumerate(group_by_database(merge_families(parts)).items()):
        guids = {backup.backup_set_guid for backup in group}
        paths = [Path(p.files[0].name) for p in parts if p.backup_set_guid in guids]
        place = _ODD.sub("_", key.database_name).strip(". ") or f"database{number}"
        if any(other.folder.casefold() == place.casefold() for other in dropped):
            place = f"{place}-{number}"
        paths += [file for file in others if any(file.parent == path.parent for path in paths)]
        others = [file for file in others if file not in paths]
        files = tuple((f"{place}/{path.relative_to(folder).as_posix()}", path) for path in paths)
        taken = any(other.database.casefold() == key.database_name.casefold() for other in dropped)
        name = f"{key.database_name} {number}" if taken else key.database_name
        dropped.append(Dropped(name, place, files, ordered=True))
    return dropped
