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
from shared.lineage import Lineage
from shared.lsn import Lsn
from shared.restore_rules import Reached, Reason, Rejection, flaw_of, has_base, refusal_at
from shared.restore_search import Path, Search


class DatabaseState(str, Enum):
    """What the target says of a database, as far as a restore cares."""

    ABSENT = "ABSENT"
    RESTORING = "RESTORING"
    ONLINE = "ONLINE"
    OTHER = "OTHER"


class TargetPosition(BaseModel):
    """Where a restore on the target stands. Unknown fields are None and never refuse anything.

    `redo_start_lsn` is where roll forward goes on; a server often reports it a few slots beside
    the LastLSN of the last log, so it is compared by range. A database that is restoring and has
    none was interrupted in its full restore. Source: Microsoft Learn, "sys.master_files".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: DatabaseState
    redo_start_lsn: Lsn | None = None
    redo_start_fork_guid: UUID | None = None
    differential_base_lsn: Lsn | None = None
    differential_base_guid: UUID | None = None

    @property
    def reached(self) -> Reached | None:
        """The point to go on from; None means that only a full backup can come next."""
        if self.state is not DatabaseState.RESTORING or self.redo_start_lsn is None:
            return None
        return Reached(
            self.redo_start_lsn,
            self.redo_start_fork_guid,
            self.differential_base_lsn,
            self.differential_base_guid,
        )


ABSENT = TargetPosition(state=DatabaseState.ABSENT)


class Goal(BaseModel):
    """Where to end. With neither `stop_at` nor `last_backup` the end is open.

    `stop_at` is local time of the source. `last_backup` names any file of the last set, as a
    name or as the end of a path. `database_name` tells the database from copies of it that live
    under other names in the same family.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop_at: datetime | None = None
    last_backup: str | None = None
    use_differentials: bool = True
    use_logs: bool = True
    database_name: str | None = None


OPEN_END = Goal()


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


def find_named(sets: Sequence[BackupSet], name: str) -> BackupSet | None:
    """Return the set that owns the file of this name, or of a path that ends in it.

    Exact matches come first; case is ignored only where exactly one set then matches.
    """
    for tail, fold in ((name, False), ("/" + name, False), ("/" + name, True)):
        found = [s for s in sets if any(_ends_with(f.name, tail, fold) for f in s.files)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _ends_with(file: str, tail: str, fold: bool) -> bool:
    if fold:
        return ("/" + file).casefold().endswith(tail.casefold())
    return file == tail or (tail.startswith("/") and file.endswith(tail))


def plan_restore(
    sets: Sequence[BackupSet], position: TargetPosition = ABSENT, goal: Goal = OPEN_END
) -> Plan:
    """Plan the restore of one database from everything that is known of it.

    `sets` are of one database (see `lineage.group_by_database`), merged over their families, in
    any order. Sets that the target already holds may be among them or not.
    """
    ordered = sorted(sets, key=lambda s: (s.last_lsn, s.first_lsn, s.backup_set_guid))
    return _Planning(ordered, position, goal).plan()


class _Planning:
    """One planning: what is known, sorted into what may be used and what may not."""

    def __init__(self, sets: Sequence[BackupSet], position: TargetPosition, goal: Goal) -> None:
        self.sets = sets
        self.position = position
        self.goal = goal
        self.start = position.reached
        self.named = find_named(sets, goal.last_backup) if goal.last_backup else None
        self.lineage = Lineage(
            sets,
            name=goal.database_name,
            live=self.named.recovery_fork_id if self.named else None,
        )
        self.rejected: dict[UUID, Rejection] = {}
        appended = _appended_files(sets)
        for backup in sets:
            if any(file.name in appended for file in backup.files):
                self.rejected[backup.backup_set_guid] = Rejection(Reason.APPENDED_MEDIA)
            elif rejection := flaw_of(backup) or self._unwanted(backup):
                self.rejected[backup.backup_set_guid] = rejection
        self.usable = [s for s in sets if s.backup_set_guid not in self.rejected]
        self.search = Search(self.usable, sets, self.lineage, goal.stop_at)

    def _unwanted(self, backup: BackupSet) -> Rejection | None:
        """Return why the request or the line of history rules a set out, or None."""
        kind, goal = backup.backup_type, self.goal
        if kind is BackupType.DIFFERENTIAL and not goal.use_differentials:
            return Rejection(Reason.NOT_WANTED)
        if kind is BackupType.LOG and not goal.use_logs:
            return Rejection(Reason.NOT_WANTED)
        if self.named is not None and _ends_after(backup, self.named):
            return Rejection(Reason.AFTER_TARGET)
        if (
            kind is not BackupType.LOG
            and goal.stop_at is not None
            and backup.backup_finish_date is not None
            and backup.backup_finish_date > goal.stop_at
        ):
            return Rejection(Reason.AFTER_TARGET, 4338)
        if self.lineage.is_dead(backup):
            return Rejection(Reason.WRONG_FORK, 4330)
        return None

    def plan(self) -> Plan:
        if self.position.state in (DatabaseState.ONLINE, DatabaseState.OTHER):
            return self._without_steps(PlanStatus.NEEDS_RESTART, error=3117)
        if self.start is not None and self._is_past_stop(self.start):
            return self._without_steps(PlanStatus.NEEDS_RESTART, error=4335)
        path = self.search.best(self.start, self._ends_here)
        if path is None:
            return self._without_base()
        if not path.ended and self.search.stops_in_bulk(path.reached):
            return self._impossible(path)
        return self._with(path)

    def _ends_here(self, reached: Reached, last: BackupSet | None) -> bool:
        """Tell whether the requested end is reached; `last` is the set just restored."""
        if self.goal.last_backup is not None:
            return self.named is not None and reached.redo >= self.named.last_lsn
        if last is not None:
            return last.is_force_offline
        held = [s for s in self.sets if s.backup_type is BackupType.LOG and _holds(reached, s)]
        return any(
            s.is_force_offline
            or (self.goal.stop_at is not None and s.backup_finish_date == self.goal.stop_at)
            for s in held
        )

    def _is_past_stop(self, start: Reached) -> bool:
        stop = self.goal.stop_at
        return stop is not None and any(
            _holds(start, s) and s.backup_finish_date is not None and s.backup_finish_date > stop
            for s in self.sets
        )

    def _with(self, path: Path) -> Plan:
        steps = tuple(
            Step(s, self.goal.stop_at if path.stops and s is path.sets[-1] else None)
            for s in path.sets
        )
        reached = path.reached
        waiting = None if path.ended else self._waiting_for(reached)
        if path.ended:
            status = PlanStatus.COMPLETE
        elif waiting is not None:
            status = PlanStatus.BLOCKED
        else:
            status = PlanStatus.READY if steps else PlanStatus.IDLE
        error = None
        hopeless = None if path.ended else self._hopeless(reached, waiting)
        if hopeless is not None:
            status, error, waiting = PlanStatus.NEEDS_RESTART, hopeless, None
        self._explain(path, after_end=path.ended)
        restart = None
        if self.start is not None and status in (PlanStatus.BLOCKED, PlanStatus.NEEDS_RESTART):
            restart = self._restart_from()
        return Plan(status, steps, reached, waiting, self.rejected, restart, error)

    def _waiting_for(self, reached: Reached) -> MissingLog | MissingFamilies | None:
        """Return what is missing before known backups, or None if nothing is known to be."""
        incomplete = [
            s
            for s in self._with_reason(Reason.INCOMPLETE_SET)
            if s.backup_type is not BackupType.DATABASE and refusal_at(reached, s) is None
        ]
        if incomplete:
            return MissingFamilies(incomplete[0], incomplete[0].missing_families)
        beyond = self._beyond(reached)
        if beyond:
            return MissingLog(reached.redo, beyond[0])
        if self.named is not None and self.named.missing_families:
            return MissingFamilies(self.named, self.named.missing_families)
        if self.named is not None or self._left_behind(reached):
            return MissingLog(reached.redo, None)
        return None

    def _beyond(self, reached: Reached) -> list[BackupSet]:
        """Return the logs behind a gap at `reached` that may belong to the path, by FirstLSN."""
        return sorted(
            (
                s
                for s in (*self.usable, *self._with_reason(Reason.INCOMPLETE_SET))
                if s.backup_type is BackupType.LOG
                and not s.is_empty
                and s.first_lsn > reached.redo
                and s.last_lsn >= s.first_lsn
            ),
            key=lambda s: (s.first_lsn, s.last_lsn, s.backup_set_guid),
        )

    def _left_behind(self, reached: Reached) -> bool:
        """Tell whether logs are known that the target's own fork could take, but that are dead."""
        return any(
            s.backup_type is BackupType.LOG and refusal_at(reached, s) is None
            for s in self._with_reason(Reason.WRONG_FORK)
        )

    def _hopeless(
        self, reached: Reached, waiting: MissingLog | MissingFamilies | None
    ) -> int | None:
        """Return the error that makes waiting for a log pointless, or None."""
        if not self.lineage.may_reach_live(reached.fork, reached.redo):
            return 4330
        if not self.lineage.is_live(reached.fork) and any(
            (rejection := refusal_at(reached, s)) and rejection.reason is Reason.WRONG_FORK
            for s in self.usable
            if s.backup_type is BackupType.LOG
        ):
            return 4330
        if (
            isinstance(waiting, MissingLog)
            and waiting.before is not None
            and waiting.before.begins_log_chain
        ):
            return 4305
        return None

    def _without_base(self) -> Plan:
        incomplete = [
            s
            for s in self._with_reason(Reason.INCOMPLETE_SET)
            if s.backup_type is BackupType.DATABASE and self._unwanted(s) is None
        ]
        if not incomplete:
            return self._without_steps(PlanStatus.NO_BASE)
        nearest = min(incomplete, key=lambda s: (len(s.missing_families), -s.last_lsn))
        return self._without_steps(
            PlanStatus.BLOCKED, waiting_for=MissingFamilies(nearest, nearest.missing_families)
        )

    def _impossible(self, path: Path) -> Plan:
        for backup in self.search.bulk_stops(path.reached):
            self.rejected[backup.backup_set_guid] = Rejection(Reason.BULK_LOGGED_STOP, 4341)
        return self._without_steps(PlanStatus.IMPOSSIBLE, error=4341)

    def _without_steps(
        self,
        status: PlanStatus,
        *,
        waiting_for: MissingFamilies | None = None,
        error: int | None = None,
    ) -> Plan:
        restart = None
        if self.position.state is not DatabaseState.ABSENT:
            restart = self._restart_from()
        return Plan(status, (), self.start, waiting_for, self.rejected, restart, error)

    def _restart_from(self) -> BackupSet | None:
        path = self.search.best(None, self._ends_here)
        return path.sets[0] if path else None

    def _with_reason(self, reason: Reason) -> list[BackupSet]:
        return [
            s
            for s in self.sets
            if (rejection := self.rejected.get(s.backup_set_guid)) and rejection.reason is reason
        ]

    def _explain(self, path: Path, *, after_end: bool) -> None:
        """Say of every usable set that is not in the plan why it is not."""
        planned = {s.backup_set_guid for s in path.sets}
        visited = path.visited
        for backup in self.usable:
            if backup.backup_set_guid in planned:
                continue
            self.rejected[backup.backup_set_guid] = self._explain_one(backup, visited, after_end)

    def _explain_one(
        self, backup: BackupSet, visited: Sequence[Reached], after_end: bool
    ) -> Rejection:
        if backup.backup_type is BackupType.DATABASE:
            return Rejection(Reason.SUPERSEDED)
        first, last = visited[0], visited[-1]
        if backup.backup_type is BackupType.DIFFERENTIAL:
            if not any(has_base(reached, backup) for reached in visited):
                return Rejection(Reason.WRONG_BASE, 3136)
            if backup.last_lsn <= first.redo:
                return Rejection(Reason.ALREADY_COVERED, 3120)
            return refusal_at(first, backup) or Rejection(Reason.SUPERSEDED)
        if backup.last_lsn <= last.redo or backup.is_empty:
            return Rejection(Reason.ALREADY_COVERED, 4326)
        if after_end:
            return Rejection(Reason.AFTER_TARGET)
        return refusal_at(last, backup) or Rejection(Reason.SUPERSEDED)


def _holds(reached: Reached, backup: BackupSet) -> bool:
    """Tell whether a position lies at or behind the end of a set on the same fork."""
    fork = backup.recovery_fork_id
    return backup.last_lsn <= reached.redo and (
        fork is None or reached.fork is None or fork == reached.fork
    )


def _ends_after(backup: BackupSet, named: BackupSet) -> bool:
    """Tell whether a set reaches beyond the named last one, or would take its place."""
    if backup.last_lsn != named.last_lsn or backup is named:
        return backup.last_lsn > named.last_lsn
    return backup.backup_type is not BackupType.DATABASE and not named.is_empty


def _appended_files(sets: Sequence[BackupSet]) -> set[str]:
    """Return the names of files that hold more than one backup set."""
    owners: dict[str, set[UUID]] = {}
    for backup in sets:
        for file in backup.files:
            owners.setdefault(file.name, set()).add(backup.backup_set_guid)
    return {name for name, guids in owners.items() if len(guids) > 1}
