"""What the last turns of some instances left, so that the next ones need not read it again.

The writer is the only one to change the hub, so what it remembers is what the hub has.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from local.host.turns import Outcome, Turn

_MOST_CHARACTERS = 16 * 1024 * 1024


class TurnMemory:
    """The instances whose turns came last, as far as they fit into a fixed amount of memory."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, Turn] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._size = 0

    def recall(self, instance_id: str, execution: str) -> Turn | None:
        """Return the last turn of this generation, with all of its history as `past`."""
        turn = self._turns.get(instance_id)
        return turn if turn is not None and turn.execution_id == execution else None

    def keep(self, turn: Turn, outcome: Outcome) -> None:
        """Remember a committed turn and what came of it."""
        events = outcome.events
        size = self._sizes.get(turn.instance_id)
        if size is None:
            size = len(turn.input or "") + sum(map(len, turn.past))
        else:
            self._size -= size
        size += sum(map(len, events))
        self._turns[turn.instance_id] = replace(
            turn,
            past=[*turn.past, *events],
            arrivals=(),
            blocking=outcome.blocking,
            latest=outcome.time,
        )
        self._turns.move_to_end(turn.instance_id)
        self._sizes[turn.instance_id] = size
        self._size += size
        while self._size > _MOST_CHARACTERS:
            self.forget(next(iter(self._turns)))

    def forget(self, instance_id: str) -> None:
        """Drop what is remembered of an instance."""
        if self._turns.pop(instance_id, None) is not None:
            self._size -= self._sizes.pop(instance_id)
