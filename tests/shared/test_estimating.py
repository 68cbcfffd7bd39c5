"""How long restores and a cutover will take, case by case; sizes are in megabytes."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backupset import BackupType
from shared.estimating import MEGABYTE, Pending, Rehearsed, age_s, estimate
from shared.lsn import Lsn
from shared.records import RestoredBackup
from shared.vocabulary import EstimateBasis

CASES = json.loads((Path(__file__).parents[1] / "data/estimates/cases.json").read_text())
TYPES = {"full": BackupType.DATABASE, "log": BackupType.LOG}
NOW = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)


def restored(number: int, backup_type: BackupType, seconds: float | None) -> RestoredBackup:
    return RestoredBackup(
        number=number,
        backup_set_guid=UUID(int=number),
        backup_type=backup_type,
        files=("f",),
        last_lsn=Lsn(number),
        restored_on=NOW,
        seconds=seconds,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_to_be_expected(case: dict[str, Any]) -> None:
    given = case.get("restored", [])
    rehearsed = case.get("rehearsed")
    seen = estimate(
        [restored(n, TYPES[one["type"]], one.get("seconds")) for n, one in enumerate(given, 1)],
        [Pending(one["mb"] * MEGABYTE, one.get("done", 0)) for one in case.get("pending", [])],
        {UUID(int=n): one["mb"] * MEGABYTE for n, one in enumerate(given, 1)},
        awaits_tail=case.get("awaitsTail", True),
        rehearsed=Rehearsed(rehearsed["mb"] * MEGABYTE, rehearsed["restore"], rehearsed["recovery"])
        if rehearsed
        else None,
    )
    wanted = case["expected"]
    assert seen.basis == wanted["basis"]
    assert seen.cutover_basis == wanted["cutoverBasis"]
    for name, value in (
        ("remaining", seen.remaining_s),
        ("throughput", seen.throughput_mbps),
        ("cutover", seen.cutover_s),
    ):
        assert value == (pytest.approx(wanted[name], abs=1e-3) if name in wanted else None), name


@pytest.mark.parametrize(
    ("local", "zone", "age"),
    [
        ("2026-03-02T07:00:00", 0, 3600),
        ("2026-03-02T09:30:00", 120, 1800),
        ("2026-03-02T02:00:00", -330, 1800),
        ("2026-03-02T09:00:00", 0, 0),
        ("2026-03-02T07:00:00", None, None),
        (None, 0, None),
    ],
)
def test_the_age_of_a_local_time_by_its_zone(
    local: str | None, zone: int | None, age: float | None
) -> None:
    assert age_s(datetime.fromisoformat(local) if local else None, zone, NOW) == age


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(TYPES.values())),
            st.integers(0, 2**45),
            st.none() | st.floats(-10, 1e7, allow_nan=False),
        ),
        max_size=20,
    ),
    st.lists(st.tuples(st.integers(0, 2**45), st.floats(0, 1)), max_size=10),
    st.booleans(),
)
def test_no_history_breaks_an_estimate(
    history: list[tuple[BackupType, int, float | None]],
    pending: list[tuple[int, float]],
    awaits_tail: bool,
) -> None:
    seen = estimate(
        [restored(n, kind, seconds) for n, (kind, _, seconds) in enumerate(history, 1)],
        [Pending(*one) for one in pending],
        {UUID(int=n): size for n, (_, size, _) in enumerate(history, 1)},
        awaits_tail=awaits_tail,
    )
    if seen.basis is EstimateBasis.NONE:
        assert not history
        assert not pending
        return
    assert seen.remaining_s is not None
    assert seen.cutover_s is not None
    assert 0 <= seen.remaining_s < seen.cutover_s
