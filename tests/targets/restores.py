"""Orders to restore sample backups, and watches over them."""

from __future__ import annotations

from itertools import count

from local.samples import SampleBackup
from shared.targets import RestoreOrder
from tests.targets.blobs import Container

_numbers = count(1)


def always(percent: float) -> bool:
    """Watch a restore to its end."""
    return True


def upload(container: Container, backup: SampleBackup) -> tuple[str, ...]:
    """Put a backup's files into the container, under names of their own; return their URLs."""
    return tuple(container.put(f"{next(_numbers)}.bak", data) for data in backup.to_bytes())


def order_of(container: Container, backup: SampleBackup, database: str) -> RestoreOrder:
    """Upload a backup and return the order to restore it."""
    return RestoreOrder(
        database=database,
        backup_set_guid=backup.header.backup_set_guid,
        backup_type=backup.header.backup_type,
        urls=upload(container, backup),
        checksum=backup.header.has_backup_checksums,
    )
