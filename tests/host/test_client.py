"""Every method and parameter of the SDK's durable client, on a running host."""

from __future__ import annotations

import inspect
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest
from _pytest.mark import ParameterSet

from tests.host.running_host import RunningHost, eventually

_CASES = json.loads((Path(__file__).parent / "data" / "client.json").read_text("utf-8"))
_METHODS = {
    name: inspect.signature(method).parameters.keys() - {"self"}
    for name, method in vars(df.DurableOrchestrationClient).items()
    if inspect.isfunction(method) and not name.startswith("_")
}


def _waiting(host: RunningHost, instance: str) -> None:
    host.wait(host.begin("two_waits", instance=instance), "Running")


def _terminated(host: RunningHost, instance: str) -> None:
    _waiting(host, instance)
    host.manage("POST", f"instances/{instance}/terminate", {"reason": "enough"})
    host.wait(instance, "Terminated")


def _suspended(host: RunningHost, instance: str) -> None:
    _waiting(host, instance)
    host.manage("POST", f"instances/{instance}/suspend")
    host.wait(instance, "Suspended")


_STATES: dict[str, Callable[[RunningHost, str], object]] = {
    "completed": lambda host, instance: host.wait(host.begin("chain", 1, instance)),
    "failed": lambda host, instance: host.wait(host.begin("raising", instance=instance)),
    "waiting": _waiting,
    "waiting for one": lambda host, instance: host.wait(
        host.begin("through_event", instance=instance), "Running"
    ),
    "terminated": _terminated,
    "suspended": _suspended,
}


def _param(case: dict[str, Any]) -> ParameterSet:
    marks = [pytest.mark.embedded(case["embedded"])] if "embedded" in case else []
    return pytest.param(case, id=case["case"], marks=marks)


@pytest.mark.parametrize("case", [_param(case) for case in _CASES])
def test_client(durable: RunningHost, case: dict[str, Any]) -> None:
    instance = uuid.uuid4().hex
    if "in" in case:
        _STATES[case["in"]](durable, instance)
    case = json.loads(json.dumps(case).replace("$id", instance))
    answer = _call(durable, case["call"], case["with"])
    if "contains" in case:
        assert any(_fits(one, case["contains"]) for one in answer["gives"])
    else:
        outcome = "raises" if "raises" in case else "gives"
        assert _fits(answer.get(outcome, answer), case[outcome]), answer
    if "then" in case:
        shown = durable.wait(instance)
        assert _fits(shown, case["then"]), shown
    if "now" in case:
        wanted = case["now"]
        eventually(
            lambda: bool(shown := durable.status(instance)) == bool(wanted) and _fits(shown, wanted)
        )
    if "read" in case:
        wanted = {"gives": case["state"]}
        assert eventually(lambda: _call(durable, "read_entity_state", case["read"]) == wanted)


def _is_now(shown: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return bool(shown) == bool(wanted) and _fits(shown, wanted)


def _call(durable: RunningHost, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answer = durable.function("POST", f"client-call/{method}", json=arguments)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def _fits(seen: Any, wanted: Any) -> bool:
    """Compare; an object may have more names, and a text after a tilde is a pattern."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return all(_fits(seen.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(seen, list):
        return len(wanted) == len(seen) and all(map(_fits, seen, wanted))
    if isinstance(wanted, str) and wanted.startswith("~"):
        return isinstance(seen, str) and re.search(wanted[1:], seen) is not None
    return bool(seen == wanted)


@pytest.mark.parametrize("method", _METHODS)
def test_every_parameter_of_the_client_is_tried(method: str) -> None:
    tried = {name for case in _CASES if case["call"] == method for name in case["with"]}
    tried |= {name for case in _CASES if method.startswith("read") for name in case.get("read", {})}
    assert tried == _METHODS[method]


@pytest.mark.parametrize(
    "name", ["a b", "ü", "a:b", "a@b", "a+b", "a&b=c", "a;b", "it's", '"quoted"', "x" * 256, ".a."]
)
def test_ids_of_all_kinds(durable: RunningHost, name: str) -> None:
    instance = f"{name}{uuid.uuid4().hex}"[-256:]
    begun = _call(
        durable, "start_new", {"orchestration_function_name": "echo", "instance_id": instance}
    )
    assert begun == {"gives": instance}
    links = _call(durable, "create_http_management_payload", {"instance_id": instance})["gives"]

    def output() -> Any:
        shown = _call(durable, "get_status", {"instance_id": instance})["gives"]
        return shown and shown.get("output")

    assert eventually(output) == ["NoneType", None]
    if not set(name) & set("&+"):  # these the SDK leaves as they are in the links that it makes
        assert durable.http.get(links["statusQueryGetUri"]).json()["instanceId"] == instance
    accepted = durable.manage("POST", f"instances/{instance}/restart").json()
    assert durable.http.get(accepted["statusQueryGetUri"]).is_success
    assert _call(durable, "purge_instance_history", {"instance_id": instance}) == {"gives": 1}
