"""Whatever a caller with the key sends, the host answers, and nothing that it stores spoils it."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.host.running_host import RunningHost

_IDS = [
    "w",
    "nobody",
    "",
    "$",
    "@x",
    "a b",
    "%00",
    "%ff",
    "..",
    "%2e%2e",
    "ü",
    "'",
    '"',
    "%",
    "{id}",
]
_NAMES = ["echo", "two_waits", "counter", "memory", "nothing"]
_ROUTES = [
    ("POST", "orchestrators/{name}"),
    ("POST", "orchestrators/{name}/{id}"),
    ("GET", "instances"),
    ("DELETE", "instances/"),
    ("GET", "instances/{id}"),
    ("DELETE", "instances/{id}"),
    ("POST", "instances/{id}/raiseEvent/{id}"),
    *(("POST", f"instances/{{id}}/{verb}") for verb in ("terminate", "suspend", "resume")),
    *(("POST", f"instances/{{id}}/{verb}") for verb in ("rewind", "restart", "unknown")),
    ("GET", "entities"),
    ("GET", "entities/{name}"),
    ("GET", "entities/{name}/{id}"),
    ("POST", "entities/{name}/{id}"),
    ("DELETE", "entities/{name}/{id}"),
    ("PATCH", "{id}/{id}"),
]
_PARAMETERS = [
    *("timeout", "pollingInterval", "version", "showInput", "showHistory", "showHistoryOutput"),
    *("instanceIdPrefix", "createdTimeFrom", "createdTimeTo", "runtimeStatus", "top", "taskHub"),
    *("reason", "restartWithNewInstanceId", "op", "fetchState", "lastOperationTimeFrom"),
]
_VALUES = [
    *("", "0", "-1", "0.01", "True", "99999999999999999999", "Running,Completed", "\x00", "ü"),
    *("2026-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999Z", "'; DROP TABLE x"),
]
_BODIES = [
    *(b"", b"null", b"1", b"{}", b"[", b'"x"', b"\xff", b'{"a":"\\ud800"}', b'"\\u0000"', b"1e999"),
    *(b"[" * 960 + b"]" * 960, b"-", b"9" * 400, b"1], [2"),
]


@pytest.mark.parametrize("seed", range(3))
def test_no_request_fails_the_host(durable: RunningHost, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    for _ in range(300):
        method, route = chance.choice(_ROUTES)
        given = chance.choice(_IDS)
        path = route.format(id=given if chance.random() < 0.5 else quote(given), name="{name}")
        path = path.replace("{name}", chance.choice(_NAMES))
        params: dict[str, Any] = {
            chance.choice(_PARAMETERS): chance.choice(_VALUES) for _ in range(chance.randint(0, 3))
        }
        if params.get("timeout", "").startswith("9"):
            continue  # that would be waited for
        headers = {
            "content-type": chance.choice(["application/json", "text/plain"]),
            "x-ms-continuation-token": chance.choice(["", "x", "WyJhIiwgImIiXQ=="]),
        }
        answer = durable.manage(
            method, path, params, content=chance.choice(_BODIES), headers=headers
        )
        assert "the host failed" not in answer.text, (method, path, params)
    assert durable.manage("GET", "instances", {"showInput": "true"}).is_success
    assert durable.run("echo", seed) == ["int", seed]
