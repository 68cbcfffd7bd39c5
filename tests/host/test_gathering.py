"""Signals of a busy entity gather; calls, and entities that are signalled now and then, do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from local.host.gathering import REST_S, Gathering

ONE, OTHER = ("counter", "1"), ("counter", "2")


def test_an_entity_that_has_not_run_lately_runs_at_once() -> None:
    gathering = Gathering()
    assert not gathering.hold(ONE)
    gathering.rest(ONE, now=10)
    assert gathering.awake(10 + REST_S) == []
    assert not gathering.hold(ONE)


def test_signals_wait_for_the_end_of_the_rest() -> None:
    gathering = Gathering()
    gathering.rest(ONE, now=10)
    assert gathering.next_due() is None, "nobody is held"
    assert gathering.hold(ONE)
    assert gathering.next_due() == 10 + REST_S
    assert gathering.awake(10) == []
    assert gathering.awake(10 + REST_S) == [ONE]
    assert not gathering.hold(ONE)
    assert gathering.next_due() is None


def test_a_call_ends_the_rest_until_a_batch_has_taken_it() -> None:
    gathering = Gathering()
    gathering.rest(ONE, now=10)
    assert gathering.hold(ONE)
    gathering.call(ONE)
    assert not gathering.hold(ONE)
    gathering.begin(ONE, takes_all=False)
    assert not gathering.hold(ONE), "the call may be among those that the batch did not take"
    gathering.begin(ONE, takes_all=True)
    assert gathering.hold(ONE)


def test_entities_rest_for_themselves() -> None:
    gathering = Gathering()
    gathering.rest(ONE, now=10)
    gathering.rest(OTHER, now=10.001)
    gathering.rest(ONE, now=10.002)
    assert gathering.hold(ONE)
    assert gathering.hold(OTHER)
    assert gathering.awake(10.001 + REST_S) == [OTHER]
    assert gathering.awake(10.002 + REST_S) == [ONE]


_entities = st.sampled_from([ONE, OTHER, ("lamp", "1")])
_moves = st.tuples(st.sampled_from(["signal", "call", "batch"]), _entities)


@given(st.lists(_moves, max_size=60))
def test_whoever_is_held_wakes_up_and_nothing_is_kept(
    moves: list[tuple[str, tuple[str, str]]],
) -> None:
    gathering, now = Gathering(), 0.0
    held: set[tuple[str, str]] = set()
    for move, entity in moves:
        now += REST_S / 3
        held -= set(gathering.awake(now))
        if move == "call":
            gathering.call(entity)
        if move == "batch":
            gathering.begin(entity, takes_all=True)
            gathering.rest(entity, now)
        elif gathering.hold(entity):
            held.add(entity)
    assert set(gathering.awake(now + REST_S)) == held
    assert gathering.next_due() is None
    assert gathering._rests == {}
    assert gathering._held == set()
