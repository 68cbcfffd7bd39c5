# mypy: disallow-untyped-decorators=False
"""Timers under a clock that can be set: the host's own clock, which lives in this process."""

import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import azure.functions as func

from local.host import timers

TRACES = Path(os.environ["TRACES"])
_ahead = timedelta()


def _set_clock() -> datetime:
    return datetime.now(timezone.utc) + _ahead


vars(timers).update(utc_now=_set_clock, _LONGEST_SLEEP_S=0.05)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def leave_trace(name: str, past_due: bool) -> None:
    with (TRACES / name).open("a") as file:
        file.write(json.dumps([_set_clock().isoformat(), past_due]) + "\n")


@app.route(route="ahead/{seconds}")
def set_ahead(req: func.HttpRequest) -> str:
    global _ahead
    _ahead = timedelta(seconds=float(req.route_params["seconds"]))
    return _set_clock().isoformat()


@app.timer_trigger(arg_name="timer", schedule="0 0 */6 * * *")
def six_hourly(timer: func.TimerRequest) -> None:
    leave_trace("six_hourly", timer.past_due)


@app.timer_trigger(arg_name="timer", schedule=os.environ.get("EVERY", "01:00:00"))
def spaced(timer: func.TimerRequest) -> None:
    leave_trace("spaced", timer.past_due)


@app.timer_trigger(arg_name="timer", schedule="*/1 * * * * *")
def slow(timer: Any) -> None:
    leave_trace("slow", timer.past_due)
    time.sleep(1.5)
    leave_trace("slow_ends", bool(timer.schedule_status))
