"""Restore slots: never more holders than slots, nobody starves, repeating changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.slots import Slots, Waiting, release
from shared.slots import acquire as ask


def acquire(slots: Slots, who: str, limit: int) -> tuple[Slots, int]:
    """Ask as one of many that lag alike."""
    return ask(slots, Waiting(who), limit)


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
    assert slots == Slots(("a",), (Waiting("c"),))


def test_a_raised_limit_lets_the_queue_in() -> None:
    slots = Slots(("a",), (Waiting("b"), Waiting("c")))
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
        queue = [waiting.who for waiting in slots.queue]
        assert not set(slots.holders) & set(queue)
        assert len(set(queue)) == len(queue)


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


def test_the_higher_priority_goes_first_then_whoever_lags_most() -> None:
    slots = Slots(("a",))
    for waiting, place in (
        (Waiting("b", 0, "2026-03-02T08:00"), 1),
        (Waiting("c", 0, "2026-03-02T07:00"), 1),
        (Waiting("d", -1, "2026-01-01T00:00"), 3),
        (Waiting("e", 5, "2026-03-02T09:00"), 1),
    ):
        slots, got = ask(slots, waiting, 1)
        assert got == place
    assert [waiting.who for waiting in slots.queue] == ["e", "c", "b", "d"]
    slots, _ = ask(slots, Waiting("b", 0, "2026-03-02T06:00"), 1)
    assert [waiting.who for waiting in slots.queue] == ["e", "b", "c", "d"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 4))
def test_nobody_starves_however_often_others_come_back(arrivals: list[int], limit: int) -> None:
    """Each restores one backup at a time, and comes back with its next one, which is younger."""
    oldest = dict(enumerate(arrivals))
    slots, rounds = Slots(), 0
    done: set[int] = set()
    while len(done) < len(oldest):
        rounds += 1
        assert rounds <= 2 * len(oldest), "somebody starves"
        for who, since in oldest.items():
            slots, _ = ask(slots, Waiting(str(who), 0, f"{since:06d}"), limit)
        for holder in slots.holders:
            done.add(int(holder))
            oldest[int(holder)] += 1000
            slots, _ = release(slots, holder)
