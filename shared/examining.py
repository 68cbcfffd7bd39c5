"""Examines a target for a migration, and holds the migration up if it cannot take the database.

That is done when a migration is created, when its full backup becomes known, and again while
something is wrong; never once the full is restored. The credential is renewed at any time.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from shared.backupset import BackupSet, BackupType
from shared.catalog import StoredProgress
from shared.chain import TargetPosition
from shared.errors import (
    BackhaulError,
    StorageError,
    StorageUnavailable,
    TargetError,
    TargetUnavailable,
)
from shared.explain import Explanation
from shared.outlook import Action, Outlook, held
from shared.paths import parent_of
from shared.preflight import Access, Found, judge, renewed, reserved_by
from shared.records import MigrationOrder, MigrationProgress, Preflight
from shared.storage import SAS_CLOCK_SKEW
from shared.targets import Contents, ServerFacts, Target
from shared.targets.files import ListedFile
from shared.targets.placing import moves_for
from shared.targets.sqlserver import SAS_LIFETIME
from shared.vocabulary import BlockingReason
from shared.workplace import Workplace

_NAME_TAKEN = frozenset({BlockingReason.TARGET_DATABASE_EXISTS, BlockingReason.CONCURRENT_CHANGE})
_PASSED_OVER = (Action.RECOVER, Action.CLEAN_UP, Action.FINISH)

# What a server may have refused a restore for that a look at it before could have told.
_REFUSED = frozenset(
    {
        BlockingReason.TARGET_NOT_READY,
        BlockingReason.TARGET_REFUSED,
        BlockingReason.RESTORE_OPTIONS_REFUSED,
        BlockingReason.TARGET_STORAGE_FULL,
        BlockingReason.CERTIFICATE_MISSING,
        BlockingReason.VERSION_NOT_SUPPORTED,
        BlockingReason.FEATURE_NOT_SUPPORTED_ON_TARGET,
        BlockingReason.STORAGE_ACCESS_DENIED,
    }
)


class _Room(NamedTuple):
    """How many bytes go to each folder, or why that cannot be told."""

    by_folder: dict[str, int]
    why_not: TargetError | None = None


def examined(
    place: Workplace,
    order: MigrationOrder,
    stored: StoredProgress,
    target: Target,
    position: TargetPosition,
    ahead: Outlook,
    *,
    at_work: bool,
) -> Outlook:
    """Return what comes next, or that the target must be put right first.

    Costs nothing when the target was found fit, or is at work. Raises TargetUnavailable and
    StorageUnavailable.
    """
    now = stored.now
    if order.cancel is not None or ahead.action in _PASSED_OVER:
        return ahead
    full = first_full(ahead)
    if not at_work and _is_due(now, full):
        server, preflight = examine(place, order, target, full, now, position, ahead.blocking)
        denied = preflight.failed and preflight.failed.code is BlockingReason.STORAGE_ACCESS_DENIED
        stored.update(server=server, preflight=preflight, access_denied=bool(denied))
    elif now.preflight and wants_renewal(now, place.now()):
        stored.update(preflight=_renew(place, order, target, now.preflight))
    why = stored.now.preflight.failed if stored.now.preflight else None
    if why is None or why.code is None or ahead.blocking or now.has_full or at_work:
        return ahead
    return held(order, now, Explanation(why.code, why.message, why.action), ahead.plan)


def wants_renewal(progress: MigrationProgress, now: datetime) -> bool:
    """Tell whether it is time to look at the target's credential again."""
    due = progress.preflight.renew_on if progress.preflight else None
    return due is not None and due <= now


def examine(
    place: Workplace,
    order: MigrationOrder,
    target: Target,
    full: BackupSet | None,
    progress: MigrationProgress,
    position: TargetPosition,
    taken: Explanation | None,
    *,
    only_look: bool = False,
) -> tuple[ServerFacts, Preflight]:
    """Find out whether a target can take a database; with `only_look` nothing is changed on it."""
    server = target.read_server()
    no_credential = None if only_look else _let_read(place, order, target, progress.access_denied)
    record = place.catalog.read_file(order.folder, full.files[0].name) if full else None
    contents, refused = _read_contents(place, target, full) if full else (None, None)
    files = contents.files if contents else record.database_files if record else ()
    room = _room(order, target, server, files)
    wanted = order.restore_options
    default = (
        wanted.data_folder or server.default_data_path,
        wanted.log_folder or server.default_log_path,
    )
    conditions = target.read_conditions(
        place.blobs.container_url, list(room.by_folder) or [*filter(None, dict.fromkeys(default))]
    )
    if only_look and conditions.credential is None:
        # The server could not read what it will be able to read.
        refused = None
    found = Found(
        now=place.now(),
        server=server,
        conditions=conditions,
        access=_access(place, order),
        restore_with=place.target_settings(order.target).restore_with,
        header=record.header if record else None,
        files=files or None,
        room=room.by_folder,
        unplaced=room.why_not,
        thumbprints=contents.thumbprints if contents else None,
        refused=refused,
        no_credential=no_credential,
        reserved=reserved_by(place.catalog.list_migrations(), order),
        taken=taken if taken and taken.code in _NAME_TAKEN else None,
        is_allocated=progress.begun and position.state.goes_on,
        after=order.after_recovery,
        standby=order.restore_options.standby,
        owner_is_login=target.has_login(owner) if (owner := order.after_recovery.owner) else None,
    )
    return server, judge(found)


def first_full(ahead: Outlook) -> BackupSet | None:
    """Return the full backup that comes next, if one does."""
    first = ahead.plan.steps[0].backup if ahead.plan.steps else None
    return first if first and first.backup_type is BackupType.DATABASE else None


def _is_due(now: MigrationProgress, full: BackupSet | None) -> bool:
    last = now.preflight
    if last is None:
        return True
    if now.full_backup is not None:
        return False
    another = full is not None and full.backup_set_guid != last.full
    refused = now.blocking is not None and now.blocking.code in _REFUSED
    return another or refused or last.failed is not None


def _renew(place: Workplace, order: MigrationOrder, target: Target, before: Preflight) -> Preflight:
    """Renew the target's credential if it is time, and tell how long it lasts."""
    no_credential = _let_read(place, order, target, False)
    found = Found(
        now=place.now(),
        server=target.read_server(),
        conditions=target.read_conditions(place.blobs.container_url, ()),
        access=_access(place, order),
        restore_with=place.target_settings(order.target).restore_with,
        no_credential=no_credential,
    )
    return renewed(before, found)


def _let_read(
    place: Workplace, order: MigrationOrder, target: Target, renew: bool
) -> BackhaulError | None:
    """Give the server its credential for the container; return why that was refused."""
    try:
        place.let_target_read(target, order.target, renew=renew)
    except (TargetUnavailable, StorageUnavailable):
        raise
    except (TargetError, StorageError) as error:
        return error
    return None


def _access(place: Workplace, order: MigrationOrder) -> Access:
    settings = place.target_settings(order.target)
    managed = settings.manage_credential
    by_identity = managed and settings.container_access == "managed_identity"
    return Access(managed, by_identity, SAS_LIFETIME - SAS_CLOCK_SKEW)


def _read_contents(
    place: Workplace, target: Target, full: BackupSet
) -> tuple[Contents | None, TargetError | None]:
    try:
        return target.read_contents([place.blobs.url_of(file.name) for file in full.files]), None
    except TargetError as error:
        # It answers, but storage may not answer it: that is for the restore to try again.
        if isinstance(error, TargetUnavailable) and error.number is None:
            raise
        return None, error


def _room(
    order: MigrationOrder, target: Target, server: ServerFacts, files: tuple[ListedFile, ...]
) -> _Room:
    if not files:
        return _Room({})
    try:
        moves = moves_for(
            order.target_database,
            files,
            order.restore_options,
            data_path=server.default_data_path,
            log_path=server.default_log_path,
            taken=target.read_paths(order.target_database),
        )
    except TargetUnavailable:
        raise
    except TargetError as error:
        return _Room({}, error)
    by_folder: Counter[str] = Counter()
    for file, move in zip(files, moves, strict=True):
        by_folder[parent_of(move.path)] += file.size
    return _Room(dict(by_folder))
