# mypy: disallow-untyped-decorators=False
"""An app to look into: instances that wait, fail and have much to tell."""

import time
from collections.abc import Generator
from typing import Any, TypeAlias

import azure.durable_functions as df

Steps = Generator[Any, Any, Any]
Context: TypeAlias = df.DurableOrchestrationContext

app = df.DFApp()


@app.activity_trigger(input_name="seconds")
def restore(seconds: float) -> str:
    time.sleep(seconds)
    return f"restored in {seconds} s"


@app.activity_trigger(input_name="what")
def refuse(what: str) -> None:
    raise ValueError(f"{what} is refused")


@app.orchestration_trigger(context_name="context")
def tell(context: Context) -> Steps:
    """Show its input as custom status, and wait for an event."""
    context.set_custom_status(context.get_input())
    event = yield context.wait_for_external_event("Go")
    return event


@app.orchestration_trigger(context_name="context")
def migrate(context: Context) -> Steps:
    context.set_custom_status({"database": "Sales", "restored": 1, "waitingFor": "Wake"})
    yield context.call_activity("restore", 0.05)
    yield context.call_sub_orchestrator("validate", "full.bak")
    context.signal_entity(df.EntityId("slots", "local"), "take")
    yield context.create_timer(context.current_utc_datetime)
    try:
        yield context.call_activity("refuse", "log.trn")
    except Exception:
        context.set_custom_status({"database": "Sales", "restored": 2, "waitingFor": "Wake"})
    yield context.call_activity("restore", context.get_input())
    return {"restored": 3}


@app.orchestration_trigger(context_name="context")
def validate(context: Context) -> Steps:
    return (yield context.call_activity("restore", 0.01))


@app.orchestration_trigger(context_name="context")
def fails(context: Context) -> Steps:
    yield context.call_activity("refuse", context.get_input())


@app.entity_trigger(context_name="context")
def slots(context: df.DurableEntityContext) -> None:
    context.set_state(context.get_state(lambda: 0) + 1)
