"""Which subjects there are, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import cutover, engines, full_hub, headers, planner, restores, start, steps, verification
from bench.figures import Figure, Run


@dataclass(frozen=True)
class Subject:
    """Something to measure, and what it is in a few words."""

    about: str
    measure: Callable[[Run], Iterator[Figure]]


SUBJECTS = {
    "engines": Subject("the embedded host beside durabletask in memory", engines.measure),
    "start": Subject("the host with this project's app: start, and doing nothing", start.measure),
    "hub": Subject("a hub of 10,000 instances, 1,000 of them running", full_hub.measure),
    "steps": Subject("a step of an orchestration with 3,000 history events", steps.measure),
    "restores": Subject("a migration on the simulated server, per restored log", restores.measure),
    "cutover": Subject("a cutover with nothing pending, beside its recovery", cutover.measure),
    "headers": Subject("reading backup headers from memory", headers.measure),
    "verification": Subject("looking for damage, beside md5 and a download", verification.measure),
    "planner": Subject("planning a restore of 10,000 logs", planner.measure),
}
