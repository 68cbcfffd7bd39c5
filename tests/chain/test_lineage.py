"""Which backups belong to one database, and to the history that is alive."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from shared.backupset import BackupSet, BackupType, SetFile, merge_families
from shared.lineage import DatabaseKey, Lineage, group_by_database
from shared.lsn import Lsn

A, B, C = (UUID(int=n, version=4) for n in (0xA, 0xB, 0xC))
FAMILY, OTHER = UUID(int=1, version=4), UUID(int=2, version=4)


def backup(
    label: str,
    first: int,
    last: int,
    *,
    name: str = "Orders",
    server: str = "SQL1",
    group: str | None = None,
    family: UUID | None = None,
    fork: UUID | None = A,
    crossing: tuple[UUID, int] | None = None,
    minute: int | None = None,
) -> BackupSet:
    """Make a full if the label says so, else a log; it was finished when its LSN says."""
    begun, point = crossing or (fork, None)
    kind = BackupType.DATABASE if label.startswith("full") else BackupType.LOG
    return BackupSet(
        backup_set_guid=UUID(bytes=label.encode().ljust(16, b"."), version=4),
        backup_type=kind,
        database_name=name,
        server_name=server,
        availability_group_name=group,
        family_guid=family,
        first_lsn=Lsn(first),
        last_lsn=Lsn(last),
        checkpoint_lsn=Lsn(first),
        database_backup_lsn=Lsn(0),
        first_recovery_fork_id=begun,
        recovery_fork_id=fork,
        fork_point_lsn=None if point is None else Lsn(point),
        backup_finish_date=datetime(2026, 3, 1)  # noqa: DTZ001 header dates carry no zone
        + timedelta(minutes=last if minute is None else minute),
        family_count=1,
        files=(SetFile(name=label, family_sequence_number=1),),
    )


def names(groups: dict[DatabaseKey, tuple[BackupSet, ...]]) -> list[list[str]]:
    return [sorted(s.files[0].name for s in group) for group in groups.values()]


@pytest.mark.parametrize(
    ("sets", "groups"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            [backup("full", 1, 5), backup("log", 5, 9)], [["full", "log"]], id="server and name"
        ),
        pytest.param(
            [backup("full", 1, 5), backup("log", 5, 9, server="SQL2")],
            [["full"], ["log"]],
            id="another server",
        ),
        pytest.param(
            [backup("full", 1, 5), backup("log", 5, 9, name="orders")],
            [["full"], ["log"]],
            id="case counts",
        ),
        pytest.param(
            [backup("full", 1, 5, name="a,b"), backup("log", 5, 9, name="a,b ")],
            [["full"], ["log"]],
            id="trailing blanks count",
        ),
        pytest.param(
            [backup("full", 1, 5, group="AG"), backup("log", 5, 9, server="SQL2", group="AG")],
            [["full", "log"]],
            id="replicas of a group",
        ),
        pytest.param(
            [backup("full", 1, 5, family=FAMILY), backup("log", 5, 9, name="New", family=FAMILY)],
            [["full", "log"]],
            id="a rename",
        ),
        pytest.param(
            [backup("full", 1, 5, family=FAMILY), backup("full2", 1, 5, family=OTHER)],
            [["full"], ["full2"]],
            id="created again",
        ),
        pytest.param(
            [backup("full", 1, 5, family=FAMILY), backup("log", 5, 9)],
            [["full", "log"]],
            id="a header that does not tell the family",
        ),
        pytest.param(
            [
                backup("full", 1, 5, family=FAMILY),
                backup("full2", 1, 5, family=OTHER),
                backup("log", 5, 9),
            ],
            [["full"], ["full2"], ["log"]],
            id="a header that may belong to either",
        ),
    ],
)
def test_groups(sets: list[BackupSet], groups: list[list[str]]) -> None:
    assert names(group_by_database(sets)) == groups
    assert names(group_by_database(reversed(sets))) == groups


def test_a_database_is_called_by_the_name_of_its_oldest_full() -> None:
    sets = [
        backup("log", 1, 3, name="Before", family=FAMILY, minute=0),
        backup("full", 1, 5, name="First", family=FAMILY, minute=1),
        backup("full2", 5, 9, name="Second", family=FAMILY, minute=2),
    ]
    assert list(group_by_database(sets)) == [DatabaseKey(FAMILY, "SQL1", "First")]


FULL = backup("full", 100, 110)
SET_BACK = [
    FULL,
    backup("log1", 105, 120),
    backup("dead", 120, 140),
    backup("cross", 120, 135, fork=B, crossing=(A, 120), minute=200),
    backup("log4", 135, 150, fork=B, minute=210),
]
COPY = [
    *SET_BACK[:3],
    backup("cross", 120, 135, name="Test", fork=B, crossing=(A, 120), minute=200),
    backup("full-t", 140, 146, name="Test", fork=B, minute=210),
]


@pytest.mark.parametrize(
    ("sets", "name", "live"),
    [
        pytest.param([], None, None, id="nothing"),
        pytest.param([backup("full", 1, 5, fork=None)], None, None, id="no fork is known"),
        pytest.param([FULL], None, A, id="one fork"),
        pytest.param(SET_BACK, None, B, id="set back"),
        pytest.param(COPY, "Orders", A, id="a copy is not asked for"),
        pytest.param(COPY, None, A, id="a copy is younger than its original"),
        pytest.param(COPY, "Test", B, id="the copy is asked for"),
        pytest.param(COPY, "Payroll", B, id="a name that no backup bears"),
        pytest.param(
            [*SET_BACK[:2], *(s.model_copy(update={"database_name": "New"}) for s in SET_BACK[2:])],
            None,
            B,
            id="renamed, then set back",
        ),
    ],
)
def test_live_fork(sets: list[BackupSet], name: str | None, live: UUID | None) -> None:
    assert Lineage(sets, name=name).live == live
    assert Lineage(sets[::-1], name=name).live == live


def test_the_last_set_of_a_restore_is_on_the_live_fork() -> None:
    assert Lineage(SET_BACK, last=SET_BACK[2]).live == A
    assert Lineage(COPY, name="Orders", last=COPY[4]).live == B


@pytest.mark.parametrize(
    ("sets", "dead"),
    [
        pytest.param(SET_BACK, ["dead"], id="behind the fork point"),
        pytest.param(
            [s for s in SET_BACK if s.files[0].name != "cross"],
            ["dead"],
            id="the crossing log is lost: behind what the live fork wrote itself",
        ),
        pytest.param(COPY, ["cross", "full-t"], id="a copy, told by its crossing log"),
        pytest.param(COPY[:3] + COPY[4:], ["full-t"], id="a copy, told by its name"),
        pytest.param(
            [
                *SET_BACK,
                backup("back", 118, 130, fork=C, crossing=(A, 118), minute=300),
                backup("log9", 130, 160, fork=C, minute=310),
            ],
            ["log1", "dead", "cross", "log4"],
            id="set back again, further: the first branch is dead, too",
        ),
        pytest.param([backup("full", 1, 5, fork=None), *SET_BACK], ["dead"], id="an unknown fork"),
        pytest.param([backup("full", 1, 5, fork=None)], [], id="nothing is known"),
    ],
)
def test_dead_sets(sets: list[BackupSet], dead: list[str]) -> None:
    lineage = Lineage(sets)
    assert [s.files[0].name for s in sets if lineage.is_dead(s)] == dead


@pytest.mark.parametrize(
    ("fork", "redo", "may"),
    [(A, 120, True), (A, 121, False), (B, 999, True), (C, 999, True), (None, 999, True)],
)
def test_how_far_a_target_may_still_reach_the_live_fork(
    fork: UUID | None, redo: int, may: bool
) -> None:
    lineage = Lineage(SET_BACK)
    assert lineage.may_reach_live(fork, Lsn(redo)) is may
    assert lineage.is_live(fork) is (fork in (B, None))


def test_forks_in_a_circle_end() -> None:
    circle = [
        backup("one", 1, 5, fork=B, crossing=(A, 3)),
        backup("two", 5, 9, fork=A, crossing=(B, 7)),
    ]
    assert Lineage(circle).live == A
    assert Lineage([*circle, backup("full", 9, 12, fork=C)]).live == C


def test_ten_thousand_forks_cost_no_more_than_a_walk() -> None:
    forks = [UUID(int=n, version=4) for n in range(1, 10_002)]
    chain = [
        backup(f"{n}", n, n + 1, name=f"db{n}", fork=forks[n], crossing=(forks[n - 1], n))
        for n in range(1, 10_001)
    ]
    assert Lineage(chain).live == forks[1]


M1, M2 = UUID(int=3, version=4), UUID(int=4, version=4)


@pytest.mark.parametrize(
    ("files", "used", "missing"),
    [
        pytest.param([("a", 1, None), ("b", 2, None)], ["a", "b"], (), id="two stripes"),
        pytest.param([("b", 2, None), ("a", 1, None)], ["a", "b"], (), id="in family order"),
        pytest.param([("b", 1, None), ("a", 1, None)], ["a"], (2,), id="copies, first by name"),
        pytest.param([("a", 1, M1), ("b", 2, M2)], ["a"], (2,), id="of two media sets"),
        pytest.param(
            [("a", 1, M1), ("b", 1, M2), ("c", 2, M2)], ["b", "c"], (), id="the fuller media set"
        ),
        pytest.param([("a", 1, None), ("b", 2, M2)], ["a", "b"], (), id="a media set not told"),
    ],
)
def test_merging_files_of_one_set(
    files: list[tuple[str, int, UUID | None]], used: list[str], missing: tuple[int, ...]
) -> None:
    parts = [
        FULL.model_copy(
            update={
                "family_count": 2,
                "files": (SetFile(name=name, family_sequence_number=n, media_set_id=media),),
            }
        )
        for name, n, media in files
    ]
    (merged,) = merge_families(parts)
    assert [file.name for file in merged.files] == used
    assert merged.missing_families == missing
    assert {f.name for f in (*merged.files, *merged.copies)} == {name for name, _, _ in files}
    assert merge_families(reversed(parts)) == merge_families([merged]) == (merged,)
