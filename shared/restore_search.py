"""Searches the sequences of restores that a server would accept for the best one. Pure.

Every restore moves the position forward, so the positions form a graph without cycles that is
walked once, in order of the redo LSN. From a position only two kinds of step matter: the log that
reaches furthest on each fork (any other log leads to a worse place), and each differential on the
target's base. So the work grows with the number of sets, not with the number of sequences.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.lineage import Lineage
from shared.lsn import Lsn
from shared.restore_rules import Reached, after, has_base, refusal_at

Ends = Callable[[Reached, BackupSet | None], bool]
"""Tells whether the requested end is reached, given the position and the set just restored."""


@dataclass(frozen=True)
class Path:
    """A sequence of restores. `visited` are the positions after each, the start first if any.

    `ended`: it reaches the requested end. `stops`: its last log holds the stop time.
    """

    sets: tuple[BackupSet, ...]
    visited: tuple[Reached, ...]
    ended: bool
    stops: bool

    @property
    def reached(self) -> Reached:
        """The position at the end of the path."""
        return self.visited[-1]


@dataclass(frozen=True)
class _Node:
    reached: Reached
    before: _Node | None
    backup: BackupSet | None
    full: Lsn | int
    differential: Lsn | int
    length: int
    ended: bool
    stops: bool

    @property
    def rank(self) -> tuple[int, int, int]:
        """Better is greater: newest full, newest differential, fewest sets."""
        return self.full, self.differential, -self.length


class Search:
    """The usable sets of one database, indexed for the walk."""

    def __init__(
        self,
        usable: Sequence[BackupSet],
        known: Sequence[BackupSet],
        lineage: Lineage,
        stop_at: datetime | None,
    ) -> None:
        """Index `usable`, ordered by LastLSN; `known` also tells of bases that cannot be used."""
        self._lineage = lineage
        self._stop_at = stop_at
        self._fulls = [s for s in usable if s.backup_type is BackupType.DATABASE]
        self._known_fulls = [s for s in known if s.backup_type is BackupType.DATABASE]
        self._differentials = [s for s in usable if s.backup_type is BackupType.DIFFERENTIAL]
        logs = [s for s in usable if s.backup_type is BackupType.LOG and not s.is_empty]
        self._stopping = [s for s in logs if self._has_stop(s)]
        self._spans = _by_fork([s for s in logs if not self._has_stop(s)])

    def best(self, start: Reached | None, ends: Ends) -> Path | None:
        """Return the best path from `start`, or from nothing; None if no full can begin one."""
        found = max(
            self._walk(start, ends),
            key=lambda node: (
                self._lineage.is_live(node.reached.fork),
                node.ended,
                0 if node.ended else node.reached.redo,
                node.rank,
            ),
            default=None,
        )
        return _path_to(found) if found else None

    def stops_in_bulk(self, reached: Reached) -> bool:
        """Tell whether the next log holds the stop time amid bulk-logged changes."""
        return bool(self.bulk_stops(reached))

    def bulk_stops(self, reached: Reached) -> list[BackupSet]:
        """Return the logs that fit at `reached` but cannot be stopped inside."""
        return [s for s in self._stopping if self._is_bulk_inside(s) and not refusal_at(reached, s)]

    def _walk(self, start: Reached | None, ends: Ends) -> list[_Node]:
        """Return every position that can be reached, each with its best path."""
        order = count()
        queue: list[tuple[Lsn, int, _Node]] = []
        best: dict[tuple[Reached, bool], _Node] = {}
        from_base: dict[tuple[UUID, Lsn | None, UUID | None], int] = {}

        def offer(node: _Node) -> None:
            key = node.reached, node.ended
            if key not in best or node.rank > best[key].rank:
                best[key] = node
                heapq.heappush(queue, (node.reached.redo, next(order), node))

        for node in self._beginnings(start, ends):
            offer(node)
        while queue:
            _, _, node = heapq.heappop(queue)
            if best[node.reached, node.ended] is not node or node.ended:
                continue
            for backup in self._next(node, from_base):
                offer(self._step(node, backup, ends))
        return list(best.values())

    def _beginnings(self, start: Reached | None, ends: Ends) -> list[_Node]:
        if start is not None:
            return [_Node(start, None, None, -1, -1, 0, ends(start, None), stops=False)]
        nodes = []
        for full in self._fulls:
            reached = after(None, full, ())
            nodes.append(
                _Node(reached, None, full, full.last_lsn, -1, 1, ends(reached, full), stops=False)
            )
        return nodes

    def _step(self, node: _Node, backup: BackupSet, ends: Ends) -> _Node:
        reached = after(node.reached, backup, self._known_fulls)
        stops = backup.backup_type is BackupType.LOG and self._has_stop(backup)
        differential = node.differential
        if backup.backup_type is BackupType.DIFFERENTIAL:
            differential = max(differential, backup.last_lsn)
        return _Node(
            reached,
            node,
            backup,
            node.full,
            differential,
            node.length + 1,
            stops or ends(reached, backup),
            stops,
        )

    def _next(
        self, node: _Node, from_base: dict[tuple[UUID, Lsn | None, UUID | None], int]
    ) -> list[BackupSet]:
        reached = node.reached
        steps = [
            log
            for span in self._spans.values()
            if (log := span.furthest(reached.redo)) and refusal_at(reached, log) is None
        ]
        stopping = (
            s
            for s in self._stopping
            if not self._is_bulk_inside(s) and refusal_at(reached, s) is None
        )
        steps.extend(list(stopping)[:1])
        for backup in self._differentials:
            if has_base(reached, backup) and refusal_at(reached, backup) is None:
                # The same differential on the same base leads to the same place from anywhere;
                # only a shorter way there is worth another look.
                key = backup.backup_set_guid, reached.base_lsn, reached.base_guid
                if from_base.get(key, node.length + 1) > node.length:
                    from_base[key] = node.length
                    steps.append(backup)
        return steps

    def _has_stop(self, log: BackupSet) -> bool:
        """Tell whether a log is the first that may hold the stop time: its finish says so."""
        finish = log.backup_finish_date
        return self._stop_at is not None and finish is not None and finish >= self._stop_at

    def _is_bulk_inside(self, log: BackupSet) -> bool:
        """Tell whether the stop lies inside a log with bulk-logged changes, not at its end."""
        return log.has_bulk_logged_data and log.backup_finish_date != self._stop_at


class _Span:
    """Logs of one pair of forks, answering which one of those begun by an LSN reaches furthest."""

    def __init__(self, logs: Sequence[BackupSet]) -> None:
        ordered = sorted(logs, key=lambda s: (s.first_lsn, s.last_lsn, s.backup_set_guid))
        self._firsts = [log.first_lsn for log in ordered]
        self._furthest: list[BackupSet] = []
        for log in ordered:
            best = self._furthest[-1] if self._furthest else log
            self._furthest.append(log if log.last_lsn > best.last_lsn else best)

    def furthest(self, redo: Lsn) -> BackupSet | None:
        index = bisect_right(self._firsts, redo)
        return self._furthest[index - 1] if index else None


def _by_fork(logs: Sequence[BackupSet]) -> dict[object, _Span]:
    """Index logs by fork pair; a log that crosses forks stands alone, its fork point decides."""
    groups: dict[object, list[BackupSet]] = {}
    for log in logs:
        pair = log.first_recovery_fork_id, log.recovery_fork_id
        key: object = pair if pair[0] == pair[1] else log.backup_set_guid
        groups.setdefault(key, []).append(log)
    return {key: _Span(group) for key, group in groups.items()}


def _path_to(node: _Node) -> Path:
    nodes = [node]
    while (before := nodes[-1].before) is not None:
        nodes.append(before)
    nodes.reverse()
    return Path(
        sets=tuple(n.backup for n in nodes if n.backup is not None),
        visited=tuple(n.reached for n in nodes),
        ended=node.ended,
        stops=node.stops,
    )
