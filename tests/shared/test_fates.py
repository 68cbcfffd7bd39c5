"""What becomes of a migration after each error that a server is known to answer with.

The table in the data file holds SQL Server's numbers and texts as a driver passes them on, and the
fate: `retry` is tried again, `replan` is no failure, `refuse` takes the backup out, `fail` ends the
migration, and a reason is what it waits with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import TargetError, TargetUnavailable
from shared.fates import Fate, fate_of
from shared.targets import faults
from shared.targets.fault_table import FAULTS, Kind

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "fates" / "numbers.json").read_text(encoding="utf-8")
)
CASES = [
    pytest.param(number, row["text"], row["fate"], id=f"{number}-{row['fate']}-{index}")
    for index, row in enumerate(ROWS)
    for number in row["numbers"]
]


@pytest.mark.parametrize(("number", "text", "fate"), CASES)
def test_every_error_has_its_fate(number: int, text: str, fate: str) -> None:
    told = f"[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]{text} ({number}) (SQLX)"
    diagnostic = faults.parse(("42000", told))
    if fate == "information":
        assert faults.kind_of(diagnostic) is Kind.INFORMATIONAL
        return
    error = faults.to_error(diagnostic, "restoring x")
    assert isinstance(error, TargetError)
    assert error.action
    if isinstance(error, TargetUnavailable) or fate == "retry":
        assert (isinstance(error, TargetUnavailable), fate) == (True, "retry")
        return
    seen = fate_of(error)
    assert (seen.reason.value if seen.fate is Fate.BLOCK else seen.fate.value) == fate


def test_the_table_of_fates_knows_every_number_that_a_restore_may_answer() -> None:
    known = {number for row in ROWS for number in row["numbers"]}
    missing = {n for fault in FAULTS for n in fault.numbers if 3100 <= n < 3700} - known
    assert missing <= NEVER_OF_A_RESTORE


# Of other statements than RESTORE, or only ever an error's company.
NEVER_OF_A_RESTORE = {3121, 3178, 3279}


def test_an_unknown_number_waits_for_somebody() -> None:
    assert fate_of(TargetError("it failed", number=77777)).fate is Fate.BLOCK
    assert fate_of(TargetError("it failed")).fate is Fate.BLOCK
