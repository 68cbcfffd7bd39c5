"""HTTP triggers: routes, keys, what functions get and what callers get."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.host.running_host import RunningHost, eventually


def _get(web: RunningHost, path: str, method: str = "GET", **request: Any) -> Any:
    return web.http.request(method, f"/v1/things/{path}", **request)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_function_without_methods_takes_all(web: RunningHost, method: str) -> None:
    shown = _get(
        web,
        "open?a=1&b=2&b=3",
        method,
        headers=[("X-Test", "one"), ("x-test", "two")],
        content=b"body",
    ).json()
    assert shown == {
        "method": method,
        "url": f"{web.url}/v1/things/open?a=1&b=2&b=3",
        "params": {"a": "1", "b": "2,3"},
        "header": "one, two",
        "body": "body",
    }


def test_head_gets_no_body(web: RunningHost) -> None:
    assert _get(web, "open", "HEAD").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "answer"),
    [
        ("GET", "items/5", 200, {"get": {"id": "5"}}),
        ("PUT", "items/5", 200, {"change": {"id": "5"}}),
        ("GET", "ITEMS/-5/", 200, {"get": {"id": "-5"}}),
        ("GET", "items/special", 200, "special"),
        ("GET", "items/none", 200, {"rest": {"rest": "none"}}),
        ("GET", "items/a/b%20c/d", 200, {"rest": {"rest": "a/b c/d"}}),
        ("POST", "items/5", 200, {"rest": {"rest": "5"}}),
        ("GET", "items", 200, {"rest": {}}),
        ("GET", "nothing/here", 404, None),
        ("GET", "switched-off", 404, None),
    ],
)
def test_most_specific_route_wins(
    web: RunningHost, method: str, path: str, status: int, answer: Any
) -> None:
    response = _get(web, path, method)
    assert response.status_code == status
    if answer is not None:
        assert response.json() == answer


def test_nothing_is_below_another_prefix(web: RunningHost) -> None:
    assert web.http.get("/api/open").status_code == 404
    assert web.http.get("/").status_code == 404


def test_async_function_gets_a_context(web: RunningHost) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    shown = _get(web, "greet/Eve", headers={"traceparent": trace}).json()
    assert shown == {
        "name": "Eve",
        "function": "greet",
        "directory": str(web.app),
        "trace": trace,
        "id length": 36,
    }
    assert _get(web, "greet").json()["name"] == "nobody"
    assert _get(web, "greet/R2D2").status_code == 404


@pytest.mark.embedded("Core Tools ask for no keys")
@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("open", None, 200),
        ("keyed", None, 401),
        ("keyed", "wrong", 401),
        ("keyed", "", 401),
        ("keyed", "host", 200),
        ("keyed", "function", 200),
        ("keyed", "master", 200),
        ("keyed", "other function", 401),
        ("keyed", "system", 401),
        ("owners", "host", 401),
        ("owners", "master", 200),
    ],
)
def test_auth_levels(web: RunningHost, path: str, key: str | None, status: int) -> None:
    master = {"x-functions-key": web.keys["master"]}

    def own_key(name: str) -> str:
        listed = web.http.get(f"/admin/functions/{name}/keys", headers=master).json()
        return str(listed["keys"][0]["value"])

    value = {
        "host": web.keys["host"]["default"],
        "master": web.keys["master"],
        "system": web.keys["system"]["durabletask_extension"],
        "function": own_key("keyed"),
        "other function": own_key("owners"),
    }.get(key or "", key)
    in_query = _get(web, path, params={} if value is None else {"code": value})
    in_header = _get(web, path, headers={} if value is None else {"x-functions-key": value})
    assert (in_query.status_code, in_header.status_code) == (status, status)


@pytest.mark.embedded("Core Tools ask for no keys")
def test_header_key_wins_over_the_query(web: RunningHost) -> None:
    right, wrong = web.keys["master"], "wrong"
    response = _get(web, "keyed", params={"code": wrong}, headers={"x-functions-key": right})
    assert response.status_code == 200


def test_answers_in_all_their_forms(web: RunningHost) -> None:
    binary = _get(web, "named_by_function")
    assert binary.content == b"\x00\xff"
    assert binary.headers["content-type"] == "application/octet-stream"
    assert binary.headers.get_list("set-cookie") == ["a=1", "b=2"]
    nothing = _get(web, "returns/nothing")
    assert (nothing.status_code, nothing.content) == (204, b"")
    text = _get(web, "returns/text")
    assert (text.text, text.headers["content-type"]) == ("text", "text/plain; charset=utf-8")
    assert _get(web, "decorated").text == "awaited"
    for status in (204, 304, 418):
        answer = _get(web, f"status/{status}")
        assert (answer.status_code, answer.text) == (status, "body" if status == 418 else "")
    assert _get(web, "status/99").status_code == 500


@pytest.mark.embedded("its own words")
@pytest.mark.parametrize("what", ["error", "exit", "number", "interrupt", "stop", "cancelled"])
def test_failure_is_an_error_without_details(web: RunningHost, what: str) -> None:
    failed = _get(web, f"returns/{what}")
    assert failed.status_code == 500
    assert failed.text == "function 'returns' failed"
    eventually(lambda: "function=returns failed" in web.log.read_text())


@pytest.mark.embedded("elsewhere the worker ends with it")
@pytest.mark.parametrize("how", ["exit", "interrupt", "cancelled", "generator"])
def test_async_function_that_ends_oddly_leaves_the_others_alone(web: RunningHost, how: str) -> None:
    failed = _get(web, f"greet/{how}")
    assert (failed.status_code, failed.text) == (500, "function 'greet' failed")
    assert _get(web, "greet/Eve").status_code == 200


def test_task_of_the_app_cannot_end_the_host(web: RunningHost) -> None:
    assert _get(web, "greet/task").json() is True
    assert _get(web, "greet/Eve").status_code == 200
    eventually(lambda: "a task of the app tried to end the host" in web.log.read_text())


@pytest.mark.embedded("elsewhere the worker ends with it")
@pytest.mark.parametrize(
    ("name", "how", "error"),
    [
        ("end_oddly", "cancelled", "the activity cancelled itself"),
        ("end_oddly", "interrupt", "the function raised KeyboardInterrupt"),
        ("end_oddly_in_thread", "stop", "the function raised StopIteration"),
        ("end_oddly_in_thread", "interrupt", "the function raised KeyboardInterrupt"),
    ],
)
def test_activity_that_ends_oddly_has_failed(
    web: RunningHost, name: str, how: str, error: str
) -> None:
    assert error in web.run("many", [name, 1, how])


def test_answer_may_be_set_instead_of_returned(web: RunningHost) -> None:
    answer = _get(web, "by-output")
    assert (answer.status_code, answer.text) == (201, "set")


def test_forms_and_files(web: RunningHost) -> None:
    fields, files = {"name": "Säle"}, {"backup": ("a.bak", b"TAPE")}
    shown = _get(web, "upload", "POST", data=fields, files=files).json()
    assert shown == {"form": fields, "files": {"backup": "TAPE"}}
    assert _get(web, "upload", "POST", data=fields).json() == {"form": fields, "files": {}}


@pytest.mark.embedded("its keys are in a file")
def test_generic_bindings_of_a_known_kind_are_served(web: RunningHost) -> None:
    key = {"code": web.keys["host"]["default"]}  # the SDK puts the app's auth level in place
    assert _get(web, "generic", params=key).text == "by a generic binding"
    assert _get(web, "generic", "POST", params=key).status_code == 404


def test_headers_of_host_json_are_added(web: RunningHost) -> None:
    assert _get(web, "open").headers["x-frame-options"] == "DENY"
    assert _get(web, "returns/error").headers["x-frame-options"] == "DENY"
    own = _get(web, "named_by_function").headers["x-other"]
    assert own != "of the host", "a function's own go before"


@pytest.mark.parametrize(
    "request_",
    [
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b'GET /v1/things/open HTTP/1.1\r\nHost: "><b>\r\nContent-Length: x\r\n\r\n',
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    ],
)
def test_hostile_requests_are_refused(web: RunningHost, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(web.url.rpartition(":")[2])), 10) as raw:
        raw.sendall(request_)
        assert raw.recv(12)[9:12] in (b"400", b"404", b"431")
    assert _get(web, "open").status_code == 200


def test_time_limit_of_host_json(web: RunningHost) -> None:
    for path, function in [("returns/sleep", "returns"), ("async-sleep", "async_sleep")]:
        begin = time.monotonic()
        failed = _get(web, path)
        assert failed.status_code == 500
        assert failed.text == f"Timeout value of 1 s exceeded by function '{function}'"
        assert time.monotonic() - begin < 1.4
    eventually(lambda: web.trace("cancelled"))


def test_settings_come_from_file_and_environment(web: RunningHost) -> None:
    shown = _get(web, "returns/settings").json()
    assert shown == {
        "FROM_FILE": "file",
        "FROM_BOTH": "environment",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "cwd": str(web.app),
    }


@pytest.mark.embedded("its own log")
def test_logs_are_those_of_the_app_and_not_of_libraries(web: RunningHost) -> None:
    _get(web, "returns/log")
    eventually(lambda: "INFO root a line of the app" in web.log.read_text())
    assert "chatter of a library" not in web.log.read_text()


@pytest.mark.embedded("its own log")
def test_start_names_what_is_served_and_what_is_not(web: RunningHost) -> None:
    log = web.log.read_text()
    assert "Embedded Functions host: an engine for one machine." in log
    for line in [
        f"    get_item: http [GET] {web.url}/v1/things/items/{{id:int}}",
        f"    on_event: eventGrid {web.url}/runtime/webhooks/eventgrid?functionName=on_event",
        "    often: timer %OFTEN%",
        "    handle_event: orchestration",
        "    of_a_queue: this host has no binding 'queueTrigger' (message)",
        "    of_a_blob: this host has no binding 'blobTrigger' (blob)",
        "    to_queue: this host has no binding 'queue' (message)",
        "    from_cosmos: this host has no binding 'cosmosDB' (found)",
        "    with_odd_policy: 'a while' is no time span, expected [days.]hours:minutes:seconds",
        "    switched_off: the app setting AzureWebJobs.switched_off.Disabled switches it off",
    ]:
        assert f"{line}\n" in log


@pytest.mark.embedded("its own log")
def test_no_key_is_ever_logged(web: RunningHost) -> None:
    _get(web, "returns/error", params={"code": web.keys["master"]})
    log = web.log.read_text()
    for key in [web.keys["master"], *web.keys["host"].values(), *web.keys["system"].values()]:
        assert key not in log
