"""What orchestrations may ask for, run by a real host through the SDK."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.host.running_host import RunningHost, eventually

_PATTERNS = json.loads((Path(__file__).parent / "data" / "patterns.json").read_text("utf-8"))


def test_activities_in_a_row_and_side_by_side(durable: RunningHost) -> None:
    assert durable.run("chain", 5) == 40
    assert durable.run("fan_out", 60) == 60 * 59
    assert durable.run("fan_out", 500) == 500 * 499


def test_first_of_two_activities_wins_and_the_other_is_waited_for(durable: RunningHost) -> None:
    begin = time.monotonic()
    assert durable.run("first_of_two") == "Hello first!"
    assert time.monotonic() - begin > 0.4  # an activity without an end keeps an instance open


def test_properties_of_the_context(durable: RunningHost) -> None:
    instance = durable.begin("properties")
    output = durable.wait(instance)["output"]
    uuid = output.pop("same uuid")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid)
    assert output == {
        "id": instance,
        "parent": None,
        "version": "7.1",
        "uuids differ": True,
        "time goes on": True,
        "zone": "0:00:00",
        "replaying": False,
    }


def test_version_is_the_one_that_the_client_gives(durable: RunningHost) -> None:
    body = {"name": "properties", "version": "8.2"}
    instance = durable.function("POST", "client/start", json=body).json()
    assert durable.wait(instance)["output"]["version"] == "8.2"


# -- failures and retries --------------------------------------------------------------------


def test_failure_of_an_activity_fails_the_orchestration(durable: RunningHost) -> None:
    ended = durable.wait(durable.begin("unhandled"))
    assert ended["runtimeStatus"] == "Failed"
    assert ended["output"].startswith(
        "Orchestrator function 'unhandled' failed: Activity function 'fail_unless' failed:  "
        "ValueError: there is no never there"
    )


def test_failure_of_the_orchestrator_itself(durable: RunningHost) -> None:
    ended = durable.wait(durable.begin("raising"))
    assert ended["runtimeStatus"] == "Failed"
    assert ended["output"] == "Orchestrator function 'raising' failed: the orchestrator itself"


@pytest.mark.embedded("elsewhere the worker ends with it")
@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (["leave", 3], "RuntimeError: the function called sys.exit(3)"),
        (["give_set", None], "ValueError: activity trigger output must be json serializable"),
    ],
)
def test_activity_that_ends_oddly_fails(durable: RunningHost, call: list[Any], reason: str) -> None:
    output = durable.run("odd_activity", call)
    assert output.startswith(f"Activity function '{call[0]}' failed:  {reason}")


def test_retry_succeeds_after_failures(durable: RunningHost) -> None:
    instance = durable.begin("retried", {"trace": "retry-works", "failures": 2})
    assert durable.wait(instance)["output"] == "retry-works 3"
    assert durable.trace("retry-works") == 3


def test_retries_are_exhausted(durable: RunningHost) -> None:
    output = durable.run("retried", {"trace": "retry-fails", "failures": 99})
    assert output == (
        "gave up: Activity function 'work' failed:  "
        "ValueError: attempt 3 of retry-fails is meant to fail "
    )
    assert durable.trace("retry-fails") == 3


def test_retries_side_by_side_keep_their_results_apart(durable: RunningHost) -> None:
    instance = durable.begin("retried_side_by_side")
    output = durable.wait(instance)["output"]
    assert output == [
        *(f"{instance}-{n} {n + 1}" for n in range(3)),
        "Hello Bo!",
        "Hello Cy!",
    ]


def test_retried_sub_orchestration(durable: RunningHost) -> None:
    assert durable.run("retried_child", {"trace": "child-retry", "failures": 2}) == "child done"
    assert durable.trace("child-retry") == 3


def test_after_a_failed_wait_all_the_slow_sibling_is_waited_for(durable: RunningHost) -> None:
    instance = durable.begin("failing_beside_slow")
    assert durable.wait(instance)["output"] == "handled"
    times = [
        float((durable.traces / f"{instance}-{name}").read_text()) for name in ("slow", "after")
    ]
    assert times[1] - times[0] > 0.5


# -- waiting for several things --------------------------------------------------------------


@pytest.mark.parametrize("name", _PATTERNS)
def test_pattern(durable: RunningHost, name: str) -> None:
    instance = durable.begin(name)
    if name == "two_events_in_any_order":
        durable.raise_event(instance, "B", "b")
        durable.raise_event(instance, "A", "a")
    ended = durable.wait(instance)
    assert (ended["runtimeStatus"], ended["output"]) == ("Completed", _PATTERNS[name])


@pytest.mark.embedded("its own words")
def test_retries_that_are_waited_for_later_fail_with_a_reason(durable: RunningHost) -> None:
    ended = durable.wait(durable.begin("retries_waited_for_later"))
    assert ended["runtimeStatus"] == "Failed"
    assert "Non-Deterministic workflow detected" in ended["output"]
    assert "go on while a call with retries is open" in ended["output"]


# -- timers and events -----------------------------------------------------------------------


def test_timer_fires_when_it_should(durable: RunningHost) -> None:
    assert 0.3 <= durable.run("timer", 0.3) < 3


def test_timer_in_the_past_fires_at_once(durable: RunningHost) -> None:
    assert durable.run("timer", -3600) < 3


def test_timer_left_open_keeps_the_instance_running(durable: RunningHost) -> None:
    instance = durable.begin("timer_left_open")
    begin = time.monotonic()
    eventually(
        lambda: any(one["EventType"] == "TaskCompleted" for one in durable.history(instance))
    )
    assert durable.status(instance)["runtimeStatus"] == "Running"
    assert durable.wait(instance)["output"] == "returned early"
    assert time.monotonic() - begin > 0.7


def test_event_wins_against_a_timer_that_is_then_cancelled(durable: RunningHost) -> None:
    instance = durable.begin("event_or_timeout", 3600)
    durable.raise_event(instance, "Go")
    assert durable.wait(instance)["output"] == "Hello event!"


def test_timer_wins_against_an_event_that_never_comes(durable: RunningHost) -> None:
    assert durable.run("event_or_timeout", 0.1) == "timeout"


def test_one_wait_outlives_several_timers(durable: RunningHost) -> None:
    instance = durable.begin("reminders")
    durable.wait(instance, customStatus=2)
    durable.raise_event(instance, "Approval")
    assert durable.wait(instance)["output"] == [2, "Hello approved!"]


def test_timer_cancelled_after_retries_took_their_numbers(durable: RunningHost) -> None:
    assert durable.run("retry_against_timeout") == "Hello after!"


def test_event_is_kept_until_it_is_waited_for(durable: RunningHost) -> None:
    instance = durable.begin("two_waits")
    durable.raise_event(instance, "B", {"of": "B"})
    durable.raise_event(instance, "Unwanted", 1)
    durable.raise_event(instance, "A", [1])
    assert durable.wait(instance)["output"] == [[1], {"of": "B"}]


def test_two_events_of_one_name_before_the_wait_leave_the_last(durable: RunningHost) -> None:
    """The SDK does so on any host; nothing in it may hang or be handed to another wait."""
    instance = durable.begin("same_name_twice")
    for data in ("first", "second"):
        durable.raise_event(instance, "Twice", data)
    durable.raise_event(instance, "Go")
    assert durable.wait(instance)["output"] == ["second", "second"]


@pytest.mark.embedded("its own log")
def test_event_of_the_wrong_case_is_not_delivered_but_named(durable: RunningHost) -> None:
    instance = durable.begin("through_event")
    durable.raise_event(instance, "value", 1)
    eventually(
        lambda: f"{instance} got event 'value' but waits for 'Value'" in durable.log.read_text()
    )
    durable.raise_event(instance, "Value", 2)
    assert durable.wait(instance)["output"] == ["int", 2]


# -- continue-as-new -------------------------------------------------------------------------


def test_generations_follow_each_other(durable: RunningHost) -> None:
    instance = durable.begin("generations", 25)
    assert durable.wait(instance)["output"] == "last generation"
    started = [one for one in durable.history(instance) if one["EventType"] == "ExecutionStarted"]
    assert [one["Input"] for one in started] == ["1"]  # of the last generation only


def test_generations_keep_id_time_and_custom_status(durable: RunningHost) -> None:
    instance = durable.begin("second_generation", {"generation": 1})
    created = durable.status(instance)["createdTime"]
    ended = durable.wait(instance)
    assert ended["output"] == [True, False, "7.1"]
    assert (ended["createdTime"], ended["customStatus"]) == (created, "kept")


@pytest.mark.embedded("Azure drops them")
def test_events_that_came_early_reach_later_generations(durable: RunningHost) -> None:
    instance = durable.begin("stream", {"count": 12, "taken": []})
    for n in reversed(range(12)):
        durable.raise_event(instance, f"Item{n}", n)
    assert durable.wait(instance)["output"] == list(range(12))


def test_events_that_stream_in_are_each_taken_once(durable: RunningHost) -> None:
    instance = durable.begin("stream", {"count": 40, "taken": []})
    for n in range(40):
        durable.raise_event(instance, f"Item{n}", n)
    assert durable.wait(instance)["output"] == list(range(40))


@pytest.mark.embedded("Azure may drop it")
def test_event_raised_while_the_generation_ends_is_not_lost(durable: RunningHost) -> None:
    instance = durable.begin("one_name_stream", {"count": 10, "taken": []})
    for n in range(10):
        durable.wait(instance, customStatus={"waiting for": n})
        durable.raise_event(instance, "Item", n)
    assert durable.wait(instance)["output"] == list(range(10))


def test_answer_of_an_entity_is_not_carried_into_the_next_generation(durable: RunningHost) -> None:
    assert durable.run("abandons_call") == "nothing"


# -- custom status ---------------------------------------------------------------------------


def test_custom_status_stays_until_there_is_another(durable: RunningHost) -> None:
    instance = durable.begin("statuses")
    durable.wait(instance, customStatus={"step": 1})
    durable.raise_event(instance, "Next")
    durable.wait(instance, customStatus={"step": 2})
    durable.raise_event(instance, "Next2")
    assert durable.wait(instance)["customStatus"] == {"step": 2}  # the SDK sends no empty one


@pytest.mark.embedded("its own words")
@pytest.mark.parametrize(("size", "status"), [(8000, "Completed"), (8200, "Failed")])
def test_custom_status_is_limited(durable: RunningHost, size: int, status: str) -> None:
    ended = durable.wait(durable.begin("big_status", size))
    assert ended["runtimeStatus"] == status
    if status == "Failed":
        assert "custom status is 16404 bytes" in ended["output"]


# -- other orchestrations, entities, unknown names -------------------------------------------


def test_sub_orchestrations_with_and_without_ids(durable: RunningHost) -> None:
    instance = durable.begin("family")
    assert durable.wait(instance)["output"] == {
        "named": [0, 8, 16],
        "parent of unnamed": instance,
        "version of unnamed": "7.1",
    }
    assert durable.status(f"{instance}-2")["output"] == 16
    children = [
        one
        for one in durable.manage("GET", "instances").json()
        if re.fullmatch(r"[0-9a-f]{32}:\d+", one["instanceId"]) and one["name"] == "properties"
    ]
    assert children


def test_failure_of_a_child_reaches_the_parent(durable: RunningHost) -> None:
    output = durable.run("mourning", ["raising"])
    assert output == "Orchestrator function 'raising' failed: the orchestrator itself "


def test_terminated_child_fails_in_the_parent(durable: RunningHost) -> None:
    instance = durable.begin("mourning", ["two_waits", None, "terminated-child"])
    durable.wait("terminated-child", "Running")
    durable.manage("POST", "instances/terminated-child/terminate", {"reason": "no more"})
    assert durable.wait(instance)["output"] == "no more "


@pytest.mark.embedded("its own words")
def test_child_whose_id_is_taken_fails_in_the_parent(durable: RunningHost) -> None:
    durable.begin("two_waits", instance="taken")
    output = durable.run("mourning", ["echo", None, "taken"])
    assert re.search(r"an instance with id 'taken' is (Pending|Running)", output)
    durable.manage("POST", "instances/taken/terminate")


def test_terminating_a_parent_leaves_its_child_alone(durable: RunningHost) -> None:
    instance = durable.begin("mourning", ["through_event", None, "orphan"])
    durable.wait("orphan", customStatus="waiting")
    durable.manage("POST", f"instances/{instance}/terminate")
    durable.raise_event("orphan", "Value", 1)
    assert durable.wait("orphan")["runtimeStatus"] == "Completed"


@pytest.mark.embedded("elsewhere the instance may hang")
@pytest.mark.parametrize("kind", ["activity", "orchestrator", "entity"])
def test_unknown_name_fails_with_the_names_that_are_known(durable: RunningHost, kind: str) -> None:
    ended = durable.wait(durable.begin("calls_unknown", kind))
    assert ended["runtimeStatus"] == "Failed"
    assert f"The function 'no_such_{kind}' doesn't exist" in ended["output"]
    known = {"activity": "greet", "orchestrator": "chain", "entity": "memory"}
    assert f"'{known[kind]}'" in ended["output"]


def test_calls_and_signals_to_an_entity_are_in_order(durable: RunningHost) -> None:
    total, error, after = durable.run("counts", 20)
    assert (total, error) == (190, "the counter is meant to fail")
    assert after == 1190  # a failed operation does not undo what it has set


@pytest.mark.embedded("its own words")
def test_changed_orchestrator_code_is_noticed(durable: RunningHost) -> None:
    instance = durable.begin("changeable", {"flag": "code-changed"})
    eventually(
        lambda: any(one["EventType"] == "TaskCompleted" for one in durable.history(instance))
    )
    (durable.traces / "code-changed").touch()
    durable.raise_event(instance, "Go")
    ended = durable.wait(instance)
    assert ended["runtimeStatus"] == "Failed"
    assert "Non-Deterministic workflow detected" in ended["output"]
    assert "activity 'greet' with sequence id 0" in ended["output"]
    assert "now asks for activity 'double'" in ended["output"]


def test_activity_may_be_a_client(durable: RunningHost) -> None:
    order = {"name": "nudged", "id": "started-by-activity", "input": None}
    assert durable.run("hires_starter", order) == "started-by-activity"
    assert durable.wait("started-by-activity")["output"] == '"from an activity"'


def test_http_requests(durable: RunningHost) -> None:
    uri = f"{durable.url}/api/reply/"
    posted = durable.run("web_request", {"method": "POST", "uri": uri + "201", "content": {"a": 1}})
    assert posted["statusCode"] == 201
    assert json.loads(posted["content"]) == {"a": 1}
    assert posted["headers"]["content-type"] == "text/plain; charset=utf-8"
    failed = durable.run("web_request", {"method": "GET", "uri": uri + "503"})
    assert (failed["statusCode"], failed["content"]) == (503, "no body")


@pytest.mark.embedded("its own choice")
def test_odd_values_can_be_shown(durable: RunningHost) -> None:
    instance = durable.begin("odd_activity", ["give_odd", None])
    ended = durable.wait(instance)
    assert ended["output"] == ["NaN", "-Infinity", "\ud800", "\x00"]
    assert durable.history(instance)[-1]["Result"] == ended["output"]


@pytest.mark.embedded("its own words")
@pytest.mark.parametrize("what", ["id", "key", "operation", "activity"])
def test_text_that_no_database_takes_fails_the_instance_only(
    durable: RunningHost, what: str
) -> None:
    ended = durable.wait(durable.begin("half_a_surrogate_pair", what))
    assert ended["runtimeStatus"] == "Failed"
    assert re.search(r"is no valid text|doesn't exist", ended["output"])
    assert durable.run("echo", 1) == ["int", 1]


def test_large_values_pass(durable: RunningHost) -> None:
    text = "x" * 2_000_000
    kind, value = durable.run("through_activity", text)
    assert (kind, len(value)) == ("str", len(text))
