"""Whatever the order, delay and duplication of messages, a workflow has one result."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import azure.durable_functions as df
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host import workflows
from tests.host.apps.workflows.interpreter import interpret, log
from tests.host.simulated_hub import SimulatedHub
from tests.host.workflows import Workflow

pytestmark = [
    pytest.mark.filterwarnings("ignore:Potential duplicate Task completion:UserWarning"),
    pytest.mark.filterwarnings("ignore:azure.functions df_loads:DeprecationWarning"),
]


@settings(max_examples=150, deadline=None)
@given(workflow=workflows.workflows(), seed=st.integers(0, 2**32))
def test_result_does_not_depend_on_delivery(workflow: Workflow, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    runs: Counter[str] = Counter()

    def work(order: dict[str, Any]) -> str:
        label = str(order["label"])
        runs[label] += 1
        if order.get("fails") or runs[label] <= order.get("failures", 0):
            raise ValueError(f"{label} fails")
        return label

    hub = SimulatedHub(
        chance,
        {"interpret": df.Orchestrator.create(interpret)},
        {"work": work, "flaky": work},
        {"log": df.Entity.create(log)},
    )
    hub.start("interpret", "main", {"steps": workflow, "log": "main"})
    names = workflows.labels(workflow, "event")
    chance.shuffle(names)
    for name in names:
        hub.raise_event("main", name, name)
    outcome = hub.run("main")
    assert outcome.failure is None
    assert json.loads(outcome.output or "") == workflows.results(workflow)
    logged = workflows.labels(workflow, "entity", "signal")
    assert sorted(hub.state("log", "main") or []) == sorted(logged)
    assert runs == workflows.activity_runs(workflow)  # each as often as it must, none more


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
    hub.start("interpret", "main", {"steps": steps, "log": "main"})
    outcome = hub.run("main")
    assert json.loads(outcome.output or "") == [[f"A{n}" for n in range(60)]]
    assert hub.turns("main") > 3
    assert len(calls) == 2
