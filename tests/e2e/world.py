"""A running stack, and the handful of things that a person does with it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from pydantic import SecretStr

from local.samples import SampleBackup
from local.sqlserver import Server
from local.stack import TARGET, Stack
from shared.arrivals import unchecked_blobs
from shared.chain import TargetPosition
from shared.settings import Settings, SqlServerSettings
from shared.targets import RestoredSet
from shared.targets.sqlserver import SqlServerTarget
from shared.workplace import Workplace

PATIENCE_S = 90.0

Json = dict[str, Any]


class World:
    """One stack with clients of its API, its storage and its target."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.api = httpx.Client(timeout=60)

    def close(self) -> None:
        self.api.close()

    # What a person does

    def upload(self, folder: str, files: Iterable[Path]) -> None:
        """Drop files into a folder, one by one."""
        for file in files:
            self.put(f"{folder}/{file.name}", file.read_bytes())

    def put(self, name: str, content: bytes) -> None:
        self.stack.container.upload_blob(name, content, overwrite=True)

    def create(self, folder: str, database: str, **properties: Any) -> Json:
        """Order a migration; fails the test if the API refuses."""
        body = {
            "name": database,
            "properties": {
                "backupConfiguration": {
                    "sourceLocation": {"azureBlob": {"folder": folder}},
                },
                **properties,
            },
        }
        answer = self.call("POST", "migrations", body)
        assert answer.status_code in (200, 201), answer.text
        return self._json(answer)

    def show(self, migration: str) -> Json:
        answer = self.call("GET", f"migrations/{migration}")
        assert answer.status_code == 200, answer.text
        return self._json(answer)

    def cutover(self, migration: str, **body: Any) -> httpx.Response:
        operation = self.show(migration)["properties"]["migrationOperationId"]
        wanted = {"migrationOperationId": operation, "confirmNoMoreBackups": True, **body}
        return self.call("POST", f"migrations/{migration}/cutover", wanted)

    def cancel(self, migration: str, **body: Any) -> httpx.Response:
        operation = self.show(migration)["properties"]["migrationOperationId"]
        wanted = {"migrationOperationId": operation, **body}
        return self.call("POST", f"migrations/{migration}/cancel", wanted)

    def call(
        self, method: str, route: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        key = {"x-functions-key": self.stack.key}
        content = body if isinstance(body, bytes) else None
        return self.api.request(
            method,
            f"{self.stack.url}/api/{route}",
            headers=key if headers is None else headers,
            content=content,
            json=body if content is None and body is not None else None,
        )

    @property
    def account(self) -> tuple[str, str]:
        """Name and key of the storage account."""
        credential = self.stack.container.credential
        return credential.account_name, credential.account_key

    # What happens by itself, made to happen now

    def sweep(self) -> None:
        """Run the periodic check, which otherwise comes every minute."""
        answer = self.api.post(
            f"{self.stack.url}/admin/functions/sweep",
            headers={"x-functions-key": self.stack.master_key},
            json={"input": ""},
        )
        assert answer.status_code == 202, answer.text

    # Waiting

    def wait(
        self,
        migration: str,
        until: Callable[[Json], bool],
        *,
        sweeping: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> Json:
        """Wait until a migration looks as wanted; fails with how it looks instead."""
        deadline = time.monotonic() + patience_s
        shown: Json = {}
        while time.monotonic() < deadline:
            answer = self.call("GET", f"migrations/{migration}")
            if answer.status_code == 200:
                shown = self._json(answer)
                if until(shown["properties"]):
                    return shown
            if sweeping:
                self.sweep()
            time.sleep(0.3)
        raise AssertionError(f"{migration} did not get there: {_short(shown)}")

    def wait_status(self, migration: str, *statuses: str, **options: Any) -> Json:
        return self.wait(migration, lambda p: p["migrationStatus"] in statuses, **options)

    def wait_settled(self, migration: str, files: int) -> Json:
        """Wait until all files are known and nothing that is here can be restored any more."""

        def settled(properties: Json) -> bool:
            details = properties["migrationStatusDetails"]
            state = details["restoreState"]
            at_rest = state in ("Waiting", "RestoreCompleted") and not details["queuedFiles"]
            return bool(
                details["detectedFiles"] == files
                and (state == "Blocked" or at_rest)
                and details["migrationState"] != "WaitForRestoreSlot"
            )

        self.wait(migration, settled)
        # A look that was under way may not have seen the last file.
        self.sweep()
        time.sleep(1.0)
        return self.wait(migration, settled)

    def wait_checked(self, folder: str) -> None:
        """Wait until the catalog knows the present version of every blob below a folder."""
        place = Workplace(
            Settings(storage_connection_string=SecretStr(self.stack.connection_string))
        )
        deadline = time.monotonic() + PATIENCE_S
        while any(blob.name.startswith(folder + "/") for blob in unchecked_blobs(place)):
            assert time.monotonic() < deadline, f"blobs below {folder} stay unchecked"
            self.sweep()
            time.sleep(0.5)

    # What the target says

    def target(self) -> SqlServerTarget:
        return SqlServerTarget(SqlServerSettings.model_validate(self.stack.sql_server))

    def history(self, database: str) -> list[RestoredSet]:
        target = self.target()
        try:
            return list(target.read_restore_history(database, 0))
        finally:
            target.close()

    def position(self, database: str) -> TargetPosition:
        target = self.target()
        try:
            return target.read_position(database)
        finally:
            target.close()

    def durable(self, instance: str, **query: str) -> Json:
        """Return the durable status of an instance."""
        answer = self.api.get(
            f"{self.stack.url}/runtime/webhooks/durabletask/instances/{instance}",
            params={"code": self.stack.master_key, **query},
        )
        return self._json(answer)

    @staticmethod
    def _json(answer: httpx.Response) -> Json:
        content: Json = answer.json()
        return content


def target_at(server: Server, password: str) -> Json:
    """Return the app's settings of a simulated server as its target."""
    return {
        "server": "127.0.0.1",
        "port": server.port,
        "user": "sa",
        "password": password,
        "trust_server_certificate": True,
    }


def details(shown: Json) -> Json:
    """Return the details of a shown migration."""
    content: Json = shown["properties"]["migrationStatusDetails"]
    return content


def guids(history: Sequence[RestoredSet]) -> list[UUID]:
    return [row.backup_set_guid for row in history]


def write(backups: Iterable[SampleBackup], folder: Path) -> list[Path]:
    """Write sample backups; return their files in the order in which they were taken."""
    folder.mkdir(parents=True, exist_ok=True)
    return [file for backup in backups for file in backup.write(folder)]


def shuffled(files: Iterable[Path], seed: int) -> list[Path]:
    order = list(files)
    random.Random(seed).shuffle(order)  # noqa: S311 a test's order, no secret
    return order


def _short(shown: Json) -> Json:
    properties = shown.get("properties", {})
    kept = dict(properties.get("migrationStatusDetails", {}))
    for long in ("activeBackupSets", "cutoverReadiness", "fullBackupSetInfo"):
        kept.pop(long, None)
    kept.pop("lastRestoredBackupSetInfo", None)
    return {"migrationStatus": properties.get("migrationStatus"), **kept}


__all__ = [
    "TARGET",
    "Json",
    "World",
    "details",
    "guids",
    "shuffled",
    "target_at",
    "write",
]
