"""Functions with a timer trigger, on a real clock; schedules themselves are in test_ncrontab."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone
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


def test_run_that_fails_is_tried_again_as_its_policy_says(web: RunningHost) -> None:
    master = {"x-functions-key": web.keys["master"]}
    web.http.post("/admin/functions/stubborn", headers=master, json={"input": ""})
    eventually(lambda: len(_runs(web, "stubborn")) == 3)
    times, retries = zip(*_runs(web, "stubborn"), strict=True)
    assert retries == (None, [1, 2, "not yet"], [2, 2, "not yet"])
    assert times[1] - times[0] >= 0.1
    assert times[2] - times[1] >= 0.2
    time.sleep(0.5)
    assert len(_runs(web, "stubborn")) == 3


def test_missed_run_is_made_up_for_once(new_host: StartHost) -> None:
    host = new_host("web").start()
    eventually(lambda: _schedules(host).get("by_hand"))
    assert host.stop() == 0
    assert _runs(host, "by_hand") == []
    with sqlite3.connect(host.data / "hub.db") as db:
        # As it would be after a long pause: noted in 2019, not run since.
        db.execute("UPDATE schedule SET next = '2020-01-01T03:00:00.000000Z'")
        db.execute("UPDATE schedule SET updated = '2019-06-01T00:00:00.000000Z'")
        db.execute(
            "UPDATE schedule SET last = '2019-06-01T00:00:00.000000Z' WHERE function = 'yearly'"
        )
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


def test_another_schedule_has_missed_nothing(new_host: StartHost) -> None:
    host = new_host("web").start()
    eventually(lambda: _schedules(host).get("by_hand"))
    assert host.stop() == 0
    with sqlite3.connect(host.data / "hub.db") as db:  # as an hourly schedule would leave it
        db.execute("UPDATE schedule SET next = '2020-01-01T01:00:00.000000Z'")
        db.execute("UPDATE schedule SET last = '2020-01-01T00:00:00.000000Z'")
    db.close()
    host.start()
    eventually(lambda: _schedules(host)["by_hand"] > "2025")
    eventually(lambda: _runs(host, "yearly")[1:])
    assert [past_due for past_due, _ in _runs(host, "yearly")] == [False, False]
    assert _runs(host, "by_hand") == []


HOUR = 3600


def _ahead(host: RunningHost, seconds: float) -> None:
    assert host.function("GET", f"ahead/{seconds}").status_code == 200


def test_clock_that_is_set_forward_and_back(new_host: StartHost) -> None:
    host = new_host("clock").start()
    _ahead(host, 25 * HOUR)  # four runs of one and a day of the other are over: one each
    eventually(lambda: len(_runs(host, "six_hourly")) == 1 == len(_runs(host, "spaced")))
    assert [past_due for _, past_due in _runs(host, "six_hourly") + _runs(host, "spaced")] == [
        True,
        True,
    ]
    _ahead(host, 0)  # due in 30 hours by the old plan, in six at most by the new one
    time.sleep(0.3)
    _ahead(host, 7 * HOUR)
    eventually(lambda: len(_runs(host, "six_hourly")) == 2 == len(_runs(host, "spaced")))
    _ahead(host, 7 * HOUR - 30)  # an adjustment repeats nothing
    time.sleep(0.3)
    assert len(_runs(host, "six_hourly")) == 2 == len(_runs(host, "spaced"))


def test_long_run_is_followed_by_the_next_at_once(new_host: StartHost) -> None:
    host = new_host("clock").start()
    eventually(lambda: len(_runs(host, "slow_ends")) >= 3)
    begins = [datetime.fromisoformat(at) for at, past_due in _runs(host, "slow") if not past_due]
    ends = [datetime.fromisoformat(at) for at, _ in _runs(host, "slow_ends")]
    assert len(begins) >= 3
    for ended, begun in zip(ends, begins[1:], strict=False):
        assert 0 <= (begun - ended).total_seconds() < 0.4
    assert {status for _, status in _runs(host, "slow_ends")} == {False}, "it is not monitored"


def test_interval_goes_on_across_a_restart(new_host: StartHost) -> None:
    host = new_host("clock").start()
    eventually(lambda: _schedules(host).get("spaced"))
    assert host.stop() == 0
    last = datetime.now(timezone.utc) - timedelta(minutes=40)
    stored = [f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for at in (last, last + timedelta(hours=1))]
    with sqlite3.connect(host.data / "hub.db") as db:
        db.execute("UPDATE schedule SET last = ?, next = ? WHERE function = 'spaced'", stored)
    db.close()
    host.start()
    _ahead(host, 19 * 60)
    time.sleep(0.3)
    assert _runs(host, "spaced") == [], "it is not due before an hour is over"
    assert _schedules(host)["spaced"] == stored[1]
    _ahead(host, 21 * 60)
    eventually(lambda: len(_runs(host, "spaced")) == 1)
