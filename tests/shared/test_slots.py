"""Restore slots: never more holders than slots, nobody starves, repeating changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.slots import Slots, acquire, release


def test_slots_are_given_in_the_order_of_asking() -> None:
    slots, place = acquire(Slots(), "a", 1)
    assert place == 0
    slots, place = acquire(slots, "b", 1)
    assert place == 1
    slots, place = acquire(slots, "c", 1)
    assert place == 2
    slots, following = release(slots, "a")
    assert following == "b"
    slots, place = acquire(slots, "c", 1)
    assert place == 2, "b was first in the queue"
    slots, place = acquire(slots, "b", 1)
    assert place == 0


def test_whoever_leaves_the_queue_makes_room() -> None:
    slots, _ = acquire(Slots(("a",)), "b", 1)
    slots, _ = acquire(slots, "c", 1)
    slots, following = release(slots, "b")
    assert following == "c"
    assert slots == Slots(("a",), ("c",))


def test_a_raised_limit_lets_the_queue_in() -> None:
    slots = Slots(("a",), ("b", "c"))
    slots, place = acquire(slots, "c", 3)
    assert place == 0


_WHO = st.sampled_from("abcdef")


@given(st.lists(st.tuples(st.booleans(), _WHO)), st.integers(1, 4))
def test_holders_stay_within_the_limit_whatever_is_asked(
    calls: list[tuple[bool, str]], limit: int
) -> None:
    slots = Slots()
    for asks, who in calls:
        if asks:
            slots, place = acquire(slots, who, limit)
            assert (who in slots.holders) == (place == 0)
            assert acquire(slots, who, limit) == (slots, place)
        else:
            slots, following = release(slots, who)
            assert release(slots, who) == (slots, following)
        assert len(slots.holders) <= limit
        assert not set(slots.holders) & set(slots.queue)
        assert len(set(slots.queue)) == len(slots.queue)


@given(st.lists(_WHO, min_size=1, unique=True), st.integers(1, 3))
def test_everybody_who_waits_is_served(who: list[str], limit: int) -> None:
    slots, served = Slots(), []
    for one in who:
        slots, _ = acquire(slots, one, limit)
    while slots.holders:
        holder = slots.holders[0]
        served.append(holder)
        slots, following = release(slots, holder)
        if following:
            slots, place = acquire(slots, following, limit)
            assert place == 0
    assert served == who
