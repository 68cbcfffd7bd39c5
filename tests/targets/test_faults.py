from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sqlserver.messages import MESSAGES
from shared.errors import BackhaulError
from shared.targets import faults
from shared.targets.fault_table import FAULTS, Fault, Kind
from tests.targets.tables import Case, cases

# Errors of the language, which none of our statements can cause.
NOT_OF_A_RESTORE = {3902, 3903, 4002, 4145}


@pytest.mark.parametrize("case", cases("faults"))
def test_exception_of_the_driver_becomes_the_error_of_the_table(case: Case) -> None:
    diagnostic = faults.parse(case["args"])
    error = faults.to_error(diagnostic, "restoring x")
    assert type(error).__name__ == case["error"]
    assert case.get("message", "") in error.message
    assert case.get("action", "") in error.action
    assert error.action
    seen = {
        "kind": faults.kind_of(diagnostic).value,
        "number": getattr(error, "number", None),
        "sqlstate": getattr(error, "sqlstate", None),
        "os_error": diagnostic.os_error,
        "http_status": diagnostic.http_status,
    }
    assert {key: seen[key] for key in seen if key in case} == {
        key: case[key] for key in seen if key in case
    }


def test_each_number_stands_in_the_table_once() -> None:
    numbers = [number for fault in FAULTS for number in fault.numbers]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.numbers[0]))
def test_whoever_must_act_is_told_what_to_do(fault: Fault) -> None:
    assert fault.meaning
    assert fault.action.endswith(".") or fault.kind is Kind.INFORMATIONAL


RESTORE_NUMBERS = sorted(
    number for number in MESSAGES if 3000 <= number < 5200 and number not in NOT_OF_A_RESTORE
)


@pytest.mark.parametrize("number", RESTORE_NUMBERS)
def test_what_the_simulated_server_says_of_a_restore_is_known(number: int) -> None:
    severity, _ = MESSAGES[number]
    fault = faults.fault_of(number)
    assert fault
    assert (fault.kind is Kind.INFORMATIONAL) == (severity <= 10)


@pytest.mark.parametrize("sqlstate", ["08S01", "08001", "08003", "08004", "08007", "HYT00"])
def test_a_lost_connection_may_be_tried_again(sqlstate: str) -> None:
    diagnostic = faults.parse(
        (sqlstate, f"[{sqlstate}] [Microsoft][ODBC]gone (0) (SQLExecDirectW)")
    )
    assert faults.kind_of(diagnostic) is Kind.TRANSIENT


def test_a_statement_with_a_secret_tells_the_number_and_none_of_the_text() -> None:
    text = "[42000] [x][ODBC][SQL Server]Incorrect syntax near 'sig=SECRET'. (102) (SQLExecDirectW)"
    diagnostic = faults.withhold_text(faults.parse(("42000", text)))
    error = faults.to_error(diagnostic, "CREATE CREDENTIAL")
    assert "SECRET" not in str(error)
    assert "SQL Server error 102" in str(error)


def test_a_message_is_read_with_its_number() -> None:
    record = ("[01000] (3211)", "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]5 percent.")
    assert faults.parse_message(record) == (3211, "5 percent.")
    assert faults.parse_message(("", b"x")) == (0, "b'x'")


@given(st.text(), st.text(max_size=9), st.integers(-(10**12), 10**12))
def test_any_text_makes_an_error_of_bounded_length(text: str, state: str, number: int) -> None:
    for args in ((), (state,), (state, text), (state, f"{text * 50} ({number}) (SQLExecDirectW)")):
        error = faults.to_error(faults.parse(args), "restoring x")
        assert isinstance(error, BackhaulError)
        assert len(error.message) < 2100
