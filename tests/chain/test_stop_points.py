"""What holds of every plan that stops at an LSN or a time: played on random histories."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.backupset import BackupType
from shared.chain import DatabaseState, PlanStatus, plan_restore
from shared.lsn import Lsn
from shared.restore_candidates import Goal, ends_behind
from shared.restore_rules import holds_stop
from tests.chain.histories import goals, heaps, positions
from tests.chain.test_chain_properties import place_of

many = settings(max_examples=300, deadline=None, derandomize=True)


@st.composite
def stops(draw: st.DrawFn, sets: list[Lsn]) -> Goal:
    """Draw a stop at one of the places where backups begin and end, or beside it."""
    where = draw(st.sampled_from(sets)) if sets else Lsn(1)
    beside = draw(st.sampled_from((-1, 0, 1)))
    return Goal(stop_lsn=Lsn(max(0, int(where) + beside)))


@many
@given(st.data())
def test_a_plan_never_goes_beyond_its_stop(data: st.DataObject) -> None:
    heap = data.draw(heaps())
    position = data.draw(positions(heap))
    places = [lsn for s in heap.sets for lsn in (s.first_lsn, s.last_lsn)]
    goal = data.draw(st.one_of(stops(places), goals(heap).filter(lambda g: g.stop is not None)))
    plan = plan_restore(heap.sets, position, goal)
    sets = [step.backup for step in plan.steps]
    assert not any(
        ends_behind(s, goal.stop) for s in sets if s.backup_type is not BackupType.LOG
    ), "a data backup cannot be stopped inside"
    # Only the last set may hold the stop: whatever is behind it would go beyond.
    holding = [s for s in sets if s.backup_type is BackupType.LOG and holds_stop(s, goal.stop)]
    assert holding in ([], sets[-1:])
    if plan.status is PlanStatus.COMPLETE and goal.stop_lsn is not None and sets:
        assert holding == sets[-1:] or sets[-1].is_force_offline

    # Every log on the way is in it: a server takes one after the other.
    server = heap.server()
    server.place = place_of(position, server)
    for backup in sets:
        assert server.restore(backup) is None


@many
@given(st.data())
def test_a_stop_that_is_passed_is_refused(data: st.DataObject) -> None:
    heap = data.draw(heaps())
    position = data.draw(positions(heap))
    redo = position.redo_start_lsn
    if position.state is not DatabaseState.RESTORING or redo is None or redo == 0:
        return
    stop = data.draw(st.integers(0, int(redo) - 1))
    plan = plan_restore(heap.sets, position, Goal(stop_lsn=Lsn(stop)))
    assert (plan.status, plan.error, plan.steps) == (PlanStatus.NEEDS_RESTART, 4335, ())
