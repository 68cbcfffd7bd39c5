# mypy: disallow-untyped-decorators=False
"""An app to look into: instances that wait, fail and have much to tell."""

import logging
import os
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeAlias

import azure.durable_functions as df
import azure.functions as func

Steps = Generator[Any, Any, Any]
Context: TypeAlias = df.DurableOrchestrationContext

TRACES = Path(os.environ["TRACES"])

app = df.DFApp()


def leave_trace(name: str) -> None:
    with (TRACES / name).open("a") as file:
        file.write(f"{time.time()}\n")


@app.activity_trigger(input_name="seconds")
def restore(seconds: float) -> str:
    leave_trace("begun")
    time.sleep(seconds)
    leave_trace("restored")
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


@app.route(route="slow/{seconds}")
def slow(req: func.HttpRequest) -> str:
    leave_trace("asked")
    if "ODD_LOG" in os.environ:
        logging.debug("deep in the app")
        logging.info("of the app, with %s", req.params["code"], extra={"colour": "blue"})
        threading.Thread(target=_fail).start()
    seconds = req.route_params["seconds"]
    time.sleep(float(seconds))
    return f"slept {seconds} s"


def _fail() -> None:
    raise RuntimeError(f"a thread of the app fails in {req_path()}")


def req_path() -> str:
    return "/api/slow?code=s3cret"
