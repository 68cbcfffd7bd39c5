"""Orders to restore sample backups, and watches over them."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from local.samples import SampleBackup
from local.samples.backup import make_backup
from local.sqlserver import Server
from shared.targets import RestoreOrder
from tests.targets.blobs import Container
from tests.targets.conftest import raw_connection

_numbers = count(1)


def always(percent: float) -> bool:
    """Watch a restore to its end."""
    return True


def upload(container: Container, backup: SampleBackup) -> tuple[str, ...]:
    """Put a backup's files into the container, under names of their own; return their URLs."""
    return tuple(container.put(f"{next(_numbers)}.bak", data) for data in backup.to_bytes())


def order_of(
    container: Container, backup: SampleBackup, database: str, **more: Any
) -> RestoreOrder:
    """Upload a backup and return the order to restore it."""
    return RestoreOrder(
        database=database,
        backup_set_guid=backup.header.backup_set_guid,
        backup_type=backup.header.backup_type,
        urls=upload(container, backup),
        checksum=backup.header.has_backup_checksums,
        **more,
    )


def files_of(server: Server, name: str) -> set[str]:
    """Return the paths of a database's files on a server."""
    with raw_connection(server) as connection:
        query = (
            "SELECT f.physical_name FROM sys.master_files AS f JOIN sys.databases AS d"
            " ON d.database_id = f.database_id WHERE d.name = ?"
        )
        return {row[0] for row in connection.execute(query, name).fetchall()}


def with_added_file(backup: SampleBackup) -> SampleBackup:
    """Return a backup whose source has got another data file since the one before."""
    data, log = backup.files
    added = data.model_copy(
        update={
            "logical_name": "added",
            "physical_name": "E:\\Elsewhere\\added.ndf",
            "file_id": 3,
            "unique_id": log.unique_id,
        }
    )
    (taken,) = backup.sets
    background = replace(taken.background, first_pass_sizes=())
    sample = replace(taken, files=(data, added, log), background=background)
    return make_backup(backup.stem, backup.labels, [sample], backup.filemark_size)
