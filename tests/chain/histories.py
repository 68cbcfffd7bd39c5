"""Plays databases forward at random and hands out the backups that were taken, or some of them.

A `Source` is a database as the server keeps it: a log that grows, backups that see it, and a
past to which it can be set back. What a planner gets to see of that is a `Heap`: files get lost,
damaged, copied, and headers may hide what they know. The truth stays with the heap, so that a
plan can be carried out on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from shared.backupset import BackupSet, BackupType, SetFile, merge_families
from shared.chain import ABSENT, DatabaseState, Goal, TargetPosition
from shared.lsn import Lsn
from tests.chain.server import Checkpoint, Place, Server, checkpoints_of

Draw = Callable[..., object]
_BEGIN = datetime(2026, 3, 1)  # noqa: DTZ001 header dates carry no zone
# LSNs grow in strides that leave room for a redo LSN some slots beside a set's end. They start
# where decimal text gets longer, so that comparing text would go wrong.
_FIRST_LSN = 9_950
_STRIDE = 10


def guid(number: int) -> UUID:
    """Return a GUID that a reader of a failed example can tell from others."""
    return UUID(int=number, version=4)


@dataclass(frozen=True)
class _State:
    """What a database is at one moment. `log_start` is None while the log chain is broken."""

    name: str
    fork: UUID
    lsn: int
    log_start: int | None
    log_start_fork: UUID
    fork_point: int | None
    base: Checkpoint | None
    begins_chain: bool


@dataclass
class Source:
    """A database and its copies, and every backup that was ever taken of them."""

    state: _State
    sets: list[BackupSet] = field(default_factory=list)
    past: list[_State] = field(default_factory=list)
    clock: datetime = _BEGIN
    forks: int = 1

    @classmethod
    def new(cls) -> Source:
        fork = guid(0xF1)
        return cls(_State("Orders", fork, _FIRST_LSN, None, fork, None, None, begins_chain=True))

    def work(self, amount: int) -> None:
        self.state = replace(self.state, lsn=self.state.lsn + amount * _STRIDE)

    def full(self, *, copy_only: bool, families: int) -> None:
        at = self.state
        checkpoint = at.lsn + _STRIDE
        backup = self._take(
            BackupType.DATABASE,
            first=at.lsn,
            last=checkpoint + _STRIDE,
            checkpoint=checkpoint,
            is_copy_only=copy_only,
            family_count=families,
        )
        base = at.base if copy_only else Checkpoint(checkpoint, backup.backup_set_guid, at.fork)
        self._moved(replace(self._with_chain(at.lsn), lsn=checkpoint + _STRIDE, base=base))

    def differential(self, *, families: int) -> None:
        at = self.state
        if at.base is None:
            return
        self._take(
            BackupType.DIFFERENTIAL,
            first=at.lsn,
            last=at.lsn + _STRIDE,
            checkpoint=at.lsn,
            differential_base_lsn=Lsn(at.base.lsn),
            differential_base_guid=at.base.guid,
            family_count=families,
        )
        self._moved(replace(self._with_chain(at.lsn), lsn=at.lsn + _STRIDE))

    def log(self, *, copy_only: bool, bulk: bool, tail: bool) -> None:
        at = self.state
        if at.log_start is None:
            return
        self._take(
            BackupType.LOG,
            first=at.log_start,
            last=at.lsn,
            checkpoint=at.log_start,
            first_recovery_fork_id=at.log_start_fork,
            fork_point_lsn=None if at.fork_point is None else Lsn(at.fork_point),
            is_copy_only=copy_only,
            has_bulk_logged_data=bulk,
            is_force_offline=tail,
            begins_log_chain=at.begins_chain,
            family_count=1,
        )
        if not copy_only:
            begun = replace(at, log_start=at.lsn, log_start_fork=at.fork, fork_point=None)
            self._moved(replace(begun, begins_chain=False))

    def break_chain(self) -> None:
        self.state = replace(self.state, log_start=None, fork_point=None, begins_chain=True)

    def rename(self) -> None:
        self.state = replace(self.state, name=self.state.name + "2")

    def set_back(self, moment: int) -> None:
        """Restore the database to a moment of its past and open it: a new recovery fork."""
        whole = [s for s in self.past if s.fork_point is None]
        if whole:
            then = whole[moment % len(whole)]
            self.state = replace(self._forked(then), name=self.state.name)
            self.past = [s for s in self.past if s.fork != then.fork or s.lsn <= then.lsn]

    def copy(self, moment: int) -> None:
        """Restore a moment of the past under another name, and take backups of the copy."""
        whole = [s for s in self.past if s.fork_point is None]
        if whole:
            mine, past = self.state, self.past
            self.state = replace(self._forked(whole[moment % len(whole)]), name="OrdersTest")
            self.work(3)
            self.log(copy_only=False, bulk=False, tail=False)
            self.full(copy_only=False, families=1)
            self.state, self.past = mine, past

    def _forked(self, then: _State) -> _State:
        self.forks += 1
        fork = guid(0xF0 + self.forks)
        return replace(then, fork=fork, fork_point=then.lsn, lsn=then.lsn + _STRIDE)

    def _with_chain(self, lsn: int) -> _State:
        at = self.state
        if at.log_start is not None:
            return at
        return replace(at, log_start=lsn, log_start_fork=at.fork, fork_point=None)

    def _moved(self, state: _State) -> None:
        self.state = state
        self.past = [*self.past, state]

    def _take(
        self, kind: BackupType, *, first: int, last: int, checkpoint: int, **more: object
    ) -> BackupSet:
        at, number = self.state, len(self.sets) + 1
        start = self.clock
        self.clock += timedelta(minutes=10)
        label = f"{kind.label}-{number}"
        families = more["family_count"]
        assert isinstance(families, int)
        backup = BackupSet.model_validate(
            {
                "backup_set_guid": guid(number),
                "backup_type": kind,
                "database_name": at.name,
                "server_name": "SQL1",
                "family_guid": guid(0xFA),
                "first_lsn": Lsn(first),
                "last_lsn": Lsn(last),
                "checkpoint_lsn": Lsn(checkpoint),
                "database_backup_lsn": Lsn(at.base.lsn if at.base else 0),
                "recovery_fork_id": at.fork,
                "backup_start_date": start,
                "backup_finish_date": start + timedelta(minutes=4),
                "files": [
                    SetFile(name=f"{label}.{i}", family_sequence_number=i)
                    for i in range(1, families + 1)
                ],
                **more,
            }
        )
        self.sets.append(backup)
        return backup


@dataclass(frozen=True)
class Heap:
    """What is known of a database, and the truth about it.

    `sets` is what a planner sees; `truth` are the same and the lost ones, whole.
    """

    sets: tuple[BackupSet, ...]
    truth: tuple[BackupSet, ...]

    def server(self, place: Place | None = None) -> Server:
        """Return a server that knows of every full backup that was ever taken."""
        return Server(checkpoints_of(self.truth), place)


_EVENTS = (
    *("log",) * 9,
    *("differential",) * 3,
    *("full",) * 2,
    "idle log",
    "copy-only full",
    "copy-only log",
    "bulk-logged log",
    "tail",
    "break chain",
    "rename",
    *("set back",) * 2,
    "copy",
)


@st.composite
def sources(draw: Draw, max_events: int = 14) -> Source:
    """Play a database forward, beginning with a full backup."""
    source = Source.new()
    events = draw(st.lists(st.sampled_from(_EVENTS), min_size=2, max_size=max_events))
    assert isinstance(events, list)
    for event in ("full", *events):
        _happen(source, event, draw)
    return source


def _happen(source: Source, event: str, draw: Draw) -> None:
    families = draw(st.sampled_from((1, 1, 1, 2)))
    assert isinstance(families, int)
    if event != "idle log":
        source.work(1)
    match event:
        case "full" | "copy-only full":
            source.full(copy_only=event == "copy-only full", families=families)
        case "differential":
            source.differential(families=families)
        case "break chain":
            source.break_chain()
        case "rename":
            source.rename()
        case "set back" | "copy":
            moment = draw(st.integers(0, 9))
            assert isinstance(moment, int)
            (source.copy if event == "copy" else source.set_back)(moment)
        case _:
            source.log(
                copy_only=event == "copy-only log",
                bulk=event == "bulk-logged log",
                tail=event == "tail",
            )


_FATES = (*("whole",) * 12, *("lost",) * 3, "damaged", "file missing", "copied")
_HIDDEN = ("fork unknown", "base GUID unknown")


@st.composite
def heaps(draw: Draw, max_events: int = 14, *, hide: bool = False) -> Heap:
    """Play a database forward and let some of its files go wrong.

    `hide`: some headers do not tell of forks or bases, so the truth cannot be told from them.
    """
    source = draw(sources(max_events=max_events))
    assert isinstance(source, Source)
    known: list[BackupSet] = []
    for backup in source.sets:
        fate = draw(st.sampled_from((*_FATES, *_HIDDEN) if hide else _FATES))
        assert isinstance(fate, str)
        known.extend(_suffer(backup, fate))
    return Heap(merge_families(known), tuple(source.sets))


def _suffer(backup: BackupSet, fate: str) -> Sequence[BackupSet]:
    match fate:
        case "lost":
            return ()
        case "damaged":
            return (backup.model_copy(update={"is_damaged": True}),)
        case "file missing":
            return (
                (backup.model_copy(update={"files": backup.files[1:]}),) if backup.files[1:] else ()
            )
        case "copied":
            again = tuple(
                file.model_copy(update={"name": "again/" + file.name}) for file in backup.files
            )
            return backup, backup.model_copy(update={"files": again})
        case "fork unknown":
            hidden = dict.fromkeys(("first_recovery_fork_id", "recovery_fork_id", "fork_point_lsn"))
            return (backup.model_copy(update=hidden),)
        case "base GUID unknown":
            return (backup.model_copy(update={"differential_base_guid": None}),)
        case _:
            return (backup,)


@st.composite
def goals(draw: Draw, heap: Heap) -> Goal:
    """Draw a goal: mostly an open end, else a stop time, a named last file, or types left out."""
    kind = draw(st.sampled_from(("open", "open", "stop", "stop", "named", "without")))
    if kind == "open" or not heap.truth:
        return Goal(database_name=None if draw(st.booleans()) else "Orders")
    backup = draw(st.sampled_from(heap.truth))
    assert isinstance(backup, BackupSet)
    if kind == "named":
        return Goal(last_backup=backup.files[0].name)
    if kind == "without":
        logs = bool(draw(st.booleans()))
        return Goal(use_logs=logs, use_differentials=not logs)
    minutes = draw(st.sampled_from((-4, -1, 0, 1, 4)))
    assert isinstance(minutes, int)
    assert backup.backup_finish_date is not None
    return Goal(stop_at=backup.backup_finish_date + timedelta(minutes=minutes))


@st.composite
def positions(draw: Draw, heap: Heap) -> TargetPosition:
    """Draw a position that restores of real backups lead to, reported some slots beside."""
    server = heap.server()
    until = draw(st.integers(0, len(heap.truth)))
    assert isinstance(until, int)
    for backup in heap.truth[:until]:
        if draw(st.sampled_from((True, True, True, False))):
            server.restore(backup)
    if server.place is None or draw(st.sampled_from((True, False, False))):
        return ABSENT
    slots = draw(st.sampled_from((0, 0, 3)))
    assert isinstance(slots, int)
    place, base = server.place, server.place.base
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=Lsn(place.redo + slots),
        redo_start_fork_guid=place.fork if draw(st.booleans()) else None,
        differential_base_lsn=Lsn(base.lsn) if base else None,
        differential_base_guid=base.guid if base else None,
    )
