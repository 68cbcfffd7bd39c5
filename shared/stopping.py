"""Whether a cutover's stop point is reached, passed, or still ahead. Pure.

Every log of such a cutover is restored under the same stop point. That one of them has reached it
is believed only if the server said so: when the answer was lost, the log is restored again, which
a server answers without doing harm. Source: Microsoft Learn, "Recover to a Log Sequence Number".
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.explain import Explanation
from shared.lsn import Lsn
from shared.records import MigrationOrder, MigrationProgress, RestoredBackup, StopTrial
from shared.stop_point import StopPoint
from shared.vocabulary import BlockingReason

_GAP, _COVERED = 4305, 4326
_PASSED = frozenset({4335, 4338})


def stop_of(order: MigrationOrder) -> StopPoint | None:
    """Return the stop point of an accepted cutover, if it has one."""
    return order.cutover.stop if order.cutover is not None else None


def trial_of(progress: MigrationProgress, stop: StopPoint) -> StopTrial | None:
    """Return what is known of the last restored set under a stop point."""
    trial, last = progress.stop_trial, progress.last_restored
    if trial is None or last is None or trial.point != stop:
        return None
    return trial if trial.backup_set_guid == last.backup_set_guid else None


def is_reached(progress: MigrationProgress, stop: StopPoint) -> bool:
    """Tell whether the server has said that the target stands at a stop point."""
    trial = trial_of(progress, stop)
    return trial is not None and trial.reached is True


def to_repeat(progress: MigrationProgress, stop: StopPoint) -> UUID | None:
    """Return the restored log that is to be restored again, since how it ended is not known."""
    last, trial = progress.last_restored, trial_of(progress, stop)
    if last is None or last.stop is None or (trial is not None and trial.reached is not None):
        return None
    if trial is not None or (last.stop == stop and _may_hold(last, stop)):
        return last.backup_set_guid
    # Under another stop point it may have ended anywhere.
    is_open = last.stop != stop and not _is_whole(progress, last)
    return last.backup_set_guid if is_open else None


def explain_passed(progress: MigrationProgress, stop: StopPoint) -> Explanation | None:
    """Explain that the target holds what was done after a stop point; None if it may not.

    A mark is in no header: whether it is passed nobody can tell beforehand.
    """
    last = progress.last_restored
    if last is None or trial_of(progress, stop) is not None:
        return None
    if last.stop == stop or (last.stop is not None and not _is_whole(progress, last)):
        return None
    finish = last.backup_finish_date
    if isinstance(stop.plain, Lsn):
        passed = last.last_lsn > stop.plain
    else:
        passed = stop.plain is not None and finish is not None and finish > stop.plain
    return _passed(last, stop) if passed else None


def _passed(last: RestoredBackup, stop: StopPoint) -> Explanation:
    until = f", finished at {last.backup_finish_date}" if last.backup_finish_date else ""
    return Explanation(
        BlockingReason.STOP_POINT_NOT_REACHED,
        f"The target already holds more than what was done up to {stop}: {last.files[0]!r} is"
        f" restored (up to LSN {last.last_lsn}{until}; error 4335).",
        "Cut over again with a later stopAt, or cancel this migration and start it again; a"
        " restoreDelayMinutes leaves time to stop before a mistake.",
    )


def explain_short(progress: MigrationProgress, stop: StopPoint) -> Explanation:
    """Explain that everything that is here is restored, and the stop point lies behind it."""
    last = progress.last_restored
    so_far = "nothing is restored yet"
    if last is not None:
        until = f", finished at {last.backup_finish_date}" if last.backup_finish_date else ""
        so_far = f"the backups reach only up to {last.files[0]!r} (LSN {last.last_lsn}{until})"
    return Explanation(
        BlockingReason.STOP_POINT_NOT_REACHED,
        f"The cutover has not come to {stop}: {so_far}. The database stays restoring.",
        "Upload the next log backup, or cut over again with an earlier stopAt.",
    )


def not_restored(sets: Sequence[BackupSet], progress: MigrationProgress) -> list[BackupSet]:
    """Return the sets without the logs that the target is beyond.

    Of those it is known how they ended; by their headers alone one that was finished after the
    stop time, and did not reach it, would look as if it had passed it.
    """
    last = progress.last_restored
    return [
        backup
        for backup in sets
        if last is None
        or backup.backup_type is not BackupType.LOG
        or backup.last_lsn > last.last_lsn
    ]


def lacks_stop(order: MigrationOrder, progress: MigrationProgress) -> bool:
    """Tell whether logs that are being restored could pass the stop point, for want of it."""
    stop = stop_of(order)
    logs = any(backup.backup_type is BackupType.LOG for backup in progress.batch)
    return stop is not None and logs and progress.batch_stop != stop


def trial_of_refusal(
    order: MigrationOrder, progress: MigrationProgress, backup: BackupSet, number: int | None
) -> StopTrial | None:
    """Return what a refused restore tells of the last restored set; None if nothing.

    Of a log that was restored under the same stop point before: 4326 tells that it was restored
    to its end, 4335 and 4338 that the target stands at the point. Of the log behind it: a gap, or
    a point that is passed, that the one before has ended at it after all.
    """
    stop, last = stop_of(order), progress.last_restored
    if stop is None or last is None or last.stop is None:
        return None
    trial = StopTrial(backup_set_guid=last.backup_set_guid, point=stop, reached=None)
    if backup.backup_set_guid == last.backup_set_guid:
        if number == _COVERED:
            return trial.model_copy(update={"reached": False})
        passed = number in _PASSED and last.stop == stop
        return trial.model_copy(update={"reached": True}) if passed else None
    known = trial_of(progress, stop)
    doubtful = number == _GAP or number in _PASSED
    return trial if doubtful and last.stop == stop and known is None else None


def _is_whole(progress: MigrationProgress, last: RestoredBackup) -> bool:
    """Tell whether a log that had a stop point is known to be restored to its end."""
    trial = progress.stop_trial
    same = trial is not None and trial.backup_set_guid == last.backup_set_guid
    return trial is not None and same and trial.point == last.stop and trial.reached is False


def _may_hold(last: RestoredBackup, stop: StopPoint) -> bool:
    """Tell whether a stop point may lie inside a log, as far as its header tells."""
    if isinstance(stop.plain, Lsn):
        return last.last_lsn > stop.plain
    finish = last.backup_finish_date
    return stop.plain is None or finish is None or finish >= stop.plain
