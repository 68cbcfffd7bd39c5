"""Limits of host.json: how many activities run at a time, and for how long."""

from __future__ import annotations

import json

import pytest

from tests.host.conftest import StartHost
from tests.host.running_host import RunningHost, eventually


@pytest.mark.parametrize("name", ["block", "wait"])
def test_activity_that_runs_too_long_fails(web: RunningHost, name: str) -> None:
    output = web.run("many", [name, 1, 2.0])
    assert output == (
        f"Activity function '{name}' failed:  Timeout value of 1 s exceeded by function '{name}' "
    )
    if name == "wait":
        assert eventually(lambda: web.trace("cancelled_waits"))


def test_no_more_activities_run_at_a_time_than_allowed(web: RunningHost) -> None:
    assert web.run("many", ["block", 9, 0.1]) == ["blocked"] * 9
    lines = (web.traces / "blocks").read_text().splitlines()
    runs = [run for run in map(json.loads, lines) if run[1] - run[0] < 1]  # none that timed out
    most = max(sum(begin <= at < end for begin, end in runs) for at, _ in runs)
    assert most == 3


def test_payloads_of_10_mb_pass_and_leave_no_memory_behind(new_host: StartHost) -> None:
    host = new_host().start()
    size = 10_000_000
    for name in ("through_activity", "through_entity"):
        waiting = {"timeout": "60", "pollingInterval": "0.2"}
        body = json.dumps(json.dumps("x" * size))
        kind, value = host.manage("POST", f"orchestrators/{name}", waiting, content=body).json()
        assert (kind, len(value)) == ("str", size)
    instance = host.begin("through_event")
    host.raise_event(instance, "Value", "x" * size)
    assert len(host.wait(instance)["output"][1]) == size
    assert host.most_resident_mib() < 600
    eventually(lambda: host.resident_mib() < 200)
