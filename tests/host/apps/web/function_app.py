# mypy: disallow-untyped-decorators=False
"""HTTP, Event Grid and timer triggers in all their forms."""

import asyncio
import functools
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func

TRACES = Path(os.environ["TRACES"])
_ODD_ENDS = {
    "cancelled": asyncio.CancelledError,
    "generator": GeneratorExit,
    "interrupt": KeyboardInterrupt,
    "stop": StopIteration,
}

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)


def leave_trace(name: str, value: Any) -> None:
    with (TRACES / name).open("a") as file:
        file.write(json.dumps(value) + "\n")


def answer(value: Any, status_code: int = 200) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(value), status_code=status_code, mimetype="application/json"
    )


# -- HTTP ------------------------------------------------------------------------------------


@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
def open_to_all(req: func.HttpRequest) -> func.HttpResponse:
    return answer(
        {
            "method": req.method,
            "url": req.url,
            "params": dict(req.params),
            "header": req.headers.get("X-Test"),
            "body": req.get_body().decode(),
        }
    )


@app.route(route="keyed")
def keyed(req: func.HttpRequest) -> str:
    return "function level"


@app.route(route="owners", auth_level=func.AuthLevel.ADMIN)
def owners(req: func.HttpRequest) -> str:
    return "admin level"


@app.route(route="items/{id:int}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def get_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer({"get": dict(req.route_params)})


@app.route(route="items/{id:int}", methods=["PUT", "DELETE"], auth_level="anonymous")
def change_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer({"change": dict(req.route_params)})


@app.route(route="items/special", auth_level=func.AuthLevel.ANONYMOUS)
def special_item(req: func.HttpRequest) -> func.HttpResponse:
    return answer("special")


@app.route(route="items/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def other_items(req: func.HttpRequest) -> func.HttpResponse:
    return answer({"rest": dict(req.route_params)})


@app.route(route="greet/{name:alpha?}", auth_level=func.AuthLevel.ANONYMOUS)
async def greet(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    await asyncio.sleep(0)
    match req.route_params.get("name"):
        case "exit":
            sys.exit(1)
        case "interrupt" | "cancelled" | "generator" as how:
            raise _ODD_ENDS[how]
        case "task":
            task = asyncio.create_task(_interrupt())
            await asyncio.sleep(0.05)
            return answer(task.done())
    return answer(
        {
            "name": req.route_params.get("name", "nobody"),
            "function": context.function_name,
            "directory": context.function_directory,
            "trace": context.trace_context.trace_parent,
            "id length": len(context.invocation_id),
        }
    )


async def _interrupt() -> None:
    raise KeyboardInterrupt


@app.route(route="by-output", binding_arg_name="out", auth_level=func.AuthLevel.ANONYMOUS)
def by_output(req: func.HttpRequest, out: func.Out[func.HttpResponse]) -> None:
    out.set(func.HttpResponse("set", status_code=201))


@app.route(route="upload", auth_level=func.AuthLevel.ANONYMOUS)
def upload(req: func.HttpRequest) -> func.HttpResponse:
    files = {name: file.read().decode() for name, file in req.files.items()}
    return answer({"form": dict(req.form), "files": files})


@app.generic_trigger(
    arg_name="req", type="httpTrigger", route="generic", authLevel="anonymous", methods=["get"]
)
@app.generic_output_binding(arg_name="$return", type="http")
def generic(req: func.HttpRequest) -> str:
    return "by a generic binding"


@app.route(route="from-blob", auth_level=func.AuthLevel.ANONYMOUS)
@app.cosmos_db_input(arg_name="found", database_name="d", container_name="c", connection="C")
def from_cosmos(req: func.HttpRequest, found: func.DocumentList) -> str:
    return "found"


@app.route(route="to-queue", auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="message", queue_name="q", connection="C")
def to_queue(req: func.HttpRequest, message: func.Out[str]) -> str:
    return "sent"


@app.blob_trigger(arg_name="blob", path="landing/{name}", connection="C")
def of_a_blob(blob: func.InputStream) -> None:
    """This host has no blobs either."""


@app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
@app.retry(strategy="fixed_delay", max_retry_count="1", delay_interval="a while")
def with_odd_policy(timer: func.TimerRequest) -> None:
    """Its policy is none."""


@app.route(auth_level=func.AuthLevel.ANONYMOUS)
def named_by_function(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"Set-Cookie": "a=1", "X-Other": "ü".encode().decode("latin-1")}
    response = func.HttpResponse(b"\x00\xff", headers=headers, mimetype="application/octet-stream")
    response.headers.add("Set-Cookie", "b=2")
    return response


@app.route(route="returns/{what}", auth_level=func.AuthLevel.ANONYMOUS)
def returns(req: func.HttpRequest) -> Any:
    match req.route_params["what"]:
        case "nothing":
            return None
        case "text":
            return "text"
        case "error":
            raise ValueError("a secret that callers must not see")
        case "exit":
            sys.exit(1)
        case "interrupt" | "stop" | "cancelled" as how:
            raise _ODD_ENDS[how]
        case "settings":
            names = ("FROM_FILE", "FROM_BOTH", "FUNCTIONS_WORKER_RUNTIME")
            return answer({name: os.environ.get(name) for name in names} | {"cwd": str(Path.cwd())})
        case "sleep":
            time.sleep(1.5)
        case "log":
            logging.info("a line of the app")
            logging.getLogger("azure.core").info("chatter of a library")
    return 42


@app.route(route="status/{code:int}", auth_level=func.AuthLevel.ANONYMOUS)
def status(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("body", status_code=int(req.route_params["code"]))


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@app.route(route="decorated", auth_level=func.AuthLevel.ANONYMOUS)
@decorated
async def hidden_async(req: func.HttpRequest) -> str:
    await asyncio.sleep(0)
    return "awaited"


@app.route(route="async-sleep", auth_level=func.AuthLevel.ANONYMOUS)
async def async_sleep(req: func.HttpRequest) -> str:
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        leave_trace("cancelled", True)
        raise
    return "too late"


@app.route(route="switched-off", auth_level=func.AuthLevel.ANONYMOUS)
def switched_off(req: func.HttpRequest) -> str:
    return "on"


@app.queue_trigger(arg_name="message", queue_name="q", connection="C")
def of_a_queue(message: func.QueueMessage) -> None:
    """This host has no queues."""


# -- Event Grid -----------------------------------------------------------------------------


@app.event_grid_trigger(arg_name="event")
def on_event(event: func.EventGridEvent) -> None:
    is_cloud_event = isinstance(event, func.CloudEvent)
    data = event.get_json()
    kind = getattr(event, "type" if is_cloud_event else "event_type")
    leave_trace("events", [type(event).__name__, event.id, event.subject, kind, data])
    if data.get("fail"):
        raise ValueError(f"event {event.id} is meant to fail")


@app.event_grid_trigger(arg_name="event")
async def unmoved(event: func.EventGridEvent) -> None:
    """Take whatever comes."""


@app.orchestration_trigger(context_name="context")
def handle_event(context: df.DurableOrchestrationContext) -> Any:
    result = yield context.call_activity("note", context.get_input())
    return result


@app.activity_trigger(input_name="text")
def note(text: str) -> str:
    leave_trace("notes", text)
    return text


@app.activity_trigger(input_name="seconds")
def block(seconds: float) -> str:
    begin = time.time()
    time.sleep(seconds)
    leave_trace("blocks", [begin, time.time()])
    return "blocked"


@app.activity_trigger(input_name="seconds")
async def wait(seconds: float) -> str:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        leave_trace("cancelled_waits", True)
        raise
    return "waited"


@app.activity_trigger(input_name="how")
async def end_oddly(how: str) -> None:
    raise _ODD_ENDS[how]


@app.activity_trigger(input_name="how")
def end_oddly_in_thread(how: str) -> None:
    raise _ODD_ENDS[how]


@app.orchestration_trigger(context_name="context")
def many(context: df.DurableOrchestrationContext) -> Any:
    name, count, seconds = context.get_input()
    try:
        calls = [context.call_activity(name, seconds) for _ in range(count)]
        return (yield context.task_all(calls))
    except Exception as error:
        return str(error).splitlines()[0]


@app.event_grid_trigger(arg_name="event")
@app.durable_client_input(client_name="client")
async def start_for_event(event: func.EventGridEvent, client: Any) -> None:
    """Start one orchestration an event, however often it is delivered."""
    instance = f"event-{event.id}"
    status = await client.get_status(instance)
    if not status:
        await client.start_new("handle_event", instance, event.get_json()["note"])


# -- timers -----------------------------------------------------------------------------------


@app.timer_trigger(arg_name="timer", schedule="%OFTEN%")
def often(timer: func.TimerRequest) -> None:
    leave_trace("often", [time.time(), timer.past_due])
    time.sleep(0.2)


@app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *", run_on_startup=True, use_monitor=True)
@app.durable_client_input(client_name="client")
async def yearly(timer: Any, client: Any) -> None:
    leave_trace("yearly", [timer.past_due, timer.schedule_status["Next"][:10]])
    await client.signal_entity(df.EntityId("runs", "yearly"), "count")


@app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
@app.retry(
    strategy="exponential_backoff",
    max_retry_count="2",
    minimum_interval="00:00:00.1",
    maximum_interval="00:00:00.2",
)
def stubborn(timer: func.TimerRequest, context: func.Context) -> None:
    retry = context.retry_context
    leave_trace(
        "stubborn",
        [time.time(), retry and [retry.retry_count, retry.max_retry_count, str(retry.exception)]],
    )
    raise ValueError("not yet")


@app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
def by_hand(timer: func.TimerRequest) -> None:
    leave_trace("by_hand", timer.past_due)


@app.entity_trigger(context_name="context")
def runs(context: df.DurableEntityContext) -> None:
    context.set_state(context.get_state(lambda: 0) + 1)
