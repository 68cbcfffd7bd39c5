"""How long restores and a cutover will take, judged from how long restores took. Pure.

A restore takes some seconds whatever its size, and the time to read its files. Both are measured
on the migration's own restores, or on a rehearsal; before there are any, they are assumed.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupType
from shared.records import CurrentRestore, RestoredBackup
from shared.vocabulary import EstimateBasis

MEGABYTE = 1024 * 1024

_LAST_RUNS = 10
_TYPICAL_OF = 5

# What is assumed where nothing was measured: how fast files are read, what a restore takes beside
# that, what opening a database takes, and what the app adds to a cutover.
_ASSUMED_BYTES_PER_S = 50.0 * MEGABYTE
_ASSUMED_EACH_S = 1.0
_ASSUMED_RECOVERY_S = 5.0
_OVERHEAD_S = 2.0


class Rehearsed(NamedTuple):
    """What a rehearsal measured: its restores as a whole, and the recovery."""

    size_bytes: int
    restore_s: float
    recovery_s: float


class Pending(NamedTuple):
    """A set that is still to be restored; `done` is the part of it that is, from 0 to 1."""

    size_bytes: int
    done: float = 0.0


class Estimates(NamedTuple):
    """What is to be expected; None where nothing can be told.

    `data_loss_s` is how old the newest change may be that a cutover now would bring along.
    """

    basis: EstimateBasis = EstimateBasis.NONE
    remaining_s: float | None = None
    throughput_mbps: float | None = None
    cutover_basis: EstimateBasis = EstimateBasis.NONE
    cutover_s: float | None = None
    data_loss_s: float | None = None


class _Run(NamedTuple):
    """Sets that were restored between two looks, which share the time that passed."""

    size_bytes: int
    seconds: float
    sets: int


class Pace(NamedTuple):
    """How long one restore takes: `each_s`, and its bytes at `bytes_per_s`."""

    bytes_per_s: float
    each_s: float
    basis: EstimateBasis

    def seconds(self, size_bytes: int) -> float:
        """Return how long a restore of this size takes."""
        return self.each_s + size_bytes / self.bytes_per_s


def pace_of(
    restored: Sequence[RestoredBackup], sizes: Mapping[UUID, int], rehearsed: Rehearsed | None
) -> Pace:
    """Return how fast a database is restored; `sizes` are bytes of the files of each set.

    The largest run tells how fast files are read, since nothing else counts much in it; the
    others tell what a restore takes beside that.
    """
    runs = [run for run in _runs(restored, sizes) if run.size_bytes > 0]
    if not runs:
        if rehearsed is None or not rehearsed.size_bytes or rehearsed.restore_s <= 0:
            return Pace(_ASSUMED_BYTES_PER_S, _ASSUMED_EACH_S, EstimateBasis.SIZE)
        rate = rehearsed.size_bytes / rehearsed.restore_s
        return Pace(rate, _ASSUMED_EACH_S, EstimateBasis.MEASURED)
    largest = max(runs, key=lambda run: run.size_bytes / run.sets)
    rate = largest.size_bytes / largest.seconds
    beside = [
        max(0.0, run.seconds - run.size_bytes / rate) / run.sets
        for run in runs[-_LAST_RUNS:]
        if run is not largest
    ]
    each_s = statistics.median(beside) if beside else _ASSUMED_EACH_S
    return Pace(rate, each_s, EstimateBasis.MEASURED)


def throughput_mbps(restored: Sequence[RestoredBackup], sizes: Mapping[UUID, int]) -> float | None:
    """Return megabytes of backup files restored a second over the last sets, if it was measured."""
    runs = _runs(restored, sizes)[-_LAST_RUNS:]
    seconds = sum(run.seconds for run in runs)
    size_bytes = sum(run.size_bytes for run in runs)
    return size_bytes / seconds / MEGABYTE if seconds > 0 and size_bytes else None


def estimate(
    restored: Sequence[RestoredBackup],
    pending: Sequence[Pending],
    sizes: Mapping[UUID, int],
    *,
    awaits_tail: bool,
    rehearsed: Rehearsed | None = None,
) -> Estimates:
    """Return what is to be expected of a migration that goes on.

    `pending` is what its plan restores now. With `awaits_tail` a last log is still to come, which
    is taken to be like those before it. Nothing is told before anything could be restored.
    """
    if not restored and not pending:
        return Estimates()
    pace = pace_of(restored, sizes, rehearsed)
    remaining = sum(pace.seconds(one.size_bytes) * (1 - one.done) for one in pending)
    tail = pace.seconds(_typical_log(restored, sizes)) if awaits_tail else 0.0
    recovery = rehearsed.recovery_s if rehearsed else _ASSUMED_RECOVERY_S
    measured = rehearsed is not None and pace.basis is EstimateBasis.MEASURED
    return Estimates(
        basis=pace.basis,
        remaining_s=remaining,
        throughput_mbps=throughput_mbps(restored, sizes),
        cutover_basis=EstimateBasis.MEASURED if measured else EstimateBasis.SIZE,
        cutover_s=remaining + tail + recovery + _OVERHEAD_S,
    )


def age_s(local: datetime | None, time_zone: int | None, now: datetime) -> float | None:
    """Return how long ago a local time of a source was, if its zone is known; never negative.

    The zone, in minutes east of UTC, is of the beginning of a backup: if the source changed
    between summer and winter time while it was taken, this is an hour off.
    """
    if local is None or time_zone is None:
        return None
    moment = local.replace(tzinfo=timezone(timedelta(minutes=time_zone)))
    return max(0.0, (now - moment).total_seconds())


def done_of(current: CurrentRestore | None, guid: UUID) -> float:
    """Return the part of a set that is restored, from 0 to 1."""
    if current is None or current.backup_set_guid != guid:
        return 0.0
    return min(max(current.percent / 100, 0.0), 1.0)


def _runs(restored: Sequence[RestoredBackup], sizes: Mapping[UUID, int]) -> list[_Run]:
    """Put sets together that were found restored at the same look: only the first has a time."""
    runs: list[_Run] = []
    for backup in sorted(restored, key=lambda each: each.number):
        size_bytes = sizes.get(backup.backup_set_guid, 0)
        if backup.seconds is not None and backup.seconds > 0:
            runs.append(_Run(size_bytes, backup.seconds, 1))
        elif runs:
            last = runs[-1]
            runs[-1] = _Run(last.size_bytes + size_bytes, last.seconds, last.sets + 1)
    return runs


def _typical_log(restored: Sequence[RestoredBackup], sizes: Mapping[UUID, int]) -> int:
    """Return the size of the log backup to come: that of the last ones, 0 if there were none."""
    logs = sorted(
        (each for each in restored if each.backup_type is BackupType.LOG),
        key=lambda each: each.number,
    )
    known = [sizes.get(each.backup_set_guid, 0) for each in logs[-_TYPICAL_OF:]]
    return int(statistics.median(known)) if known else 0
