"""Names, commands and outcomes of the Agent's jobs, without a server."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TargetError, TargetUnavailable
from shared.opened import Outcome
from shared.targets import jobs
from tests.targets.names import NASTY

OPERATION, FIRST, SECOND = UUID(int=7), UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 2, 8)  # noqa: DTZ001 the server's local time has no zone
HOUR = timedelta(hours=1)


@given(st.text(min_size=1, max_size=128))
def test_a_job_is_known_by_its_name_whatever_the_database_is_called(database: str) -> None:
    name = jobs.name_of(database, OPERATION, FIRST)
    assert len(name) <= 128
    assert name.startswith(jobs.name_pattern(database).removesuffix("%"))
    assert not set("_%[") & set(jobs.name_pattern(database)[:-1]), "LIKE would take it otherwise"
    assert jobs.parse_name(name) == (OPERATION, FIRST)


def test_jobs_of_a_database_are_those_of_its_name_in_any_case() -> None:
    assert jobs.name_pattern("SALES") == jobs.name_pattern("sales")
    assert jobs.name_pattern("Sales") != jobs.name_pattern("Sales2")


@pytest.mark.parametrize("name", ["Backhaul restore", "nightly backup", "", "x" * 128])
def test_a_strangers_job_is_none_of_ours(name: str) -> None:
    assert jobs.parse_name(name) is None


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_no_command_holds_what_the_agent_would_replace(name: str) -> None:
    statement = "RESTORE DATABASE [" + name.replace("]", "]]") + "] WITH NORECOVERY"
    command = jobs.as_command(statement)
    assert "$(" not in command
    assert (command == statement) == ("$(" not in name)


def test_a_command_in_halves_is_the_statement_again() -> None:
    command = jobs.as_command("FROM URL = N'it''s $($(A))'")
    assert command == "EXECUTE (N'FROM URL = N''it''''s $' + N'($' + N'(A))''')"


def outcome(step: int, status: int, message: str = "", number: int = 0) -> dict[str, Any]:
    return {"step_id": step, "run_status": status, "message": message, "sql_message_id": number}


SAID = "Executed as user: CONTOSO\\svc. Processed 8 pages. [SQLSTATE 01000] (Message 4035)  "
ENDED = "RESTORE LOG is terminating abnormally. [SQLSTATE 42000] (Error 3013)  The step failed."


def test_the_cause_is_the_first_error_of_the_step_that_failed() -> None:
    message = SAID + "Not enough (Error 1) space. [SQLSTATE 42000] (Error 3257)  " + ENDED
    rows = [outcome(1, 1), outcome(2, 0, message, 3013), outcome(0, 0, "The job failed.")]
    failed = jobs.failure([FIRST, SECOND], rows)
    assert failed is not None
    assert failed[0] == SECOND
    assert isinstance(failed[1], TargetError)
    assert failed[1].number == 3257
    assert "Not enough (Error 1) space." in failed[1].message
    assert "4035" not in failed[1].message
    assert "svc" not in failed[1].message


def test_what_passes_is_told_from_what_does_not() -> None:
    message = (
        "Cannot open backup device 'https://x/y'. Operating system error 12007(failed). "
        "[SQLSTATE 42000] (Error 3201)  " + ENDED
    )
    failed = jobs.failure([FIRST], [outcome(1, 0, message)])
    assert failed is not None
    assert isinstance(failed[1], TargetUnavailable)


def test_an_error_that_was_cut_off_is_known_by_the_number_of_the_last() -> None:
    failed = jobs.failure([FIRST], [outcome(1, 0, "Executed as user: x. ...", 3189)])
    assert failed is not None
    assert isinstance(failed[1], TargetError)
    assert failed[1].number == 3189


@pytest.mark.parametrize("rows", [[], [outcome(1, 1), outcome(0, 1)], [outcome(1, 3)]])
def test_nothing_failed_in_a_job_that_succeeded_or_was_stopped(rows: list[Any]) -> None:
    assert jobs.failure([FIRST], rows) is None


@given(st.text(max_size=200), st.integers(-1, 3), st.sampled_from([0, 1, 2, 3]))
def test_any_history_can_be_read(message: str, step: int, status: int) -> None:
    jobs.failure([FIRST], [outcome(step, status, message)])


JOB = {"date_created": NOW, "server_id": 0}
SESSION = {"agent_start_date": NOW - HOUR}


@pytest.mark.parametrize(
    ("job", "session", "now", "outcomes", "expected"),
    [
        (JOB, SESSION, jobs.Activity(), [], True),
        ({**JOB, "server_id": None}, SESSION, jobs.Activity(), [], False),
        (JOB, {"agent_start_date": NOW + HOUR}, jobs.Activity(), [], False),
        (JOB, None, jobs.Activity(), [], False),
        (JOB, SESSION, jobs.Activity(NOW, NOW), [], False),
        (JOB, SESSION, jobs.Activity(NOW, NOW, NOW), [], False),
        (JOB, SESSION, jobs.Activity(), [outcome(0, 1)], False),
    ],
    ids=["made", "half made", "forgotten", "no agent", "running", "over", "over and purged"],
)
def test_only_a_whole_job_that_was_never_started_is(
    job: Any, session: Any, now: jobs.Activity, outcomes: list[Any], expected: bool
) -> None:
    assert jobs.wants_start(job, session, now, outcomes) is expected


def test_the_session_of_a_job_is_found_by_the_bytes_of_its_id() -> None:
    job = UUID("00112233-4455-6677-8899-aabbccddeeff")
    assert "0x33221100554477668899AABBCCDDEEFF : Step %" in jobs.session_pattern(job)


def test_sets_are_read_from_the_names_of_the_steps() -> None:
    sets = [uuid4(), uuid4()]
    rows = [{"step_name": jobs.step_name(guid)} for guid in sets]
    assert jobs.sets_of([*rows, {"step_name": "another step"}]) == tuple(sets)


CANCELED_BY_USER = "The job was stopped prior to completion by User sa."
CANCELED_BY_SERVER = "The job was stopped prior to completion by Shutdown Sequence 0."
DAMAGE = "Object ID 5: Page (1:57) could not be processed. [SQLSTATE 42000] (Error 8928)  " + ENDED


@pytest.mark.parametrize(
    ("running", "rows", "expected", "number"),
    [
        (True, [], Outcome.RUNNING, None),
        (False, [outcome(1, 1), outcome(0, 1)], Outcome.GOOD, None),
        (False, [outcome(1, 0, DAMAGE), outcome(0, 0)], Outcome.FAILED, 8928),
        (False, [outcome(1, 0, "cut off", 8990)], Outcome.FAILED, 8990),
        (False, [outcome(1, 3), outcome(0, 3, CANCELED_BY_USER)], Outcome.STOPPED, None),
        (False, [outcome(1, 3), outcome(0, 3, CANCELED_BY_SERVER)], Outcome.LOST, None),
        (False, [], Outcome.LOST, None),
        (False, [outcome(1, 0, DAMAGE), outcome(1, 1)], Outcome.GOOD, None),
    ],
    ids=["running", "good", "damage", "cut", "stopped", "shut down", "forgotten", "run again"],
)
def test_a_check_tells_how_it_ended(
    running: bool, rows: list[Any], expected: Outcome, number: int | None
) -> None:
    job = {"job_id": str(FIRST), "name": jobs.check_name_of("Sales", OPERATION)}
    check = jobs.check(job, jobs.State(running, 3.0, 5.0, rows))
    assert (check.check_id, check.outcome, check.elapsed_s) == (FIRST, expected, 3.0)
    assert (check.error.number if check.error else None) == number


@given(st.text(min_size=1, max_size=128))
def test_a_job_that_checks_is_none_that_restores(database: str) -> None:
    name = jobs.check_name_of(database, OPERATION)
    assert len(name) <= 128
    assert not set("_%[") & set(name), "LIKE would take it otherwise"
    assert jobs.parse_name(name) is None
    assert not name.startswith(jobs.name_pattern(database).removesuffix("%"))
