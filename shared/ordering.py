"""Takes orders: create a migration, show it, cut over, cancel.

Every order may be repeated: the same again gives the same answer, and nothing happens twice. A
refusal is a RequestError with the HTTP status, a code, and what to change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import ValidationError

from shared.after_recovery import AfterRecovery
from shared.arrivals import files_of, unchecked_blobs
from shared.blob_event import FinishedBlob
from shared.errors import RequestError, TargetError
from shared.folder import below, migration_id, rehearsal_id
from shared.json_model import Json
from shared.looking import read_migration
from shared.models import (
    CancelRequest,
    CutoverReadiness,
    CutoverRequest,
    Migration,
    MigrationRequest,
    RestartRequest,
    RetryRequest,
)
from shared.readiness import EXCUSED_BY_DATA_LOSS, Scan, furthest_pending
from shared.records import CancelOrder, CutoverOrder, MigrationOrder, MigrationProgress
from shared.restore_options import RestoreOptions
from shared.status import describe, summarise
from shared.stop_orders import moves_stop, put_back_if_late, ready_to_stop, refuse_passed
from shared.stop_point import StopPoint
from shared.targets import tsql
from shared.vocabulary import MigrationStatus
from shared.workplace import Workplace

_CONTROL = {chr(code) for code in (*range(32), 127)}
_UNREAD_SHOWN = 50

M = TypeVar("M", bound=Json)


def parse_body(model: type[M], body: bytes) -> M:
    """Read the JSON body of a request; raises RequestError that names each wrong field."""
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'body'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise RequestError(
            400, "InvalidRequest", f"the body is wrong: {wrong}", action="correct these fields"
        ) from None


def create_migration(place: Workplace, request: MigrationRequest) -> tuple[MigrationOrder, bool]:
    """Write an order down; return it and whether it is new. The same again returns the first."""
    order = _order_of(place, request)
    _refuse_taken_name(place, order)
    for _ in range(3):
        if place.catalog.create_order(order):
            return order, True
        old, stored = read_migration(place, order.id)
        if not stored.now.status.is_final:
            _refuse_another(order, old, stored.now)
            return old, False
        if place.catalog.replace_ended(order, old):
            return order, True
    raise RequestError(409, "OperationInProgress", "somebody else starts it too", action="look")


def propose_migration(place: Workplace, request: MigrationRequest) -> MigrationOrder:
    """Return the order that a request would be; raises what creating it would, writes nothing."""
    order = _order_of(place, request)
    _refuse_taken_name(place, order)
    found = place.catalog.read_migration(order.id)
    if found is not None and not found[1].now.status.is_final:
        _refuse_another(order, found[0], found[1].now)
    return order


def _refuse_another(
    order: MigrationOrder, old: MigrationOrder, progress: MigrationProgress
) -> None:
    """Refuse an order for a folder whose migration goes on and is not the same."""
    if not _asks_the_same(old, order):
        raise RequestError(
            409,
            "OperationInProgress",
            f"folder {order.folder!r} has a migration already ({old.id!r}, {progress.status})",
            action="wait for it, or cancel it first",
        )


def _order_of(place: Workplace, request: MigrationRequest) -> MigrationOrder:
    wanted = request.properties
    location = wanted.backup_configuration.source_location.azure_blob
    container = place.settings.container
    if location.blob_container_name not in (None, container):
        raise RequestError(
            400,
            "InvalidContainerName",
            f"blobContainerName is {location.blob_container_name!r}; this app watches"
            f" {container!r}",
            action=f"leave blobContainerName out, or set it to {container!r}",
        )
    target = wanted.scope or place.settings.target_by_default
    if target is None or target not in place.settings.targets:
        raise RequestError(
            400,
            "UnknownTarget",
            f"scope is {wanted.scope!r}; the targets are {sorted(place.settings.targets)}",
            action="set scope to one of them",
        )
    folder = location.folder.strip("/")
    if _CONTROL & set(folder):
        raise RequestError(
            400, "InvalidName", "folder has control characters", action="take them out"
        )
    try:
        tsql.identifier(request.name, "name")
        if wanted.after_recovery and wanted.after_recovery.owner:
            tsql.identifier(wanted.after_recovery.owner, "afterRecovery.owner")
    except TargetError as error:
        raise RequestError(400, "InvalidName", error.message, action=error.action) from None
    return MigrationOrder(
        id=migration_id(folder),
        operation_id=uuid4(),
        target=target,
        target_database=request.name,
        folder=folder,
        offline=wanted.offline_configuration.offline,
        last_backup_name=wanted.offline_configuration.last_backup_name,
        source_database_name=wanted.source_database_name,
        priority=wanted.priority,
        adopt=wanted.adopt,
        restore_delay_minutes=wanted.restore_delay_minutes,
        verify=wanted.verify or place.settings.verify,
        after_recovery=wanted.after_recovery or AfterRecovery(),
        restore_options=wanted.restore_options or RestoreOptions(),
        created_on=place.now(),
    )


def _refuse_taken_name(place: Workplace, order: MigrationOrder) -> None:
    """Two migrations to one database would overwrite each other; names ignore case on servers."""
    for other, now in place.catalog.list_migrations():
        same = other.target_database.casefold() == order.target_database.casefold()
        active = not now.status.is_final
        if other.id != order.id and other.target == order.target and same and active:
            raise RequestError(
                409,
                "ResourceAlreadyExists",
                f"migration {other.id!r} already restores {other.target_database!r} on"
                f" {other.target!r}",
                action="choose another name, or cancel that migration",
            )


def _asks_the_same(old: MigrationOrder, new: MigrationOrder) -> bool:
    """Compare what was asked for; a request that leaves the source open fits any, as if started."""
    own = set(_OF_ONE_ATTEMPT)
    if new.source_database_name is None:
        own.add("source_database_name")
    return old.model_dump(exclude=own) == new.model_dump(exclude=own)


def list_migrations(place: Workplace) -> list[Migration]:
    """Return all migrations, without details; a rehearsal is shown with its migration."""
    return [
        summarise(order, now)
        for order, now in place.catalog.list_migrations()
        if order.rehearsal is None
    ]


def show_migration(place: Workplace, migration: str, *, scan: bool = False) -> Migration:
    """Return a migration with all its details; with `scan` after a fresh listing of its folder."""
    order, stored = read_migration(place, migration)
    return _describe(place, order, stored.now, _scan(place, order) if scan else Scan())


def _describe(
    place: Workplace, order: MigrationOrder, progress: MigrationProgress, scan: Scan
) -> Migration:
    return describe(
        order,
        progress,
        files_of(place, order),
        place.catalog.list_restored(order.operation_id),
        place.settings.container,
        scan,
        _rehearsal_of(place, order),
        place.now(),
    )


def _rehearsal_of(
    place: Workplace, order: MigrationOrder
) -> tuple[MigrationOrder, MigrationProgress] | None:
    found = place.catalog.read_migration(rehearsal_id(order.id))
    # On another target it would tell nothing of this one.
    return (found[0], found[1].now) if found and found[0].target == order.target else None


def _scan(place: Workplace, order: MigrationOrder) -> Scan:
    present = (blob for blob in unchecked_blobs(place, order.folder) if blob.etag)
    names = [below(blob.name, order.folder) for blob in first(present, _UNREAD_SHOWN)]
    return Scan(unread=names, completed_on=place.now())


def first(blobs: Iterable[FinishedBlob], count: int) -> list[FinishedBlob]:
    """Return the first blobs of a listing, which may be long."""
    return [blob for blob, _ in zip(blobs, range(count), strict=False)]


def check_cutover(
    place: Workplace, migration: str, stop: StopPoint | None = None
) -> CutoverReadiness:
    """Return whether a cutover now would lose anything, after a fresh listing of the folder.

    With a stop point: whether it would be accepted.
    """
    details = show_migration(place, migration, scan=True).properties.migration_status_details
    assert details is not None  # noqa: S101 for the type checker: a shown migration has details
    readiness = details.cutover_readiness
    return readiness if stop is None else ready_to_stop(place, migration, readiness, stop)


def order_cutover(place: Workplace, migration: str, request: CutoverRequest) -> None:
    """Accept a cutover, or refuse it.

    With `lastBackupName` it is accepted at once, and waits for that file; with `stopAt` if logs may
    lead there, and waits for them. Without, only if nothing would be lost, or if the loss is
    acknowledged. The source stands still from here on, so nothing
    is described here for an answer: that takes time with many files.
    """
    order, stored = read_migration(place, migration)
    refuse_stale(order, request.migration_operation_id)
    if not request.confirm_no_more_backups:
        raise RequestError(
            400,
            "ConfirmationRequired",
            "confirmNoMoreBackups is not true",
            action="set it once no further backup will be provided: nothing can be restored after"
            " the cutover",
        )
    _refuse_cutover(order, stored.now)
    if order.cutover is None or moves_stop(order.cutover, request):
        last, awaited = _last_backup(place, order, stored.now, request)
        now = place.now()
        wish = CutoverOrder(
            last_backup_name=last,
            stop=request.stop_at,
            awaited=awaited,
            requested_on=now,
            expires_on=now + timedelta(hours=place.settings.cutover_wait_hours),
        )
        place.catalog.change_order(order.id, lambda old: _with_cutover(old, request, wish))
        if order.cutover is not None:
            put_back_if_late(place, order, wish)
    else:
        _refuse_other_cutover(order.cutover, request)


def _with_cutover(
    old: MigrationOrder, request: CutoverRequest, wish: CutoverOrder
) -> MigrationOrder:
    """Return the order with the cutover; it may have been changed since it was looked at."""
    refuse_stale(old, request.migration_operation_id)
    _refuse_canceled(old)
    if old.cutover is None or moves_stop(old.cutover, request):
        return old.model_copy(update={"cutover": wish})
    _refuse_other_cutover(old.cutover, request)
    return old


def _refuse_other_cutover(under_way: CutoverOrder, request: CutoverRequest) -> None:
    same_file = request.last_backup_name in (None, under_way.last_backup_name)
    if not same_file or request.stop_at not in (None, under_way.stop):
        name = f"lastBackupName {under_way.last_backup_name!r}"
        ends = f"the end at {under_way.stop}" if under_way.stop else name
        raise RequestError(
            409,
            "OperationInProgress",
            f"a cutover with {ends} is under way",
            action="let it finish",
        )


def refuse_stale(order: MigrationOrder, operation: object) -> None:
    """Refuse a request that is about another attempt of a migration than the present one."""
    if order.operation_id != operation:
        raise RequestError(
            409,
            "OperationIdNotFound",
            f"migrationOperationId {operation} is not the present one ({order.operation_id})",
            action="look at the migration again before deciding",
        )


def _refuse_cutover(order: MigrationOrder, progress: MigrationProgress) -> None:
    if progress.status.is_final:
        raise RequestError(
            409,
            "CutoverNotAllowedMigrationCompleteError",
            f"the migration is {progress.status}",
            action="nothing is left to do; start a new migration if needed",
        )
    _refuse_canceled(order)
    if order.offline:
        raise RequestError(
            409,
            "MigrationNotReadyForCutoverError",
            f"an offline migration ends by itself after {order.last_backup_name!r}",
            action="upload that backup; to cut over by hand, cancel and start it online",
        )


def _refuse_canceled(order: MigrationOrder) -> None:
    if order.cancel is not None:
        raise RequestError(
            409, "OperationInProgress", "the migration is being canceled", action="start it again"
        )


def _last_backup(
    place: Workplace,
    order: MigrationOrder,
    progress: MigrationProgress,
    request: CutoverRequest,
) -> tuple[str | None, bool]:
    """Return the file that the cutover ends with, and whether it may have to be waited for.

    With a stop point it is none: any log may turn out to hold it.
    """
    if request.stop_at is not None:
        refuse_passed(place, order, progress, request.stop_at)
        return None, True
    if request.last_backup_name is not None:
        return request.last_backup_name, True
    shown = _describe(place, order, progress, _scan(place, order))
    details = shown.properties.migration_status_details
    last = progress.last_restored
    if details is None or last is None:
        raise RequestError(
            409,
            "MigrationNotReadyForCutoverError",
            "no full backup is restored yet",
            action="wait until it is, or name the last backup in lastBackupName",
        )
    readiness = details.cutover_readiness
    excused: frozenset[str] = frozenset()
    if request.accept_data_loss is not None:
        seen = request.accept_data_loss.last_restored_filename
        if seen != readiness.last_restored_filename:
            raise RequestError(
                412,
                "StateChanged",
                f"acceptDataLoss names {seen!r}, but the last restored file is"
                f" {readiness.last_restored_filename!r}",
                action="look at the migration again and repeat with the present file",
            )
        excused = EXCUSED_BY_DATA_LOSS
    failed = [
        check
        for check in readiness.checks
        if check.required and check.state != "pass" and check.name not in excused
    ]
    if failed:
        raise RequestError(
            409,
            "MigrationNotReadyForCutoverError",
            "not ready: " + "; ".join(f"{check.name}: {check.message}" for check in failed),
            action="wait, name the last backup in lastBackupName, or acknowledge the loss with"
            " acceptDataLoss",
        )
    waiting = None if excused else furthest_pending(details.active_backup_sets)
    if waiting is not None:
        # Only a restore delay lets the checks pass then: what it holds back comes first.
        return waiting.list_of_backup_files[0].file_name, True
    return last.files[0], False


def order_cancel(place: Workplace, migration: str, request: CancelRequest) -> Migration:
    """Accept a cancel, or refuse it; return the migration as it stands then."""
    order, stored = read_migration(place, migration)
    refuse_stale(order, request.migration_operation_id)
    ended = stored.now.status
    if ended.is_final and ended is not MigrationStatus.CANCELED:
        raise RequestError(
            409,
            "MigrationNotReadyForCancelError",
            f"the migration is {ended}",
            action="nothing is left to cancel",
        )
    if order.rehearsal is not None and request.keep_target:
        raise RequestError(
            400,
            "InvalidRequest",
            "keepTarget is true; the scratch database of a rehearsal is always dropped",
            action="leave keepTarget out",
        )
    wish = CancelOrder(keep_target=request.keep_target, requested_on=place.now())
    place.catalog.change_order(order.id, lambda old: _with_cancel(old, request, wish))
    return show_migration(place, migration)


def order_retry(place: Workplace, migration: str, request: RetryRequest) -> Migration:
    """Let a migration that has given up go on where it stopped; refuse it in any other state."""
    order, stored = read_migration(place, migration)
    refuse_stale(order, request.migration_operation_id)
    answered = stored.now.retries
    if stored.now.status is not MigrationStatus.RETRIABLE:
        raise RequestError(
            409,
            "MigrationRetryNotAllowed",
            f"the migration is {stored.now.status}, not Retriable",
            action="nothing is to be retried; look at the migration",
        )

    def with_retry(old: MigrationOrder) -> MigrationOrder:
        refuse_stale(old, request.migration_operation_id)
        _refuse_canceled(old)
        return old.model_copy(update={"retries": answered + 1})

    place.catalog.change_order(order.id, with_retry)
    return show_migration(place, migration)


def order_restart(place: Workplace, migration: str, request: RestartRequest) -> Migration:
    """Begin an ended migration anew, with the settings it had; return the new attempt.

    The same request again names the attempt before, and is answered with the one it began.
    """
    order, stored = read_migration(place, migration)
    if order.restart_of == request.migration_operation_id:
        return show_migration(place, migration)
    refuse_stale(order, request.migration_operation_id)
    if order.rehearsal is not None:
        raise RequestError(
            409,
            "OperationInProgress",
            f"{order.id!r} is a rehearsal, which is not restarted",
            action=f"rehearse the migration {order.rehearsal.migration_id!r} again",
        )
    _refuse_active(stored.now, "restarted")
    fresh = MigrationOrder(
        **order.model_dump(exclude=_OF_ONE_ATTEMPT),
        operation_id=uuid4(),
        created_on=place.now(),
        restart_of=order.operation_id,
    )
    _refuse_taken_name(place, fresh)
    if not place.catalog.replace_ended(fresh, order):
        raise RequestError(409, "OperationInProgress", "somebody else starts it too", action="look")
    return show_migration(place, migration)


_OF_ONE_ATTEMPT = {"operation_id", "created_on", "restart_of", "retries", "cutover", "cancel"}


def delete_migration(
    place: Workplace, migration: str, operation: UUID, *, force: bool
) -> Migration | None:
    """Take the record of an ended migration away; its database stays as it is.

    With `force` one that is active is canceled first, and its record goes once that is done: it
    is returned then. Returns None if the record is gone.
    """
    order, stored = read_migration(place, migration)
    refuse_stale(order, operation)
    if stored.now.status.is_final or stored.now.status is MigrationStatus.RETRIABLE:
        place.catalog.delete_migration(order)
        return None
    if not force:
        _refuse_active(stored.now, "deleted")
    wish = CancelOrder(keep_target=False, requested_on=place.now(), delete=True)

    def with_deletion(old: MigrationOrder) -> MigrationOrder:
        refuse_stale(old, operation)
        before = old.cancel or wish
        return old.model_copy(update={"cancel": before.model_copy(update={"delete": True})})

    place.catalog.change_order(order.id, with_deletion)
    return show_migration(place, migration)


def _refuse_active(progress: MigrationProgress, done: str) -> None:
    if not progress.status.is_final and progress.status is not MigrationStatus.RETRIABLE:
        raise RequestError(
            409,
            "OperationInProgress",
            f"the migration is {progress.status}; only one that has ended or is Retriable can be"
            f" {done}",
            action="wait for its end, or cancel it first",
        )


def _with_cancel(old: MigrationOrder, request: CancelRequest, wish: CancelOrder) -> MigrationOrder:
    refuse_stale(old, request.migration_operation_id)
    return old if old.cancel else old.model_copy(update={"cancel": wish})
