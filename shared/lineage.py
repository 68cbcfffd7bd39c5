"""Which backups belong together: to one database, and to the line of history that is alive. Pure.

Opening a database before the end of its log starts a new recovery fork. From there the same LSNs
exist twice, so LSNs alone cannot tell whether two backups belong to one history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.lsn import Lsn

_BEFORE_ALL = datetime.min  # noqa: DTZ901 header dates carry no zone


class DatabaseKey(NamedTuple):
    """Identity of a source database: its family GUID, else where it lived and its exact name."""

    family_guid: UUID | None
    home: str
    database_name: str


def group_by_database(sets: Iterable[BackupSet]) -> dict[DatabaseKey, tuple[BackupSet, ...]]:
    """Tell the databases apart that a heap of backups comes from, in order of name and server.

    A family GUID stays with a database through renames and across replicas; without one the
    availability group or server and the name decide, compared exactly. A set without a family
    GUID joins the only family that has its home and name.
    """
    every = tuple(sets)
    families: dict[tuple[str, str], set[UUID]] = {}
    for backup in every:
        if backup.family_guid is not None:
            families.setdefault((_home(backup), backup.database_name), set()).add(
                backup.family_guid
            )
    groups: dict[UUID | tuple[str, str], list[BackupSet]] = {}
    for backup in every:
        place = (_home(backup), backup.database_name)
        known = families.get(place, set())
        family = backup.family_guid or (next(iter(known)) if len(known) == 1 else None)
        groups.setdefault(family or place, []).append(backup)
    named = {
        DatabaseKey(
            key if isinstance(key, UUID) else None,
            _home(first := _oldest(group)),
            first.database_name,
        ): tuple(group)
        for key, group in groups.items()
    }
    return dict(sorted(named.items(), key=lambda item: _sort_key(item[0])))


def _home(backup: BackupSet) -> str:
    return backup.availability_group_name or backup.server_name


def _oldest(sets: Sequence[BackupSet]) -> BackupSet:
    """Return the earliest full, else the earliest set: the name before any rename or copy."""
    return min(
        sets,
        key=lambda s: (
            s.backup_type is not BackupType.DATABASE,
            s.backup_finish_date or datetime.max,  # noqa: DTZ901 header dates carry no zone
            s.last_lsn,
            str(s.backup_set_guid),
        ),
    )


def _sort_key(key: DatabaseKey) -> tuple[str, str, str]:
    return key.database_name, key.home, str(key.family_guid)


class Lineage:
    """The recovery forks of one database, and which of them is alive.

    `live` is the fork that the latest finished backup ends on, or None if no fork is known.
    """

    def __init__(
        self, sets: Sequence[BackupSet], *, name: str | None = None, last: BackupSet | None = None
    ) -> None:
        """Read the forks of `sets`.

        `name` is the database's name where a copy under another name lives in the same family;
        without it the name of the oldest full counts, with what it was renamed to or from. `last`
        is the set that the restore is to end with: it tells the name, and its fork is the live
        one.
        """
        known = [s for s in sets if s.recovery_fork_id is not None]
        if name is not None:
            names = {name, *([last.database_name] if last else [])}
        else:
            names = _renames_of(last or _oldest(sets), known) if sets else set()
        own = [s for s in known if s.database_name in names] or known
        self.live = last.recovery_fork_id if last else _fork_of_latest(own)
        self._ends = _ends_of_forks(known, own, self.live) if self.live else {}

    def is_dead(self, backup: BackupSet) -> bool:
        """Tell whether restoring `backup` would leave the live history for good."""
        return not self.may_reach_live(backup.recovery_fork_id, backup.last_lsn)

    def may_reach_live(self, fork: UUID | None, redo: Lsn) -> bool:
        """Tell whether a target on `fork` at `redo` may still get onto the live fork."""
        end = self._ends.get(fork) if fork is not None else None
        return end is None or redo <= end

    def is_live(self, fork: UUID | None) -> bool:
        """Tell whether `fork` is the live one; an unknown fork may always be."""
        return fork is None or self.live is None or fork == self.live


def _fork_of_latest(sets: Sequence[BackupSet]) -> UUID | None:
    latest = max(
        sets,
        key=lambda s: (s.backup_finish_date or _BEFORE_ALL, s.last_lsn, str(s.backup_set_guid)),
        default=None,
    )
    return latest.recovery_fork_id if latest else None


def _ends_of_forks(
    sets: Sequence[BackupSet], own: Sequence[BackupSet], live: UUID
) -> dict[UUID, Lsn]:
    """Return, for each fork but the live one, the LSN up to which it is part of live history.

    Logs that cross from a fork to another tell exactly. A fork that branches off the live history
    has no part in it, nor has one that only copies under another name have written. Any other
    fork may be an ancestor of the oldest one known, but only up to the first LSN that this one
    is known to have written itself. `own` are the sets that bear the database's name.
    """
    parents = _parents(sets)
    ends: dict[UUID, Lsn] = {}
    oldest = live
    while (step := parents.get(oldest)) and step[0] != live and step[0] not in ends:
        oldest = step[0]
        ends[oldest] = step[1]
    history = {live, *ends}
    written = [
        s.first_lsn if s.backup_type is BackupType.LOG else s.checkpoint_lsn
        for s in sets
        if s.first_recovery_fork_id == oldest and not s.is_empty
    ]
    branches = _descendants(history, parents)
    own_forks = {s.recovery_fork_id for s in own}
    for fork in {s.recovery_fork_id for s in sets if s.recovery_fork_id} - history:
        if fork in branches or fork not in own_forks:
            ends[fork] = Lsn(0)
        elif written:
            ends[fork] = min(written)
    return ends


def _parents(sets: Sequence[BackupSet]) -> dict[UUID, tuple[UUID, Lsn]]:
    """Map a fork to the one it came from and the fork point, as crossing logs tell."""
    parents: dict[UUID, tuple[UUID, Lsn]] = {}
    for log in sets:
        parent, child = log.first_recovery_fork_id, log.recovery_fork_id
        if parent is None or child is None or parent == child:
            continue
        point = log.last_lsn if log.fork_point_lsn is None else log.fork_point_lsn
        if child not in parents or point < parents[child][1]:
            parents[child] = parent, point
    return parents


def _descendants(history: set[UUID], parents: dict[UUID, tuple[UUID, Lsn]]) -> set[UUID]:
    """Return the forks that branch off a history, at once or by way of others."""
    children: dict[UUID, list[UUID]] = {}
    for child, (parent, _) in parents.items():
        children.setdefault(parent, []).append(child)
    found: set[UUID] = set()
    open_ends = list(history)
    while open_ends:
        fresh = [f for f in children.get(open_ends.pop(), ()) if f not in found | history]
        found.update(fresh)
        open_ends.extend(fresh)
    return found


def _renames_of(backup: BackupSet, known: Sequence[BackupSet]) -> set[str]:
    """Return the name that a backup bears, and those its database was renamed to or from.

    A renamed database goes on writing the same fork; a copy under another name never does.
    """
    named: dict[UUID | None, set[str]] = {}
    written: dict[str, set[UUID | None]] = {}
    for one in known:
        named.setdefault(one.recovery_fork_id, set()).add(one.database_name)
        written.setdefault(one.database_name, set()).add(one.recovery_fork_id)
    names = {backup.database_name}
    open_ends = list(names)
    while open_ends:
        forks = written.get(open_ends.pop(), set())
        fresh = {other for fork in forks for other in named.pop(fork, ())} - names
        names |= fresh
        open_ends.extend(fresh)
    return names
