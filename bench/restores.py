"""A whole migration on the simulated server: how long one log takes, from end to end.

Blobs in Azurite, the app on the embedded host, RESTORE through the ODBC driver: what a user waits
for, apart from the restore itself, which costs the simulated server next to nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from backhaul.client import Client
from backhaul.connection import Connection
from bench.figures import Figure, Run
from local.samples import SampleDatabase
from local.stack import Stack, StackOptions
from shared.models import (
    AzureBlobLocation,
    BackupConfiguration,
    Migration,
    MigrationRequest,
    MigrationRequestProperties,
    SourceLocation,
)
from shared.vocabulary import MigrationStatus

_PATIENCE_S = 300.0
_LOOK_S = 0.1
_DATA_BYTES = 200_000


def measure(run: Run) -> Iterator[Figure]:
    """Yield milliseconds per restored log, and per backup from its upload to its restore."""
    logs, runs = run.much(100, 3), min(run.runs, 3)
    restores, whole = [], []
    run.say("starting storage, target and app")
    settings = {"BACKHAUL_AUTO_START": "false"}
    with (
        Stack(StackOptions(data=run.folder, settings=settings)) as stack,
        Client(Connection(url=stack.url, key=stack.key)) as client,
    ):
        for number in range(runs):
            run.say(f"{logs} logs, run {number + 1} of {runs}")
            begin = time.perf_counter()
            migration = migrate(stack, client, f"Bench{number}", logs, run.folder)
            whole.append((time.perf_counter() - begin) * 1000 / (logs + 1))
            restores.append(_between_restores_ms(migration))
    yield Figure("from one restored log to the next", "ms", restores)
    yield Figure("a backup, from its upload until all are restored", "ms", whole)


def migrate(stack: Stack, client: Client, database: str, logs: int, folder: Path) -> Migration:
    """Upload a full backup and logs, order the migration, and wait until all are restored."""
    sample = SampleDatabase(database, data_bytes=_DATA_BYTES)
    place = folder / database
    place.mkdir()
    for backup in (sample.full(), *(sample.log() for _ in range(logs))):
        for path in backup.write(place):
            stack.container.upload_blob(f"{database}/{path.name}", path.read_bytes())
    migration = client.create(_order(database)).content.id
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        shown = client.show(migration).content
        details = shown.properties.migration_status_details
        done = shown.properties.migration_status is MigrationStatus.READY_FOR_CUTOVER
        if done and details is not None and details.restored_files == logs + 1:
            return shown
        time.sleep(_LOOK_S)
    raise TimeoutError(f"{database} was not restored within {_PATIENCE_S:g} s")


def _order(database: str) -> MigrationRequest:
    source = SourceLocation(azure_blob=AzureBlobLocation(folder=database))
    configuration = BackupConfiguration(source_location=source)
    properties = MigrationRequestProperties(backup_configuration=configuration)
    return MigrationRequest(name=database, properties=properties)


def _between_restores_ms(migration: Migration) -> float:
    details = migration.properties.migration_status_details
    sets = [] if details is None else details.active_backup_sets
    ends = sorted(one.restore_finish_date for one in sets if one.restore_finish_date)
    return statistics.median(
        (after - before).total_seconds() * 1000 for before, after in pairwise(ends[1:])
    )
