"""Random workflows for `tests.host.apps.workflows.interpreter`, and what each of them must give.

They keep the rules that apps must keep: an event name for each wait, and no wait-all that may fail
has retried calls in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.host.apps.workflows.interpreter import RETRIES, Step

Workflow = list[Step]

_INNER = {"child": 2, "all": 2, "either": 2, "race": 2}
"""The place of the step or steps within a step, by its kind."""

_FAILING = {"fails", "exhausted", "broken"}
_RETRIED = {"retry", "exhausted", "reborn"}


def expected(step: Step) -> Any:
    """Return what a step gives."""
    match step:
        case ["timer" | "signal", *_]:
            return None
        case ["fails" | "exhausted", label]:
            return f"! {label} fails"
        case ["broken", label]:
            return f"! {label} fails"
        case ["all", label, steps] if _contains(steps, _FAILING):
            return f"! {label} fails"
        case ["child" | "all", _, steps, *_]:
            return [expected(one) for one in steps]
        case ["either" | "race", _, first]:
            return expected(first)
        case ["reborn", label, *_]:
            return [label]
    return step[1]


def results(workflow: Workflow) -> list[Any]:
    """Return what a workflow gives."""
    return [expected(step) for step in workflow if step[0] != "again"]


def last_status(workflow: Workflow) -> str | None:
    """Return the custom status that a workflow ends with, None if that is not laid down."""
    return workflow[-1][1] if workflow and workflow[-1][0] != "again" else None


def labels(workflow: Workflow, *kinds: str) -> list[str]:
    """Return the labels of all steps of these kinds, at any depth."""
    return [step[1] for step in _flat(workflow) if step[0] in kinds]


def activity_runs(workflow: Workflow) -> dict[str, int]:
    """Return how often each activity runs, if nothing goes wrong that the workflow does not say."""
    runs = {}
    for kind, *rest in _flat(workflow):
        if kind in ("activity", "fails"):
            runs[rest[0]] = 1
        elif kind == "exhausted":
            runs[rest[0]] = RETRIES
        elif kind in ("retry", "reborn"):
            runs[rest[0]] = rest[1] + 1
    return runs


def workflows() -> st.SearchStrategy[Workflow]:
    """Return a strategy for workflows of a few steps, each of whose labels is there once."""
    return st.lists(_STEPS, min_size=1, max_size=8).map(lambda steps: relabelled(steps, ""))


def sample(count: int, seed_number: int) -> list[Workflow]:
    """Return `count` workflows; the same ones for the same seed."""
    found: list[Workflow] = []

    @seed(seed_number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(workflows())
    def collect(workflow: Workflow) -> None:
        found.append(workflow)

    while len(found) < count:  # examples that were drawn twice are left out
        collect()
    return [relabelled(workflow, f"w{number}x") for number, workflow in enumerate(found[:count])]


def relabelled(workflow: Workflow, prefix: str) -> Workflow:
    """Give every step a label of its own, which begins with `prefix`."""
    numbers = iter(range(10**6))

    def relabel(step: Step) -> Step:
        if step[0] == "again":
            return step
        kind, _, *rest = step
        label = f"{prefix}{kind}{next(numbers)}"
        if kind in ("child", "all"):
            rest[0] = [relabel(one) for one in rest[0]]
        elif kind in _INNER:
            rest[0] = relabel(rest[0])
        return [kind, label, *rest]

    return [relabel(step) for step in workflow]


def _flat(workflow: Workflow) -> Iterator[Step]:
    for step in workflow:
        yield step
        if step[0] in ("child", "all"):
            yield from _flat(step[2])
        elif step[0] in _INNER:
            yield from _flat([step[2]])


def _contains(steps: Workflow, kinds: Collection[str]) -> bool:
    return any(step[0] in kinds for step in steps)


def _step(kind: str, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(kind), st.just(""), *parts).map(list)


_FAILURES = st.integers(0, RETRIES - 1)
_TICKS = st.integers(0, 10)
_SURE = [  # neither fail, nor wait for what comes from outside
    _step("activity"),
    _step("retry", _FAILURES),
    _step("entity"),
    _step("timer", _TICKS),
]
_LEAVES = st.one_of(*_SURE, _step("event"))
_CHILD_STEPS = st.lists(
    st.one_of(
        *_SURE, _step("fails"), _step("exhausted"), _step("signal"), _step("timeout", _TICKS)
    ),
    max_size=3,
)
_CHILD = _step("child", _CHILD_STEPS, st.booleans())
_REBORN = _step("reborn", _FAILURES, st.booleans())
_EITHER = _step("either", _LEAVES)
_BRANCHES = st.one_of(_LEAVES, _CHILD, _REBORN, _EITHER)
_ALL = st.lists(_BRANCHES, min_size=1, max_size=4)
_ALL_OR_NONE = st.lists(
    st.one_of(_LEAVES, _CHILD, _step("fails"), _step("broken")), min_size=1, max_size=4
).filter(lambda steps: not _contains(steps, _RETRIED))
_STEPS = st.one_of(
    _BRANCHES,
    *(_step(kind) for kind in ("fails", "exhausted", "broken", "signal")),
    _step("race", _LEAVES),
    _step("timeout", _TICKS),
    _step("all", st.one_of(_ALL, _ALL_OR_NONE)),
    st.just(["again"]),
)

EVERYTHING: Workflow = relabelled(
    [
        ["activity", ""],
        ["retry", "", 1],
        ["entity", ""],
        ["signal", ""],
        ["child", "", [["activity", ""], ["signal", ""]], True],
        ["event", ""],
        ["again"],
        ["all", "", [["activity", ""], ["entity", ""], ["child", "", [["timer", "", 1]], False]]],
        ["reborn", "", 1, True],
        ["exhausted", ""],
        ["race", "", ["event", ""]],
        ["timeout", "", 1],
        ["broken", ""],
        ["entity", ""],
    ],
    "e",
)
"""A workflow with every kind of step that changes the hub in a way of its own."""
