"""The pure rules of rehearsals: names, when one ends for what, which slot it gets."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.aftermath import Aftermath, StepRecord
from shared.backupset import BackupType
from shared.folder import is_migration_id, is_rehearsal_id, migration_id, rehearsal_id
from shared.lsn import Lsn
from shared.records import (
    CutoverOrder,
    MigrationOrder,
    MigrationProgress,
    Rehearsal,
    RehearsalOf,
    RestoredBackup,
)
from shared.rehearsal import (
    LOWEST_PRIORITY,
    ends_for,
    overtaken,
    scratch_name,
    scratch_options,
    timed,
    winds_up,
)
from shared.restore_options import RestoreOptions
from shared.slots import Slots, Waiting, acquire, release
from shared.targets import tsql
from shared.targets.files import file_stem
from shared.vocabulary import AfterStep, BlockingReason, MigrationStatus, StepState

NOW = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
PARENT = MigrationOrder(
    id="f", operation_id=UUID(int=1), target="t", target_database="S", folder="f", created_on=NOW
)
ORDER = PARENT.model_copy(
    update={
        "id": "f~rehearsal",
        "operation_id": UUID(int=2),
        "rehearsal": RehearsalOf(migration_id="f", operation_id=UUID(int=1)),
    }
)


def progress(**fields: object) -> MigrationProgress:
    return MigrationProgress.model_validate({"operation_id": UUID(int=2), **fields})


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=128))
def test_a_scratch_name_is_a_name_for_every_database(database: str) -> None:
    one, other = uuid4(), uuid4()
    name = scratch_name(database, one)
    tsql.identifier(name)
    assert name != scratch_name(database, other)
    assert name.endswith(f"_rehearsal_{one.hex[:8]}")
    assert name.startswith(database[:50])
    assert file_stem(name) != file_stem(database)


def test_its_files_lie_beside_those_of_the_migration() -> None:
    moves = {"a": "E:\\data.1\\Sales.mdf", "b": "E:/x/a.b.ldf", "c": "E:\\data\\" + "x" * 250}
    options = RestoreOptions(data_folder="D:\\data", block_size=512, move_files=moves)
    changed = scratch_options(options, UUID(int=2))
    assert (changed.data_folder, changed.block_size) == ("D:\\data", 512)
    assert changed.move_files == {
        "a": "E:\\data.1\\Sales_rehearsal_00000000.mdf",
        "b": "E:/x/a.b_rehearsal_00000000.ldf",
    }
    moves = {"a": "/data.1/sales", "b": "/data/.x"}
    changed = scratch_options(RestoreOptions(move_files=moves), UUID(int=2))
    assert changed.move_files == {
        "a": "/data.1/sales_rehearsal_00000000",
        "b": "/data/.x_rehearsal_00000000",
    }


@given(st.text(max_size=100))
def test_no_folder_gives_the_id_of_a_rehearsal(folder: str) -> None:
    migration = migration_id(folder)
    assert not is_rehearsal_id(migration)
    assert is_rehearsal_id(rehearsal_id(migration))
    assert is_migration_id(rehearsal_id(migration))


def test_it_goes_on_beside_its_migration_until_that_ends() -> None:
    now = progress(operation_id=PARENT.operation_id)
    cutover = CutoverOrder(
        last_backup_name="x", awaited=True, requested_on=NOW, expires_on=NOW + timedelta(days=1)
    )
    assert overtaken(ORDER, (PARENT, now)) == ORDER
    assert overtaken(PARENT, None) == PARENT
    for ended in (
        None,
        (PARENT.model_copy(update={"cutover": cutover}), now),
        (PARENT.model_copy(update={"operation_id": UUID(int=3)}), now),
        (PARENT, now.model_copy(update={"recovering": True})),
        (PARENT, now.model_copy(update={"status": MigrationStatus.FAILED})),
    ):
        assert overtaken(ORDER, ended).cancel is not None


def test_what_was_settled_first_stays_and_nothing_ends_before_its_database_is_gone() -> None:
    begun = progress(begun=True)
    assert winds_up(PARENT, begun, MigrationStatus.FAILED, None) is None
    assert winds_up(ORDER, progress(), MigrationStatus.FAILED, None) is None
    first = winds_up(ORDER, begun, MigrationStatus.FAILED, None)
    assert first is not None
    assert first.verdict is MigrationStatus.FAILED
    settled = progress(begun=True, rehearsal=first)
    assert winds_up(ORDER, settled, MigrationStatus.SUCCEEDED, None) == first
    gone = progress(begun=True, rehearsal=first.model_copy(update={"gone": True}))
    assert winds_up(ORDER, gone, MigrationStatus.FAILED, None) is None


@pytest.mark.parametrize(
    ("code", "fields", "ends"),
    [
        (BlockingReason.TARGET_NOT_READY, {}, False),
        (BlockingReason.STORAGE_ACCESS_DENIED, {}, False),
        (BlockingReason.STORAGE_ACCESS_DENIED, {"access_denied": True}, True),
        (BlockingReason.TARGET_STORAGE_FULL, {}, True),
        (BlockingReason.CERTIFICATE_MISSING, {}, True),
        (
            BlockingReason.TARGET_REFUSED,
            {"rehearsal": Rehearsal(verdict=MigrationStatus.FAILED)},
            False,
        ),
    ],
)
def test_only_what_passes_by_itself_is_waited_for(
    code: BlockingReason, fields: dict[str, object], ends: bool
) -> None:
    assert ends_for(ORDER, progress(**fields), code) is ends
    assert not ends_for(PARENT, progress(**fields), code)


def test_steps_are_told_in_their_order_and_only_if_they_were_measured() -> None:
    def restored(number: int, kind: BackupType, seconds: float | None) -> RestoredBackup:
        return RestoredBackup(
            number=number,
            backup_set_guid=UUID(int=number),
            backup_type=kind,
            files=("f",),
            last_lsn=Lsn(number),
            restored_on=NOW,
            seconds=seconds,
        )

    def step(name: AfterStep, seconds: int) -> StepRecord:
        ended = NOW + timedelta(seconds=seconds)
        return StepRecord(name=name, state=StepState.DONE, message="", ended_on=ended)

    log = BackupType.LOG
    sets = [restored(1, BackupType.DATABASE, 9), restored(2, log, 2), restored(3, log, None)]
    assert [(s.name, s.seconds) for s in timed(sets, progress(), 0.5)] == [
        ("restoreFull", 9),
        ("restoreLogs", 2),
        ("drop", 0.5),
    ]
    aftermath = Aftermath(
        opened_on=NOW,
        steps=(step(AfterStep.ORPHANED_USERS, 1), step(AfterStep.CHECK_DATABASE, 31)),
    )
    full = progress(rehearsal=Rehearsal(recovery_seconds=4), aftermath=aftermath)
    assert [(s.name, s.seconds) for s in timed(sets[:1], full, 0.5)] == [
        ("restoreFull", 9),
        ("recover", 4),
        ("checkDatabase", 30),
        ("drop", 0.5),
    ]


# Restore slots


def asks(who: str) -> Waiting:
    return Waiting(who, LOWEST_PRIORITY if is_rehearsal_id(who) else 0)


def test_a_rehearsal_takes_a_slot_that_is_free_and_stands_in_nobodys_way() -> None:
    slots, place = acquire(Slots(("a",)), asks("b~rehearsal"), 2)
    assert place == 0
    slots, place = acquire(slots, asks("c~rehearsal"), 2)
    assert place, "one rehearsal at a time"
    slots, place = acquire(slots, asks("d"), 2)
    assert place == 0, "a rehearsal does not count for a migration"
    slots, place = acquire(slots, asks("e"), 2)
    assert place == 1, "and stands behind it in the queue"
    slots, following = release(slots, "b~rehearsal")
    assert following == "e"


_WHO = st.sampled_from(["a", "b", "c", "d", "a~rehearsal", "b~rehearsal"])


@given(st.lists(st.tuples(st.booleans(), _WHO)), st.integers(1, 3))
def test_there_is_never_more_than_one_rehearsal_beyond_the_limit(
    calls: list[tuple[bool, str]], limit: int
) -> None:
    slots = Slots()
    for wants, who in calls:
        if wants:
            slots, place = acquire(slots, asks(who), limit)
            assert (who in slots.holders) == (place == 0)
        else:
            slots, _ = release(slots, who)
        rehearsals = [each for each in slots.holders if is_rehearsal_id(each)]
        assert len(rehearsals) <= 1
        assert len(slots.holders) - len(rehearsals) <= limit
