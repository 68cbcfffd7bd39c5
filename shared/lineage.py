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
            s.backup_finish_date or _BEFORE_ALL,
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
        self, sets: Sequence[BackupSet], *, name: str | None = None, live: UUID | None = None
    ) -> None:
        """Read the forks of `sets`.

        `name` is the database's name where a copy under another name lives in the same family;
        without it the name of the oldest full counts. `live` overrules the latest backup.
        """
        self.live = live or _live_fork(sets, name)
        self._ends = _ends_of_forks(sets, self.live) if self.live else {}

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


def _ends_of_forks(sets: Sequence[BackupSet], live: UUID) -> dict[UUID, Lsn]:
    """Return, for each fork but the live one, the LSN up to which it is part of live history.

    Logs that cross from a fork to another tell exactly. A fork that branches off the live
    history has no part in it. Any other fork may be an ancestor of the oldest one known, but
    only up to the first LSN that this one is known to have written itself.
    """
    parents = _parents(sets)
    ends: dict[UUID, Lsn] = {}
    history = [live]
    while (step := parents.get(history[-1])) and step[0] not in history:
        ends[step[0]] = step[1]
        history.append(step[0])
    own = [
        s.first_lsn if s.backup_type is BackupType.LOG else s.checkpoint_lsn
        for s in sets
        if s.first_recovery_fork_id == history[-1] and not s.is_empty
    ]
    for fork in {s.recovery_fork_id for s in sets} - {None, *history}:
        assert fork is not None  # noqa: S101 for the type checker: None was taken out above
        if _descends_from(fork, history, parents):
            ends[fork] = Lsn(0)
        elif own:
            ends[fork] = min(own)
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


def _descends_from(
    fork: UUID, history: Sequence[UUID], parents: dict[UUID, tuple[UUID, Lsn]]
) -> bool:
    seen: set[UUID] = set()
    while fork in parents and fork not in seen:
        seen.add(fork)
        fork = parents[fork][0]
        if fork in history:
            return True
    return False


def _live_fork(sets: Sequence[BackupSet], name: str | None) -> UUID | None:
    known = [s for s in sets if s.recovery_fork_id is not None]
    if not known:
        return None
    wanted = name if name is not None else _oldest(sets).database_name
    forks = {s.recovery_fork_id for s in known if s.database_name == wanted}
    bearing = [s for s in known if s.database_name == wanted or s.recovery_fork_id in forks]
    latest = max(
        bearing or known,
        key=lambda s: (s.backup_finish_date or _BEFORE_ALL, s.last_lsn, str(s.backup_set_guid)),
    )
    return latest.recovery_fork_id
