"""Sorts known backups for one goal: what may be restored, what only lacks whole media. Pure.

It depends neither on the position of the target nor on the other sets that a plan takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.backupset import BackupSet, BackupType
from shared.lineage import Lineage
from shared.lsn import Lsn
from shared.restore_rules import Reached, Reason, Rejection, flaw_of, holds_stop, refusal_at


class Goal(BaseModel):
    """Where to end. With neither a stop nor `last_backup` the end is open.

    `stop_at` is local time of the source; `stop_lsn` is the last log record that is wanted.
    `last_backup` names any file of the last set, as a name or as the end of a path.
    `database_name` tells the database from copies of it that live under other names in the same
    family. `without` are ids of sets that are not to be used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop_at: datetime | None = None
    stop_lsn: Lsn | None = None
    last_backup: str | None = None
    use_differentials: bool = True
    use_logs: bool = True
    database_name: str | None = None
    without: frozenset[UUID] = frozenset()

    @property
    def stop(self) -> datetime | Lsn | None:
        """Where to stop inside a log, if anywhere."""
        return self.stop_at if self.stop_at is not None else self.stop_lsn


OPEN_END = Goal()


def find_named(sets: Sequence[BackupSet], name: str) -> BackupSet | None:
    """Return the set that owns the file of this name, or of a path that ends in it.

    Exact matches come first; case is ignored only where exactly one set then matches.
    """
    for tail, fold in ((name, False), ("/" + name, False), ("/" + name, True)):
        found = [
            s for s in sets if any(_ends_with(f.name, tail, fold) for f in (*s.files, *s.copies))
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _ends_with(file: str, tail: str, fold: bool) -> bool:
    if fold:
        return ("/" + file).casefold().endswith(tail.casefold())
    return file == tail or (tail.startswith("/") and file.endswith(tail))


class Candidates:
    """The sets of one database, in order of LastLSN, sorted by what one goal makes of them.

    `usable` may be restored where it fits. `spoilt` would be, but for its media: damaged, cut
    off, or not all here. `dead` would be, but for the recovery fork. `rejected` says why of each
    set that is not usable.
    """

    def __init__(self, sets: Sequence[BackupSet], goal: Goal) -> None:
        self.sets = sorted(sets, key=lambda s: (s.last_lsn, s.first_lsn, s.backup_set_guid))
        self.goal = goal
        self.named = find_named(self.sets, goal.last_backup) if goal.last_backup else None
        self.lineage = Lineage(self.sets, name=goal.database_name, last=self.named)
        self.rejected: dict[UUID, Rejection] = {}
        self.usable: list[BackupSet] = []
        self.spoilt: list[BackupSet] = []
        self.dead: list[BackupSet] = []
        appended = appended_files(self.sets)
        for backup in self.sets:
            self._sort_in(backup, is_appended=any(f.name in appended for f in backup.files))

    def _sort_in(self, backup: BackupSet, *, is_appended: bool) -> None:
        flaw = Rejection(Reason.APPENDED_MEDIA) if is_appended else flaw_of(backup)
        unwanted = self._unwanted(backup)
        is_dead = self.lineage.is_dead(backup)
        wrong_fork = Rejection(Reason.WRONG_FORK, 4330) if is_dead else None
        if rejection := flaw or unwanted or wrong_fork:
            self.rejected[backup.backup_set_guid] = rejection
        if flaw is None and unwanted is None:
            (self.dead if is_dead else self.usable).append(backup)
        elif flaw is not None and flaw.reason in _MEDIA_FLAWS and not (unwanted or is_dead):
            self.spoilt.append(backup)

    def _unwanted(self, backup: BackupSet) -> Rejection | None:
        """Return why the goal rules a set out, or None."""
        kind, goal = backup.backup_type, self.goal
        if backup.backup_set_guid in goal.without:
            return Rejection(Reason.NOT_WANTED)
        if kind is BackupType.DIFFERENTIAL and not goal.use_differentials:
            return Rejection(Reason.NOT_WANTED)
        if kind is BackupType.LOG and not goal.use_logs:
            return Rejection(Reason.NOT_WANTED)
        if self.named is not None and _ends_after(backup, self.named):
            return Rejection(Reason.AFTER_TARGET)
        if kind is not BackupType.LOG and ends_behind(backup, goal.stop):
            return Rejection(Reason.AFTER_TARGET, 4338)
        return None

    def incomplete_at(self, reached: Reached) -> BackupSet | None:
        """Return the set that would be next if all of its families were here."""
        fitting = (s for s in self.spoilt if self._is_incomplete(s) and _fits(reached, s))
        return next(fitting, None)

    def incomplete_fulls(self) -> list[BackupSet]:
        """Return the fulls that a restore could begin with if all their families were here."""
        fulls = (s for s in self.spoilt if s.backup_type is BackupType.DATABASE)
        return [s for s in fulls if self._is_incomplete(s)]

    def _is_incomplete(self, backup: BackupSet) -> bool:
        return self.rejected[backup.backup_set_guid].reason is Reason.INCOMPLETE_SET

    def has_spoilt_log(self, reached: Reached) -> bool:
        """Tell whether a log would be next if its media were whole."""
        return any(s.backup_type is BackupType.LOG and _fits(reached, s) for s in self.spoilt)

    def beyond(self, reached: Reached) -> list[BackupSet]:
        """Return the logs behind a gap at a position, by FirstLSN, up to the stop time."""
        beyond: list[BackupSet] = []
        for log in sorted(
            (s for s in (*self.usable, *self.spoilt) if s.backup_type is BackupType.LOG),
            key=lambda s: (s.first_lsn, s.last_lsn, s.backup_set_guid),
        ):
            if log.first_lsn > reached.redo and not log.is_empty:
                beyond.append(log)
                if holds_stop(log, self.goal.stop):
                    break
        return beyond

    def held(self, reached: Reached) -> list[BackupSet]:
        """Return the sets that a position lies at the end of or behind, on the same fork."""
        return [s for s in self.sets if holds(reached, s)]


def ends_behind(backup: BackupSet, stop: datetime | Lsn | None) -> bool:
    """Tell whether a set holds more than what was done up to a stop, as far as its header tells.

    The finish is only an upper bound for what is in a set.
    """
    if isinstance(stop, Lsn):
        return backup.last_lsn > stop
    finish = backup.backup_finish_date
    return stop is not None and finish is not None and finish > stop


def holds(reached: Reached, backup: BackupSet) -> bool:
    """Tell whether a position lies at the end of a set or behind it, on the same fork."""
    fork = backup.recovery_fork_id
    return backup.last_lsn <= reached.redo and (
        fork is None or reached.fork is None or fork == reached.fork
    )


_MEDIA_FLAWS = (Reason.APPENDED_MEDIA, Reason.DAMAGED, Reason.INCOMPLETE_SET)


def _fits(reached: Reached, backup: BackupSet) -> bool:
    """Tell whether a differential or log would be accepted next if its media were whole."""
    if backup.backup_type is BackupType.DATABASE or backup.is_empty:
        return False
    return refusal_at(reached, backup) is None


def _ends_after(backup: BackupSet, named: BackupSet) -> bool:
    """Tell whether a set reaches beyond the named last one, or would take its place."""
    if backup.last_lsn != named.last_lsn or backup is named:
        return backup.last_lsn > named.last_lsn
    return backup.backup_type is not BackupType.DATABASE and not named.is_empty


def appended_files(sets: Sequence[BackupSet]) -> set[str]:
    """Return the names of files that hold more than one backup set."""
    owners: dict[str, set[UUID]] = {}
    for backup in sets:
        for file in backup.files:
            owners.setdefault(file.name, set()).add(backup.backup_set_guid)
    return {name for name, guids in owners.items() if len(guids) > 1}
