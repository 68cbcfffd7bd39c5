from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from shared.chain import DatabaseState, TargetPosition
from shared.errors import TargetError
from shared.lsn import Lsn
from shared.targets import rows

FORK, OTHER_FORK, BASE = (UUID(int=number) for number in (1, 2, 3))
# Beyond 64 bits, and beyond what a float can tell from its neighbour.
HUGE = 9_999_999_999_999_999_999_900_001


def file(**columns: object) -> rows.Row:
    return {
        "state_desc": "RESTORING",
        "is_in_standby": False,
        "file_id": 1,
        "is_read_only": False,
        "redo_start_lsn": Decimal(HUGE),
        "redo_start_fork_guid": str(FORK).upper(),
        "differential_base_lsn": Decimal(HUGE - 1),
        "differential_base_guid": str(BASE),
        **columns,
    }


def restoring(redo: int | None = HUGE, fork: UUID | None = FORK) -> TargetPosition:
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=None if redo is None else Lsn(redo),
        redo_start_fork_guid=fork,
        differential_base_lsn=Lsn(HUGE - 1),
        differential_base_guid=BASE,
    )


NOT_RESTORED = {
    "redo_start_lsn": None,
    "redo_start_fork_guid": None,
    "differential_base_lsn": None,
    "differential_base_guid": None,
}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([], TargetPosition(state=DatabaseState.ABSENT), id="absent"),
        pytest.param([file()], restoring(), id="one file"),
        pytest.param(
            [file(), file(file_id=3, redo_start_lsn=HUGE - 9, redo_start_fork_guid=OTHER_FORK)],
            restoring(HUGE - 9, OTHER_FORK),
            id="the smallest redo_start_lsn and its fork count",
        ),
        pytest.param(
            [file(), file(file_id=3, redo_start_lsn="5", is_read_only=True)],
            restoring(),
            id="a read-only file does not hold the others back",
        ),
        pytest.param([file(is_read_only=True)], restoring(), id="unless all are read-only"),
        pytest.param(
            [file(file_id=3, **NOT_RESTORED), file()],
            restoring(),
            id="a file added later has no base, the primary file has",
        ),
        pytest.param(
            [file(**NOT_RESTORED)],
            TargetPosition(state=DatabaseState.RESTORING),
            id="an interrupted full has no redo_start_lsn",
        ),
        pytest.param(
            [file(**NOT_RESTORED, state_desc="ONLINE")],
            TargetPosition(state=DatabaseState.ONLINE),
            id="online",
        ),
        pytest.param(
            [file(**NOT_RESTORED, state_desc="ONLINE", is_in_standby=True)],
            TargetPosition(state=DatabaseState.STANDBY),
            id="standby",
        ),
        pytest.param(
            [file(state_desc="RECOVERY_PENDING")],
            TargetPosition(state=DatabaseState.OTHER),
            id="recovery pending",
        ),
    ],
)
def test_position_of_a_database(found: list[rows.Row], expected: TargetPosition) -> None:
    assert rows.position(found) == expected


@pytest.mark.parametrize("value", [1.0, True, "x", Decimal("NaN"), Decimal(10**25), -1, b"1"])
def test_an_lsn_that_is_not_exact_is_refused(value: object) -> None:
    with pytest.raises(TargetError, match="redo_start_lsn"):
        rows.position([file(redo_start_lsn=value)])


def test_a_header_without_columns_is_protected_by_a_password() -> None:
    with pytest.raises(TargetError, match="password"):
        rows.server_header({"backupsetguid": None, "firstlsn": None})


@pytest.mark.parametrize(
    ("filestream_level", "memory_optimised", "takes"),
    [(0, 1, True), (2, 0, True), (0, 0, False), (None, None, False)],
)
def test_containers_need_filestream_or_memory_optimised_tables(
    filestream_level: int | None, memory_optimised: int | None, takes: bool
) -> None:
    row = {"filestream_level": filestream_level, "memory_optimised": memory_optimised}
    assert rows.takes_containers(row) is takes


@pytest.mark.parametrize(
    ("identity", "age_days", "stale"),
    [
        ("SHARED ACCESS SIGNATURE", 4, True),
        ("Shared Access Signature", 4, True),
        ("SHARED ACCESS SIGNATURE", 3, False),
        ("Managed Identity", 400, False),
        ("storageaccount", 400, False),
    ],
)
def test_only_an_old_signature_is_renewed(identity: str, age_days: int, stale: bool) -> None:
    now = datetime(2024, 5, 1)  # noqa: DTZ001 the server's clock has no zone
    row = {
        "credential_identity": identity,
        "modify_date": now - timedelta(days=age_days),
        "server_time": now,
    }
    assert rows.is_stale(row, timedelta(days=7)) is stale
