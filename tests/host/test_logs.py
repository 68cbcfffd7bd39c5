"""Log lines: for people and for programs, and never with a key in them."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.logs import LogFormat, _JsonLines, _TextLines
from tests.host.conftest import StartHost
from tests.host.running_host import RunningHost, eventually

KEY = "k3y-of-this-host-0123456789"


def _record(message: str, *args: Any, **more: Any) -> logging.LogRecord:
    record = logging.LogRecord("app", logging.INFO, "f.py", 1, message, args, None)
    vars(record).update(more)
    return record


def _json(message: str, *args: Any, **more: Any) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(
        _JsonLines(lambda: [KEY]).format(_record(message, *args, **more))
    )
    return line


def _text(message: str, *args: Any) -> str:
    return _TextLines(lambda: [KEY]).format(_record(message, *args))


def test_what_a_message_names_is_a_field() -> None:
    line = _json("function=%s duration_ms=%.1f of 100%% n=%d %s", "f x", 12.34, 3, "ended")
    assert line["message"] == "function=f x duration_ms=12.3 of 100% n=3 ended"
    assert (line["function"], line["duration_ms"], line["n"]) == ("f x", 12.34, 3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert (line["level"], line["logger"]) == ("INFO", "app")


def test_what_comes_as_extra_is_a_field() -> None:
    assert _json("restored", database="Sales", lsn="45:1:2")["database"] == "Sales"
    assert _json("odd", message_id=3, args_seen=(1,)).items() >= {"message_id": 3}.items()


def test_values_make_no_fields() -> None:
    line = _json("name=%s", "x level=CRITICAL\nfunction=evil")
    assert (line["level"], "function" in line) == ("INFO", False)
    assert _json("level=%s", "CRITICAL")["level"] == "INFO", "what the line itself says stays"


def test_exception_is_a_field() -> None:
    try:
        1 / 0  # noqa: B018 raises
    except ZeroDivisionError:
        line = _json("failed", exc_info=sys.exc_info())
    assert "ZeroDivisionError: division by zero" in line["exception"]
    assert "\n" not in json.dumps(line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"with {KEY}.", "with ***."),
        ("GET /x?functionName=f&code=abc%3D%3D&a=b", "GET /x?functionName=f&code=***&a=b"),
        ("https://a/b?sv=1&sig=abc%2F%3D'", "https://a/b?sv=1&sig=***'"),
        ("sv=1&sr=c&SIG=abc)", "sv=1&sr=c&SIG=***)"),
        ("AccountName=a;AccountKey=abc==;x=y", "AccountName=a;AccountKey=***;x=y"),
        ("Server=s;PWD=abc;Encrypt=yes", "Server=s;PWD=***;Encrypt=yes"),
        ("{'x-functions-key': 'abc'}", "{'x-functions-key': '***'}"),
        ("exit code=3, status code: 200", "exit code=3, status code: 200"),
        ("design=1 & resign=2", "design=1 & resign=2"),
    ],
)
def test_secrets_are_starred_out(text: str, shown: str) -> None:
    assert _text("%s", text).endswith(shown)
    line = _json("got=%s", text, place=text)
    assert (line["message"], line["got"], line["place"]) == (f"got={shown}", shown, shown)


@given(st.text(max_size=50), st.text(max_size=20))
def test_any_message_is_one_line_of_json(message: str, value: str) -> None:
    record = _record(message.replace("%", "%%") + " v=%s", value)
    text = _JsonLines(list).format(record)
    assert "\n" not in text
    assert json.loads(text)["v"] == value or "=" in value or "x-functions-key" in message.lower()


# -- of a running host -----------------------------------------------------------------------------


def _lines(host: RunningHost) -> list[dict[str, Any]]:
    return [json.loads(line) for line in host.log.read_text().splitlines() if line[:1] == "{"]


def test_host_tells_of_functions_and_instances(new_host: StartHost) -> None:
    host = new_host("inside", ODD_LOG="1").start("--log-format", "json")
    host.wait(host.begin("migrate", 0.12, "sales"))
    host.wait(host.begin("fails", "log.trn?code=s3cret", "failing"))
    assert host.function("GET", "slow/0.05", params={"code": host.keys["master"]}).is_success

    def told(**fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = eventually(
            lambda: next((one for one in _lines(host) if fields.items() <= one.items()), None)
        )
        return found

    assert told(activity="restore", instance_id="sales")["duration_ms"] > 120
    refused = told(activity="refuse", instance_id="failing")
    assert "failed: ValueError: log.trn?code=*** is refused" in refused["message"]
    assert told(instance_id="sales", status="Completed")["level"] == "INFO"
    failed = told(instance_id="failing", status="Failed", orchestrator="fails")
    assert failed["duration_ms"] < 10_000
    assert failed["level"] == "WARNING"
    assert "ValueError: log.trn?code=*** is refused" in failed["message"]
    assert 50 <= told(function="slow")["duration_ms"] < 2000
    assert told(colour="blue")["message"] == "of the app, with ***"
    assert host.stop() == 0
    told(logger="local.host.service")
    text = host.log.read_text()
    behind_banner = text.partition("Listening on ")[2].splitlines()[1:]
    assert [line for line in behind_banner if not line.startswith("{")] == []
    for secret in (*host.keys["host"].values(), host.keys["master"], "s3cret"):
        assert secret not in text


def test_nothing_secret_is_logged_at_the_lowest_level(new_host: StartHost) -> None:
    lowest = {"AzureFunctionsJobHost__logging__logLevel__default": "Trace"}
    host = new_host("inside", ODD_LOG="1", **lowest).start()
    for _ in range(2):
        host.function("GET", "slow/0", params={"code": host.keys["master"]})
        host.http.get("/admin/host", params={"code": host.keys["master"]})
        host.http.get("/admin/host", params={"code": "wrong-key-that-nobody-should-see"})
        host.manage("GET", "instances/")
        host.http.get("/nowhere", params={"code": host.keys["host"]["default"]})
    host.wait(host.begin("migrate", 0, "sales"))
    assert host.stop() == 0
    text = host.log.read_text()
    assert "DEBUG root deep in the app" in text
    assert "DEBUG local.host.activities activity=restore instance_id=sales" in text
    secrets = [host.keys["master"], *host.keys["host"].values(), *host.keys["system"].values()]
    for secret in (*secrets, "wrong-key-that-nobody-should-see"):
        assert secret not in text


def test_log_format_is_text_or_json(new_host: StartHost) -> None:
    with pytest.raises(AssertionError, match="'xml' is not one of"):
        new_host("inside").start("--log-format", "xml")
    assert [form.value for form in LogFormat] == ["text", "json"]
