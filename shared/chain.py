"""Which backup comes next. Pure: no clock, no I/O, the same answer for any order of input.

`plan_restore` finds, among the sequences that the server would accept (`restore_rules`), the one
to take: it ends on the live recovery fork if it can (`lineage`), reaches the requested end or the
highest LSN, begins with the newest full, uses the newest differential, and has the fewest sets.
The answer says for every known set why it is, or is not, part of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.backupset import BackupSet, BackupType
from shared.differential_base import DifferentialsByBase
from shared.lsn import Lsn
from shared.restore_candidates import OPEN_END, Candidates, holds
from shared.restore_candidates import Goal as Goal
from shared.restore_candidates import find_named as find_named
from shared.restore_rules import Reached, Reason, Rejection, refusal_at
from shared.restore_search import Path, Search


class DatabaseState(str, Enum):
    """What the target says of a database, as far as a restore cares."""

    ABSENT = "ABSENT"
    RESTORING = "RESTORING"
    STANDBY = "STANDBY"
    """Restoring, and it can be read until the next restore."""
    ONLINE = "ONLINE"
    OTHER = "OTHER"

    @property
    def goes_on(self) -> bool:
        """Whether further backups can be restored to the database."""
        return self in (DatabaseState.RESTORING, DatabaseState.STANDBY)


class TargetPosition(BaseModel):
    """Where a restore on the target stands. Unknown fields are None and never refuse anything.

    `redo_start_lsn` is where roll forward goes on; a server often reports it a few slots beside
    the LastLSN of the last log, so it is compared by range. A database that is restoring and has
    none was interrupted in its full restore. `stopped_at` is the stop time that the last log was
    restored with, if the caller knows: no server tells. Source: Microsoft Learn,
    "sys.master_files".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: DatabaseState
    redo_start_lsn: Lsn | None = None
    redo_start_fork_guid: UUID | None = None
    differential_base_lsn: Lsn | None = None
    differential_base_guid: UUID | None = None
    stopped_at: datetime | None = None

    @property
    def reached(self) -> Reached | None:
        """The point to go on from; None means that only a full backup can come next."""
        if not self.state.goes_on or self.redo_start_lsn is None:
            return None
        return Reached(
            self.redo_start_lsn,
            self.redo_start_fork_guid,
            self.differential_base_lsn,
            self.differential_base_guid,
        )


ABSENT = TargetPosition(state=DatabaseState.ABSENT)


class PlanStatus(str, Enum):
    """How a plan stands; what ends each is in docs/chains.md."""

    NO_BASE = "no_base"
    READY = "ready"
    IDLE = "idle"
    BLOCKED = "blocked"
    COMPLETE = "complete"
    IMPOSSIBLE = "impossible"
    NEEDS_RESTART = "needs_restart"


class MissingLog(NamedTuple):
    """A log backup that contains `lsn`; the nearest known log behind the gap, if any."""

    lsn: Lsn
    before: BackupSet | None


class MissingFamilies(NamedTuple):
    """The media families of a set of which no file is known."""

    backup: BackupSet
    families: tuple[int, ...]


class Step(NamedTuple):
    """One set to restore; `stop_at` is given for the log in which the stop time lies."""

    backup: BackupSet
    stop_at: datetime | None = None


class Plan(NamedTuple):
    """What to restore now, in order, and why everything else is left out.

    `reached` is the position after the last step. `restart_from` is the full that a new start
    from nothing would begin with; a new start is never planned by itself.
    """

    status: PlanStatus
    steps: tuple[Step, ...] = ()
    reached: Reached | None = None
    waiting_for: MissingLog | MissingFamilies | None = None
    rejected: dict[UUID, Rejection] = {}  # noqa: RUF012 a NamedTuple; never changed
    restart_from: BackupSet | None = None
    error: int | None = None


def plan_restore(
    sets: Sequence[BackupSet], position: TargetPosition = ABSENT, goal: Goal = OPEN_END
) -> Plan:
    """Plan the restore of one database from everything that is known of it.

    `sets` are of one database (see `lineage.group_by_database`), merged over their families, in
    any order. Sets that the target already holds may be among them or not.
    """
    return _Planning(Candidates(sets, goal), position, goal).plan()


class _Planning:
    """One planning: a walk through what may be restored, and what its end means."""

    def __init__(self, known: Candidates, position: TargetPosition, goal: Goal) -> None:
        self.known = known
        self.position = position
        self.goal = goal
        self.start = position.reached
        self.named = known.named
        self.lineage = known.lineage
        self.rejected = dict(known.rejected)
        self.finished_at_stop = [
            s
            for s in known.sets
            if s.backup_type is BackupType.LOG
            and not s.is_empty
            and s.backup_finish_date == goal.stop_at
        ]
        self.search = self._search(known.usable)

    def _search(self, usable: Sequence[BackupSet]) -> Search:
        return Search(usable, self.known.sets, self.lineage, self.goal.stop)

    def plan(self) -> Plan:
        if self.position.state in (DatabaseState.ONLINE, DatabaseState.OTHER):
            return self._online()
        if self.start is not None and self._is_past_stop(self.start):
            return self._without_steps(PlanStatus.NEEDS_RESTART, error=4335)
        path = self._best_path()
        if path is None:
            return self._without_base()
        if path.ended:
            return self._with(path, PlanStatus.COMPLETE)
        if bulk := self.search.bulk_stops(path.reached):
            return self._impossible(bulk)
        if error := self._hopeless(path.reached):
            return self._with(path, PlanStatus.NEEDS_RESTART, error=error)
        if self._needs_named_full(path.reached):
            return self._with(path, PlanStatus.NEEDS_RESTART)
        if waiting := self._waiting_for(path.reached):
            return self._with(path, PlanStatus.BLOCKED, waiting_for=waiting)
        if self.goal.last_backup is None and self._is_at_tail(path.reached):
            return self._with(path, PlanStatus.COMPLETE)
        return self._with(path, PlanStatus.READY if path.sets else PlanStatus.IDLE)

    def _best_path(self) -> Path | None:
        """Return the best path, on a dead branch only if the stop time lies there."""
        path = self.search.best(self.start, self._ends_here)
        if self.goal.stop is None or not self.known.dead:
            return path
        if path is not None and (path.ended or self.lineage.is_live(path.reached.fork)):
            return path
        anywhere = sorted((*self.known.usable, *self.known.dead), key=lambda s: s.last_lsn)
        astray = self._search(anywhere)
        return astray.best(self.start, self._ends_here, to_the_end=True) or path

    def _ends_here(self, reached: Reached) -> bool:
        """Tell whether a position is the requested end; a log with the stop time is one, too."""
        if self.goal.last_backup is not None:
            return (
                self.named is not None
                and reached.redo >= self.named.last_lsn
                and self.lineage.is_live(reached.fork)
            )
        stop = self.goal.stop_at
        return stop is not None and (
            (reached == self.start and self.position.stopped_at == stop)
            or any(holds(reached, log) for log in self.finished_at_stop)
        )

    def _is_past_stop(self, start: Reached) -> bool:
        """Tell whether the target holds what was done after the stop time.

        The finish of a set is only an upper bound for what it holds; of those that end furthest,
        the one that was finished first tells the most.
        """
        if self.goal.stop_lsn is not None:
            return start.redo > self.goal.stop_lsn
        stop, stopped_at = self.goal.stop_at, self.position.stopped_at
        if stop is None or stopped_at is not None:
            return stop is not None and stopped_at is not None and stopped_at > stop
        finished = [
            (-s.last_lsn, s.backup_finish_date)
            for s in self.known.held(start)
            if not s.is_empty and s.backup_finish_date is not None
        ]
        return bool(finished) and min(finished)[1] > stop

    def _is_at_tail(self, reached: Reached) -> bool:
        """Tell whether the last log of the source has been applied, and nothing behind it."""
        logs = [s for s in self.known.held(reached) if s.backup_type is BackupType.LOG]
        end = max((log.last_lsn for log in logs), default=None)
        return any(log.is_force_offline and log.last_lsn == end for log in logs)

    def _hopeless(self, reached: Reached) -> int | None:
        """Return the error that makes waiting for a log pointless, or None."""
        if not self.lineage.may_reach_live(reached.fork, reached.redo):
            return 4330
        if not self.lineage.is_live(reached.fork) and any(
            (refusal := refusal_at(reached, s)) and refusal.reason is Reason.WRONG_FORK
            for s in self.known.usable
            if s.backup_type is BackupType.LOG
        ):
            return 4330
        if self.known.incomplete_at(reached):
            return None
        return 4305 if any(s.begins_log_chain for s in self.known.beyond(reached)) else None

    def _needs_named_full(self, reached: Reached) -> bool:
        """Tell whether the named last set is a full that only a new start could restore."""
        return (
            self.start is not None
            and self.named is not None
            and self.named.backup_type is BackupType.DATABASE
            and not self.known.incomplete_at(reached)
        )

    def _waiting_for(self, reached: Reached) -> MissingLog | MissingFamilies | None:
        """Return what is missing before known backups, or None if nothing is known to be."""
        if incomplete := self.known.incomplete_at(reached):
            return MissingFamilies(incomplete, incomplete.missing_families)
        if beyond := self.known.beyond(reached):
            return MissingLog(reached.redo, beyond[0])
        if self.named is not None and self.named.missing_families:
            return MissingFamilies(self.named, self.named.missing_families)
        if self.named is not None or self.known.has_spoilt_log(reached):
            return MissingLog(reached.redo, None)
        newer = [s for s in self.known.incomplete_fulls() if s.last_lsn > reached.redo]
        if self.start is None and newer:
            return MissingFamilies(newer[-1], newer[-1].missing_families)
        return None

    def _online(self) -> Plan:
        for backup in self.known.usable:
            is_full = backup.backup_type is BackupType.DATABASE
            self.rejected[backup.backup_set_guid] = Rejection(
                Reason.TARGET_EXISTS, 3159 if is_full else 3117
            )
        return self._without_steps(PlanStatus.NEEDS_RESTART, error=3117)

    def _without_base(self) -> Plan:
        for backup in self.known.usable:
            self.rejected[backup.backup_set_guid] = Rejection(Reason.GAP, 3118)
        incomplete = self.known.incomplete_fulls()
        if not incomplete:
            return self._without_steps(PlanStatus.NO_BASE)
        nearest = min(incomplete, key=lambda s: (len(s.missing_families), -s.last_lsn))
        return self._without_steps(
            PlanStatus.BLOCKED, waiting_for=MissingFamilies(nearest, nearest.missing_families)
        )

    def _impossible(self, bulk: Sequence[BackupSet]) -> Plan:
        for backup in self.known.usable:
            self.rejected[backup.backup_set_guid] = Rejection(
                Reason.BULK_LOGGED_STOP, 4341 if backup in bulk else None
            )
        return self._without_steps(PlanStatus.IMPOSSIBLE, error=4341)

    def _without_steps(
        self,
        status: PlanStatus,
        *,
        waiting_for: MissingFamilies | None = None,
        error: int | None = None,
    ) -> Plan:
        if self.start is not None:
            self._explain((), (self.start,), after_end=True)
        restart = None
        if self.position.state is not DatabaseState.ABSENT:
            restart = self._restart_from()
        return Plan(status, (), self.start, waiting_for, self.rejected, restart, error)

    def _with(
        self,
        path: Path,
        status: PlanStatus,
        *,
        waiting_for: MissingLog | MissingFamilies | None = None,
        error: int | None = None,
    ) -> Plan:
        steps = tuple(
            Step(s, self.goal.stop_at if path.stops and s is path.sets[-1] else None)
            for s in path.sets
        )
        self._explain(path.sets, path.visited, after_end=status is PlanStatus.COMPLETE)
        restart = None
        if self.start is not None and status in (PlanStatus.BLOCKED, PlanStatus.NEEDS_RESTART):
            restart = self._restart_from()
        return Plan(status, steps, path.reached, waiting_for, self.rejected, restart, error)

    def _restart_from(self) -> BackupSet | None:
        path = self.search.best(None, self._ends_here)
        return path.sets[0] if path else None

    def _explain(
        self, planned: Sequence[BackupSet], visited: Sequence[Reached], *, after_end: bool
    ) -> None:
        """Say of every usable set that is not in the plan why it is not."""
        differentials = DifferentialsByBase(
            [s for s in self.known.usable if s.backup_type is BackupType.DIFFERENTIAL]
        )
        based = {
            s.backup_set_guid
            for base in {reached.base for reached in visited}
            for s in differentials.on(base)
        }
        for backup in planned:
            self.rejected.pop(backup.backup_set_guid, None)
        done = {*self.rejected, *(s.backup_set_guid for s in planned)}
        for backup in self.known.usable:
            if backup.backup_set_guid not in done:
                self.rejected[backup.backup_set_guid] = _why_not(
                    backup,
                    visited[0],
                    visited[-1],
                    is_based=backup.backup_set_guid in based,
                    after_end=after_end,
                )


def _why_not(
    backup: BackupSet, first: Reached, last: Reached, *, is_based: bool, after_end: bool
) -> Rejection:
    """Return why a usable set is no part of a plan that goes from `first` to `last`.

    `is_based`: it is a differential of a base that the plan has somewhere.
    """
    if backup.backup_type is BackupType.DATABASE:
        return Rejection(Reason.SUPERSEDED)
    if backup.backup_type is BackupType.DIFFERENTIAL:
        if not is_based:
            return Rejection(Reason.WRONG_BASE, 3136)
        if backup.last_lsn <= first.redo:
            return Rejection(Reason.ALREADY_COVERED, 3120)
        return refusal_at(first, backup) or Rejection(Reason.SUPERSEDED)
    if backup.last_lsn <= last.redo or backup.is_empty:
        return Rejection(Reason.ALREADY_COVERED, 4326)
    if after_end:
        return Rejection(Reason.AFTER_TARGET)
    return refusal_at(last, backup) or Rejection(Reason.SUPERSEDED)
