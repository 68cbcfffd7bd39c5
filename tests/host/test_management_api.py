"""The durable management API: for anyone over HTTP, and through the SDK's client."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.host.running_host import RunningHost, eventually


def _client(durable: RunningHost, operation: str, instance: str = "", **body: Any) -> Any:
    """Use an operation of the SDK's client, through the app; a failure is its text."""
    answer = durable.function("POST", f"client/{operation}/{instance}", json=body)
    return answer.json() if answer.is_success else answer.text


# -- start -----------------------------------------------------------------------------------


def test_start_answers_with_links_that_work_as_they_are(durable: RunningHost) -> None:
    started = durable.manage("POST", "orchestrators/Through_Event/linked")
    assert started.status_code == 202
    links = started.json()
    assert started.headers["location"] == links["statusQueryGetUri"]
    assert started.headers["retry-after"] == "10"
    assert "rewindPostUri" not in links
    assert durable.http.get(links["statusQueryGetUri"]).json()["name"] == "through_event"
    assert durable.http.post(links["suspendPostUri"]).status_code == 202
    assert durable.http.post(links["resumePostUri"]).status_code == 202
    event = links["sendEventPostUri"].replace("{eventName}", "Value")
    assert durable.http.post(event, json={"n": 1}).status_code == 202
    assert durable.wait("linked")["output"] == ["dict", {"n": 1}]
    assert durable.http.post(links["terminatePostUri"]).status_code == 410
    restarted = durable.http.post(links["restartPostUri"])
    assert restarted.status_code == 202
    assert restarted.json()["id"] != "linked"
    assert durable.http.delete(links["purgeHistoryDeleteUri"]).json() == {"instancesDeleted": 1}
    assert durable.http.get(links["statusQueryGetUri"]).status_code == 404


@pytest.mark.embedded("its own words")
@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("orchestrators/none_such", "", 400, "The function 'none_such' doesn't exist"),
        ("orchestrators/echo/@id", "", 400, "begins with '@'"),
        ("orchestrators/echo/a%23b", "", 400, "holds one of"),
        ("orchestrators/echo/" + "x" * 257, "", 400, "1 to 256 characters"),
        ("orchestrators/echo", "{", 400, "the body is not valid JSON"),
        ("orchestrators/echo", "NaN", 400, "the body is not valid JSON"),
        ("orchestrators/echo", "[" * 100_000, 400, "the body is not valid JSON"),
        ("orchestrators/echo", "1], [2", 400, "the body is not valid JSON"),
        ("orchestrators/echo", b"\xff", 400, "the body is not valid JSON"),
        ("orchestrators", "", 404, "is not in the management API"),
        ("nothing/at/all", "", 404, "is not in the management API"),
    ],
)
def test_start_refuses(
    durable: RunningHost, path: str, body: str | bytes, status: int, message: str
) -> None:
    refused = durable.manage("POST", path, content=body)
    assert refused.status_code == status
    assert message in refused.json()["Message"]
    assert refused.json()["ExceptionMessage"] == refused.json()["Message"]


@pytest.mark.embedded("its own status code")
def test_start_on_a_running_id_is_refused_and_on_a_finished_one_replaces(
    durable: RunningHost,
) -> None:
    durable.begin("through_event", instance="again")
    refused = durable.manage("POST", "orchestrators/echo/again")
    assert refused.status_code == 409
    assert "An orchestration with id 'again' is" in refused.json()["Message"]
    durable.raise_event("again", "Value", 1)
    durable.wait("again")
    durable.begin("echo", "second", instance="again")
    ended = durable.wait("again", output=["str", "second"])
    assert (ended["name"], ended["customStatus"]) == ("echo", None)


def test_start_can_wait_for_the_end(durable: RunningHost) -> None:
    params = {"timeout": "10", "pollingInterval": "0.02"}
    done = durable.manage("POST", "orchestrators/generations", params, content='"3"')
    assert (done.status_code, done.json()) == (200, "last generation")
    params = {"timeout": "0.1", "pollingInterval": "0.02"}
    pending = durable.manage("POST", "orchestrators/through_event", params)
    assert pending.status_code == 202
    failed = durable.manage("POST", "orchestrators/raising", {"timeout": "10"})
    assert (failed.status_code, failed.json()["runtimeStatus"]) == (200, "Failed")
    params = {"timeout": "10", "returnInternalServerErrorOnFailure": "true"}
    assert durable.manage("POST", "orchestrators/raising", params).status_code == 500
    wrong = durable.manage("POST", "orchestrators/raising", {"timeout": "soon"})
    assert wrong.status_code == 400


def test_client_starts_and_waits(durable: RunningHost) -> None:
    done = durable.function("POST", "start-and-wait/chain", json=1)
    assert (done.status_code, done.json()) == (200, 8)
    failed = durable.function("POST", "start-and-wait/raising", json=1)
    assert (failed.status_code, failed.json()["runtimeStatus"]) == (500, "Failed")
    pending = durable.function("POST", "start-and-wait/through_event", json=1)
    assert pending.status_code == 202
    status = durable.http.get(pending.json()["statusQueryGetUri"])
    assert (status.status_code, status.json()["runtimeStatus"]) == (202, "Running")


@pytest.mark.embedded("its own words")
def test_client_start_tells_what_was_wrong(durable: RunningHost) -> None:
    assert "The function 'nobody' doesn't exist" in _client(durable, "start", name="nobody")
    assert "begins with '@'" in _client(durable, "start", "@x", name="echo")


# -- status and list -------------------------------------------------------------------------


def test_status_codes_and_fields(durable: RunningHost) -> None:
    assert durable.manage("GET", "instances/nobody").status_code == 404
    assert durable.manage("GET", "instances/nobody").content == b""
    durable.begin("through_event", {"a": 1}, "shown")
    durable.wait("shown", customStatus="waiting")
    running = durable.manage("GET", "instances/shown")
    assert (running.status_code, running.headers["retry-after"]) == (202, "5")
    assert running.headers["location"].startswith(f"{durable.url}/runtime/webhooks/durabletask/")
    shown = running.json()
    for name in ("createdTime", "lastUpdatedTime"):
        assert time.strptime(shown.pop(name), "%Y-%m-%dT%H:%M:%SZ")
    assert shown == {
        "name": "through_event",
        "instanceId": "shown",
        "runtimeStatus": "Running",
        "input": '{"a": 1}',
        "customStatus": "waiting",
        "output": None,
    }
    assert durable.status("shown", showInput="False")["input"] is None
    durable.manage("POST", "instances/shown/terminate", {"reason": "enough"})
    ended = durable.manage("GET", "instances/shown")
    assert (ended.status_code, ended.json()["output"]) == (200, "enough")


@pytest.mark.parametrize("body", ["1e999", "[-1e400, 1.5]", '{"\\ud800": "\\u0000"}'])
def test_odd_input_spoils_no_list(durable: RunningHost, body: str) -> None:
    instance = durable.manage("POST", "orchestrators/two_waits", content=body).json()["id"]
    params = {"instanceIdPrefix": instance, "showInput": "true"}
    assert [one["instanceId"] for one in durable.manage("GET", "instances", params).json()]
    assert durable.status(instance)["input"] is not None
    durable.manage("POST", f"instances/{instance}/terminate")


def test_deep_input_is_refused_or_can_be_shown(durable: RunningHost) -> None:
    for depth in range(850, 1010, 3):
        begun = durable.manage("POST", "orchestrators/echo", content="[" * depth + "]" * depth)
        if begun.status_code == 202:
            instance = begun.json()["id"]
            assert durable.manage("GET", f"instances/{instance}").is_success
        else:
            assert begun.status_code == 400
    assert durable.manage("GET", "instances", {"showInput": "true"}).is_success


def test_failed_status_is_an_error_only_on_request(durable: RunningHost) -> None:
    durable.wait(durable.begin("raising", instance="failed-status"))
    path = "instances/failed-status"
    assert durable.manage("GET", path).status_code == 200
    params = {"returnInternalServerErrorOnFailure": "true"}
    assert durable.manage("GET", path, params).status_code == 500


def test_history_shows_what_happened(durable: RunningHost) -> None:
    instance = durable.begin("chain", 1)
    durable.wait(instance)
    events = durable.history(instance)
    kinds = [one["EventType"] for one in events]
    assert kinds == ["ExecutionStarted", *["TaskCompleted"] * 3, "ExecutionCompleted"]
    assert [one.get("Result") for one in events] == [None, 2, 4, 8, 8]
    assert events[1]["FunctionName"] == "double"
    assert events[1]["ScheduledTime"] < events[1]["Timestamp"]
    assert events[-1]["OrchestrationStatus"] == "Completed"
    without = durable.status(instance, showHistory="true")["historyEvents"]
    assert all("Result" not in one and "Input" not in one for one in without)


def test_client_sees_the_status(durable: RunningHost) -> None:
    instance = durable.begin("chain", 1)
    durable.wait(instance)
    status = _client(durable, "status", instance)
    assert (status["runtimeStatus"], status["output"], status["input"]) == ("Completed", 8, "1")
    assert _client(durable, "status", "nobody") is None


def test_list_pages_and_filters(durable: RunningHost) -> None:
    prefix = f"page-{uuid.uuid4().hex}-"
    for n in range(5):
        durable.begin("echo" if n else "through_event", n, f"{prefix}{n}")
    for n in range(1, 5):
        durable.wait(f"{prefix}{n}")
    params: dict[str, Any] = {"instanceIdPrefix": prefix, "top": 2}
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        headers = {"x-ms-continuation-token": token}
        page = durable.manage("GET", "instances/", params, headers=headers)
        assert len(page.json()) <= 2
        seen += [one["instanceId"] for one in page.json()]
        assert all(one["input"] is None for one in page.json())
        token, pages = page.headers["x-ms-continuation-token"], pages + 1
    assert (seen, pages) == ([f"{prefix}{n}" for n in range(5)], 3)

    def count(**more: Any) -> int:
        found = durable.manage("GET", "instances", {"instanceIdPrefix": prefix, **more})
        return len(found.json())

    assert count() == 5
    assert count(runtimeStatus="Completed,Failed") == 4
    assert count(runtimeStatus=["running", "pending"]) == 1
    assert count(createdTimeFrom="2100-01-01T00:00:00Z") == 0
    assert count(createdTimeTo="2100-01-01T00:00:00.1234567 00:00") == 5
    shown = durable.manage("GET", "instances", {"instanceIdPrefix": prefix, "showInput": "true"})
    assert [one["input"] for one in shown.json()] == [str(n) for n in range(5)]


@pytest.mark.embedded("its own words")
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"top": "0"}, "expected a number from 1"),
        ({"runtimeStatus": "Sleeping"}, 'runtimeStatus has ["Sleeping"]'),
        ({"createdTimeFrom": "yesterday"}, "expected a time in ISO 8601"),
    ],
)
def test_list_refuses(durable: RunningHost, params: dict[str, str], message: str) -> None:
    refused = durable.manage("GET", "instances", params)
    assert refused.status_code == 400
    assert message in refused.json()["Message"]


@pytest.mark.embedded("its own tokens")
def test_list_refuses_a_token_of_another(durable: RunningHost) -> None:
    headers = {"x-ms-continuation-token": "bm8="}
    assert durable.manage("GET", "instances", headers=headers).status_code == 400


def test_client_lists(durable: RunningHost) -> None:
    prefix = f"listed-{uuid.uuid4().hex}-"
    for n in range(3):
        durable.wait(durable.begin("echo", n, f"{prefix}{n}"))
    assert set(_client(durable, "statusAll")) >= {f"{prefix}{n}" for n in range(3)}
    found = _client(durable, "statusBy", statuses=["Completed", "Failed"], prefix=prefix)
    assert found == [f"{prefix}{n}" for n in range(3)]


# -- steering --------------------------------------------------------------------------------


def test_events_are_refused_where_nobody_takes_them(durable: RunningHost) -> None:
    durable.wait(durable.begin("echo", instance="over"))
    kind = {"content-type": "application/json"}
    for path, body, headers, status in [
        ("instances/nobody/raiseEvent/E", "1", kind, 404),
        ("instances/over/raiseEvent/E", "1", kind, 410),
        ("instances/over/raiseEvent/E", "1", {"content-type": "text/plain"}, 400),
        ("instances/over/raiseEvent/E", "{", kind, 400),
        ("instances/over/raiseEvent/" + "E" * 2000, "1", kind, 410),
    ]:
        raised = durable.manage("POST", path, content=body, headers=headers)
        assert raised.status_code == status, path


def test_suspended_instance_keeps_everything_for_later(durable: RunningHost) -> None:
    instance = durable.begin("two_waits")
    durable.wait(instance, "Running")
    suspend = f"instances/{instance}/suspend"
    assert durable.manage("POST", suspend, {"reason": "r"}).status_code == 202
    assert durable.status(instance)["runtimeStatus"] == "Suspended"
    assert durable.manage("POST", suspend).status_code == 500
    durable.raise_event(instance, "A", 1)
    durable.raise_event(instance, "B", 2)
    time.sleep(0.2)
    assert durable.status(instance)["runtimeStatus"] == "Suspended"
    resume = f"instances/{instance}/resume"
    assert durable.manage("POST", resume).status_code == 202
    assert durable.wait(instance)["output"] == [1, 2]
    assert durable.manage("POST", resume).status_code == 410
    assert durable.manage("POST", "instances/nobody/suspend").status_code == 404


def test_activity_and_timer_end_while_their_instance_is_suspended(durable: RunningHost) -> None:
    trace = uuid.uuid4().hex
    order = {"trace": trace, "until": f"{trace}-go"}
    instance = durable.begin("retried", order)
    eventually(lambda: durable.trace(trace))
    timer = durable.begin("timer", 0.1)
    durable.manage("POST", f"instances/{timer}/suspend")
    durable.manage("POST", f"instances/{instance}/suspend")
    (durable.traces / f"{trace}-go").touch()
    time.sleep(0.3)
    for one in (instance, timer):
        assert durable.status(one)["runtimeStatus"] == "Suspended"
        durable.manage("POST", f"instances/{one}/resume")
    assert durable.wait(instance)["output"] == f"{trace} 1"
    assert durable.wait(timer)["runtimeStatus"] == "Completed"


def test_resume_of_a_running_instance_is_refused(durable: RunningHost) -> None:
    instance = durable.begin("two_waits")
    assert durable.manage("POST", f"instances/{instance}/resume").status_code == 500
    durable.manage("POST", f"instances/{instance}/terminate")


def test_terminate_ends_whatever_is_open(durable: RunningHost) -> None:
    trace = uuid.uuid4().hex
    instance = durable.begin("retried", {"trace": trace, "seconds": 0.3})
    eventually(lambda: durable.trace(trace))
    answer = durable.manage("POST", f"instances/{instance}/terminate", {"reason": "stop & go"})
    assert answer.status_code == 202
    time.sleep(0.5)
    ended = durable.status(instance)
    assert (ended["runtimeStatus"], ended["output"]) == ("Terminated", "stop & go")
    assert durable.manage("POST", f"instances/{instance}/terminate").status_code == 410
    assert durable.manage("POST", "instances/nobody/terminate").status_code == 404


def test_client_steers(durable: RunningHost) -> None:
    instance = durable.begin("two_waits")
    assert _client(durable, "suspend", instance) is None
    durable.wait(instance, "Suspended")
    assert _client(durable, "resume", instance) is None
    assert _client(durable, "raise", instance, name="A", data=1) is None
    assert _client(durable, "terminate", instance) is None
    assert durable.wait(instance)["output"] == "by the client"
    assert _client(durable, "terminate", instance) is None  # finished is fine
    assert "is gone" in _client(durable, "raise", instance, name="A")
    assert "No instance with ID 'nobody'" in _client(durable, "suspend", "nobody")


@pytest.mark.embedded("its own status code")
def test_restart_runs_again_with_the_same_input(durable: RunningHost) -> None:
    instance = durable.begin("chain", 3)
    durable.wait(instance)
    params = {"restartWithNewInstanceId": "false"}
    again = durable.manage("POST", f"instances/{instance}/restart", params)
    assert (again.status_code, again.json()["id"]) == (202, instance)
    assert durable.wait(instance)["output"] == 24
    another = _client(durable, "restart", instance, newId=True)["id"]
    assert another != instance
    assert durable.wait(another)["output"] == 24
    assert durable.manage("POST", "instances/nobody/restart").status_code == 400
    running = durable.begin("two_waits")
    assert durable.manage("POST", f"instances/{running}/restart", params).status_code == 409


# -- rewind ----------------------------------------------------------------------------------


def test_rewind_runs_again_what_failed_and_nothing_else(durable: RunningHost) -> None:
    name = uuid.uuid4().hex
    instance = durable.begin("rewindable", name)
    assert durable.wait(instance)["runtimeStatus"] == "Failed"
    (durable.traces / name).touch()
    rewound = durable.manage("POST", f"instances/{instance}/rewind", {"reason": "it is there"})
    assert rewound.status_code == 202
    ended = durable.wait(instance, "Completed")
    assert ended["output"] == [[f"found {name}", "Hello beside!"], "Hello rewound!"]
    assert durable.trace(f"{name}-once") == 1


def test_rewind_that_does_not_help_fails_again(durable: RunningHost) -> None:
    instance = durable.begin("rewindable", uuid.uuid4().hex)
    failed = durable.wait(instance)
    assert _client(durable, "rewind", instance) is None
    eventually(lambda: len(durable.history(instance)) > 4)
    assert durable.wait(instance)["output"] == failed["output"]


def test_rewind_is_for_failed_instances(durable: RunningHost) -> None:
    done = durable.begin("echo")
    durable.wait(done)
    running = durable.begin("two_waits")
    for instance, status in [(done, 410), (running, 500), ("nobody", 404)]:
        answer = durable.manage("POST", f"instances/{instance}/rewind")
        assert answer.status_code == status


# -- purge -----------------------------------------------------------------------------------


@pytest.mark.embedded("Azure Storage purges running instances too")
def test_purge_of_one(durable: RunningHost) -> None:
    done = durable.begin("echo")
    durable.wait(done)
    assert _client(durable, "purge", done) == 1
    assert _client(durable, "purge", done) == 0
    running = durable.begin("two_waits")
    assert durable.manage("DELETE", f"instances/{running}").json() == {"instancesDeleted": 0}
    assert durable.status(running)


def test_purge_of_many(durable: RunningHost) -> None:
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    failed, done, running = (durable.begin(name) for name in ("raising", "echo", "two_waits"))
    durable.wait(failed)
    durable.wait(done)
    assert durable.manage("DELETE", "instances").status_code == 400
    params = {"createdTimeFrom": begin, "runtimeStatus": "Failed"}
    assert durable.manage("DELETE", "instances", params).json()["instancesDeleted"] >= 1
    assert not durable.status(failed)
    assert durable.status(done)
    assert durable.status(running)
    far = {"createdTimeFrom": "2100-01-01T00:00:00Z"}
    assert durable.manage("DELETE", "instances", far).status_code == 404


# -- entities --------------------------------------------------------------------------------


def test_entities_are_read_listed_signalled_and_deleted(durable: RunningHost) -> None:
    key = f"k@{uuid.uuid4().hex}"
    assert durable.manage("GET", f"entities/Counter/{key}").status_code == 404
    assert _client(durable, "read", entity=["Counter", key])["exists"] is False
    for _ in range(3):
        body = {"entity": ["Counter", key], "operation": "add", "input": {"by": 2}}
        assert durable.function("POST", "client/signal", json=body).status_code == 200
    eventually(lambda: _client(durable, "read", entity=["Counter", key])["state"] == 6)
    listed = durable.manage("GET", "entities/Counter/", {"fetchState": "true"}).json()
    assert [one["state"] for one in listed if one["entityId"]["key"] == key] == [6]
    assert {"name": "counter", "key": key} in [
        one["entityId"] for one in durable.manage("GET", "entities").json()
    ]
    assert durable.manage("DELETE", f"entities/counter/{key}").status_code == 202
    eventually(lambda: durable.manage("GET", f"entities/counter/{key}").status_code == 404)


@pytest.mark.embedded("its own tokens")
def test_entities_are_listed_in_pages(durable: RunningHost) -> None:
    keys = sorted(uuid.uuid4().hex for _ in range(5))
    body = json.dumps(json.dumps({"by": 1}))
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for key in keys:
        durable.manage("POST", f"entities/memory/{key}", {"op": "put"}, content=body)

    def listed() -> set[str]:
        found = durable.manage("GET", "entities/memory").json()
        return {one["entityId"]["key"] for one in found}

    eventually(lambda: listed() >= set(keys))
    seen, token = [], None
    while token != "":
        headers = {"x-ms-continuation-token": token or ""}
        params: dict[str, Any] = {"top": 2, "lastOperationTimeFrom": begin}
        page = durable.manage("GET", "entities/Memory", params, headers=headers)
        assert len(page.json()) <= 2
        assert all("state" not in one for one in page.json())
        seen += [one["entityId"]["key"] for one in page.json()]
        token = page.headers["x-ms-continuation-token"]
    assert [key for key in seen if key in keys] == keys
    assert len(set(seen)) == len(seen)
    far = {"lastOperationTimeTo": "2000-01-01T00:00:00Z"}
    assert durable.manage("GET", "entities", far).json() == []
    headers = {"x-ms-continuation-token": "bm8="}
    assert durable.manage("GET", "entities", headers=headers).status_code == 400


def test_entity_with_an_empty_key(durable: RunningHost) -> None:
    body = json.dumps(json.dumps({"by": 7}))
    answer = durable.manage("POST", "entities/counter/$", {"op": "add"}, content=body)
    assert answer.status_code == 202
    eventually(lambda: durable.manage("GET", "entities/counter/$").text == "7")


def test_entity_signals_that_are_refused(durable: RunningHost) -> None:
    unknown = durable.manage("POST", "entities/nothing/k", {"op": "add"})
    assert unknown.status_code == 400
    assert "The function 'nothing' doesn't exist" in unknown.json()["Message"]
    assert durable.manage("POST", "entities/counter/k").status_code == 400


# -- keys ------------------------------------------------------------------------------------


@pytest.mark.embedded("Core Tools ask for no keys")
def test_management_api_needs_its_key(durable: RunningHost) -> None:
    url = "/runtime/webhooks/durabletask/instances"
    keys = durable.keys
    assert durable.http.get(url).status_code == 401
    assert durable.http.get(url, params={"code": "wrong"}).status_code == 401
    wrong = {"code": keys["system"]["eventgrid_extension"]}
    assert durable.http.get(url, params=wrong).status_code == 401
    right = {"x-functions-key": keys["master"]}
    assert durable.http.get(url, headers=right).status_code == 200
    header_wins = {"x-functions-key": "wrong"}
    code = {"code": keys["master"]}
    assert durable.http.get(url, params=code, headers=header_wins).status_code == 401


def test_payload_of_the_client_points_to_the_public_address(durable: RunningHost) -> None:
    payload = _client(durable, "payload", "some-id")
    assert payload["id"] == "some-id"
    for name, link in payload.items():
        if name != "id":
            assert link.startswith(durable.url)
            path = urlsplit(link).path
            assert path.startswith("/runtime/webhooks/durabletask/instances/some-id")
    assert "rewindPostUri" in payload
