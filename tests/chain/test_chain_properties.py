"""What holds of every plan, whatever backups there are: played on random histories."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from hypothesis import given, note, settings
from hypothesis import strategies as st

from shared.backupset import BackupSet, BackupType, merge_families
from shared.chain import (
    DatabaseState,
    MissingLog,
    Plan,
    PlanStatus,
    TargetPosition,
    plan_restore,
)
from shared.lsn import Lsn
from shared.restore_rules import Reached, flaw_of, refusal_at
from tests.chain.histories import Heap, goals, guid, heaps, positions
from tests.chain.reference import plan_by_force
from tests.chain.server import Place, Server, checkpoints_of

few = settings(max_examples=200, deadline=None, derandomize=True)
many = settings(max_examples=600, deadline=None, derandomize=True)


def at(reached: Reached) -> TargetPosition:
    """Return the position that a server reports when it has reached a point."""
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=reached.redo,
        redo_start_fork_guid=reached.fork,
        differential_base_lsn=reached.base_lsn,
        differential_base_guid=reached.base_guid,
    )


def names(plan: Plan) -> list[str]:
    return [step.backup.files[0].name for step in plan.steps]


def place_of(position: TargetPosition, server: Server) -> Place | None:
    if position.redo_start_lsn is None:
        return None
    base = next((c for c in server.checkpoints if c.guid == position.differential_base_guid), None)
    return Place(position.redo_start_lsn, position.redo_start_fork_guid, base)


@many
@given(st.data())
def test_a_server_accepts_every_plan_up_to_the_promised_position(data: st.DataObject) -> None:
    heap = data.draw(heaps())
    position = data.draw(positions(heap))
    plan = plan_restore(heap.sets, position, data.draw(goals(heap)))
    server = heap.server()
    server.place = place_of(position, server)
    for step in plan.steps:
        assert server.restore(step.backup, step.stop_at) is None, names(plan)
    if plan.steps:
        assert plan.reached is not None
        assert server.place is not None
        assert (server.place.redo, server.place.fork) == (plan.reached.redo, plan.reached.fork)


@few
@given(st.data())
def test_a_refusal_carries_the_number_that_a_server_raises(data: st.DataObject) -> None:
    heap = data.draw(heaps(hide=True))
    position = data.draw(positions(heap))
    reached, server = position.reached, heap.server()
    place = place_of(position, server)
    for backup in heap.sets:
        if reached is None or backup.backup_type is BackupType.DATABASE:
            continue
        server.place = place
        refusal = flaw_of(backup) or refusal_at(reached, backup)
        assert server.restore(backup) == (refusal.error if refusal else None)


@many
@given(st.data())
def test_planner_and_brute_force_agree(data: st.DataObject) -> None:
    heap = data.draw(heaps(max_events=9, hide=True))
    position = data.draw(positions(heap))
    goal = data.draw(goals(heap))
    plan = plan_restore(heap.sets, position, goal)
    force = plan_by_force(heap.sets, position, goal)
    note(f"planned {plan.status.value} {plan.error} {names(plan)} {plan.waiting_for}")
    note(f"forced {force.status} {force.error} {[s.files[0].name for s in force.steps]}")
    assert (plan.status.value, plan.error) == (force.status, force.error)
    assert merits([step.backup for step in plan.steps]) == merits(force.steps)
    if plan.steps and force.place is not None and plan.status is not PlanStatus.COMPLETE:
        assert plan.reached is not None
        assert plan.reached.redo == force.place.redo
    if force.missing_lsn is not None:
        assert isinstance(plan.waiting_for, MissingLog)
        assert plan.waiting_for.lsn == force.missing_lsn


def merits(sets: Sequence[BackupSet]) -> tuple[dict[BackupType, Lsn], int]:
    """Return what tells a better sequence from a worse: its last data backups, and its length."""
    newest = {s.backup_type: s.last_lsn for s in sets}
    newest.pop(BackupType.LOG, None)
    return newest, len(sets)


@few
@given(st.data())
def test_order_copies_and_strangers_change_nothing(data: st.DataObject) -> None:
    heap = data.draw(heaps(hide=True))
    position, goal = data.draw(positions(heap)), data.draw(goals(heap))
    plan = plan_restore(heap.sets, position, goal)
    parts = [*heap.sets, *data.draw(st.permutations(heap.sets))]
    again = plan_restore(merge_families(data.draw(st.permutations(parts))), position, goal)
    assert again == plan
    if not heap.sets:
        return
    stranger = heap.sets[0].model_copy(
        update={
            "backup_set_guid": guid(0xBAD),
            "backup_type": BackupType.FILE,
            "backup_finish_date": None,
            "copies": (),
            "files": (heap.sets[0].files[0].model_copy(update={"name": "stranger.bak"}),),
        }
    )
    assert plan_restore((*heap.sets, stranger), position, goal).steps == plan.steps


@few
@given(st.data())
def test_every_set_is_planned_or_says_why_not(data: st.DataObject) -> None:
    heap = data.draw(heaps(hide=True))
    plan = plan_restore(heap.sets, data.draw(positions(heap)), data.draw(goals(heap)))
    planned = [step.backup.backup_set_guid for step in plan.steps]
    assert len(planned) == len(set(planned))
    assert not set(planned) & set(plan.rejected)
    assert {*planned, *plan.rejected} == {s.backup_set_guid for s in heap.sets}


@few
@given(st.data())
def test_planning_step_by_step_gives_the_same_plan(data: st.DataObject) -> None:
    heap = data.draw(heaps(hide=True))
    goal = data.draw(goals(heap))
    plan = plan_restore(heap.sets, data.draw(positions(heap)), goal)
    fulls = [s for s in heap.sets if s.backup_type is BackupType.DATABASE]
    for done, reached in zip(range(1, len(plan.steps)), walk(plan, fulls), strict=False):
        rest = plan_restore(heap.sets, at(reached), goal)
        assert rest.steps == plan.steps[done:]
        # A full that would be waited for is not any more, once another one is restored.
        assert rest.status is plan.status or plan.status is PlanStatus.BLOCKED


def walk(plan: Plan, fulls: Sequence[BackupSet]) -> list[Reached]:
    """Return the positions after each step of a plan that begins with a full."""
    server = Server(checkpoints_of(fulls))
    if not plan.steps or plan.steps[0].backup.backup_type is not BackupType.DATABASE:
        return []
    places = []
    for step in plan.steps:
        assert server.restore(step.backup) is None
        assert server.place is not None
        redo, fork, base = server.place
        base_lsn, base_guid = (Lsn(base.lsn), base.guid) if base else (None, None)
        places.append(Reached(Lsn(redo), fork, base_lsn, base_guid))
    return places


@few
@given(st.data())
def test_a_lost_log_is_named_or_not_needed(data: st.DataObject) -> None:
    heap = data.draw(heaps())
    plan = plan_restore(heap.sets)
    logs = [i for i, s in enumerate(plan.steps) if s.backup.backup_type is BackupType.LOG]
    # A rename that nobody saw, because the log that shows it is lost, looks like a copy.
    if not logs or len({s.database_name for s in heap.sets}) > 1:
        return
    lost = data.draw(st.sampled_from(logs))
    step = plan.steps[lost].backup
    less = plan_restore(without(heap, step.backup_set_guid))
    assert step not in [s.backup for s in less.steps]
    if less.status is PlanStatus.BLOCKED and less.steps == plan.steps[:lost]:
        assert less.reached is not None
        if isinstance(less.waiting_for, MissingLog):
            assert less.waiting_for.lsn == less.reached.redo
            assert step.first_lsn <= less.waiting_for.lsn < step.last_lsn
    elif lost < logs[-1]:
        assert less.steps != plan.steps[:lost] or less.status is not PlanStatus.READY


def without(heap: Heap, lost: UUID) -> list[BackupSet]:
    return [s for s in heap.sets if s.backup_set_guid != lost]
