"""Planning by brute force, from the rules alone: the judge of `shared.chain`.

`plan_by_force` tries every sequence that `Server` accepts and takes the best by the policy, so it
is right by construction and far too slow for more than a dozen sets. It uses neither the
planner's rules nor its search; only the models are shared.

Where the rules leave a choice, the reading taken here is said beside the code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupSet
from shared.chain import DatabaseState, Goal, TargetPosition
from tests.chain.server import (
    DIFFERENTIAL,
    FULL,
    LOG,
    Checkpoint,
    Place,
    Server,
    checkpoints_of,
    is_bulk_inside,
    refuse_differential,
    refuse_log,
)


class Forced(NamedTuple):
    """A plan found by force."""

    status: str
    steps: tuple[BackupSet, ...] = ()
    place: Place | None = None
    error: int | None = None
    missing_lsn: int | None = None


class Trial(NamedTuple):
    """One sequence that a server accepts, and whether it reaches the requested end."""

    steps: tuple[BackupSet, ...]
    place: Place
    ended: bool


class Forks:
    """Which recovery fork is alive, and up to where others belong to its past."""

    def __init__(self, sets: Sequence[BackupSet], name: str | None, last: BackupSet | None) -> None:
        self.sets = [s for s in sets if s.recovery_fork_id is not None]
        if name is not None:
            names = {name} | ({last.database_name} if last else set())
        elif last is not None:
            names = names_of(last, sets)
        else:
            # Nobody has asked for a name: that of the oldest full counts.
            dated = [s for s in sets if s.backup_finish_date] or sets
            by_age = sorted(dated, key=lambda s: (s.backup_type is not FULL, *_by_time(s)))
            names = names_of(by_age[0], sets) if by_age else set()
        own = [s for s in self.sets if s.database_name in names] or self.sets
        self.own_forks = {s.recovery_fork_id for s in own}
        self.live = max(own, key=_by_time).recovery_fork_id if own else None
        if last is not None:
            self.live = last.recovery_fork_id
        self.crossings = [
            (s.first_recovery_fork_id, s.recovery_fork_id, s.fork_point_lsn or s.last_lsn)
            for s in sets
            if s.first_recovery_fork_id != s.recovery_fork_id
        ]

    def is_live(self, fork: UUID | None) -> bool:
        return fork is None or self.live is None or fork == self.live

    def is_lost(self, fork: UUID | None, redo: int) -> bool:
        """Tell whether no log can lead from a fork at an LSN to the live fork any more.

        A fork whose relation to the live one is not told by a crossing log may be its past, but
        not behind the first LSN that the oldest known part of the live history wrote; one that
        only backups of another name bear belongs to a copy. Of a fork that no backup bears
        nothing is known.
        """
        if fork is None or self.live is None or fork == self.live:
            return False
        past = self._past(self.live)
        if fork in past:
            return redo > past[fork]
        if fork not in {s.recovery_fork_id for s in self.sets}:
            return False
        if self._stems_from(fork, {self.live, *past}) or fork not in self.own_forks:
            return True
        oldest = next(
            f for f in (self.live, *past) if not any(child == f for _, child, _ in self.crossings)
        )
        written = [
            s.first_lsn if s.backup_type is LOG else s.checkpoint_lsn
            for s in self.sets
            if s.first_recovery_fork_id == oldest and not s.is_empty
        ]
        return bool(written) and redo > min(written)

    def _past(self, fork: UUID) -> dict[UUID, int]:
        """Return the forks that a fork grew from, each with the LSN where it was left."""
        past: dict[UUID, int] = {}
        while parents := [(p, at) for p, child, at in self.crossings if child == fork and p]:
            fork, at = min(parents, key=lambda parent: parent[1])
            past[fork] = at
        return past

    def _stems_from(self, fork: UUID, ancestors: set[UUID]) -> bool:
        return any(past in ancestors for past in self._past(fork))


def names_of(backup: BackupSet, sets: Sequence[BackupSet]) -> set[str]:
    """Return the names of a backup's database: its own, and any that was given to the same fork.

    That is a rename; a copy under another name has a fork of its own.
    """
    known = [s for s in sets if s.recovery_fork_id is not None]
    names = {backup.database_name}
    for _ in known:
        forks = {s.recovery_fork_id for s in known if s.database_name in names}
        names |= {s.database_name for s in known if s.recovery_fork_id in forks}
    return names


def _by_time(backup: BackupSet) -> tuple[datetime, int, str]:
    finish = backup.backup_finish_date or datetime.min  # noqa: DTZ901 header dates carry no zone
    return finish, backup.last_lsn, str(backup.backup_set_guid)


class Force:
    """Plans for one catalog, position and goal by trying everything."""

    def __init__(self, sets: Sequence[BackupSet], position: TargetPosition, goal: Goal) -> None:
        self.sets = sorted(sets, key=lambda s: str(s.backup_set_guid))
        self.position = position
        self.goal = goal
        self.named = next(
            (s for s in sets if goal.last_backup in {f.name for f in (*s.files, *s.copies)}), None
        )
        self.forks = Forks(sets, goal.database_name, self.named)
        self.checkpoints = checkpoints_of(sets)
        owners: dict[str, set[UUID]] = {}
        for s in sets:
            for file in s.files:
                owners.setdefault(file.name, set()).add(s.backup_set_guid)
        self.shared_files = {name for name, guids in owners.items() if len(guids) > 1}

    @property
    def start(self) -> Place | None:
        at = self.position
        if at.state is not DatabaseState.RESTORING or at.redo_start_lsn is None:
            return None
        base = None
        if at.differential_base_lsn is not None:
            base = Checkpoint(at.differential_base_lsn, at.differential_base_guid, None)
        return Place(at.redo_start_lsn, at.redo_start_fork_guid, base)

    def plan(self) -> Forced:
        if self.position.state is DatabaseState.ONLINE:
            return Forced("needs_restart", error=3117)
        start = self.start
        if start is not None and self._is_past_stop(start):
            return Forced("needs_restart", place=start, error=4335)
        trials = list(self._trials(start))
        best = max((t for t in trials if not self._goes_astray(t)), key=self._rank, default=None)
        # A plan that leaves the live fork for good serves nobody, unless it alone reaches the
        # time that was asked for: then that time lies on the dead branch.
        if best is None or not (best.ended or self.forks.is_live(best.place.fork)):
            best = max((t for t in trials if self._stops(t)), key=self._rank, default=best)
        if best is None and start is None:
            return self._without_base()
        if best is None:
            return Forced("needs_restart", place=start, error=4330)
        if best.ended:
            return Forced("complete", best.steps, best.place)
        if self._holds_bulk_stop(best.place):
            return Forced("impossible", place=start, error=4341)
        return self._unfinished(best, start)

    def _unfinished(self, best: Trial, start: Place | None) -> Forced:
        place = best.place
        behind = [
            s
            for s in self.sets
            if s.backup_type is LOG
            and self._is_wanted(s)
            and not self._is_lost_set(s)
            and place.redo < s.first_lsn < s.last_lsn
        ]
        stops = [s.first_lsn for s in behind if self._reaches_stop(s)]
        incomplete = [s for s in self.sets if len(s.files) < s.family_count and self._is_sound(s)]
        partly_here = any(
            self._is_wanted(s) and not self._is_lost_set(s) and self._would_fit(place, s)
            for s in incomplete
            if s.backup_type in (DIFFERENTIAL, LOG)
        )
        if not partly_here:
            if not self.forks.is_live(place.fork) and any(
                refuse_log(place, s) == 4330
                for s in self.sets
                if s.backup_type is LOG and self._is_usable(s) and not self._is_lost_set(s)
            ):
                return Forced("needs_restart", best.steps, place, 4330)
            if any(
                s.begins_log_chain and s.first_lsn <= min(stops, default=s.first_lsn)
                for s in behind
            ):
                return Forced("needs_restart", best.steps, place, 4305)
            if self.named is not None and self.named.backup_type is FULL and start is not None:
                return Forced("needs_restart", best.steps, place)
        spoilt = any(
            s.backup_type is LOG
            and self._is_wanted(s)
            and not self._is_lost_set(s)
            and not self._is_usable(s)
            and self._would_fit(place, s)
            for s in self.sets
        )
        newer_full = start is None and any(
            s.backup_type is FULL
            and s.last_lsn > place.redo
            and self._is_wanted(s)
            and not self._is_lost_set(s)
            for s in incomplete
        )
        if behind or partly_here or spoilt or newer_full or self.named is not None:
            lsn = place.redo if behind or spoilt else None
            return Forced("blocked", best.steps, place, missing_lsn=None if partly_here else lsn)
        if self.goal.last_backup is None and self._is_at_tail(place):
            return Forced("complete", best.steps, place)
        return Forced("ready" if best.steps else "idle", best.steps, place)

    def _without_base(self) -> Forced:
        waiting = any(
            s.backup_type is FULL
            and len(s.files) < s.family_count
            and self._is_sound(s)
            and self._is_wanted(s)
            and not self._is_lost_set(s)
            for s in self.sets
        )
        return Forced("blocked" if waiting else "no_base")

    def _trials(self, start: Place | None) -> Iterator[Trial]:
        """Yield every sequence that a server accepts. A log that brings nothing is not tried."""
        if start is not None:
            yield from self._continue((), start, self._ends(start))
            return
        for full in self.sets:
            if full.backup_type is FULL and self._is_usable(full):
                server = Server(self.checkpoints)
                assert server.restore(full) is None
                assert server.place is not None
                yield from self._continue((full,), server.place, self._ends(server.place))

    def _continue(self, steps: tuple[BackupSet, ...], place: Place, ended: bool) -> Iterator[Trial]:
        yield Trial(steps, place, ended)
        if ended:
            return
        fitting = [s for s in self.sets if self._comes_next(s, place)]
        for backup in fitting:
            if any(self._outreaches(other, backup) for other in fitting):
                continue
            server = Server(self.checkpoints, place)
            assert server.restore(backup) is None
            assert server.place is not None
            ends = self._holds_stop(backup) or self._ends(server.place)
            yield from self._continue((*steps, backup), server.place, ends)

    def _comes_next(self, backup: BackupSet, place: Place) -> bool:
        if backup.backup_type is FULL or backup.is_empty or not self._is_usable(backup):
            return False
        stop = self.goal.stop_at if self._holds_stop(backup) else None
        return Server(self.checkpoints, place).restore(backup, stop) is None

    def _outreaches(self, log: BackupSet, other: BackupSet) -> bool:
        """Tell whether two logs overlap, and one reaches further: that one is to be taken."""
        return (
            log.backup_type is LOG
            and other.backup_type is LOG
            and log.last_lsn > other.last_lsn
            and log.first_recovery_fork_id == other.first_recovery_fork_id
            and log.recovery_fork_id == other.recovery_fork_id
            and not self._holds_stop(log)
            and not self._holds_stop(other)
            and self._is_lost_set(log) == self._is_lost_set(other)
        )

    def _holds_stop(self, backup: BackupSet) -> bool:
        return backup.backup_type is LOG and self._reaches_stop(backup)

    def _rank(self, trial: Trial) -> tuple[bool, bool, int, int, int, int]:
        data = {kind: [s.last_lsn for s in trial.steps if s.backup_type is kind] for kind in _DATA}
        return (
            self.forks.is_live(trial.place.fork),
            trial.ended,
            0 if trial.ended else trial.place.redo,
            max(data[FULL], default=-1),
            max(data[DIFFERENTIAL], default=-1),
            -len(trial.steps),
        )

    def _stops(self, trial: Trial) -> bool:
        return trial.ended and self.goal.stop_at is not None

    def _goes_astray(self, trial: Trial) -> bool:
        lost = self.forks.is_lost(trial.place.fork, trial.place.redo)
        return lost or any(self._is_lost_set(s) for s in trial.steps)

    def _is_lost_set(self, backup: BackupSet) -> bool:
        return self.forks.is_lost(backup.recovery_fork_id, backup.last_lsn)

    def _is_sound(self, backup: BackupSet) -> bool:
        return (
            backup.backup_type in (FULL, DIFFERENTIAL, LOG)
            and not backup.is_damaged
            and backup.position == 1
            and backup.first_lsn <= backup.last_lsn
            and not any(file.name in self.shared_files for file in backup.files)
        )

    def _is_wanted(self, backup: BackupSet) -> bool:
        goal = self.goal
        if backup.backup_type is DIFFERENTIAL and not goal.use_differentials:
            return False
        if backup.backup_type is LOG and not goal.use_logs:
            return False
        if self.named is not None and backup is not self.named:
            if backup.last_lsn > self.named.last_lsn:
                return False
            if backup.last_lsn == self.named.last_lsn and not self.named.is_empty:
                return backup.backup_type is FULL
        finish = backup.backup_finish_date
        too_late = goal.stop_at is not None and finish is not None and finish > goal.stop_at
        return backup.backup_type is LOG or not too_late

    def _is_usable(self, backup: BackupSet) -> bool:
        complete = len(backup.files) == backup.family_count
        return complete and self._is_sound(backup) and self._is_wanted(backup)

    def _would_fit(self, place: Place, backup: BackupSet) -> bool:
        refuse = refuse_log if backup.backup_type is LOG else refuse_differential
        return not backup.is_empty and refuse(place, backup) is None

    def _reaches_stop(self, log: BackupSet) -> bool:
        stop, finish = self.goal.stop_at, log.backup_finish_date
        return stop is not None and finish is not None and finish >= stop

    def _holds_bulk_stop(self, place: Place) -> bool:
        stop = self.goal.stop_at
        return stop is not None and any(
            s.backup_type is LOG
            and self._is_usable(s)
            and not self._is_lost_set(s)
            and self._reaches_stop(s)
            and is_bulk_inside(s, stop)
            and self._would_fit(place, s)
            for s in self.sets
        )

    def _has_named(self, place: Place) -> bool:
        return (
            self.named is not None
            and place.redo >= self.named.last_lsn
            and self.forks.is_live(place.fork)
        )

    def _held(self, place: Place) -> list[BackupSet]:
        return [
            s
            for s in self.sets
            if s.last_lsn <= place.redo
            and (None in (s.recovery_fork_id, place.fork) or s.recovery_fork_id == place.fork)
        ]

    def _ends(self, place: Place) -> bool:
        """Tell whether a position is the requested end; a log that holds the time is one, too."""
        if self.goal.last_backup is not None:
            return self._has_named(place)
        stop = self.goal.stop_at
        return stop is not None and (
            (place == self.start and self.position.stopped_at == stop)
            or any(
                s.backup_type is LOG and not s.is_empty and s.backup_finish_date == stop
                for s in self._held(place)
            )
        )

    def _is_at_tail(self, place: Place) -> bool:
        """Tell whether the source's last log is the last one that was applied."""
        logs = [s for s in self._held(place) if s.backup_type is LOG]
        return any(
            s.is_force_offline and all(other.last_lsn <= s.last_lsn for other in logs) for s in logs
        )

    def _is_past_stop(self, start: Place) -> bool:
        stop = self.goal.stop_at
        if stop is None:
            return False
        if self.position.stopped_at is not None:
            return self.position.stopped_at > stop
        # What lies just below the position was written before any set that holds it was finished.
        held = [s for s in self._held(start) if not s.is_empty and s.backup_finish_date]
        last = [s for s in held if all(other.last_lsn <= s.last_lsn for other in held)]
        return bool(last) and all(
            s.backup_finish_date is not None and s.backup_finish_date > stop for s in last
        )


_DATA = (FULL, DIFFERENTIAL)


def plan_by_force(sets: Sequence[BackupSet], position: TargetPosition, goal: Goal) -> Forced:
    """Plan by trying every sequence; only for a handful of sets."""
    return Force(sets, position, goal).plan()
