"""Restore slots of one target: who restores, who waits. Pure; the entity keeps the state.

Whoever has the higher priority goes first, then whose database lags most: whose oldest backup that
is not restored has been here longest. That never gets younger, so nobody of a priority waits for
ever. Asking again and giving back twice change nothing else, so every call may be repeated.

A rehearsal asks for a slot that nobody needs, one at a time, and then stands in nobody's way: a
migration that comes later does not wait for it.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.folder import is_rehearsal_id


class Waiting(NamedTuple):
    """One who waits. `since` is the ISO time in UTC from which on the database lags."""

    who: str
    priority: int = 0
    since: str = ""

    @property
    def turn(self) -> tuple[int, str]:
        """What the queue is sorted by; of equals the first to ask goes first."""
        return -self.priority, self.since


class Slots(NamedTuple):
    """Holders of a slot, by the ids of their migrations, and those who wait, the next one first."""

    holders: tuple[str, ...] = ()
    queue: tuple[Waiting, ...] = ()


def acquire(slots: Slots, asks: Waiting, limit: int) -> tuple[Slots, int]:
    """Ask for a slot; return 0 if it is given, else the place in the queue, from 1 on."""
    if asks.who in slots.holders:
        return slots, 0
    known = [asks if other.who == asks.who else other for other in slots.queue]
    queue = sorted(known if asks in known else [*known, asks], key=lambda other: other.turn)
    place = queue.index(asks) + 1
    if place > limit - _taken(slots, asks.who, limit):
        return Slots(slots.holders, tuple(queue)), place
    return Slots((*slots.holders, asks.who), _without(queue, asks.who)), 0


def release(slots: Slots, who: str) -> tuple[Slots, str | None]:
    """Give a slot or a place in the queue back; return who is to ask again, if anybody waits."""
    rest = Slots(
        tuple(other for other in slots.holders if other != who), _without(slots.queue, who)
    )
    return rest, rest.queue[0].who if rest.queue else None


def _taken(slots: Slots, who: str, limit: int) -> int:
    """Return how many slots are taken for somebody."""
    rehearsals = sum(map(is_rehearsal_id, slots.holders))
    if not is_rehearsal_id(who):
        return len(slots.holders) - rehearsals
    return limit if rehearsals else len(slots.holders)


def _without(queue: tuple[Waiting, ...] | list[Waiting], who: str) -> tuple[Waiting, ...]:
    return tuple(other for other in queue if other.who != who)
