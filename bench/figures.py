"""A figure that was measured, and the target it is held against."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Target:
    """What the median of a figure should be."""

    limit: float
    at_least: bool

    def is_met(self, value: float) -> bool:
        """Tell whether a value is good enough."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}"


def at_least(limit: float) -> Target:
    """Return the target of a figure that should be high."""
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    """Return the target of a figure that should be low."""
    return Target(limit, at_least=False)


@dataclass(frozen=True)
class Figure:
    """What was measured, one value a run. Without a target it is only told."""

    name: str
    unit: str
    values: Sequence[float]
    target: Target | None = None

    @property
    def median(self) -> float:
        """The value that counts."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.target.is_met(self.median)

    def as_json(self) -> dict[str, Any]:
        """Return it as `bench.json` has it."""
        target = None
        if self.target is not None:
            target = {"atLeast" if self.target.at_least else "atMost": self.target.limit}
        return {
            "name": self.name,
            "unit": self.unit,
            "min": min(self.values),
            "median": self.median,
            "max": max(self.values),
            "values": list(self.values),
            "target": target,
            "met": self.met,
        }


@dataclass(frozen=True)
class Run:
    """How to measure. `folder` is for what a subject leaves behind; `say` tells what goes on.

    A quick run does everything once and with little of it; its figures are worth nothing.
    """

    folder: Path
    quick: bool
    runs: int
    say: Callable[[str], None]

    def much(self, normal: int, quick: int) -> int:
        """Return an amount of work for this run."""
        return quick if self.quick else normal
