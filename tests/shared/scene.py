"""A container, a catalog and a target of a test's own, and the work on them without a host."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from azure.storage.blob import ContainerClient
from pydantic import SecretStr

from local.azurite import Azurite
from local.samples import SampleBackup, SampleDatabase
from local.sqlserver import Server
from shared import ordering, restoring
from shared.arrivals import check_blob, unchecked_blobs
from shared.catalog import StoredProgress
from shared.errors import RequestError
from shared.looking import read_migration
from shared.models import (
    CancelRequest,
    CutoverRequest,
    Migration,
    MigrationRequest,
    MigrationStatusDetails,
)
from shared.outlook import Action
from shared.records import FileRecord, MigrationOrder, MigrationProgress
from shared.settings import Settings, SqlServerSettings
from shared.targets import RestoredSet
from shared.vocabulary import MigrationStatus
from shared.work import Turn
from shared.workplace import Workplace

PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the tests
TARGET = "t"
_ACTS = {
    Action.RESTORE: restoring.restore_batch,
    Action.STAND_BY: restoring.restore_batch,
    Action.RECOVER: restoring.recover,
    Action.CLEAN_UP: restoring.clean_up,
}
_MOST_STEPS = 30
_PATIENCE_S = 60.0
_PAUSE_S = 0.2


def settings_of(server: Server | None, **changes: Any) -> SqlServerSettings:
    """Return how the app reaches a simulated server; a port where nothing listens without one."""
    return SqlServerSettings.model_validate(
        {
            "server": "127.0.0.1",
            "port": server.port if server else 1,
            "user": "sa",
            "password": PASSWORD,
            "trust_server_certificate": True,
            "login_timeout_s": 5 if server else 1,
            **changes,
        }
    )


class Scene:
    """What a test needs around one workplace. Names of databases are the test's own, too."""

    def __init__(self, azurite: Azurite, target: SqlServerSettings, **settings: Any) -> None:
        own = secrets.token_hex(6)
        self.place = Workplace(
            Settings(
                storage_connection_string=SecretStr(azurite.connection_string),
                container=f"c{own}",
                table_prefix=f"T{own}",
                targets={TARGET: target},
                **settings,
            )
        )
        self.container = ContainerClient.from_connection_string(
            azurite.connection_string, f"c{own}"
        )
        self.container.create_container()
        self._own = own

    def with_settings(self, **changes: Any) -> Workplace:
        """Return a workplace on the same data, as another worker or a later deployment has it."""
        return Workplace(self.place.settings.model_copy(update=changes))

    def database(self, name: str) -> str:
        """Return a name that no other test uses on the target."""
        return f"{name}-{self._own}"

    # Files

    def drop(self, name: str, content: bytes) -> FileRecord | None:
        """Upload a blob and check it, as its event would."""
        self.container.upload_blob(name, content, overwrite=True)
        return check_blob(self.place, name)[0]

    def drop_backups(self, folder: str, backups: Iterable[SampleBackup]) -> list[str]:
        """Upload and check backups; return the names of their first files."""
        names = []
        for backup in backups:
            for name, content in zip(backup.file_names, backup.to_bytes(), strict=True):
                self.drop(f"{folder}/{name}", content)
            names.append(f"{folder}/{backup.file_names[0]}")
        return names

    def check_unchecked(self) -> None:
        """Check what the periodic check would find."""
        for blob in list(unchecked_blobs(self.place)):
            check_blob(self.place, blob.name)

    # Orders

    def create(self, folder: str, database: str, **properties: Any) -> MigrationOrder:
        """Order a migration; the same again returns the first."""
        return ordering.create_migration(self.place, request(folder, database, **properties))[0]

    def cutover(self, order: MigrationOrder, **wish: Any) -> None:
        body = {"migrationOperationId": order.operation_id, "confirmNoMoreBackups": True, **wish}
        ordering.order_cutover(self.place, order.id, CutoverRequest.model_validate(body))

    def cancel(self, order: MigrationOrder, *, keep_target: bool = False) -> None:
        wish = CancelRequest(migration_operation_id=order.operation_id, keep_target=keep_target)
        ordering.order_cancel(self.place, order.id, wish)

    # Work

    def drive(self, order: MigrationOrder, place: Workplace | None = None) -> Turn:
        """Do what the orchestration does until there is nothing left to do."""
        place = place or self.place
        turn = restoring.take_turn(place, order.id)
        steps, deadline = 0, time.monotonic() + _PATIENCE_S
        while steps < _MOST_STEPS and time.monotonic() < deadline:
            act = _ACTS.get(turn.action)
            if act is None:
                return turn
            if turn.pause_s:
                time.sleep(min(turn.pause_s, _PAUSE_S))
            else:
                steps += 1
            turn = act(place, order.id)
        raise AssertionError(f"still at work after {steps} steps: {turn}")

    def progress(self, order: MigrationOrder) -> MigrationProgress:
        return self.read(order)[1].now

    def read(self, order: MigrationOrder) -> tuple[MigrationOrder, StoredProgress]:
        return read_migration(self.place, order.id)

    def status(self, order: MigrationOrder) -> MigrationStatus:
        return self.progress(order).status

    def shown(self, order: MigrationOrder) -> Migration:
        return ordering.show_migration(self.place, order.id)

    def details(self, order: MigrationOrder) -> MigrationStatusDetails:
        found = self.shown(order).properties.migration_status_details
        assert found is not None
        return found

    # The target

    def history(self, database: str) -> list[RestoredSet]:
        with self.place.target(TARGET) as target:
            return list(target.read_restore_history(database, 0))

    def on_target(self) -> Any:
        """Open the target for what somebody else does there."""
        return self.place.target(TARGET)

    def put_back(self, order: MigrationOrder, before: MigrationProgress) -> None:
        """Let the progress be as it was, as if the worker had died before it wrote the rest."""
        _, stored = read_migration(self.place, order.id)
        stored.save(before)


def request(folder: str, database: str, **properties: Any) -> MigrationRequest:
    """Return the request to create a migration."""
    return MigrationRequest.model_validate(
        {
            "name": database,
            "properties": {
                "backupConfiguration": {"sourceLocation": {"azureBlob": {"folder": folder}}},
                **properties,
            },
        }
    )


def refusal_of(call: Any) -> RequestError:
    """Return the RequestError that a call raises."""
    try:
        call()
    except RequestError as error:
        return error
    raise AssertionError("nothing was refused")


def sample(name: str = "Sales", *, data_bytes: int = 64 * 1024) -> SampleDatabase:
    """Return a source database that backups are taken of."""
    return SampleDatabase(name, data_bytes=data_bytes)


def guids(backups: Sequence[SampleBackup]) -> list[UUID]:
    """Return the backups as the server's history names them."""
    return [backup.header.backup_set_guid for backup in backups]


def restored(scene: Scene, order: MigrationOrder) -> list[UUID]:
    """Return what the server has restored to the migration's database, in order."""
    return [row.backup_set_guid for row in scene.history(order.target_database)]
