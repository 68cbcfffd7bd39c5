"""Whatever the order, delay and duplication of messages, a workflow has one result.

A workflow is data; one orchestrator of the real SDK interprets it. Each step's result names the
step, so that a result handed to the wrong task shows. What a workflow should give is worked out
without any host.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host.simulated_hub import SimulatedHub

pytestmark = [
    pytest.mark.filterwarnings("ignore:Potential duplicate Task completion:UserWarning"),
    pytest.mark.filterwarnings("ignore:azure.functions df_loads:DeprecationWarning"),
]

Step = list[Any]

_RETRIES = 3


def _task(context: Any, step: Step, failed: dict[str, int]) -> Any:
    kind, label, *rest = step
    match kind:
        case "activity":
            return context.call_activity("work", {"label": label, "fails": False})
        case "retry":
            order = {"label": label, "failures": rest[0]}
            return context.call_activity_with_retry("flaky", df.RetryOptions(50, _RETRIES), order)
        case "child":
            return context.call_sub_orchestrator("interpret", {"steps": rest[0], "id": label})
        case "entity":
            return context.call_entity(df.EntityId("log", "all"), "add", {"label": label})
        case "timer":
            at = context.current_utc_datetime + timedelta(seconds=rest[0])
            return context.create_timer(at)
        case "event":
            return context.wait_for_external_event(label)
        case "all":
            return context.task_all([_task(context, one, failed) for one in rest[0]])
    raise ValueError(kind)


def interpret(context: Any) -> Generator[Any, Any, Any]:
    """Carry out the steps, in generations of a few steps each."""
    order = context.get_input()
    results = order.get("results", [])
    steps = order["steps"]
    for number, step in enumerate(steps):
        if step[0] == "again":
            rest = {**order, "steps": steps[number + 1 :], "results": results}
            context.continue_as_new(rest)
            return None
        if step[0] == "signal":
            context.signal_entity(df.EntityId("log", "all"), "add", {"label": step[1]})
            results.append(None)
        elif step[0] == "race":
            loser = context.create_timer(context.current_utc_datetime + timedelta(days=9))
            winner = yield context.task_any([_task(context, step[2], {}), loser])
            loser.cancel()
            results.append(winner.result)
        else:
            results.append((yield _task(context, step, {})))
    return results


def log(context: Any) -> None:
    entries = context.get_state(list)
    entries.append(context.get_input()["label"])
    context.set_state(entries)
    context.set_result(entries[-1])


def _expected(step: Step) -> Any:
    kind, label, *rest = step
    match kind:
        case "timer" | "signal":
            return None
        case "child":
            return [_expected(one) for one in rest[0]]
        case "all":
            return [_expected(one) for one in rest[0]]
        case "race":
            return _expected(rest[0])
    return label


# -- workflows ---------------------------------------------------------------------------------

_LABELS = st.integers(0, 10**9).map(lambda n: f"L{n}")
_LEAVES = st.one_of(
    st.tuples(st.just("activity"), _LABELS),
    st.tuples(st.just("retry"), _LABELS, st.integers(0, _RETRIES - 1)),
    st.tuples(st.just("entity"), _LABELS),
    st.tuples(st.just("timer"), _LABELS, st.integers(0, 100)),
    st.tuples(st.just("event"), _LABELS),
).map(list)
_CHILD_STEPS = st.lists(
    st.one_of(
        _LEAVES.filter(lambda step: step[0] != "event"), st.tuples(st.just("signal"), _LABELS)
    ),
    max_size=3,
).map(lambda steps: [list(step) for step in steps])
_BRANCHES = st.one_of(_LEAVES, st.tuples(st.just("child"), _LABELS, _CHILD_STEPS).map(list))
_STEPS = st.one_of(
    _BRANCHES,
    st.tuples(st.just("signal"), _LABELS).map(list),
    st.tuples(st.just("race"), _LABELS, _LEAVES).map(list),
    st.tuples(st.just("all"), _LABELS, st.lists(_BRANCHES, min_size=1, max_size=4)).map(list),
    st.just(["again"]),
)


def _unique(steps: list[Step], counter: list[int]) -> list[Step]:
    """Give every step a label of its own: one event name for each wait is the rule for apps."""
    fresh = []
    for step in steps:
        if step[0] == "again":
            fresh.append(step)
            continue
        counter[0] += 1
        kind, _, *rest = step
        if kind in ("child", "all"):
            rest = [_unique(rest[0], counter)]
        elif kind == "race":
            rest = _unique([rest[0]], counter)
        fresh.append([kind, f"{kind}{counter[0]}", *rest])
    return fresh


def _labels(steps: list[Step], wanted: Callable[[str], bool]) -> list[str]:
    found = []
    for step in steps:
        if wanted(step[0]):
            found.append(step[1])
        if step[0] in ("child", "all"):
            found += _labels(step[2], wanted)
        elif step[0] == "race":
            found += _labels([step[2]], wanted)
    return found


_WORKFLOWS = st.lists(_STEPS, max_size=7).map(lambda steps: _unique(steps, [0]))


def _hub(chance: random.Random) -> SimulatedHub:
    attempts: dict[str, int] = {}

    def flaky(order: dict[str, Any]) -> str:
        label = str(order["label"])
        attempts[label] = attempts.get(label, 0) + 1
        if attempts[label] <= order["failures"]:
            raise ValueError(f"{label} fails")
        return label

    return SimulatedHub(
        chance,
        {"interpret": df.Orchestrator.create(interpret)},
        {"work": lambda order: order["label"], "flaky": flaky},
        {"log": df.Entity.create(log)},
    )


@settings(max_examples=100, deadline=None)
@given(workflow=_WORKFLOWS, seed=st.integers(0, 2**32))
def test_result_does_not_depend_on_delivery(workflow: list[Step], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    hub = _hub(chance)
    hub.start("interpret", "main", {"steps": workflow})
    names = _labels(workflow, lambda kind: kind == "event")
    chance.shuffle(names)
    for name in names:
        hub.raise_event("main", name, name)
    outcome = hub.run("main")
    assert outcome.failure is None
    steps = [step for step in workflow if step[0] != "again"]
    assert json.loads(outcome.output or "") == [_expected(step) for step in steps]
    logged = _labels(workflow, lambda kind: kind in ("entity", "signal"))
    assert sorted(hub.state("log", "all") or []) == sorted(logged)
    retried = [step for step in _flat(workflow) if step[0] == "retry"]
    activities = _labels(workflow, lambda kind: kind == "activity")
    attempts = sum(step[2] + 1 for step in retried)
    assert len(hub.activity_runs) == len(activities) + attempts  # each once, none twice


def _flat(steps: list[Step]) -> list[Step]:
    found = []
    for step in steps:
        found.append(step)
        if step[0] in ("child", "all"):
            found += _flat(step[2])
        elif step[0] == "race":
            found += _flat([step[2]])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_wide_fan_out_is_not_replayed_for_each_end(seed: int) -> None:
    calls = []
    handle = df.Orchestrator.create(interpret)

    def counted(context: str) -> str:
        calls.append(1)
        return str(handle(context))

    chance = random.Random(seed)  # noqa: S311 - not for secrets
    hub = SimulatedHub(chance, {"interpret": counted}, {"work": lambda order: order["label"]}, {})
    steps = [["all", "wide", [["activity", f"A{n}"] for n in range(60)]]]
    hub.start("interpret", "main", {"steps": steps})
    outcome = hub.run("main")
    assert json.loads(outcome.output or "") == [[f"A{n}" for n in range(60)]]
    assert hub.turns("main") > 3
    assert len(calls) == 2
