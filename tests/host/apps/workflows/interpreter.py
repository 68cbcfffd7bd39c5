"""An orchestrator that carries out a workflow, which is data: a list of steps.

A step is `[kind, label, ...]`. Its result names the step, so that a result handed to the wrong
task shows; a step that fails gives `! LABEL fails`. What a whole workflow should give is worked
out in `tests.host.workflows`.

    activity                   an activity
    fails                      an activity that fails
    retry, failures            an activity that fails so often, with retries
    exhausted                  an activity that fails as often as it is tried
    child, steps, named        a sub-orchestration, with an id of our own or without
    broken                     a sub-orchestration that fails
    reborn, failures, named    a sub-orchestration that fails so often, with retries
    entity                     a call of the entity that logs what it gets
    timer, ticks               a timer
    event                      an external event, whose name is the label
    either, step               the step or an event that never comes
    all, steps                 the steps side by side
    race, step                 the step against a timer of days, which is cancelled
    timeout, ticks             a timer against an event that never comes
    signal                     a signal to the entity
    attempt, failures          as retry, without retries: for `reborn` only
    raise                      an error of the orchestrator itself: for `broken` only
    again                      continue as new
"""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

RETRIES = 3
TICK_S = 0.05

_OPTIONS = df.RetryOptions(50, RETRIES)

Step = list[Any]
Steps = Generator[Any, Any, Any]


def interpret(context: Any) -> Steps:
    """Carry out the steps of the input, in as many generations as they say."""
    order = context.get_input()
    results = order.get("results", [])
    for number, step in enumerate(order["steps"], 1):
        if step[0] == "again":
            rest = order["steps"][number:]
            context.continue_as_new({**order, "steps": rest, "results": results})
            return None
        context.set_custom_status(step[1])
        results.append((yield from _carry_out(context, step, order["log"])))
    return results


def _carry_out(context: Any, step: Step, log_key: str) -> Steps:
    match step:
        case ["signal", label]:
            context.signal_entity(df.EntityId("log", log_key), "add", {"label": label})
            return None
        case ["raise", label]:
            raise ValueError(f"{label} fails")
        case ["attempt", label, failures]:
            return (yield context.call_activity("flaky", {"label": label, "failures": failures}))
        case ["race", _, first]:
            loser = context.create_timer(context.current_utc_datetime + timedelta(days=9))
            winner = yield context.task_any([_task(context, first, log_key), loser])
            loser.cancel()
            return winner.result
        case ["timeout", label, ticks]:
            timer = _timer(context, ticks)
            winner = yield context.task_any([context.wait_for_external_event(f"no{label}"), timer])
            return label if winner is timer else "the event that never comes"
    try:
        found = yield _task(context, step, log_key)
    except Exception as error:
        wholly = re.search(r"\w+ fails", str(error))
        return "! " + (f"{step[1]} fails" if step[0] == "all" else wholly[0] if wholly else "?")
    return _result(found)


def _result(found: Any) -> Any:
    """Return what tasks gave, where one of a wait-any is a task itself."""
    if isinstance(found, list):
        return [_result(one) for one in found]
    return found.result if hasattr(found, "result") else found


def _task(context: Any, step: Step, log_key: str) -> Any:
    match step:
        case ["activity" | "fails" | "retry" | "exhausted", *_]:
            return _activity(context, step)
        case ["child" | "broken" | "reborn", *_]:
            return _child(context, step, log_key)
        case ["entity", label]:
            return context.call_entity(df.EntityId("log", log_key), "add", {"label": label})
        case ["timer", _, ticks]:
            return _timer(context, ticks)
        case ["event", label]:
            return context.wait_for_external_event(label)
        case ["either", label, first]:
            never = context.wait_for_external_event(f"no{label}")
            return context.task_any([_task(context, first, log_key), never])
        case ["all", _, branches]:
            return context.task_all([_task(context, one, log_key) for one in branches])
    raise LookupError(step[0])


def _activity(context: Any, step: Step) -> Any:
    kind, label, *failures = step
    if kind in ("activity", "fails"):
        return context.call_activity("work", {"label": label, "fails": kind == "fails"})
    order = {"label": label, "failures": failures[0] if failures else 10**6}
    return context.call_activity_with_retry("flaky", _OPTIONS, order)


def _child(context: Any, step: Step, log_key: str) -> Any:
    kind, label, *rest = step
    child = f"{context.instance_id}.{label}" if rest and rest[1] else None
    match kind:
        case "child":
            steps = rest[0]
        case "broken":
            steps = [["raise", label]]
        case _:
            steps = [["attempt", label, rest[0]]]
    order = {"steps": steps, "log": log_key}
    if kind == "reborn":
        return context.call_sub_orchestrator_with_retry("interpret", _OPTIONS, order, child)
    return context.call_sub_orchestrator("interpret", order, child)


def _timer(context: Any, ticks: int) -> Any:
    return context.create_timer(context.current_utc_datetime + timedelta(seconds=ticks * TICK_S))


def log(context: Any) -> None:
    """Keep the labels in order of arrival, and answer with the last one."""
    entries = context.get_state(list)
    entries.append(context.get_input()["label"])
    context.set_state(entries)
    context.set_result(entries[-1])
