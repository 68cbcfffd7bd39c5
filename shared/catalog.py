"""What is known of each backup and each migration, in Azure Table Storage.

The catalog is the truth: whatever an event says is written here first, and the event itself only
says "look again".

Three tables. `Backups`, a partition per folder: a row per file (key F), and per usable file a row
in the index by LSN (key D for full and differential backups, L for logs), so that the logs behind
a position are one query, however many there are; while a file is being verified its row is under V
instead. `Migrations`: what was ordered, and where each stands, in two partitions with one writer
each. `Restores`, a partition per migration operation: a row per restored set, in order.

A row's content is one JSON document, in as many properties as its length takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar
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
from pydantic import BaseModel, ValidationError

from shared.backupset import BackupSet, BackupType
from shared.errors import StorageError, StorageUnavailable
from shared.lsn import Lsn
from shared.records import FileRecord, MigrationOrder, MigrationProgress, RestoredBackup
from shared.settings import Settings
from shared.storage import storage_errors
from shared.vocabulary import VerificationLevel

_ORDERS = "orders"
_PROGRESS = "progress"
_CHANGE_TRIES = 10
_TABLE_NOT_FOUND = "TableNotFound"
# A property holds 32 Ki UTF-16 code units, and a character takes up to two of them.
_PIECE = 16_000

M = TypeVar("M", bound=BaseModel)


class KnownVersion(NamedTuple):
    """Which version of a file was judged; `etag` is empty if it is gone or cannot be addressed.

    `verified` is the level of the verdict, None while more of the file is to be read.
    """

    etag: str
    usable: bool
    verified: VerificationLevel | None = VerificationLevel.HEADER

    def answers(self, level: VerificationLevel) -> bool:
        """Tell whether no more is to be read of the file for a migration that asks for a level."""
        if self.verified is None:
            return False
        return not self.usable or self.verified.covers(level)


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

    def record_file(self, file: FileRecord, *, over: FileRecord | None) -> bool:
        """Write the verdict on a file in place of `over`, or as the first one if that is None.

        False if something else is known by now: whoever judged an older version of the blob, or
        knew less, must look again.
        """
        folder, key = self._folder_key(file.folder), _file_key(file.name)
        with storage_errors(f"recording {file.name!r}"):
            old = _get(self._backups, folder, key)
            if (None if old is None else _parse(FileRecord, old)) != over:
                return False
            return self._submit(_steps_to_record(folder, key, file, old))

    def forget_file(self, file: FileRecord) -> bool:
        """Take an unusable file off the catalog; False if something else is known of it by now."""
        folder, key = self._folder_key(file.folder), _file_key(file.name)
        with storage_errors(f"forgetting {file.name!r}"):
            row = _get(self._backups, folder, key)
            if row is None or _parse(FileRecord, row) != file:
                return False
            return self._submit([("delete", {"PartitionKey": folder, "RowKey": key}, _same(row))])

    def _submit(self, steps: list[tuple[object, ...]]) -> bool:
        """Change rows of one partition, all or none; False if another writer came first."""
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

    def list_versions(self, folder: str) -> dict[str, KnownVersion]:
        """Return which version of each file of a folder is known, by name; cheap for thousands."""
        columns = ["name", "etag", "index", "verified"]
        return {
            json.loads(row["name"]): _version(row)
            for row in self._range(folder, "F", "G", columns=columns)
        }

    def files_being_verified(self, folder: str) -> list[FileRecord]:
        """Return the files of a folder of which more is to be read before they can be used."""
        return [_parse(FileRecord, row) for row in self._range(folder, "V", "W")]

    def data_backups(self, folder: str) -> list[BackupSet]:
        """Return the parts of all usable full and differential backups of a folder.

        And of the few logs that lead from one recovery fork to another.
        """
        return [_parse(BackupSet, row) for row in self._range(folder, "D", "E")]

    def logs_after(
        self, folder: str, redo: Lsn | None, limit: int | None
    ) -> tuple[list[BackupSet], bool]:
        """Return parts of the logs that end after `redo`, by LastLSN, and whether these are all.

        Those that lead to another recovery fork are among `data_backups` instead. At most about
        `limit` parts, or all of them; the stripes of a set are never torn apart.
        """
        first = f"L|{Lsn(redo + 1).padded if redo is not None else ''}"
        parts: list[BackupSet] = []
        for row in self._range(folder, first, "M"):
            part = _parse(BackupSet, row)
            if limit is not None and len(parts) >= limit and part.last_lsn != parts[-1].last_lsn:
                return parts, False
            parts.append(part)
        return parts, True

    def _range(
        self, folder: str, first: str, end: str, columns: list[str] | None = None
    ) -> Iterator[TableEntity]:
        with storage_errors(f"listing the backups of folder {folder!r}"):
            yield from self._backups.query_entities(
                "PartitionKey eq @folder and RowKey ge @first and RowKey lt @end",
                select=columns,
                parameters={"folder": self._folder_key(folder), "first": first, "end": end},
            )

    def _folder_key(self, folder: str) -> str:
        """Return the partition of a folder: table keys may hold neither slashes nor much text."""
        return _digest(f"{self._container}/{folder}")

    # Migrations

    def create_order(self, order: MigrationOrder) -> bool:
        """Write a new order with fresh progress; False if there is one of that id."""
        row = {"PartitionKey": _ORDERS, "RowKey": order.id, **_content(order)}
        with storage_errors(f"creating migration {order.id!r}"):
            try:
                self._migrations.create_entity(row)
            except ResourceExistsError:
                return False
        self.read_migration(order.id)
        return True

    def replace_ended(self, order: MigrationOrder, ended: MigrationOrder) -> bool:
        """Write a new attempt in place of an ended one; False if somebody did so already."""
        replaced = self.change_order(
            order.id, lambda old: order if old.operation_id == ended.operation_id else old
        )
        if replaced is None or replaced.operation_id != order.operation_id:
            return False
        self.read_migration(order.id)
        return True

    def read_migration(self, migration_id: str) -> tuple[MigrationOrder, StoredProgress] | None:
        """Return what was ordered and where it stands, or None for an unknown migration.

        Heals a crash between the two rows. The progress is read first: an order that is read
        after it can only be the newer of the two, so what is replaced was of an earlier attempt.
        """
        for _ in range(_CHANGE_TRIES):
            with storage_errors(f"reading migration {migration_id!r}"):
                row = _get(self._migrations, _PROGRESS, migration_id)
            order = self.read_order(migration_id)
            if order is None:
                return None
            if row is not None:
                stored = StoredProgress(self, migration_id, row)
                if stored.now.operation_id == order.operation_id:
                    return order, stored
            self._begin_progress(order, row)
        raise StorageUnavailable(f"reading migration {migration_id!r}: it keeps changing")

    def _begin_progress(self, order: MigrationOrder, old: TableEntity | None) -> None:
        """Write fresh progress over that of an earlier attempt, unless another writer did."""
        fresh = {"PartitionKey": _PROGRESS, "RowKey": order.id, **_content(_fresh(order))}
        with storage_errors(f"creating migration {order.id!r}"):
            try:
                if old is None:
                    self._migrations.create_entity(fresh)
                else:
                    self._migrations.update_entity(fresh, mode=UpdateMode.REPLACE, **_same(old))
            except (ResourceExistsError, ResourceModifiedError):
                return

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
            changed = {"PartitionKey": _ORDERS, "RowKey": migration_id, **_content(new)}
            with storage_errors(f"changing migration {migration_id!r}"):
                try:
                    self._migrations.update_entity(changed, mode=UpdateMode.REPLACE, **_same(row))
                except ResourceModifiedError:
                    continue
            return new
        raise StorageUnavailable(f"changing migration {migration_id!r}: too many writers at once")

    def delete_migration(self, order: MigrationOrder) -> None:
        """Take a migration off the catalog, with what is recorded of its restores.

        What is known of the files stays: they are there still. The order goes last, so that what
        a crash leaves is a migration that can be deleted again.
        """
        with storage_errors(f"deleting migration {order.id!r}"):
            for restored in self.list_restored(order.operation_id):
                self._restores.delete_entity(str(order.operation_id), f"{restored.number:08d}")
            for kind in (_PROGRESS, _ORDERS):
                self._migrations.delete_entity(kind, order.id)

    def list_migrations(self) -> list[tuple[MigrationOrder, MigrationProgress]]:
        """Return every migration and where it stands, in order of id."""
        with storage_errors("listing the migrations"):
            rows = self._migrations.query_entities(
                "PartitionKey eq @kind", parameters={"kind": _PROGRESS}
            )
            known = {row["RowKey"]: _parse(MigrationProgress, row) for row in rows}
        return [
            (order, now)
            if (now := known.get(order.id)) and now.operation_id == order.operation_id
            else (order, _fresh(order))
            for order in self.list_orders()
        ]

    def _replace_progress(self, migration_id: str, progress: MigrationProgress, etag: str) -> str:
        row = {"PartitionKey": _PROGRESS, "RowKey": migration_id, **_content(progress)}
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
                    **_content(backup),
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
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == _TABLE_NOT_FOUND:
            raise
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _file_key(name: str) -> str:
    return f"F|{_digest(name)}"


def _index_key(file: FileRecord, file_key: str) -> str:
    backup = file.claimed
    if backup is None:
        return ""
    # A log that begins another line of history is looked at wherever it ends: the target may have
    # gone past it on the line that the source gave up.
    plain = backup.backup_type is BackupType.LOG and backup.fork_point_lsn is None
    kind = "V" if file.verifying else "L" if plain else "D"
    return f"{kind}|{backup.last_lsn.padded}|{file_key[2:]}"


def _version(row: TableEntity) -> KnownVersion:
    index = str(row["index"])
    if index.startswith("V"):
        return KnownVersion(row["etag"], usable=False, verified=None)
    # Before there were levels, headers were what was read.
    level = VerificationLevel(row.get("verified") or VerificationLevel.HEADER)
    return KnownVersion(row["etag"], bool(index), level)


def _steps_to_record(
    folder: str, key: str, file: FileRecord, old: TableEntity | None
) -> list[tuple[object, ...]]:
    """Return the changes that write a verdict down: the row of the file, and that in the index."""
    index = _index_key(file, key)
    row = {
        "PartitionKey": folder,
        "RowKey": key,
        "name": json.dumps(file.name),
        "etag": file.etag,
        "index": index,
        "verified": file.verified.value,
        **_content(file),
    }
    steps: list[tuple[object, ...]] = []
    if old is None:
        steps.append(("create", row))
    else:
        # The row's version guards the index rows too: all change in one transaction.
        steps.append(("update", row, {"mode": UpdateMode.REPLACE, **_same(old)}))
        if (stale := old["index"]) and stale != index:
            steps.append(("delete", {"PartitionKey": folder, "RowKey": stale}))
    if index:
        content = _content(file.backup or file)
        entry = {"PartitionKey": folder, "RowKey": index, **content}
        steps.append(("upsert", entry, {"mode": UpdateMode.REPLACE}))
    return steps


def _fresh(order: MigrationOrder) -> MigrationProgress:
    return MigrationProgress(operation_id=order.operation_id)


def _same(row: TableEntity) -> dict[str, Any]:
    """Return the condition that a row is still the version that was read."""
    return {"etag": row.metadata["etag"], "match_condition": MatchConditions.IfNotModified}


def _content(document: BaseModel) -> dict[str, str]:
    text = document.model_dump_json(exclude_none=True)
    return {
        f"doc{number or ''}": text[start : start + _PIECE]
        for number, start in enumerate(range(0, len(text), _PIECE))
    }


def _parse(model: type[M], row: TableEntity) -> M:
    """Read the content of a row; raises StorageError if this version of the app cannot."""
    pieces = [str(row["doc"])]
    while (piece := row.get(f"doc{len(pieces)}")) is not None:
        pieces.append(str(piece))
    try:
        return model.model_validate_json("".join(pieces))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise StorageError(
            f"row {row['RowKey']!r} of the catalog cannot be read as {model.__name__}: {where}:"
            f" {first['msg']}",
            action="run the version of the app that wrote it, or a newer one",
        ) from None
