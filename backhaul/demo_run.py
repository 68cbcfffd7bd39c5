"""The demonstration: backups are dropped, restored and cut over, on this machine."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backhaul import terminal
from backhaul.client import Client
from backhaul.connection import Connection
from backhaul.demo_backups import Dropped, read_folder, take_samples
from backhaul.demo_view import Progress, print_outcome
from local import odbc
from local.stack import Stack, StackOptions
from shared.models import (
    AzureBlobLocation,
    BackupConfiguration,
    CutoverRequest,
    Migration,
    MigrationRequest,
    MigrationRequestProperties,
    OfflineConfiguration,
    SourceLocation,
)
from shared.vocabulary import MigrationStatus

_LOOK_S = 0.3
_BETWEEN_UPLOADS_S = 0.15
_SAMPLE_SPEED = 12.0
_PATIENCE_S = 1800.0
# How long a migration must look the same before it counts as one that waits for something.
_STANDSTILL_S = 5.0


def run(backups: Path | None, seed: int) -> bool:
    """Play the demonstration; True if every database was recovered."""
    odbc.preload()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="backhaul-demo-") as scratch:
        folder = Path(scratch)
        dropped = read_folder(backups) if backups else take_samples(folder / "backups", seed)
        if not dropped:
            terminal.notes().print(f"There is no usable backup below {backups}.")
            return False
        terminal.notes().print("Starting storage, a SIMULATED SQL Server and the app ...")
        speed = None if backups else _SAMPLE_SPEED
        with Stack(StackOptions(data=folder / "stack", restore_speed=speed)) as stack:
            done = _Run(stack, dropped, seed).play()
    terminal.results().print(f"Done in {time.monotonic() - began:.0f} s.")
    return done


class _Run:
    """One demonstration."""

    def __init__(self, stack: Stack, dropped: Sequence[Dropped], seed: int) -> None:
        self._stack = stack
        self._dropped = dropped
        self._random = random.Random(seed)  # noqa: S311 an order of uploads, no secret

    def play(self) -> bool:
        """Play it; True if every database was recovered."""
        connection = Connection(url=self._stack.url, key=self._stack.key)
        with Client(connection) as client, Progress(self._dropped) as progress:
            for one in self._dropped:
                if one.ordered:
                    progress.say(f"POST /api/migrations: {one.database}, {one.mode_in_words}")
                    client.create(_order(one))
            with self._uploading(progress):
                self._follow(client, progress)
            shown = progress.shown
        print_outcome(self._stack, self._dropped, shown)
        return all(
            one.migration in shown
            and shown[one.migration].properties.migration_status is MigrationStatus.SUCCEEDED
            for one in self._dropped
        )

    @contextmanager
    def _uploading(self, progress: Progress) -> Iterator[None]:
        """Upload everything in a random order, in the background."""
        files = [(one, name, path) for one in self._dropped for name, path in one.files]
        self._random.shuffle(files)
        stop = threading.Event()

        def upload() -> None:
            container = self._stack.container
            for one, name, path in files:
                if stop.wait(_BETWEEN_UPLOADS_S if len(files) < 100 else 0):
                    return
                with path.open("rb") as content:
                    container.upload_blob(name, content, overwrite=True, max_concurrency=2)
                progress.uploaded(one)

        thread = threading.Thread(target=upload, name="uploads")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _follow(self, client: Client, progress: Progress) -> None:
        """Watch until every migration is over, or waits for something that will not come."""
        asked: set[str] = set()
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            for one in self._dropped:
                if not progress.knows(one) and not progress.has_uploads(one):
                    continue
                listed = {m.id for m in client.list().content.value}
                if one.migration in listed:
                    progress.show(one, client.show(one.migration).content)
            for one in self._dropped:
                migration = progress.shown.get(one.migration)
                if (
                    migration is not None
                    and one.migration not in asked
                    and _is_ready(one, migration)
                ):
                    progress.say(f"POST /api/migrations/{one.migration}/cutover")
                    client.cutover(one.migration, _cutover(migration))
                    asked.add(one.migration)
            if all(progress.is_over(one, _STANDSTILL_S) for one in self._dropped):
                return
            time.sleep(_LOOK_S)


def _order(one: Dropped) -> MigrationRequest:
    return MigrationRequest(
        name=one.database,
        properties=MigrationRequestProperties(
            backup_configuration=BackupConfiguration(
                source_location=SourceLocation(azure_blob=AzureBlobLocation(folder=one.folder))
            ),
            offline_configuration=OfflineConfiguration(
                offline=one.last_backup is not None, last_backup_name=one.last_backup
            ),
        ),
    )


def _cutover(migration: Migration) -> CutoverRequest:
    return CutoverRequest(
        migration_operation_id=migration.properties.migration_operation_id,
        confirm_no_more_backups=True,
    )


def _is_ready(one: Dropped, migration: Migration) -> bool:
    """Tell whether an online migration has restored all there is: time for the cutover.

    The status is that of the last turn; only the checks know of a file that came after it.
    """
    details = migration.properties.migration_status_details
    return (
        one.last_backup is None
        and details is not None
        and details.detected_files == len(one.files)
        and migration.properties.migration_status is MigrationStatus.READY_FOR_CUTOVER
        and not any(c.required and c.state == "fail" for c in details.cutover_readiness.checks)
    )
