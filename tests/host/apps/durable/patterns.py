# mypy: disallow-untyped-decorators=False
"""Ways to wait for several things, one an orchestrator; what each gives is in `patterns.json`."""

import json
import time
from collections.abc import Callable, Generator
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

import azure.durable_functions as df

Steps = Generator[Any, Any, Any]
Context: TypeAlias = df.DurableOrchestrationContext

bp = df.Blueprint()
_attempts: dict[str, int] = {}


def pattern(function: Callable[[Context], Any]) -> Any:
    return bp.orchestration_trigger(context_name="context")(function)


class Money:
    """A class of the app's own, which the SDK carries through activities."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    @staticmethod
    def to_json(one: "Money") -> str:
        return json.dumps({"amount": one.amount})

    @staticmethod
    def from_json(text: str) -> "Money":
        return Money(json.loads(text)["amount"])


@bp.activity_trigger(input_name="order")
def give(order: dict) -> Any:  # type: ignore[type-arg]  # the worker refuses generics
    time.sleep(order.get("seconds", 0))
    return order["value"]


@bp.activity_trigger(input_name="order")
def stumble(order: dict) -> int:  # type: ignore[type-arg]  # the worker refuses generics
    """Fail so often, then tell which attempt this is."""
    key = order["key"]
    _attempts[key] = _attempts.get(key, 0) + 1
    if _attempts[key] <= order["failures"]:
        raise ValueError(f"attempt {_attempts[key]}")
    return _attempts[key]


@bp.activity_trigger(input_name="money")
def earn(money: Money) -> Money:
    return Money(money.amount + 1)


@bp.function_name("a_function_called")
@bp.activity_trigger(input_name="value", activity="An_Activity_Called")
def in_python(value: int) -> int:
    return -value


def giving(context: Context, value: Any, seconds: float = 0) -> Any:
    return context.call_activity("give", {"value": value, "seconds": seconds})


def giving_in_turn(context: Context, count: int) -> Steps:
    found = []
    for n in range(count):
        found.append((yield giving(context, n, 0.02)))  # noqa: PERF401 - nothing else can yield
    return found


def stumbling(context: Context, key: str, failures: int, milliseconds: int = 40) -> Any:
    order = {"key": f"{context.instance_id}-{key}", "failures": failures}
    return context.call_activity_with_retry("stumble", df.RetryOptions(milliseconds, 6), order)


def after(context: Context, seconds: float) -> Any:
    return context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))


def in_order_of_their_ends(context: Context, tasks: list[Any]) -> Steps:
    found = []
    while tasks:
        winner = yield context.task_any(tasks)
        tasks.remove(winner)
        found.append(winner.result)
    return found


@pattern
def each_as_it_ends(context: Context) -> Steps:
    calls = [giving(context, n, n / 10) for n in (3, 1, 2)]
    return (yield from in_order_of_their_ends(context, calls))


@pattern
def first_then_all(context: Context) -> Steps:
    tasks = [giving(context, "slow", 0.2), giving(context, "fast")]
    winner = yield context.task_any(tasks)
    everything = yield context.task_all(tasks)
    return [winner.result, everything, (yield giving(context, "after"))]


@pattern
def first_then_each(context: Context) -> Steps:
    slow, fast = giving(context, "slow", 0.2), giving(context, "fast")
    yield context.task_any([slow, fast])
    return [(yield slow), (yield fast), (yield giving(context, "after"))]


@pattern
def one_task_twice(context: Context) -> Steps:
    task = giving(context, 1)
    return [(yield task), (yield task), (yield giving(context, "after"))]


@pattern
def all_of_nothing(context: Context) -> Steps:
    return [(yield context.task_all([])), (yield giving(context, "after"))]


@pattern
def old_and_new_together(context: Context) -> Steps:
    old = giving(context, "old", 0.2)
    yield context.task_any([old, after(context, 0.02)])
    both = yield context.task_all([old, giving(context, "new")])
    return [both, (yield giving(context, "after"))]


@pattern
def all_in_any_in_all(context: Context) -> Steps:
    inner = context.task_all([giving(context, 1), giving(context, 2)])
    first = context.task_any([inner, context.wait_for_external_event("never")])
    found = yield context.task_all([first, giving(context, 3)])
    return [found[0].result, found[1], (yield giving(context, "after"))]


@pattern
def first_one_fails(context: Context) -> Steps:
    failing = context.call_activity("fail_unless", "never there")
    winner = yield context.task_any([failing, context.wait_for_external_event("never")])
    return [type(winner.result).__name__, (yield giving(context, "after"))]


@pattern
def retries_win_against_timer(context: Context) -> Steps:
    timer = after(context, 30)
    winner = yield context.task_any([stumbling(context, "a", 2), timer])
    timer.cancel()
    return [winner.result, (yield giving(context, "after"))]


@pattern
def timer_wins_against_retries(context: Context) -> Steps:
    """Go on while attempts and their timers still take numbers."""
    yield context.task_any([stumbling(context, "a", 4), after(context, 0.06)])
    return (yield from giving_in_turn(context, 8))


@pattern
def retries_against_retries(context: Context) -> Steps:
    calls = [stumbling(context, "a", 4), stumbling(context, "b", 1)]
    winner = yield context.task_any(calls)
    return [winner.result, *(yield from giving_in_turn(context, 6))]


@pattern
def retries_as_they_end(context: Context) -> Steps:
    calls = [stumbling(context, str(n), n) for n in (3, 1, 2)]
    return (yield from in_order_of_their_ends(context, calls))


@pattern
def retries_waited_for_later(context: Context) -> Steps:
    """What no host can number: another action between two waits for one call with retries."""
    call = stumbling(context, "a", 3, 60)
    yield context.task_any([call, after(context, 0.09)])
    yield giving(context, "between")
    return [(yield call), (yield giving(context, "after"))]


@pattern
def two_events_in_any_order(context: Context) -> Steps:
    first, second = (context.wait_for_external_event(name) for name in "AB")
    winner = yield context.task_any([first, second])
    rest = yield (second if winner is first else first)
    return [winner.result, rest, (yield giving(context, "after"))]


@pattern
def cancelled_for_the_year_2099(context: Context) -> Steps:
    timer = context.create_timer(datetime(2099, 1, 1, tzinfo=timezone.utc))
    winner = yield context.task_any([timer, giving(context, "at once")])
    timer.cancel()
    return winner.result


@pattern
def entity_against_timer(context: Context) -> Steps:
    timer = after(context, 30)
    entity = df.EntityId("counter", context.instance_id)
    winner = yield context.task_any([context.call_entity(entity, "add", {"by": 5}), timer])
    timer.cancel()
    return [winner.result, (yield giving(context, "after"))]


@pattern
def names_in_any_case(context: Context) -> Steps:
    first = yield context.call_activity("An_Activity_Called", 7)
    return [first, (yield context.call_activity("AN_ACTIVITY_CALLED", 7))]


@pattern
def class_of_the_app(context: Context) -> Steps:
    money = yield context.call_activity("earn", Money(41))
    return money.amount


@pattern
def child_of_another_version(context: Context) -> Steps:
    child = yield context.call_sub_orchestrator("properties", version="3.0")
    return [context.version, child["version"]]


@pattern
def uuids(context: Context) -> Steps:
    first = str(context.new_guid())
    yield giving(context, 1)
    return len({first, str(context.new_guid()), context.new_uuid()})


@pattern
def generations_of_a_child(context: Context) -> Steps:
    return (yield context.call_sub_orchestrator("second_generation", {"generation": 1}, None, "5"))


@pattern
def second_generation(context: Context) -> Any:
    """Tell what is left of the generation before."""
    given = context.get_input()
    if given["generation"] == 1:
        context.set_custom_status("kept")
        context.continue_as_new({"generation": 2, "id": context.instance_id})
        return None
    has_parent = context.parent_instance_id is not None
    return [context.instance_id == given["id"], has_parent, context.version]


@pattern
def half_a_surrogate_pair(context: Context) -> Steps:
    half, entity = "\ud800", df.EntityId("counter", "k")
    match context.get_input():
        case "id":
            return (yield context.call_sub_orchestrator("echo", None, half))
        case "key":
            return (yield context.call_entity(df.EntityId("counter", half), "get"))
        case "operation":
            return (yield context.call_entity(entity, half))
        case "event":
            return (yield context.wait_for_external_event(half))
        case _:
            return (yield context.call_activity(half))
