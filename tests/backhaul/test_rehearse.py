"""The command `rehearse`: what it asks for, what it tells, and how it ends."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from backhaul.migration_table import migration_details
from shared.models import LastRehearsal, Migration
from shared.vocabulary import FailureCode, MigrationStatus, RehearsalStep
from tests.backhaul import golden
from tests.backhaul.answers import ID, OPERATION, START, Story
from tests.backhaul.app import App, Reply, Seen, refusal
from tests.backhaul.conftest import Run

SHOW = f"GET /api/migrations/{ID}"
REHEARSE = f"POST /api/migrations/{ID}/rehearse"
BODY = {"migrationOperationId": str(OPERATION)}
SECONDS = dict(zip(RehearsalStep, (612.4, 31.0, 44.8, 12.25, 201.7, 1.5), strict=True))


def shown(status: MigrationStatus, attempt: int = 1, **fields: Any) -> Migration:
    """Return a migration with a rehearsal that has come so far."""
    given: dict[str, Any] = {
        "id": f"{ID}~rehearsal",
        "migration_operation_id": UUID(int=attempt),
        "migration_status": status,
        "database": "Sales_rehearsal_0a1b2c3d",
        "started_on": START,
        "ended_on": START + timedelta(minutes=16) if status.is_final else None,
        "restored_sets": 4,
        "steps": [],
        **fields,
    }
    migration = Story(restored=6).show(MigrationStatus.READY_FOR_CUTOVER)
    last = LastRehearsal.model_validate(given)
    properties = migration.properties.model_copy(update={"last_rehearsal": last})
    return migration.model_copy(update={"properties": properties})


UNDER_WAY = shown(MigrationStatus.RESTORING, waiting_for="a restore slot of target 'sql-vm-1'")
SUCCEEDED = shown(
    MigrationStatus.SUCCEEDED,
    last_restored_filename="LOG/SalesProd_LOG_20260301_034500.trn",
    steps=[{"name": name, "seconds": seconds} for name, seconds in SECONDS.items()],
    total_seconds=sum(SECONDS.values()),
    expected_cutover_seconds=27.4,
)
FAILED = shown(
    MigrationStatus.FAILED,
    steps=[{"name": RehearsalStep.DROP, "seconds": 0.25}],
    total_seconds=0.25,
    failure={
        "code": FailureCode.REHEARSAL_FAILED,
        "message": "There is insufficient free space on disk volume '/data'.",
        "action": "Make room. A rehearsal needs room on the target for a second copy of the"
        " database.",
    },
)


def replies(*later: Migration) -> dict[str, list[Reply]]:
    """Return the answers of an app whose rehearsal is under way, and what it shows after that."""
    return {
        SHOW: [Reply(content=one) for one in (UNDER_WAY, *later)],
        REHEARSE: [Reply(202, UNDER_WAY)],
    }


def test_it_names_the_present_operation_and_the_scratch_database(run: Run) -> None:
    with App(replies()) as app:
        ended = run("rehearse", ID, *app.options)
        as_json = run("rehearse", ID, "--json", *app.options)
    assert ended.status == 0
    assert "Sales_rehearsal_0a1b2c3d, which is dropped in the end" in ended.out
    assert f"backhaul status {ID}" in ended.err
    posted = [seen for seen in app.seen if seen.method == "POST"]
    assert posted == [Seen("POST", f"/api/migrations/{ID}/rehearse", BODY)] * 2
    assert json.loads(as_json.out) == UNDER_WAY.as_json()


def test_waiting_tells_what_happens_and_shows_the_steps(run: Run) -> None:
    with App(replies(UNDER_WAY, SUCCEEDED)) as app:
        ended = run("rehearse", ID, "--wait", *app.options)
    assert ended.status == 0, ended.err
    assert "under way, 4 sets restored, waits for a restore slot" in ended.err
    golden.check("rehearsal-succeeded.txt", ended.out)


def test_a_rehearsal_that_failed_says_why_and_what_to_do(run: Run) -> None:
    with App(replies(FAILED)) as app:
        ended = run("rehearse", ID, "--wait", *app.options)
        as_json = run("rehearse", ID, "--wait", "--json", *app.options)
    assert (ended.status, as_json.status) == (1, 1)
    golden.check("rehearsal-failed.txt", ended.out)
    assert json.loads(as_json.out) == FAILED.as_json()


def test_another_attempt_is_not_taken_for_this_one(run: Run) -> None:
    other = shown(MigrationStatus.SUCCEEDED, attempt=2)
    with App(replies(other)) as app:
        ended = run("rehearse", ID, "--wait", *app.options)
    assert ended.status == 1
    assert "another rehearsal" in ended.err


def test_a_refusal_says_what_to_do(run: Run) -> None:
    no = refusal(409, "RehearsalNotPossible", "nothing can be restored", "upload a full backup")
    with App({**replies(), REHEARSE: [no]}) as app:
        ended = run("rehearse", ID, *app.options)
    assert ended.status == 1
    assert "Try:   upload a full backup" in ended.err


def test_status_shows_the_newest_rehearsal() -> None:
    for migration, words in (
        (UNDER_WAY, "under way, 4 sets restored"),
        (SUCCEEDED, "succeeded 2026-03-02 08:16:00Z, took 15 min 03 s"),
        (FAILED, "failed 2026-03-02 08:16:00Z: There is insufficient"),
        (shown(MigrationStatus.CANCELED), "canceled 2026-03-02 08:16:00Z"),
    ):
        told = golden.rendered(migration_details(migration, START, folded=True))
        assert words in told
