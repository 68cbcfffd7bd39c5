"""Restore slots of one target: who restores, who waits. Pure; the entity keeps the state.

Slots are given in the order in which they were asked for. Asking again and giving back twice
change nothing, so every call may be repeated.
"""

from __future__ import annotations

from typing import NamedTuple


class Slots(NamedTuple):
    """Holders of a slot, and those who wait, longest first. All are ids of migrations."""

    holders: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()


def acquire(slots: Slots, who: str, limit: int) -> tuple[Slots, int]:
    """Ask for a slot; return 0 if it is given, else the place in the queue, from 1 on."""
    if who in slots.holders:
        return slots, 0
    queue = slots.queue if who in slots.queue else (*slots.queue, who)
    place = queue.index(who) + 1
    if place > limit - len(slots.holders):
        return Slots(slots.holders, queue), place
    return Slots((*slots.holders, who), tuple(other for other in queue if other != who)), 0


def release(slots: Slots, who: str) -> tuple[Slots, str | None]:
    """Give a slot or a place in the queue back; return who is to ask again, if anybody waits."""
    rest = Slots(
        tuple(other for other in slots.holders if other != who),
        tuple(other for other in slots.queue if other != who),
    )
    return rest, rest.queue[0] if rest.queue else None
