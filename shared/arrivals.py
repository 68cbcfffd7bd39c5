"""A blob has arrived: read its header, judge it, write the verdict down, say whom it concerns."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid5

from shared.acceptance import judge, judge_name
from shared.backupfile import read_backup
from shared.backupset import BackupContent, BackupType
from shared.blob_event import FinishedBlob
from shared.errors import BackupFileError
from shared.folder import folder_of, lies_in, migration_id, owner_of
from shared.records import FileRecord, MigrationOrder, Refusal
from shared.storage import BlobChanged, BlobVersion
from shared.vocabulary import InvalidReason
from shared.workplace import Workplace

_OPERATIONS = UUID("9a3c8c0e-1f8f-4f0c-8a69-5a2f0f6d5e11")


def check_blob(place: Workplace, name: str) -> tuple[FileRecord | None, str | None]:
    """Judge the present version of a blob; return its record, and the id of its migration.

    The record is None if the blob is gone. With automatic start, the first usable full backup of
    a folder orders the folder's migration. A version that was judged already is not read again.
    """
    orders = place.catalog.list_orders()
    owner = owner_of(name, (order.folder for order in orders))
    folder = folder_of(name) if owner is None else owner
    record = _judged(place, name, folder)
    if owner is not None:
        return record, next(order.id for order in orders if order.folder == owner)
    if record is not None and place.settings.auto_start and _can_begin(record):
        return record, _start(place, record)
    return record, None


def _judged(place: Workplace, name: str, folder: str) -> FileRecord | None:
    known = place.catalog.read_file(folder, name)
    if refusal := judge_name(name):
        return known or _note_misnamed(place, name, folder, refusal)
    for _ in range(3):
        blob = place.blobs.find(name)
        if blob is None:
            return _note_removed(place, known)
        if known is not None and known.etag == blob.etag:
            return known
        try:
            record = _read(place, blob, folder)
        except BlobChanged:
            continue
        place.catalog.record_file(record)
        return record
    # Somebody is writing it again and again; the last write raises an event of its own.
    return known


def _note_removed(place: Workplace, known: FileRecord | None) -> FileRecord | None:
    if known is None or known.refusal is not None:
        return known
    removed = known.model_copy(
        update={
            "etag": "",
            "refusal": Refusal(
                code=InvalidReason.BLOB_REMOVED,
                reason="The file was removed from the container before it was restored.",
                action="Upload it again if it is still needed.",
            ),
        }
    )
    place.catalog.record_file(removed)
    return removed


def _note_misnamed(place: Workplace, name: str, folder: str, refusal: Refusal) -> FileRecord:
    now = place.now()
    record = FileRecord(
        name=name, folder=folder, etag="", size=0, arrived_on=now, checked_on=now, refusal=refusal
    )
    place.catalog.record_file(record)
    return record


def _read(place: Workplace, blob: BlobVersion, folder: str) -> FileRecord:
    content: BackupContent | None = None
    try:
        content = read_backup(place.blobs.source(blob))
        refusal = judge(content, place.policy)
    except BackupFileError as error:
        refusal = Refusal(
            code=InvalidReason(error.reason_code), reason=error.message, action=error.action
        )
    return FileRecord(
        name=blob.name,
        folder=folder,
        etag=blob.etag,
        size=blob.size,
        arrived_on=blob.last_modified,
        checked_on=place.now(),
        header=content.sets[0][0] if content and content.sets else None,
        label=content.label if content else None,
        refusal=refusal,
    )


def _can_begin(record: FileRecord) -> bool:
    backup = record.backup
    return backup is not None and backup.backup_type is BackupType.DATABASE


def _start(place: Workplace, record: FileRecord) -> str | None:
    """Order the migration of a folder; it moves the database under its own name, online."""
    target = place.settings.target_by_default
    if target is None or record.header is None:
        return None
    order = MigrationOrder(
        id=migration_id(record.folder),
        # Derived, so that two stripes that arrive at once order the same migration.
        operation_id=uuid5(_OPERATIONS, f"{place.blobs.container_url}/{record.folder}"),
        target=target,
        target_database=record.header.database_name,
        folder=record.folder,
        source_database_name=record.header.database_name,
        created_on=place.now(),
    )
    place.catalog.create_order(order)
    return order.id


def unchecked_blobs(place: Workplace, folder: str | None = None) -> Iterator[FinishedBlob]:
    """Yield the blobs of which the catalog does not know the present version.

    With `folder`, only those that lie in it. This is how a lost event is made good.
    """
    folders = [order.folder for order in place.catalog.list_orders()]
    known: dict[str, dict[str, str]] = {}
    for blob in place.blobs.list(folder + "/" if folder else ""):
        owner = owner_of(blob.name, folders)
        if folder is not None and owner != folder:
            continue
        home = folder_of(blob.name) if owner is None else owner
        if home not in known:
            known[home] = {file.name: file.etag for file in place.catalog.list_files(home)}
        misnamed = blob.name in known[home] and judge_name(blob.name) is not None
        if known[home].get(blob.name) != blob.etag and not misnamed:
            yield FinishedBlob(blob.name, blob.etag)


def files_of(place: Workplace, order: MigrationOrder) -> list[FileRecord]:
    """Return the files of a migration, without those of migrations that own a folder below."""
    deeper = [
        other.folder
        for other in place.catalog.list_orders()
        if other.folder != order.folder and lies_in(other.folder + "/", order.folder)
    ]
    return [
        file
        for file in place.catalog.list_files(order.folder)
        if owner_of(file.name, deeper) is None
    ]
