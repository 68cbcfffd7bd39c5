"""Whether a cutover now would lose nothing, check by check. Pure.

It looks at what is there, not only at what was seen: a fresh listing of the container is part of
it, since zero pending files means little while a file lies unread in the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from shared.folder import below
from shared.models import (
    BackupSetInfo,
    ChainGap,
    CutoverReadiness,
    InvalidFile,
    PendingFile,
    ReadinessCheck,
    RestoredUpTo,
    VerifyingFile,
)
from shared.outlook import status_by_order
from shared.records import MigrationOrder, MigrationProgress
from shared.vocabulary import BlockingReason, InvalidReason, MigrationStatus, SetStatus

_ALLOWED = (MigrationStatus.READY_FOR_CUTOVER, MigrationStatus.IN_PROGRESS)
_WAITING = (SetStatus.QUEUED, SetStatus.RESTORING)
_NOT_OURS = (BlockingReason.CONCURRENT_CHANGE, BlockingReason.TARGET_DATABASE_EXISTS)
# What cannot be the tail of this database.
_OF_NO_CONCERN = (
    InvalidReason.NOT_A_BACKUP,
    InvalidReason.SYSTEM_DATABASE,
    InvalidReason.WRONG_DATABASE,
)
_PENDING_SHOWN = 100
EXCUSED_BY_DATA_LOSS = frozenset(
    {
        "noBlockingReason",
        "nothingPending",
        "noIncompleteStripes",
        "noFilesBeingVerified",
        "noUnreadFiles",
        "noInvalidFileNewerThanLastRestored",
        "chainContinuous",
    }
)
"""The checks of what is pending: whoever acknowledges the loss cuts over without it."""


class Scan(NamedTuple):
    """A listing of the folder: names of files whose present version is not in the catalog.

    None for both if no listing was made.
    """

    unread: Sequence[str] | None = None
    completed_on: datetime | None = None


def judge_readiness(
    order: MigrationOrder,
    progress: MigrationProgress,
    sets: Sequence[BackupSetInfo],
    invalid: Sequence[InvalidFile],
    gap: ChainGap | None,
    up_to: RestoredUpTo | None,
    verifying: Sequence[VerifyingFile],
    scan: Scan,
) -> CutoverReadiness:
    """Return the checks of a cutover; it is ready if all required ones pass."""
    pending = [s for s in sets if s.restore_status in _WAITING]
    half_read = {file.file_name for file in verifying}
    if scan.unread is not None:
        scan = scan._replace(unread=[name for name in scan.unread if name not in half_read])
    incomplete = [
        s
        for s in sets
        if s.restore_status is SetStatus.NONE
        and half_read.isdisjoint(file.file_name for file in s.list_of_backup_files)
    ]
    status = status_by_order(order, progress) or progress.status
    code = progress.blocking.code if progress.blocking else None
    state = progress.position.state if progress.position else None
    seen = state.value.lower() if state else "not looked at yet"
    checks = [
        _check("online", not order.offline, "An offline migration ends by itself."),
        _check("statusAllowsCutover", status in _ALLOWED, f"The migration is {status}."),
        _check(
            "notAlreadyRequested", order.cutover is None, "A cutover was accepted and is under way."
        ),
        _check("fullBackupRestored", progress.has_full, "No full backup is restored."),
        _check(
            "noBlockingReason",
            progress.blocking is None,
            progress.blocking.reason if progress.blocking else "",
        ),
        _check_pending(order, pending),
        _check(
            "noIncompleteStripes", not incomplete, f"Files are missing of: {_names(incomplete)}."
        ),
        _check(
            "noFilesBeingVerified",
            not verifying,
            "Being verified: "
            + ", ".join(f"{f.file_name} ({f.percent_completed:.0f} %)" for f in verifying[:5])
            + ".",
        ),
        _check_unread(scan),
        _check_invalid(progress, invalid),
        _check(
            "chainContinuous",
            gap is None,
            f"A log backup that contains LSN {gap.after_last_lsn} is missing." if gap else "",
        ),
        _check(
            "targetReady",
            code is not BlockingReason.TARGET_NOT_READY,
            "The target cannot be reached now.",
        ),
        _check(
            "targetDatabaseRestoring",
            state is not None and state.goes_on and code not in _NOT_OURS,
            f"The database on the target is not ours to recover, or not restoring ({seen}).",
        ),
    ]
    last = progress.last_restored
    return CutoverReadiness(
        ready=all(check.state == "pass" for check in checks if check.required),
        checks=checks,
        last_restored_filename=below(last.files[0], order.folder) if last else None,
        restored_up_to=up_to,
        pending_log_backups_count=sum(s.backup_type == "TransactionLog" for s in pending),
        pending_files=[
            PendingFile(
                file_name=file.file_name,
                backup_type=backup.backup_type,
                status=file.status,
                total_size=file.total_size,
            )
            for backup in pending
            for file in backup.list_of_backup_files
        ][:_PENDING_SHOWN],
        unread_files=list(scan.unread or ()),
        last_scan_completed_on=scan.completed_on,
    )


def furthest_pending(sets: Sequence[BackupSetInfo]) -> BackupSetInfo | None:
    """Return the set that reaches furthest of those that are to be restored, None if none is."""
    pending = (s for s in sets if s.restore_status in _WAITING)
    return max(pending, key=lambda s: s.last_lsn, default=None)


def _check(name: str, passed: bool, otherwise: str, *, required: bool = True) -> ReadinessCheck:
    return ReadinessCheck(
        name=name,
        state="pass" if passed else "fail",
        message="" if passed else otherwise,
        required=required,
    )


def _check_pending(order: MigrationOrder, pending: Sequence[BackupSetInfo]) -> ReadinessCheck:
    """What only the restore delay holds back is restored at the cutover, so nothing is lost."""
    names = _names(pending)
    if pending and order.restore_delay_minutes and order.cutover is None:
        message = f"Restored at the cutover, which lifts the restore delay: {names}."
        return ReadinessCheck(name="nothingPending", state="pass", message=message, required=True)
    return _check("nothingPending", not pending, f"Not restored yet: {names}.")


def _check_unread(scan: Scan) -> ReadinessCheck:
    state: Literal["pass", "fail", "unknown"] = "unknown"
    message = "The folder was not listed for this answer."
    if scan.unread is not None:
        state = "fail" if scan.unread else "pass"
        message = f"Not read yet: {', '.join(scan.unread[:5])}." if scan.unread else ""
    return ReadinessCheck(name="noUnreadFiles", state=state, message=message, required=True)


def _check_invalid(progress: MigrationProgress, invalid: Sequence[InvalidFile]) -> ReadinessCheck:
    """A file that cannot be used, and came after the last restored one, may be the tail."""
    last = progress.last_restored
    newer = [
        f
        for f in invalid
        if last is not None
        and f.detected_on > last.restored_on
        and f.reason_code not in _OF_NO_CONCERN
    ]
    return _check(
        "noInvalidFileNewerThanLastRestored",
        not newer,
        f"Cannot be used: {', '.join(f.file_name for f in newer[:5])}.",
    )


def _names(sets: Sequence[BackupSetInfo]) -> str:
    names = [file.file_name for s in sets for file in s.list_of_backup_files]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
