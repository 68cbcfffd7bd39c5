"""The table of errors against its source, row by row, where that is beside the repository."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.folders import REPOSITORY
from shared.errors import TargetError
from shared.fates import Fate, fate_of
from shared.targets import faults
from shared.targets.fault_table import Kind
from tests.shared.test_fates import ROWS

REFERENCE = REPOSITORY.parent / "shared" / "docs" / "sql-restore.md"

KINDS = {
    "F": Kind.FINAL,
    "T": Kind.TRANSIENT,
    "S": Kind.SIGNAL,
    "I": Kind.INFORMATIONAL,
    "D": Kind.DEPENDS,
}

# Rows of several numbers that the words beside the class tell apart.
TOLD_APART = {
    **dict.fromkeys(range(41954, 41962), Kind.TRANSIENT),
    41934: Kind.FINAL,
    42108: Kind.FINAL,
    # What it depends on, a failover, is not in the text; it is tried again, and given up later.
    4060: Kind.TRANSIENT,
    4064: Kind.TRANSIENT,
}

# Of the client's library: they come without a number of the server, by their SQLSTATE.
OF_THE_NETWORK = {64, 121, 233, 10053, 10054, 10060, 10061, 11001}
NOT_IN_USE = {4306}

FRAME = 3013
"""Ends each failed RESTORE and says nothing of why."""

WITH_A_FATE = {number for row in ROWS for number in row["numbers"]}


def rows() -> list[Any]:
    """Return numbers and class of every row of the reference's table of errors."""
    if not REFERENCE.exists():
        return [pytest.param(0, "", marks=pytest.mark.skip("../shared has no reference here"))]
    section = REFERENCE.read_text(encoding="utf-8").split("## 9. Errors")[1].split("\n## ")[0]
    found = []
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.match(r"\d", cells[0]):
            each = ((number, cells[4]) for number in numbers(cells[0]))
            found += [pytest.param(number, told, id=str(number)) for number, told in each]
    assert len(found) > 150
    return found


def numbers(cell: str) -> list[int]:
    """Read `41911..41916, 41918`."""
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?:\.\.(\d+))?", cell):
        found += range(int(first), int(last or first) + 1)
    return found


@pytest.mark.parametrize(("number", "told"), rows())
def test_every_number_of_the_reference_is_what_it_says(number: int, told: str) -> None:
    fault = faults.fault_of(number)
    if number in OF_THE_NETWORK | NOT_IN_USE:
        assert fault is None
        return
    assert fault is not None
    classes = {KINDS[letter] for letter in told.split()[0] if letter in KINDS}
    assert fault.kind in ({TOLD_APART[number]} if number in TOLD_APART else classes)
    assert number in WITH_A_FATE or number == FRAME


@pytest.mark.parametrize("number", [4305, 4326])
@pytest.mark.parametrize("words", ["x", "Operating system error 5(x).", "HTTP status: 403"])
def test_a_log_too_early_or_too_late_is_never_a_failure(number: int, words: str) -> None:
    record = f"[42000] [Microsoft][ODBC][SQL Server]{words} ({number}) (SQLExecDirectW)"
    error = faults.to_error(faults.parse(("42000", record)), "restoring x")
    assert isinstance(error, TargetError)
    assert fate_of(error).fate is Fate.REPLAN
