"""Functions with a timer trigger, on a real clock; schedules themselves are in test_ncrontab."""

from __future__ import annotations

import json
import sqlite3
from itertools import pairwise
from typing import Any

from tests.host.conftest import StartHost
from tests.host.running_host import RunningHost, eventually


def _runs(host: RunningHost, name: str) -> list[Any]:
    path = host.traces / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_function_runs_when_it_is_due(web: RunningHost) -> None:
    eventually(lambda: len(_runs(web, "often")) >= 3)
    times = [time for time, past_due in _runs(web, "often") if not past_due]
    assert all(0 <= time % 1 < 0.9 for time in times)
    assert all(later - sooner > 0.1 for sooner, later in pairwise(times))


def test_run_on_startup_and_a_client(web: RunningHost) -> None:
    past_due, following = eventually(lambda: _runs(web, "yearly"))[0]
    assert (past_due, following[4:]) == (False, "-01-01")
    eventually(lambda: web.manage("GET", "entities/runs/yearly").text == "1")


def test_run_by_hand(web: RunningHost) -> None:
    master = {"x-functions-key": web.keys["master"]}
    assert web.http.post("/admin/functions/by_hand").status_code == 401
    answer = web.http.post("/admin/functions/BY_HAND", headers=master, json={"input": ""})
    assert answer.status_code == 202
    assert eventually(lambda: _runs(web, "by_hand")) == [False]


def test_missed_run_is_made_up_for_once(new_host: StartHost) -> None:
    host = new_host("web").start()
    eventually(lambda: _schedules(host).get("by_hand"))
    assert host.stop() == 0
    assert _runs(host, "by_hand") == []
    with sqlite3.connect(host.data / "hub.db") as db:
        db.execute("UPDATE schedule SET next = '2020-01-01T03:00:00.000000Z'")
    db.close()
    host.start()
    assert eventually(lambda: _runs(host, "by_hand")) == [True]
    eventually(lambda: _schedules(host)["by_hand"] > "2025")
    assert host.stop() == 0
    host.start()
    eventually(lambda: _runs(host, "yearly")[2:])  # on each start, past due on the second
    assert [past_due for past_due, _ in _runs(host, "yearly")] == [False, True, False]
    assert _runs(host, "by_hand") == [True]


def _schedules(host: RunningHost) -> dict[str, str]:
    db = sqlite3.connect(host.data / "hub.db")
    try:
        return dict(db.execute("SELECT function, next FROM schedule").fetchall())
    finally:
        db.close()
