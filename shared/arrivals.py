"""A blob has arrived: read its header, judge it, write the verdict down, say whom it concerns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from shared.acceptance import judge, judge_name
from shared.backupfile import read_backup
from shared.backupset import BackupContent, BackupHeader, BackupType, DatabaseFile
from shared.blob_event import FinishedBlob
from shared.catalog import KnownVersion
from shared.errors import BackupFileError
from shared.folder import home_of, migration_id, owner_of
from shared.records import FileRecord, MigrationOrder, Refusal
from shared.storage import BlobChanged, BlobVersion
from shared.targets.files import ListedFile
from shared.verification import Check, advance, begin
from shared.verification.read_ahead import ReadAhead
from shared.verifying import with_check
from shared.vocabulary import InvalidReason, VerificationLevel
from shared.workplace import Workplace

# Short, since the steps of all migrations wait their turn among these.
_VERIFY_S = 8.0
_VERIFY_BYTES = 64 * 1024 * 1024

# A row of the catalog holds 1 MiB.
_FILES_KEPT = 500
_DATA = "D"
_OPERATIONS = UUID("9a3c8c0e-1f8f-4f0c-8a69-5a2f0f6d5e11")


def check_blob(place: Workplace, name: str) -> tuple[FileRecord | None, str | None]:
    """Judge the present version of a blob; return its record, and the id of its migration.

    The record is None if the blob is gone. With automatic start, the first usable full backup of
    a folder orders the folder's migration. A version that was judged already is not read again.
    """
    home = _home(place, name)
    known: FileRecord | None = None
    migration = home.migration
    for _ in range(3):
        known = place.catalog.read_file(home.folder, name)
        try:
            record = _judged(place, name, home, known)
        except BlobChanged:
            continue
        if migration is None:
            # Before the verdict is written: after a crash in between, the blob counts as unread.
            migration = _start(place, record)
        if _write(place, record, known):
            return record, migration
    # Somebody is writing it again and again; the last write raises an event of its own.
    return known, migration


def verify_blob(place: Workplace, name: str) -> tuple[FileRecord | None, str | None]:
    """Go on with the verification of a blob for some seconds; return what `check_blob` does.

    How far it has come is written down, and whoever comes next goes on from there.
    """
    home = _home(place, name)
    known = place.catalog.read_file(home.folder, name)
    blob = place.blobs.find(name)
    check = known.verifying if known is not None else None
    if known is None or blob is None or check is None:
        return check_blob(place, name)
    if blob.etag != known.etag or check.level is not home.level:
        return check_blob(place, name)
    try:
        record = with_check(known, _advance(place, blob, check), place.now())
    except BlobChanged:
        return check_blob(place, name)
    if place.catalog.record_file(record, over=known):
        return record, home.migration
    return check_blob(place, name)


def _advance(place: Workplace, blob: BlobVersion, check: Check) -> Check:
    deadline = time.monotonic() + _VERIFY_S
    with ReadAhead(place.blobs.source(blob)) as source:
        while True:
            check = advance(source, check, _VERIFY_BYTES)
            if check.done or check.findings or time.monotonic() > deadline:
                return check


class _Home(NamedTuple):
    """Where a blob is filed, its migration if there is one, and how much of it is to be read."""

    folder: str
    migration: str | None
    level: VerificationLevel


def _home(place: Workplace, name: str) -> _Home:
    orders = place.catalog.list_orders()
    folder = home_of(name, [order.folder for order in orders])
    order = _migration_of(folder, orders)
    return _Home(folder, order.id if order else None, _level_for(place, order))


def _migration_of(folder: str, orders: Sequence[MigrationOrder]) -> MigrationOrder | None:
    """Return the migration that owns a folder; a rehearsal only takes part in it."""
    own = (order for order in orders if order.folder == folder and order.rehearsal is None)
    return next(own, None)


def _level_for(place: Workplace, order: MigrationOrder | None) -> VerificationLevel:
    """Return how much is to be read of backups for a migration: no more once it has ended."""
    if order is not None:
        if order.verify is VerificationLevel.HEADER:
            return order.verify
        found = place.catalog.read_migration(order.id)
        ended = found is not None and found[1].now.status.is_final
        return VerificationLevel.HEADER if ended else order.verify
    return place.settings.verify if place.settings.auto_start else VerificationLevel.HEADER


def _judged(
    place: Workplace, name: str, home: _Home, known: FileRecord | None
) -> FileRecord | None:
    """Return what is to be known of a blob: `known` itself if that says it already."""
    if refusal := judge_name(name):
        return known or _misnamed(place, name, home.folder, refusal)
    blob = place.blobs.find(name)
    if blob is None:
        return _removed(known)
    if blob.is_arriving:
        return known
    if known is None or known.etag != blob.etag:
        known = _read(place, blob, home.folder)
    if known.claimed is None:
        return known
    if known.verified.covers(home.level):
        return known.model_copy(update={"verifying": None})
    if known.verifying is not None and known.verifying.level is home.level:
        return known
    return with_check(known, begin(place.blobs.source(blob), home.level), place.now())


def _write(place: Workplace, record: FileRecord | None, known: FileRecord | None) -> bool:
    """Bring the catalog from what is known to what is to be; False if another writer came first."""
    if record == known:
        return True
    if record is not None:
        return place.catalog.record_file(record, over=known)
    return known is None or place.catalog.forget_file(known)


def _removed(known: FileRecord | None) -> FileRecord | None:
    """Tell what is to be known of a file that is gone: it is missed only if it was of use."""
    if known is None or known.backup is None:
        return known if known and known.is_removed else None
    return known.model_copy(
        update={
            "etag": "",
            "refusal": Refusal(
                code=InvalidReason.BLOB_REMOVED,
                reason="The file was removed from the container before it was restored.",
                action="Upload it again if it is still needed.",
            ),
        }
    )


def _misnamed(place: Workplace, name: str, folder: str, refusal: Refusal) -> FileRecord:
    now = place.now()
    return FileRecord(
        name=name, folder=folder, etag="", size=0, arrived_on=now, checked_on=now, refusal=refusal
    )


def _read(place: Workplace, blob: BlobVersion, folder: str) -> FileRecord:
    content: BackupContent | None = None
    try:
        content = read_backup(place.blobs.source(blob))
        refusal = judge(content, place.policy)
    except BackupFileError as error:
        refusal = Refusal(
            code=InvalidReason(error.reason_code), reason=error.message, action=error.action
        )
    header, files = content.sets[0] if content and content.sets else (None, ())
    return FileRecord(
        name=blob.name,
        folder=folder,
        etag=blob.etag,
        size=blob.size,
        arrived_on=blob.last_modified,
        checked_on=place.now(),
        header=header,
        label=content.label if content else None,
        refusal=refusal,
        database_files=_kept(header, files),
        time_zone=next(iter(content.time_zones), None) if content else None,
    )


def _kept(header: BackupHeader | None, files: Sequence[DatabaseFile]) -> tuple[ListedFile, ...]:
    """Return what is kept of a file list: that of a full, which tells what room it takes."""
    if header is None or header.backup_type is not BackupType.DATABASE or len(files) > _FILES_KEPT:
        return ()
    return tuple(ListedFile(f.logical_name, f.type or _DATA, f.file_id, f.size) for f in files)


def _start(place: Workplace, record: FileRecord | None) -> str | None:
    """Order the migration that a backup begins; it moves the database under its own name, online.

    Returns its id, or None if the backup cannot begin one, or nothing is to start by itself.
    """
    target = place.settings.target_by_default
    backup = record.claimed if record is not None and place.settings.auto_start else None
    if record is None or backup is None or target is None:
        return None
    if backup.backup_type is not BackupType.DATABASE:
        return None
    order = MigrationOrder(
        id=migration_id(record.folder),
        # Derived, so that two stripes that arrive at once order the same migration.
        operation_id=uuid5(_OPERATIONS, f"{place.blobs.container_url}/{record.folder}"),
        target=target,
        target_database=backup.database_name,
        folder=record.folder,
        source_database_name=backup.database_name,
        verify=place.settings.verify,
        created_on=place.now(),
    )
    place.catalog.create_order(order)
    return order.id


def unchecked_blobs(place: Workplace, folder: str | None = None) -> Iterator[FinishedBlob]:
    """Yield the blobs of which the catalog does not know the present version, or not enough.

    With `folder`, only those that lie in it. This is how a lost event is made good. Unusable
    files that are gone from the container come last, with an empty etag, to be forgotten.
    """
    orders = place.catalog.list_orders()
    folders = [order.folder for order in orders]
    levels: dict[str, VerificationLevel] = {}
    known: dict[str, dict[str, KnownVersion]] = {}
    for blob in place.blobs.list(folder + "/" if folder else ""):
        home = home_of(blob.name, folders)
        if folder is not None and home != folder:
            continue
        if home not in known:
            known[home] = place.catalog.list_versions(home)
            levels[home] = _level_for(place, _migration_of(home, orders))
        version = known[home].pop(blob.name, None)
        is_known = version is not None and (
            (version.etag == blob.etag and version.answers(levels[home]))
            or judge_name(blob.name) is not None
        )
        if not is_known:
            yield FinishedBlob(blob.name, blob.etag)
    for home, gone in known.items():
        for name, version in gone.items():
            if version.etag and not version.usable and home_of(name, folders) == home:
                yield FinishedBlob(name, "")


def files_of(place: Workplace, order: MigrationOrder) -> list[FileRecord]:
    """Return the files of a migration, without those of migrations that own a folder below."""
    folders = [other.folder for other in place.catalog.list_orders()]
    return [
        file
        for file in place.catalog.list_files(order.folder)
        if owner_of(file.name, folders) == order.folder
    ]
