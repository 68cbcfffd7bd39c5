"""Searches the sequences of restores that a server would accept for the best one. Pure.

Every restore moves the position forward, so the positions form a graph without cycles that is
walked once, in order of the redo LSN. From a position only two kinds of step matter: the log that
reaches furthest on each fork (any other log leads to a worse place), and each differential on the
target's base. So the work grows with the number of sets, not with the number of sequences.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.differential_base import Base, DifferentialsByBase, KnownFulls
from shared.lineage import Lineage
from shared.lsn import Lsn
from shared.restore_rules import Reached, after, holds_stop, is_bulk_inside, refusal_at

Ends = Callable[[Reached], bool]
"""Tells whether a position is the requested end."""

_Seen = dict[tuple[UUID | None, Base], tuple[int, int, int]]
_ANOTHER_FORK = UUID(int=0)  # stands for every fork that no log names; no known fork is zero


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
    stops: bool = False

    def rank(self, *, by_length: bool = False) -> tuple[int, int, int]:
        """Better is greater: newest full, newest differential, fewest sets.

        What is ahead of a place may bring a newer differential; then only the length of the way
        there will have counted. So both the best and the shortest way to a place are kept.
        """
        return self.full, 0 if by_length else self.differential, -self.length


class Search:
    """The usable sets of one database, indexed for the walk."""

    def __init__(
        self,
        usable: Sequence[BackupSet],
        known: Sequence[BackupSet],
        lineage: Lineage,
        stop_at: datetime | Lsn | None,
    ) -> None:
        """Index `usable`, ordered by LastLSN; `known` also tells of bases that cannot be used."""
        self._lineage = lineage
        self._stop_at = stop_at
        self._fulls = [s for s in usable if s.backup_type is BackupType.DATABASE]
        self._known_fulls = KnownFulls(known)
        self._differentials = DifferentialsByBase(
            [s for s in usable if s.backup_type is BackupType.DIFFERENTIAL]
        )
        logs = [s for s in usable if s.backup_type is BackupType.LOG and not s.is_empty]
        stopping = sorted((s for s in logs if holds_stop(s, stop_at)), key=lambda s: s.first_lsn)
        self._bulk = [s for s in stopping if is_bulk_inside(s, stop_at)]
        self._stopping = [s for s in stopping if not is_bulk_inside(s, stop_at)]
        self._stopping_firsts = [s.first_lsn for s in self._stopping]
        self._spans = _by_fork([s for s in logs if not holds_stop(s, stop_at)])

    def best(self, start: Reached | None, ends: Ends, *, to_the_end: bool = False) -> Path | None:
        """Return the best path from `start`, or from nothing; None if no full can begin one.

        `to_the_end`: only one that reaches the requested end will do.
        """
        nodes = (n for n in self._walk(start, ends) if n.ended or not to_the_end)
        found = max(nodes, key=self._merit, default=None)
        return _path_to(found) if found else None

    def _merit(self, node: _Node) -> tuple[object, ...]:
        """Better is greater; the last three only make the choice certain."""
        redo, fork = node.reached.redo, node.reached.fork
        return (
            self._lineage.is_live(fork),
            node.ended,
            0 if node.ended else redo,
            node.rank(),
            fork is not None,
            -redo,
            str(fork),
        )

    def bulk_stops(self, reached: Reached) -> list[BackupSet]:
        """Return the logs that fit and hold the stop time, but cannot be stopped inside."""
        return [s for s in self._bulk if not refusal_at(reached, s)]

    def _walk(self, start: Reached | None, ends: Ends) -> list[_Node]:
        """Return every position that can be reached, each with its best path."""
        order = count()
        queue: list[tuple[Lsn, int, _Node]] = []
        best: dict[tuple[Reached, bool, bool], _Node] = {}

        def is_best(node: _Node, *, by_length: bool) -> bool:
            return best.get((node.reached, node.ended, by_length)) is node

        def offer(node: _Node) -> None:
            for by_length in (False, True):
                key = node.reached, node.ended, by_length
                rank = node.rank(by_length=by_length)
                if key not in best or rank > best[key].rank(by_length=by_length):
                    best[key] = node
            if is_best(node, by_length=False) or is_best(node, by_length=True):
                heapq.heappush(queue, (node.reached.redo, next(order), node))

        for node in self._beginnings(start, ends):
            offer(node)
        seen: _Seen = {}
        while queue:
            _, _, node = heapq.heappop(queue)
            is_current = is_best(node, by_length=False) or is_best(node, by_length=True)
            if is_current and not node.ended:
                for backup in (*self._next_logs(node.reached), *self._next_data(node, seen)):
                    offer(self._step(node, backup, ends))
        return list(best.values())

    def _beginnings(self, start: Reached | None, ends: Ends) -> list[_Node]:
        if start is not None:
            return [_Node(start, None, None, -1, -1, 0, ends(start))]
        return [
            _Node(reached, None, full, full.last_lsn, -1, 1, ends(reached))
            for full in self._fulls
            for reached in (after(None, full, self._known_fulls),)
        ]

    def _step(self, node: _Node, backup: BackupSet, ends: Ends) -> _Node:
        reached = after(node.reached, backup, self._known_fulls)
        stops = backup.backup_type is BackupType.LOG and holds_stop(backup, self._stop_at)
        is_differential = backup.backup_type is BackupType.DIFFERENTIAL
        return _Node(
            reached,
            node,
            backup,
            node.full,
            backup.last_lsn if is_differential else node.differential,
            node.length + 1,
            stops or ends(reached),
            stops,
        )

    def _next_logs(self, reached: Reached) -> Iterable[BackupSet]:
        for span in self._spans_on(reached.fork):
            log = span.furthest(reached.redo)
            if log is not None and refusal_at(reached, log) is None:
                yield log
        # The first log that holds the stop time, for each fork that it may lead to.
        begun = self._stopping[: bisect_right(self._stopping_firsts, reached.redo)]
        fitting = [log for log in begun if refusal_at(reached, log) is None]
        for fork in {log.recovery_fork_id for log in fitting}:
            yield min(
                (log for log in fitting if log.recovery_fork_id == fork),
                key=lambda log: (log.last_lsn, log.backup_set_guid),
            )

    def _spans_on(self, fork: UUID | None) -> Sequence[_Span]:
        return self._spans.get(fork, self._spans[_ANOTHER_FORK])

    def _next_data(self, node: _Node, seen: _Seen) -> Iterable[BackupSet]:
        """Return the differentials that fit.

        Those that fit here fitted already at an earlier place on the same fork and base, and lead
        to the same places; only a better way is worth another look.
        """
        reached = node.reached
        key = reached.fork, reached.base
        rank = node.rank(by_length=True)
        if key in seen and rank <= seen[key]:
            return
        seen[key] = rank
        for backup in self._differentials.on(reached.base):
            if refusal_at(reached, backup) is None:
                yield backup


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


def _by_fork(logs: Sequence[BackupSet]) -> dict[UUID | None, list[_Span]]:
    """Index logs by each fork on which they may be applied.

    A log that crosses forks stands alone, because its fork point decides where it fits. Logs of
    an unknown fork may fit on any, and on an unknown fork, under None, any log may fit.
    """
    groups: dict[object, list[BackupSet]] = {}
    for log in logs:
        pair = log.first_recovery_fork_id, log.recovery_fork_id
        groups.setdefault(pair if pair[0] == pair[1] else log.backup_set_guid, []).append(log)
    spans = [(group[0], _Span(group)) for group in groups.values()]
    unknown = [span for log, span in spans if log.recovery_fork_id is None]
    index: dict[UUID | None, list[_Span]] = {
        None: [span for _, span in spans],
        _ANOTHER_FORK: unknown,
    }
    for log, span in spans:
        for fork in {log.first_recovery_fork_id, log.recovery_fork_id} - {None}:
            index.setdefault(fork, list(unknown)).append(span)
    return index


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
