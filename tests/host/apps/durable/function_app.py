# mypy: disallow-untyped-decorators=False
"""An app that does everything an orchestration can do, one behaviour each.

Activities leave traces in the folder that the app setting TRACES names, so that a test can see how
often they ran, and hold them up by files there.
"""

import os
import time
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import azure.durable_functions as df
import azure.functions as func
from client_routes import bp as client_routes  # type: ignore[import-not-found]  # the app's folder
from patterns import bp as patterns  # type: ignore[import-not-found]  # the app's folder

Steps = Generator[Any, Any, Any]
Context: TypeAlias = df.DurableOrchestrationContext
TRACES = Path(os.environ["TRACES"])

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(client_routes)
app.register_functions(patterns)


def orchestration(function: Callable[[Context], Any]) -> Any:
    return app.orchestration_trigger(context_name="context")(function)


def describe(value: Any) -> list[Any]:
    return [type(value).__name__, value]


def leave_trace(name: str) -> int:
    """Add a line to a trace; returns how many it has now."""
    path = TRACES / name
    with path.open("a") as file:
        file.write(f"{time.time()}\n")
    return len(path.read_text().splitlines())


# -- activities ------------------------------------------------------------------------------


@app.activity_trigger(input_name="value")
def show(value):  # type: ignore[no-untyped-def]  # as most people write it
    return describe(value)


@app.activity_trigger(input_name="name")
async def greet(name: str) -> str:
    return f"Hello {name}!"


@app.activity_trigger(input_name="value")
def double(value: int) -> int:
    return 2 * value


@app.activity_trigger(input_name="order")
def work(order: dict) -> str:  # type: ignore[type-arg]  # the worker refuses generics
    """Leave a trace, then fail or take a while, as the order says."""
    count = leave_trace(order["trace"])
    time.sleep(order.get("seconds", 0))
    if count <= order.get("failures", 0):
        raise ValueError(f"attempt {count} of {order['trace']} is meant to fail")
    while order.get("until") and not (TRACES / order["until"]).exists():
        time.sleep(0.01)
    return f"{order['trace']} {count}"


@app.activity_trigger(input_name="name")
def fail_unless(name: str) -> str:
    if not (TRACES / name).exists():
        raise ValueError(f"there is no {name}")
    return f"found {name}"


@app.activity_trigger(input_name="code")
def leave(code: int) -> None:
    raise SystemExit(code)


@app.activity_trigger(input_name="unserializable")
def give_set(unserializable: Any) -> Any:
    return {1, 2}


@app.activity_trigger(input_name="name")
def give_odd(name: str) -> Any:
    return [float("nan"), float("-inf"), "\ud800", "\x00"]


@app.activity_trigger(input_name="order")
@app.durable_client_input(client_name="client")
async def start_another(order: dict, client: df.DurableOrchestrationClient) -> str:  # type: ignore[type-arg]
    instance_id = await client.start_new(order["name"], order["id"], order["input"])
    await client.raise_event(instance_id, "Nudge", "from an activity")
    return str(instance_id)


# -- inputs and outputs ----------------------------------------------------------------------


@orchestration
def echo(context: Context) -> list[Any]:
    return describe(context.get_input())


@orchestration
def through_activity(context: Context) -> Steps:
    return (yield context.call_activity("show", context.get_input()))


@orchestration
def through_child(context: Context) -> Steps:
    return (yield context.call_sub_orchestrator("echo", context.get_input()))


@orchestration
def through_next_generation(context: Context) -> Any:
    given = context.get_input()
    if isinstance(given, dict) and "pass on" in given:
        context.continue_as_new(given["pass on"])
        return None
    return describe(given)


@orchestration
def through_event(context: Context) -> Steps:
    context.set_custom_status("waiting")
    return describe((yield context.wait_for_external_event("Value")))


@orchestration
def through_entity(context: Context) -> Steps:
    entity = df.EntityId("Memory", context.instance_id)
    yield context.call_entity(entity, "put", context.get_input())
    return (yield context.call_entity(entity, "show"))


@orchestration
def properties(context: Context) -> Steps:
    before = context.current_utc_datetime
    uuid = context.new_uuid()
    yield context.call_activity("greet", "Ann")
    after = context.current_utc_datetime
    return {
        "id": context.instance_id,
        "parent": context.parent_instance_id,
        "version": context.version,
        "uuids differ": uuid != context.new_uuid(),
        "time goes on": after > before,
        "zone": str(after.utcoffset()),
        "replaying": context.is_replaying,
        "same uuid": uuid,
    }


# -- activities in rows, side by side, with retries ------------------------------------------


@orchestration
def chain(context: Context) -> Steps:
    value = context.get_input()
    for _ in range(3):
        value = yield context.call_activity("double", value)
    return value


@orchestration
def fan_out(context: Context) -> Steps:
    count = context.get_input()
    results = yield context.task_all([context.call_activity("double", n) for n in range(count)])
    return sum(results)


@orchestration
def first_of_two(context: Context) -> Steps:
    slow = context.call_activity("work", {"trace": context.instance_id + "-slow", "seconds": 0.5})
    fast = context.call_activity("greet", "first")
    winner = yield context.task_any([slow, fast])
    return winner.result


@orchestration
def retried(context: Context) -> Steps:
    options = df.RetryOptions(30, 3)
    try:
        return (yield context.call_activity_with_retry("work", options, context.get_input()))
    except Exception as error:
        return f"gave up: {str(error).splitlines()[0]}"


@orchestration
def retried_side_by_side(context: Context) -> Steps:
    """Numbers of retries, siblings and what follows must agree between the SDK and the host."""
    options = df.RetryOptions(20, 4)
    prefix = context.instance_id
    calls = [
        context.call_activity_with_retry(
            "work", options, {"trace": f"{prefix}-{n}", "failures": n, "seconds": 0.01 * n}
        )
        for n in range(3)
    ]
    results = yield context.task_all([*calls, context.call_activity("greet", "Bo")])
    return [*results, (yield context.call_activity("greet", "Cy"))]


@orchestration
def failing_child(context: Context) -> Steps:
    yield context.call_activity("work", context.get_input())
    return "child done"


@orchestration
def retried_child(context: Context) -> Steps:
    options = df.RetryOptions(20, 3)
    return (
        yield context.call_sub_orchestrator_with_retry(
            "failing_child", options, context.get_input()
        )
    )


@orchestration
def failing_beside_slow(context: Context) -> Steps:
    """Go on after a failed wait-all: what follows waits for the slow one, as on Azure."""
    fail = context.call_activity("fail_unless", "never there")
    slow = context.call_activity("work", {"trace": context.instance_id + "-slow", "seconds": 0.6})
    try:
        yield context.task_all([fail, slow])
    except Exception:
        yield context.call_activity("work", {"trace": context.instance_id + "-after"})
    return "handled"


@orchestration
def unhandled(context: Context) -> Steps:
    yield context.call_activity("fail_unless", "never there")


@orchestration
def raising(context: Context) -> None:
    raise ValueError("the orchestrator itself")


@orchestration
def odd_activity(context: Context) -> Steps:
    try:
        return (yield context.call_activity(*context.get_input()))
    except Exception as error:
        return str(error).splitlines()[0]


# -- timers and events -----------------------------------------------------------------------


def later(context: Context, seconds: float) -> Any:
    return context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))


@orchestration
def timer(context: Context) -> Steps:
    begin = context.current_utc_datetime
    yield later(context, context.get_input())
    return (context.current_utc_datetime - begin).total_seconds()


@orchestration
def timer_left_open(context: Context) -> Steps:
    yield context.task_any([context.call_activity("greet", "Di"), later(context, 1.2)])
    return "returned early"


@orchestration
def event_or_timeout(context: Context) -> Steps:
    event = context.wait_for_external_event("Go")
    timeout = later(context, context.get_input())
    winner = yield context.task_any([event, timeout])
    if winner == event:
        timeout.cancel()
        return (yield context.call_activity("greet", "event"))
    return "timeout"


@orchestration
def reminders(context: Context) -> Steps:
    """One wait that outlives several timers, the last of which is cancelled."""
    approval = context.wait_for_external_event("Approval")
    reminded = 0
    while True:
        timeout = later(context, 0.15 if reminded < 2 else 60)
        winner = yield context.task_any([approval, timeout])
        if winner == approval:
            timeout.cancel()
            break
        reminded += 1
        yield context.call_activity("greet", "reminder")
        context.set_custom_status(reminded)
    return [reminded, (yield context.call_activity("greet", "approved"))]


@orchestration
def retry_against_timeout(context: Context) -> Steps:
    """The timer is cancelled only after the retries have taken numbers."""
    order = {"trace": context.instance_id, "failures": 1}
    call = context.call_activity_with_retry("work", df.RetryOptions(20, 3), order)
    timeout = later(context, 60)
    yield context.task_any([call, timeout])
    timeout.cancel()
    return (yield context.call_activity("greet", "after"))


@orchestration
def same_name_twice(context: Context) -> Steps:
    yield context.wait_for_external_event("Go")
    first = yield context.wait_for_external_event("Twice")
    second = yield context.wait_for_external_event("Twice")
    return [first, second]


@orchestration
def two_waits(context: Context) -> Steps:
    tasks = [context.wait_for_external_event("A"), context.wait_for_external_event("B")]
    return (yield context.task_all(tasks))


@orchestration
def stream(context: Context) -> Any:
    """Take numbered events, one a generation."""
    state = context.get_input()
    number = len(state["taken"])
    if number == state["count"]:
        return state["taken"]
    event = yield context.wait_for_external_event(f"Item{number}")
    state["taken"].append(event)
    context.continue_as_new(state)


@orchestration
def one_name_stream(context: Context) -> Any:
    """Take events of one name, with an activity between two waits, one a generation."""
    state = context.get_input()
    if len(state["taken"]) == state["count"]:
        return state["taken"]
    context.set_custom_status({"waiting for": len(state["taken"])})
    event = yield context.wait_for_external_event("Item")
    state["taken"].append(event)
    yield context.call_activity("greet", "between")
    context.continue_as_new(state)


@orchestration
def generations(context: Context) -> Any:
    count = context.get_input()
    yield context.call_activity("greet", str(count))
    if count > 1:
        context.continue_as_new(count - 1)
        return None
    return "last generation"


@orchestration
def statuses(context: Context) -> Steps:
    context.set_custom_status({"step": 1})
    yield context.wait_for_external_event("Next")
    context.set_custom_status({"step": 2})
    yield context.wait_for_external_event("Next2")
    context.set_custom_status("")
    return "done"


@orchestration
def big_status(context: Context) -> None:
    context.set_custom_status("x" * context.get_input())


@orchestration
def sluggish(context: Context) -> Steps:
    """Take long over a turn, which nobody should do."""
    first = yield context.call_activity("greet", "before")
    if not context.is_replaying:
        leave_trace(context.instance_id)
        time.sleep(0.4)
    return [first, (yield context.call_activity("greet", "after"))]


@orchestration
def everything(context: Context) -> Steps:
    """Use a bit of everything; the result depends on none of it being lost or done twice."""
    me = context.instance_id
    entity = df.EntityId("counter", me)
    results = []
    for n in range(4):
        context.signal_entity(entity, "add", {"by": 1})
        results.append((yield context.call_activity("work", {"trace": f"{me}-{n}"})))
        results.append((yield context.call_entity(entity, "add", {"by": 10})))
    children = [context.call_sub_orchestrator("chain", n) for n in range(3)]
    results.append((yield context.task_all(children)))
    yield later(context, 0.1)
    options = df.RetryOptions(10, 3)
    order = {"trace": f"{me}-retried", "failures": 1}
    yield context.call_activity_with_retry("work", options, order)
    results.append((yield context.wait_for_external_event("Early")))
    results.append((yield context.call_entity(entity, "get")))
    return [one.rpartition(" ")[0] if isinstance(one, str) else one for one in results]


# -- other orchestrations --------------------------------------------------------------------


@orchestration
def family(context: Context) -> Steps:
    children = [
        context.call_sub_orchestrator("chain", n, f"{context.instance_id}-{n}") for n in range(3)
    ]
    named = yield context.task_all(children)
    unnamed = yield context.call_sub_orchestrator("properties")
    return {
        "named": named,
        "parent of unnamed": unnamed["parent"],
        "version of unnamed": unnamed["version"],
    }


@orchestration
def mourning(context: Context) -> Steps:
    """Have a child that waits, or fails, and tell how it ended."""
    try:
        return (yield context.call_sub_orchestrator(*context.get_input()))
    except Exception as error:
        return str(error).splitlines()[0]


@orchestration
def rewindable(context: Context) -> Steps:
    """Fail at two levels until a file is there."""
    child = yield context.call_sub_orchestrator("rewindable_child", context.get_input())
    own = yield context.call_activity("greet", "rewound")
    return [child, own]


@orchestration
def rewindable_child(context: Context) -> Steps:
    yield context.call_activity("work", {"trace": context.get_input() + "-once"})
    options = df.RetryOptions(20, 2)
    name = context.get_input()
    both = yield context.task_all(
        [
            context.call_activity_with_retry("fail_unless", options, name),
            context.call_activity("greet", "beside"),
        ]
    )
    return both


@orchestration
def changeable(context: Context) -> Steps:
    """Orchestrator code that is changed while instances of it run."""
    changed = (TRACES / context.get_input()["flag"]).exists()
    yield context.call_activity("double" if changed else "greet", 1 if changed else "Ed")
    yield context.wait_for_external_event("Go")
    return "unchanged"


@orchestration
def calls_unknown(context: Context) -> Steps:
    kind = context.get_input()
    if kind == "activity":
        yield context.call_activity("no_such_activity")
    elif kind == "orchestrator":
        yield context.call_sub_orchestrator("no_such_orchestrator")
    else:
        yield context.call_entity(df.EntityId("no_such_entity", "key"), "get")


@orchestration
def hires_starter(context: Context) -> Steps:
    return (yield context.call_activity("start_another", context.get_input()))


@orchestration
def nudged(context: Context) -> Steps:
    return (yield context.wait_for_external_event("Nudge"))


@orchestration
def web_request(context: Context) -> Steps:
    request = context.get_input()
    return (yield context.call_http(request["method"], request["uri"], request.get("content")))


# -- entities --------------------------------------------------------------------------------


@app.entity_trigger(context_name="context")
def memory(context: df.DurableEntityContext) -> None:
    operation = context.operation_name
    if operation == "put":
        context.set_state(describe(context.get_input()))
        context.set_result("ok")
    elif operation == "show":
        context.set_result(context.get_state())


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext) -> None:
    total = context.get_state(lambda: 0)
    match context.operation_name:
        case "add":
            total += context.get_input()["by"]
            context.set_state(total)
        case "add and fail":
            context.set_state(total + context.get_input()["by"])
            raise ValueError("the counter is meant to fail")
        case "slow":
            time.sleep(0.2)
        case "delete":
            context.destruct_on_exit()
            return
    context.set_result(total)


@orchestration
def counts(context: Context) -> Steps:
    entity = df.EntityId("counter", context.instance_id)
    for n in range(context.get_input()):
        context.signal_entity(entity, "add", {"by": n})
    total = yield context.call_entity(entity, "get")
    try:
        yield context.call_entity(entity, "add and fail", {"by": 1000})
    except Exception as error:
        return [total, str(error), (yield context.call_entity(entity, "get"))]


@orchestration
def abandons_call(context: Context) -> Any:
    """Leave an entity's answer behind at the end of a generation."""
    if context.get_input() == "second":
        first = context.wait_for_external_event("Anything")
        winner = yield context.task_any([first, later(context, 0.5)])
        return "an event" if winner == first else "nothing"
    call = context.call_entity(df.EntityId("counter", context.instance_id), "slow")
    yield context.task_any([call, context.call_activity("greet", "faster")])
    context.continue_as_new("second")
