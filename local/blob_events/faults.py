"""What goes wrong between a blob and the function on a bad day, made repeatable by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Faults:
    """How deliveries go wrong; as it stands, they do not.

    Args:
        copies: how often an event is delivered, drawn for each event from these numbers: with
            (0, 1, 3) one in three is lost, one comes once and one three times.
        delay_s: each delivery waits up to so many seconds, which reorders them as well.
        shuffle: the events of one look at the container are delivered in random order.
        seed: with the same seed, a blob of the same name and size suffers the same.
    """

    copies: tuple[int, ...] = (1,)
    delay_s: float = 0.0
    shuffle: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.copies or min(self.copies) < 0 or self.delay_s < 0:
            raise ValueError(
                "copies must name at least one number, and neither it nor the delay may be below"
                f" zero; seen: copies={self.copies}, delay_s={self.delay_s}"
            )

    def delays_s(self, name: str, size_bytes: int) -> list[float]:
        """Return the delay of each delivery of a blob's event; none of them if it is lost."""
        draw = self._random(f"{size_bytes} {name}")
        return [draw.uniform(0, self.delay_s) for _ in range(draw.choice(self.copies))]

    def ordered(self, found: Sequence[T]) -> list[T]:
        """Return what one look at the container found, in the order of delivery."""
        order = list(found)
        if self.shuffle:
            self._random(f"order of {len(order)}").shuffle(order)
        return order

    def _random(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed} {purpose}")  # noqa: S311 - no secret is drawn
