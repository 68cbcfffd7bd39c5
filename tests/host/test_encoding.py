"""Values must come through as on Azure, where the SDK encodes some of them twice."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.host.running_host import RunningHost, eventually

_CASES = json.loads((Path(__file__).parent / "data" / "encoding.json").read_text("utf-8"))


def _select(kind: str) -> pytest.MarkDecorator:
    cases = [case for case in _CASES if kind in case]
    return pytest.mark.parametrize("case", cases, ids=[case["case"] for case in cases])


@_select("orchestrator")
def test_input_arrives_as_it_does_on_azure(durable: RunningHost, case: dict[str, Any]) -> None:
    name = case["orchestrator"]
    if "body" in case:
        started = durable.manage("POST", f"orchestrators/{name}", content=case["body"])
        instance = started.json()["id"]
    else:
        begun = durable.function(
            "POST", "client/start", json={"name": name, "input": case["input"]}
        )
        instance = begun.json()
    ended = durable.wait(instance)
    if "fails" in case:
        assert ended["runtimeStatus"] == "Failed"
        assert case["fails"] in ended["output"]
    else:
        assert (ended["runtimeStatus"], ended["output"]) == ("Completed", case["output"])


@_select("event")
def test_event_data_arrives_as_it_does_on_azure(durable: RunningHost, case: dict[str, Any]) -> None:
    instance = durable.begin("through_event")
    event = case["event"]
    if event["by"] == "sdk":
        body = {"name": "Value", **({"data": event["data"]} if "data" in event else {})}
        assert durable.function("POST", f"client/raise/{instance}", json=body).status_code == 200
    else:
        raised = durable.manage(
            "POST",
            f"instances/{instance}/raiseEvent/Value",
            content=event["body"],
            headers={"content-type": "application/json; charset=utf-8"},
        )
        assert raised.status_code == 202
    assert durable.wait(instance)["output"] == case["output"]


@_select("signal")
def test_signal_data_arrives_as_it_does_on_azure(
    durable: RunningHost, case: dict[str, Any]
) -> None:
    key = uuid.uuid4().hex
    signal = case["signal"]
    if signal["by"] == "sdk":
        body = {"entity": ["Memory", key], "operation": "put", "input": signal["data"]}
        assert durable.function("POST", "client/signal", json=body).status_code == 200
    else:
        path = f"entities/memory/{key}"
        assert durable.manage("POST", path, {"op": "put"}, content=signal["body"]).is_success
    # A second signal marks the end of the first: operations keep their order.
    mark = json.dumps(json.dumps("mark"))
    durable.manage("POST", f"entities/memory/{key}-mark", {"op": "put"}, content=mark)
    eventually(lambda: durable.manage("GET", f"entities/memory/{key}-mark").is_success)
    if case["state"] is None:
        assert durable.manage("GET", f"entities/memory/{key}").status_code == 404
    else:
        seen = eventually(lambda: _read(durable, key))
        assert seen == case["state"]


def _read(durable: RunningHost, key: str) -> Any:
    answer = durable.manage("GET", f"entities/memory/{key}")
    return answer.json() if answer.is_success else None
