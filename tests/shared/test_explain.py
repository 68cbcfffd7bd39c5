"""What is said of plans that cannot go on: sentences with files, numbers and LSNs.

UPDATE_GOLDEN=1 writes the golden file anew; review it as a diff.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from shared.backupset import BackupSet, BackupType, SetFile
from shared.chain import MissingFamilies, MissingLog, Plan, PlanStatus, Step
from shared.explain import (
    Explanation,
    clipped,
    explain_missing_full,
    explain_plan,
    explain_unreached_stop,
    name_of,
)
from shared.lsn import Lsn
from shared.restore_rules import Reached

GOLDEN = Path(__file__).parent / "golden" / "explanations.txt"
WHEN = datetime(2026, 3, 1, 2, 15)  # noqa: DTZ001 a source's local time


def backup(
    name: str, kind: BackupType, first: int, last: int, *, stripes: int = 1, here: int | None = None
) -> BackupSet:
    names = [name] if stripes == 1 else [f"{name}_{n}" for n in range(1, stripes + 1)]
    return BackupSet(
        backup_set_guid=UUID(int=first),
        backup_type=kind,
        database_name="Sales",
        first_lsn=Lsn(first),
        last_lsn=Lsn(last),
        checkpoint_lsn=Lsn(first),
        database_backup_lsn=Lsn(0),
        backup_start_date=WHEN,
        backup_finish_date=WHEN,
        family_count=stripes,
        files=tuple(
            SetFile(name=f"sales/{one}", family_sequence_number=n)
            for n, one in enumerate(names[:here], start=1)
        ),
    )


FULL = backup("full.bak", BackupType.DATABASE, 100, 200)
LOG = backup("7.trn", BackupType.LOG, 500, 600)
RESTART = backup("newer.bak", BackupType.DATABASE, 700, 800, stripes=2)
REACHED = Reached(Lsn(400), None, None, None)


def stripes(count: int, here: int) -> Plan:
    striped = backup("big.bak", BackupType.DATABASE, 100, 200, stripes=count, here=here)
    missing = MissingFamilies(striped, striped.missing_families)
    return Plan(PlanStatus.BLOCKED, waiting_for=missing)


def gap(before: BackupSet | None, steps: tuple[Step, ...] = ()) -> Plan:
    return Plan(PlanStatus.BLOCKED, steps, REACHED, MissingLog(Lsn(400), before))


def restart(error: int | None, full: BackupSet | None = None) -> Plan:
    return Plan(PlanStatus.NEEDS_RESTART, (), REACHED, restart_from=full, error=error)


SAID: dict[str, Explanation | None] = {
    "one file of two is missing": explain_plan(stripes(2, 1), after=None),
    "three files of four are missing": explain_plan(stripes(4, 1), after=None),
    "one file of 64 is missing": explain_plan(stripes(64, 63), after=None),
    "a log is missing": explain_plan(gap(LOG), after="sales/full.bak"),
    "a log is missing after the steps of the plan": explain_plan(
        gap(LOG, (Step(FULL),)), after=None
    ),
    "a log is missing, nothing is known behind it": explain_plan(gap(None), after="sales/full.bak"),
    "the source went back": explain_plan(restart(4330, RESTART), after="sales/6.trn"),
    "the stop time has passed": explain_plan(restart(4335), after="sales/6.trn"),
    "the last backup is another full": explain_plan(restart(None, RESTART), after="sales/6.trn"),
    "the chain was broken at the source": explain_plan(restart(4305, FULL), after="sales/6.trn"),
    "the stop time lies amid bulk-logged changes": explain_plan(
        Plan(PlanStatus.IMPOSSIBLE, error=4341), after=None
    ),
    "no backup reaches the stop time": explain_unreached_stop(LOG, WHEN),
    "no full backup": explain_missing_full(),
}


def test_what_is_said() -> None:
    text = "\n".join(
        f"{title}\n  {why.code.value}\n  {why.reason}\n  {why.action}\n"
        for title, why in SAID.items()
        if why is not None
    )
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_nothing_is_said_where_nothing_is_known_to_be_missing() -> None:
    assert all(why is not None for why in SAID.values())
    for status in (PlanStatus.IDLE, PlanStatus.READY, PlanStatus.COMPLETE, PlanStatus.NO_BASE):
        assert explain_plan(Plan(status), after=None) is None


def test_a_set_is_called_by_its_first_file() -> None:
    assert name_of(FULL) == "sales/full.bak"
    assert name_of(RESTART) == "sales/newer.bak_1 (and 1 more)"


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [("", 3, ""), ("abc", 3, "abc"), ("abcd", 3, "ab…")],
)
def test_long_texts_are_cut(text: str, length: int, expected: str) -> None:
    assert clipped(text, length) == expected
