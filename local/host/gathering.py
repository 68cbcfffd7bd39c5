"""Lets the signals of a busy entity gather, so that many of them share a batch and its commit.

After a batch an entity rests for a moment. Signals that come meanwhile wait for the end of the
rest, since nobody waits for them; a call, which somebody does wait for, ends the rest. An entity
that is signalled now and then never notices.
"""

from __future__ import annotations

Entity = tuple[str, str]
"""Name and key."""

REST_S = 0.005


class Gathering:
    """Which entities rest. Times are those of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._rests: dict[Entity, float] = {}  # until when; the first ends first
        self._held: set[Entity] = set()
        self._called: set[Entity] = set()

    def call(self, entity: Entity) -> None:
        """Note that somebody waits for an answer of the entity."""
        self._called.add(entity)

    def hold(self, entity: Entity) -> bool:
        """Tell whether the entity should not run a batch now; `awake` names it when it should."""
        if entity not in self._rests or entity in self._called:
            return False
        self._held.add(entity)
        return True

    def begin(self, entity: Entity, *, takes_all: bool) -> None:
        """Note that a batch begins, and whether it takes everything that waits."""
        if takes_all:
            self._called.discard(entity)

    def rest(self, entity: Entity, now: float) -> None:
        """Let an entity rest whose batch has ended."""
        self._rests.pop(entity, None)  # the order of the rests is that of their ends
        self._rests[entity] = now + REST_S

    def awake(self, now: float) -> list[Entity]:
        """End the rests that are over; returns those entities that were held."""
        over = []
        for entity, until in self._rests.items():
            if until > now:
                break
            over.append(entity)
        for entity in over:
            del self._rests[entity]
        held = [entity for entity in over if entity in self._held]
        self._held.difference_update(held)
        return held

    def next_due(self) -> float | None:
        """Return when `awake` may have something to say."""
        return next(iter(self._rests.values()), None) if self._held else None
