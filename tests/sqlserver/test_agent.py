"""Jobs of SQL Server Agent beyond what one session sees: clients that leave, calls, restarts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.samples import SampleDatabase
from local.sqlserver import Server
from local.sqlserver.agent.model import MAX_MESSAGE, RunStatus
from local.sqlserver.agent.runner import step_message
from local.sqlserver.catalog.agent import whole_duration
from tests.sqlserver.client import Client, number_of, refused

Start = Callable[..., Server]
Connect = Callable[..., Client]

_MADE = """
DECLARE @job uniqueidentifier;
EXEC msdb.dbo.sp_add_job @job_name = ?, @job_id = @job OUTPUT;
EXEC msdb.dbo.sp_add_jobstep @job_id = @job, @step_name = N'restore', @command = ?;
EXEC msdb.dbo.sp_add_jobserver @job_id = @job;
"""
_UNFINISHED = (
    "SELECT COUNT(*) FROM msdb.dbo.sysjobactivity WHERE stop_execution_date IS NULL "
    "AND start_execution_date IS NOT NULL"
)


def _until(client: Client, query: str, wanted: object) -> None:
    deadline = monotonic() + 20
    while client.value(query) != wanted:
        assert monotonic() < deadline, query
        sleep(0.02)


def test_a_job_outlives_the_client_that_started_it(
    start_server: Start, connect: Connect, tmp_path: Path
) -> None:
    (path,) = SampleDatabase("Sales", data_bytes=64 * 1024).full().write(tmp_path)
    server = start_server(directories=("D:\\Data", "L:\\Log"), restore_speed=0.2)
    client = connect(server)
    client.messages(_MADE, "a]b'c", f"RESTORE DATABASE Sales FROM DISK = '{path}' WITH NORECOVERY")
    client.messages("EXEC msdb.dbo.sp_start_job @job_name = ?", "a]b'c")
    client.close()
    other = connect(server)
    _until(other, "SELECT COUNT(*) FROM msdb.dbo.restorehistory", 1)
    _until(other, _UNFINISHED, 0)
    assert other.value("SELECT run_status FROM msdb.dbo.sysjobhistory WHERE step_id = 0") == 1


def test_procedures_are_called_the_way_of_odbc(client: Client) -> None:
    client.messages(_MADE, "j", "WAITFOR DELAY '00:01:00'")
    client.messages("{CALL msdb.dbo.sp_start_job(?)}", "j")
    _until(client, _UNFINISHED, 1)
    with refused() as errors:
        client.messages("{CALL [msdb].[dbo].[sp_start_job](?)}", "j")
    assert number_of(errors[0]) == 22022
    for _ in range(2):
        with refused() as errors:
            client.messages("{CALL msdb.dbo.sp_delete_job(?, ?)}", None, "k")
        assert number_of(errors[0]) == 14262
    client.messages("{CALL msdb..sp_stop_job(?)}", "j")
    _until(client, _UNFINISHED, 0)


def test_jobs_survive_a_stop_of_the_server_and_what_ran_is_canceled(
    start_server: Start, connect: Connect, tmp_path: Path
) -> None:
    first = start_server()
    client = connect(first)
    client.messages(_MADE, "j", "WAITFOR DELAY '00:10:00'")
    client.messages("EXEC msdb.dbo.sp_start_job 'j'")
    _until(client, _UNFINISHED, 1)
    first.instance.close()
    second = start_server(data=tmp_path / "server")
    other = connect(second)
    rows = other.rows("SELECT step_id, run_status FROM msdb.dbo.sysjobhistory ORDER BY 1 DESC")
    assert [tuple(row) for row in rows] == [
        (1, 3),
        (0, 3),
    ]
    assert "Shutdown Sequence 0" in other.value(
        "SELECT message FROM msdb.dbo.sysjobhistory WHERE step_id = 0"
    )
    assert other.value("SELECT COUNT(*) FROM msdb.dbo.syssessions") == 2
    other.messages("EXEC msdb.dbo.sp_start_job 'j'; EXEC msdb.dbo.sp_stop_job 'j'")


def test_ids_of_the_history_are_never_given_again(client: Client) -> None:
    for number in (2, 4):
        client.messages(_MADE, "j", "SELECT 1")
        client.messages("EXEC msdb.dbo.sp_start_job 'j'")
        _until(client, "SELECT MAX(instance_id) FROM msdb.dbo.sysjobhistory", number)
        client.messages("EXEC msdb.dbo.sp_delete_job @job_name = 'j'")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, 0), (59, 59), (60, 100), (3725, 10205), (360_000, 1_000_000)]
)
def test_a_duration_is_shown_as_hours_minutes_seconds(seconds: int, shown: int) -> None:
    assert whole_duration(seconds) == shown


@given(st.lists(st.text(max_size=3000), max_size=4), st.sampled_from(RunStatus))
def test_a_message_never_exceeds_its_column_and_says_how_the_step_ended(
    said: list[str], status: RunStatus
) -> None:
    message = step_message("sa", said, status)
    assert len(message.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_MESSAGE
    assert message.startswith("Executed as user: sa. ")
    assert message.rstrip().endswith(".")
