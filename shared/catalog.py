"""What is known of each backup and each migration, in Azure Table Storage.

The catalog is the truth: whatever an event says is written here first, and the event itself only
says "look again".

Three tables. `Backups`, a partition per folder: a row per file (key F), and per usable file a row
in the index by LSN (key D for full and differential backups, L for logs), so that the logs behind
a position are one query, however many there are. `Migrations`: what was ordered, and where each
stands, in two partitions with one writer each. `Restores`, a partition per migration operation: a
row per restored set, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import UUID

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import (
    TableClient,
    TableEntity,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)
from azure.identity import DefaultAzureCredential

from shared.backupset import BackupSet, BackupType
from shared.errors import StorageUnavailable
from shared.lsn import Lsn
from shared.records import FileRecord, MigrationOrder, MigrationProgress, Record, RestoredBackup
from shared.settings import Settings
from shared.storage import storage_errors

_ORDERS = "orders"
_PROGRESS = "progress"
_CHANGE_TRIES = 10

R = TypeVar("R", bound=Record)


class StoredProgress:
    """The progress of one migration, with the version that was read: a lost update is noticed."""

    def __init__(self, catalog: Catalog, migration_id: str, entity: TableEntity) -> None:
        self._catalog = catalog
        self._id = migration_id
        self._etag = str(entity.metadata["etag"])
        self.now = _parse(MigrationProgress, entity)

    def save(self, changed: MigrationProgress) -> None:
        """Write `changed`; raises StorageUnavailable if another writer came first."""
        if changed != self.now:
            self._etag = self._catalog._replace_progress(self._id, changed, self._etag)
            self.now = changed

    def update(self, **changes: object) -> None:
        """Write some fields."""
        self.save(self.now.model_copy(update=changes))


class Catalog:
    """The tables. Every write may be repeated."""

    def __init__(self, settings: Settings, credential: TokenCredential | None = None) -> None:
        if settings.storage_connection_string is not None:
            service = TableServiceClient.from_connection_string(
                settings.storage_connection_string.get_secret_value()
            )
        else:
            service = TableServiceClient(
                endpoint=settings.table_endpoint or "",
                credential=credential or DefaultAzureCredential(),
            )
        self._service = service
        self._container = settings.container
        names = [settings.table_prefix + name for name in ("Backups", "Migrations", "Restores")]
        self._backups, self._migrations, self._restores = map(service.get_table_client, names)
        self._names = names

    def prepare(self) -> None:
        """Create the tables that do not exist yet."""
        with storage_errors("creating the catalog's tables"):
            for name in self._names:
                self._service.create_table_if_not_exists(name)

    # Files

    def record_file(self, file: FileRecord) -> None:
        """Write the verdict on a file, in place of the one on an earlier version of the blob."""
        folder, key = self._folder_key(file.folder), _file_key(file.name)
        for _ in range(_CHANGE_TRIES):
            with storage_errors(f"recording {file.name!r}"):
                if self._try_record(folder, key, file):
                    return
        raise StorageUnavailable(f"recording {file.name!r}: too many writers at once")

    def _try_record(self, folder: str, key: str, file: FileRecord) -> bool:
        old = _get(self._backups, folder, key)
        backup = file.backup
        index = _index_key(backup, key) if backup is not None else None
        row = {"PartitionKey": folder, "RowKey": key, "doc": _dump(file), "index": index or ""}
        steps: list[tuple[object, ...]] = []
        if old is None:
            steps.append(("create", row))
        else:
            # The row's version guards the index rows too: all three change in one transaction.
            same = {"etag": old.metadata["etag"], "match_condition": MatchConditions.IfNotModified}
            steps.append(("update", row, {"mode": UpdateMode.REPLACE, **same}))
            if (stale := old.get("index")) and stale != index:
                steps.append(("delete", {"PartitionKey": folder, "RowKey": stale}))
        if backup is not None:
            entry = {"PartitionKey": folder, "RowKey": index, "doc": _dump(backup)}
            steps.append(("upsert", entry, {"mode": UpdateMode.REPLACE}))
        try:
            self._backups.submit_transaction(steps)  # type: ignore[arg-type] # tuples as documented
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
            return False
        except TableTransactionError as error:
            if error.status_code in (404, 409, 412):
                return False
            raise
        return True

    def read_file(self, folder: str, name: str) -> FileRecord | None:
        """Return what is known of a file, or None."""
        with storage_errors(f"looking {name!r} up"):
            row = _get(self._backups, self._folder_key(folder), _file_key(name))
        return None if row is None else _parse(FileRecord, row)

    def list_files(self, folder: str) -> Iterator[FileRecord]:
        """Yield every file of a folder, in no particular order."""
        for row in self._range(folder, "F", "G"):
            yield _parse(FileRecord, row)

    def data_backups(self, folder: str) -> list[BackupSet]:
        """Return the parts of all usable full and differential backups of a folder."""
        return [BackupSet.model_validate_json(row["doc"]) for row in self._range(folder, "D", "E")]

    def logs_after(
        self, folder: str, redo: Lsn | None, limit: int | None
    ) -> tuple[list[BackupSet], bool]:
        """Return parts of the logs that end after `redo`, by LastLSN, and whether these are all.

        At most about `limit` parts, or all of them; the stripes of a set are never torn apart.
        """
        first = f"L|{Lsn(redo + 1).padded if redo is not None else ''}"
        parts: list[BackupSet] = []
        for row in self._range(folder, first, "M"):
            part = BackupSet.model_validate_json(row["doc"])
            if limit is not None and len(parts) >= limit and part.last_lsn != parts[-1].last_lsn:
                return parts, False
            parts.append(part)
        return parts, True

    def _range(self, folder: str, first: str, end: str) -> Iterator[TableEntity]:
        with storage_errors(f"listing the backups of folder {folder!r}"):
            yield from self._backups.query_entities(
                "PartitionKey eq @folder and RowKey ge @first and RowKey lt @end",
                parameters={"folder": self._folder_key(folder), "first": first, "end": end},
            )

    def _folder_key(self, folder: str) -> str:
        """Return the partition of a folder: table keys may hold neither slashes nor much text."""
        return _digest(f"{self._container}/{folder}")

    # Migrations

    def create_order(self, order: MigrationOrder) -> bool:
        """Write a new order with fresh progress; False if there is one of that id."""
        row = {"PartitionKey": _ORDERS, "RowKey": order.id, "doc": _dump(order)}
        with storage_errors(f"creating migration {order.id!r}"):
            try:
                self._migrations.create_entity(row)
            except ResourceExistsError:
                return False
        self._reset_progress(order)
        return True

    def replace_ended(self, order: MigrationOrder, ended: MigrationOrder) -> bool:
        """Write a new attempt in place of an ended one; False if somebody did so already."""
        replaced = self.change_order(
            order.id, lambda old: order if old.operation_id == ended.operation_id else old
        )
        if replaced is None or replaced.operation_id != order.operation_id:
            return False
        self._reset_progress(order)
        return True

    def _reset_progress(self, order: MigrationOrder) -> None:
        fresh = MigrationProgress(operation_id=order.operation_id)
        with storage_errors(f"creating migration {order.id!r}"):
            self._migrations.upsert_entity(
                {"PartitionKey": _PROGRESS, "RowKey": order.id, "doc": _dump(fresh)},
                mode=UpdateMode.REPLACE,
            )

    def read_order(self, migration_id: str) -> MigrationOrder | None:
        """Return what was ordered, or None for an unknown migration."""
        with storage_errors(f"reading migration {migration_id!r}"):
            row = _get(self._migrations, _ORDERS, migration_id)
        return None if row is None else _parse(MigrationOrder, row)

    def list_orders(self) -> list[MigrationOrder]:
        """Return every migration, in order of id."""
        with storage_errors("listing the migrations"):
            rows = self._migrations.query_entities(
                "PartitionKey eq @kind", parameters={"kind": _ORDERS}
            )
            return [_parse(MigrationOrder, row) for row in rows]

    def change_order(
        self, migration_id: str, change: Callable[[MigrationOrder], MigrationOrder]
    ) -> MigrationOrder | None:
        """Apply `change` to an order, again if another writer comes first; None if unknown.

        `change` may raise to refuse; it is called with the order as it stands at that moment.
        """
        for _ in range(_CHANGE_TRIES):
            with storage_errors(f"changing migration {migration_id!r}"):
                row = _get(self._migrations, _ORDERS, migration_id)
            if row is None:
                return None
            old = _parse(MigrationOrder, row)
            new = change(old)
            if new == old:
                return new
            row["doc"] = _dump(new)
            with storage_errors(f"changing migration {migration_id!r}"):
                try:
                    self._migrations.update_entity(
                        row,
                        mode=UpdateMode.REPLACE,
                        etag=row.metadata["etag"],
                        match_condition=MatchConditions.IfNotModified,
                    )
                except ResourceModifiedError:
                    continue
            return new
        raise StorageUnavailable(f"changing migration {migration_id!r}: too many writers at once")

    def read_progress(self, order: MigrationOrder) -> StoredProgress:
        """Return where a migration stands; heals a crash between its two rows."""
        for _ in range(2):
            with storage_errors(f"reading migration {order.id!r}"):
                row = _get(self._migrations, _PROGRESS, order.id)
            if row is not None:
                stored = StoredProgress(self, order.id, row)
                if stored.now.operation_id == order.operation_id:
                    return stored
            self._reset_progress(order)
        raise StorageUnavailable(f"reading migration {order.id!r}: its progress keeps changing")

    def list_progress(self) -> dict[str, MigrationProgress]:
        """Return where every migration stands, by id."""
        with storage_errors("listing the migrations"):
            rows = self._migrations.query_entities(
                "PartitionKey eq @kind", parameters={"kind": _PROGRESS}
            )
            return {row["RowKey"]: _parse(MigrationProgress, row) for row in rows}

    def _replace_progress(self, migration_id: str, progress: MigrationProgress, etag: str) -> str:
        row = {"PartitionKey": _PROGRESS, "RowKey": migration_id, "doc": _dump(progress)}
        with storage_errors(f"recording migration {migration_id!r}"):
            try:
                answer = self._migrations.update_entity(
                    row,
                    mode=UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceModifiedError as error:
                raise StorageUnavailable(
                    f"migration {migration_id!r} was changed by another worker meanwhile"
                ) from error
        return str(answer["etag"])

    # Restored sets

    def add_restored(self, operation: UUID, backup: RestoredBackup) -> None:
        """Record a restored set under its number."""
        with storage_errors("recording a restored backup"):
            self._restores.upsert_entity(
                {
                    "PartitionKey": str(operation),
                    "RowKey": f"{backup.number:08d}",
                    "doc": _dump(backup),
                },
                mode=UpdateMode.REPLACE,
            )

    def list_restored(self, operation: UUID) -> list[RestoredBackup]:
        """Return the sets that the target holds, in the order in which they were restored."""
        with storage_errors("listing the restored backups"):
            rows = self._restores.query_entities(
                "PartitionKey eq @operation", parameters={"operation": str(operation)}
            )
            return [_parse(RestoredBackup, row) for row in rows]


def _get(table: TableClient, partition: str, key: str) -> TableEntity | None:
    try:
        return table.get_entity(partition, key)
    except ResourceNotFoundError:
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _file_key(name: str) -> str:
    return f"F|{_digest(name)}"


def _index_key(backup: BackupSet, file_key: str) -> str:
    kind = "L" if backup.backup_type is BackupType.LOG else "D"
    return f"{kind}|{backup.last_lsn.padded}|{file_key[2:]}"


def _dump(record: Record | BackupSet) -> str:
    return record.model_dump_json(exclude_none=True)


def _parse(model: type[R], row: TableEntity) -> R:
    return model.model_validate_json(row["doc"])
