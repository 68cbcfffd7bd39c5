"""Plans of faults: what they may say, what is wrong with others, and a server that really dies."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyodbc
import pytest

from local.samples import SampleDatabase
from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.faults import Fault, FaultKind, parse_fault, read_plan
from local.sqlserver.messages import DEFAULT_VALUES, MESSAGES
from shared.errors import ConfigurationError
from tests.sqlserver.client import Client
from tests.sqlserver.test_process import Process, start

__all__ = ["start"]  # the fixture

_PASSWORD = "a}b;c 1"  # noqa: S105 not a secret
_FOLDERS = ("--directory", "D:\\Data", "--directory", "L:\\Log")


@pytest.mark.parametrize("number", DEFAULT_VALUES)
def test_every_message_with_values_of_its_own_can_be_made(number: int) -> None:
    fault = Fault(do=FaultKind.ERROR, number=number)
    told = fault.diagnostic(device="a.bak", database="Sales", login="sa", session="51")
    assert told.severity == MESSAGES[number][0]
    assert "{" not in told.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "JSON"),
        ('{"do": "explode"}', "do"),
        ('{"do": "error"}', "error needs a number"),
        ('{"do": "error", "number": 1}', "no message 1"),
        ('{"do": "error", "number": 4305}', "needs 2 values"),
        ('{"do": "error", "number": 3203, "values": ["a", "b"], "retore": 2}', "retore"),
        ('{"do": "slow"}', "slow needs a speed"),
        ('{"do": "slow", "speed": 1, "after_s": 1}', "not after a time"),
        ('{"do": "restart", "login": 1}', "does not strike at a login"),
        ('{"do": "kill", "percent": 100}', "percent"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_its_reason(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse_fault(text)
    assert problem in refusal.value.message
    assert "restart" in refusal.value.action


@pytest.mark.parametrize("text", ["", "{}", '{"faults": 1}', "[1]"])
def test_a_file_that_is_no_plan_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError):
        read_plan(path)


def test_a_process_dies_once_and_finds_its_state_again(
    start: Callable[..., Process],
    tmp_path: Path,
) -> None:
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    (full,), (log,) = database.full().write(tmp_path), database.log().write(tmp_path)
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"faults": [{"do": "die", "restore": 2, "percent": 0}]}))
    process = start(*_FOLDERS, "--faults", str(plan))
    statement = f"RESTORE LOG Sales FROM DISK = '{log}' WITH NORECOVERY"
    with Client(process.port, _PASSWORD) as client:
        client.messages(f"RESTORE DATABASE Sales FROM DISK = '{full}' WITH NORECOVERY")
        with pytest.raises(pyodbc.OperationalError):
            client.messages(statement)
    assert process.wait() == -signal.SIGKILL
    again = start(*_FOLDERS, "--faults", str(plan))
    with Client(again.port, _PASSWORD) as client:
        assert client.value("SELECT struck FROM sys.simulated_faults") == 1
        client.messages(statement)
        assert client.value("SELECT COUNT(*) FROM msdb.dbo.restorehistory") == 2


def test_a_fast_clock_goes_on_where_it_was_and_is_never_set_back() -> None:
    real = datetime(2026, 1, 1, tzinfo=timezone.utc)
    fast = Clock(3600, None, lambda: real)
    real += timedelta(seconds=10)
    assert fast.utc_now() == datetime(2026, 1, 1, 10, tzinfo=timezone.utc)
    assert Clock(3600, fast.base, lambda: real).utc_now() == fast.utc_now()
    slow = Clock(1, fast.base, lambda: real)
    assert slow.utc_now() == fast.utc_now()
    real += timedelta(seconds=10)
    assert slow.utc_now() == datetime(2026, 1, 1, 10, 0, 10, tzinfo=timezone.utc)
    real -= timedelta(days=1)
    assert Clock(1, slow.base, lambda: real).utc_now() >= slow.base.simulated


def test_ten_hours_of_a_restore_pass_in_a_moment(
    start: Callable[..., Process],
    tmp_path: Path,
) -> None:
    (full,) = SampleDatabase("Sales", data_bytes=64 * 1024).full().write(tmp_path)
    ten_hours = full.stat().st_size / 1_000_000 / 36_000
    process = start(*_FOLDERS, "--clock-factor", "36000", "--restore-speed", f"{ten_hours:.9f}")
    with Client(process.port, _PASSWORD) as client:
        began = client.value("SELECT GETDATE()")
        told = client.messages(f"RESTORE DATABASE Sales FROM DISK = '{full}' WITH NORECOVERY")
        ended = client.value("SELECT restore_date FROM msdb.dbo.restorehistory")
    assert timedelta(hours=9.9) < ended - began < timedelta(hours=40)
    assert float(told[-1].split(" in ")[1].split()[0]) > 35_000
