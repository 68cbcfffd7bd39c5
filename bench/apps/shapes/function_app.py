# mypy: disallow-untyped-decorators=False
"""The workflow shapes that are measured; `durabletask_engine.py` has the same ones."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
import azure.functions as func

Steps = Generator[Any, Any, Any]
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.activity_trigger(input_name="value")
def step(value: int) -> int:
    """Do next to nothing, so that what is measured is the engine."""
    return value + 1


@app.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext) -> Steps:
    """Run activities one after the other."""
    value = 0
    for _ in range(context.get_input()["length"]):
        value = yield context.call_activity("step", value)
    return value


@app.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext) -> Steps:
    """Run activities all at once."""
    width = context.get_input()["width"]
    values = yield context.task_all([context.call_activity("step", one) for one in range(width)])
    return sum(values)


@app.orchestration_trigger(context_name="context")
def signals(context: df.DurableOrchestrationContext) -> Steps:
    """Signal an entity many times, then ask it what it has counted."""
    given = context.get_input()
    counter = df.EntityId("counter", given["key"])
    for _ in range(given["count"]):
        context.signal_entity(counter, "add", {"by": 1})
    total = yield context.call_entity(counter, "get")
    return total


@app.orchestration_trigger(context_name="context")
def wait(context: df.DurableOrchestrationContext) -> Steps:
    """Wait for an event that may never come, as most of a full hub does."""
    context.set_custom_status({"waits": True})
    value = yield context.wait_for_external_event("go")
    return value


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext) -> None:
    """Count."""
    total = context.get_state(lambda: 0)
    if context.operation_name == "add":
        total += context.get_input()["by"]
        context.set_state(total)
    context.set_result(total)
