"""The command `status`: the list, the details, live, as JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from backhaul.migration_table import migration_details, migration_list
from shared.models import StandbyInfo
from shared.records import Blocking
from shared.vocabulary import (
    BlockingReason,
    MigrationState,
    MigrationStatus,
    RestoreState,
    StandbyState,
)
from tests.backhaul import golden
from tests.backhaul.answers import AFTERMATH, GAP, ID, PREFLIGHT, START, Story
from tests.backhaul.app import App, Reply
from tests.backhaul.conftest import Run
from tests.backhaul.process import Terminal, backhaul

LIST = "GET /api/migrations"
SHOW = f"GET /api/migrations/{ID}"
WAITS = "the next log or differential backup, or your cutover"
NOW = START + timedelta(hours=2, minutes=5)


def test_list_has_all_that_tells_migrations_apart() -> None:
    migrations = [
        Story(restored=4).summarise(MigrationStatus.READY_FOR_CUTOVER, waiting_for=WAITS),
        Story(restored=4, missing=[2]).summarise(MigrationStatus.IN_PROGRESS, blocking=GAP),
        Story(restored=1, folder="").summarise(MigrationStatus.CREATING, name="A" * 60),
        Story(restored=6).summarise(
            MigrationStatus.FAILED,
            offline=True,
            last_backup_name="x.trn",
            complete_error="The database cannot be recovered.",
        ),
    ]

    golden.check("status-list.txt", golden.rendered(migration_list(migrations, NOW)))


def test_details_of_a_migration_under_way() -> None:
    story = Story(restored=3)
    migration = story.show(
        MigrationStatus.RESTORING,
        state=MigrationState.RESTORING_LOG_BACKUP,
        restore_state=RestoreState.RESTORING,
        current=story.restoring(3, 45),
    )

    golden.check(
        "status-restoring.txt", golden.rendered(migration_details(migration, NOW, folded=False))
    )


def test_details_of_a_migration_that_is_held_up() -> None:
    migration = Story(restored=3, missing=[1]).show(
        MigrationStatus.IN_PROGRESS,
        state=MigrationState.BLOCKED,
        restore_state=RestoreState.BLOCKED,
        blocking=GAP,
        waiting_for=GAP.reason,
        complete_error="The cutover waited in vain for 'tail.trn'.",
    )

    golden.check(
        "status-blocked.txt", golden.rendered(migration_details(migration, NOW, folded=False))
    )


def test_details_of_a_migration_whose_target_is_too_small() -> None:
    migration = Story().show(
        MigrationStatus.IN_PROGRESS,
        state=MigrationState.BLOCKED,
        restore_state=RestoreState.BLOCKED,
        preflight=PREFLIGHT,
        blocking=Blocking(
            code=BlockingReason.TARGET_STORAGE_FULL,
            reason=PREFLIGHT.checks[2].message,
            action=PREFLIGHT.checks[2].action,
            since=NOW,
        ),
    )

    golden.check(
        "status-preflight.txt", golden.rendered(migration_details(migration, NOW, folded=True))
    )


def test_details_of_a_migration_that_has_left_something_to_do() -> None:
    migration = Story(restored=6).show(
        MigrationStatus.SUCCEEDED,
        state=MigrationState.SUCCEEDED,
        restore_state=RestoreState.COMPLETED,
        aftermath=AFTERMATH,
    )

    golden.check(
        "status-to-do.txt", golden.rendered(migration_details(migration, NOW, folded=True))
    )


def test_details_of_a_migration_that_has_ended() -> None:
    migration = Story(restored=6).show(
        MigrationStatus.SUCCEEDED,
        state=MigrationState.SUCCEEDED,
        restore_state=RestoreState.COMPLETED,
        offline=True,
        last_backup_name="LOG/last.trn",
    )

    golden.check(
        "status-succeeded.txt", golden.rendered(migration_details(migration, NOW, folded=False))
    )


@pytest.mark.parametrize(
    ("standby", "told"),
    [
        (StandbyInfo(state=StandbyState.READABLE), "now, until the next restore"),
        (StandbyInfo(state=StandbyState.NOT_READABLE), "not now"),
        (
            StandbyInfo(state=StandbyState.REFUSED, reason="too [old]", action="Wait."),
            "no: too [old]",
        ),
    ],
    ids=lambda value: getattr(value, "state", None),
)
def test_details_tell_whether_the_database_can_be_read(standby: StandbyInfo, told: str) -> None:
    migration = Story(restored=3).show(MigrationStatus.READY_FOR_CUTOVER)
    details = migration.properties.migration_status_details
    assert details is not None
    details = details.model_copy(update={"standby": standby})
    properties = migration.properties.model_copy(update={"migration_status_details": details})
    shown = migration.model_copy(update={"properties": properties})

    text = golden.rendered(migration_details(shown, NOW, folded=False))

    (line,) = (line for line in text.splitlines() if "Readable" in line)
    assert told in line


def test_details_before_anything_has_arrived() -> None:
    story = Story()
    story.files = []
    migration = story.show(MigrationStatus.CREATING, waiting_for="a full backup")

    shown = golden.rendered(migration_details(migration, NOW, folded=False))

    assert "0 files" in shown
    assert "Waits for  a full backup" in shown


def test_long_runs_of_restored_logs_are_folded() -> None:
    migration = Story(logs=40, restored=30).show(MigrationStatus.RESTORING)

    shown = golden.rendered(migration_details(migration, NOW, folded=True))

    assert shown.count(".trn") < 20
    assert "22 more log backups" in shown


def test_list_is_printed(run: Run) -> None:
    migrations = [Story(restored=6).summarise(MigrationStatus.SUCCEEDED)]
    answer = {"value": [migration.as_json() for migration in migrations]}
    with App({LIST: [Reply(content=answer)]}) as app:
        shown = run("status", *app.options)

    assert shown.status == 0
    assert shown.err == ""
    assert shown.out == golden.rendered(migration_list(migrations, NOW))


def test_an_empty_list_says_so(run: Run) -> None:
    with App({LIST: [Reply(content={"value": []})]}) as app:
        assert run("status", *app.options) == (0, "no migrations\n", "")


def test_json_is_what_the_app_said(run: Run) -> None:
    shown = Story(restored=4).show(MigrationStatus.READY_FOR_CUTOVER).as_json()
    shown["properties"]["newerThanThisProgram"] = {"a": [1.5, None, "ü"]}
    listed = {"value": [shown], "nextLink": "x"}
    with App({SHOW: [Reply(content=shown)], LIST: [Reply(content=listed)]}) as app:
        one = run("status", ID, "--json", *app.options)
        every = run("status", "--json", *app.options)
        as_text = run("status", ID, *app.options)

    assert json.loads(one.out) == shown
    assert json.loads(every.out) == listed
    assert (one.status, every.status, as_text.status) == (0, 0, 0)
    assert "Ready for cutover" in as_text.out


def test_watching_shows_each_change_and_ends_when_it_is_final(run: Run) -> None:
    story = Story(restored=3)
    restoring = story.show(
        MigrationStatus.RESTORING,
        state=MigrationState.RESTORING_LOG_BACKUP,
        current=story.restoring(3, 45),
    )
    done = Story(restored=6).show(MigrationStatus.SUCCEEDED)
    with App({SHOW: [Reply(content=restoring), Reply(content=done)]}) as app:
        shown = run("status", ID, "--watch", *app.options)

    assert shown.status == 0
    lines = shown.err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [f"{ID}: Restoring", f"{ID}: Succeeded"]
    assert shown.out.startswith("Sales\n")


def test_watching_a_migration_that_is_canceled_fails(run: Run) -> None:
    canceled = Story(restored=3).show(MigrationStatus.CANCELED)
    with App({SHOW: [Reply(content=canceled)]}) as app:
        assert run("status", ID, "--watch", *app.options).status == 1


def test_watching_goes_on_while_the_app_is_away_for_a_moment(run: Run) -> None:
    ready = Story(restored=6).show(MigrationStatus.READY_FOR_CUTOVER)
    done = Story(restored=6).show(MigrationStatus.SUCCEEDED)
    away = Reply(503, raw=b"starting")
    with App({SHOW: [Reply(content=ready), away, Reply(content=done)]}) as app:
        assert run("status", ID, "--watch", *app.options).status == 0


def test_watching_for_people_and_json_for_programs_exclude_each_other(run: Run) -> None:
    ended = run("status", "--watch", "--json")

    assert ended.status == 2
    assert "choose one" in ended.err


def test_live_display_on_a_terminal_ends_cleanly_on_interrupt(tmp_path: Path) -> None:
    story = Story(logs=40, restored=20)
    migration = story.show(MigrationStatus.RESTORING, current=story.restoring(20, 45))
    with App({SHOW: [Reply(content=migration)]}) as app:
        live = Terminal("status", ID, "--watch", *app.options, cwd=tmp_path)
        live.read_until("Restoring")
        live.interrupt()

        assert live.end() == 130
    assert live.text.rstrip().endswith("\x1b[?25h")  # the cursor is back


def test_no_terminal_no_colour(tmp_path: Path) -> None:
    migration = Story(restored=3).show(MigrationStatus.SUCCEEDED)
    with App({SHOW: [Reply(content=migration)]}) as app:
        plain = backhaul("status", ID, *app.options, cwd=tmp_path)
        coloured = Terminal("status", ID, *app.options, cwd=tmp_path)

        assert coloured.end() == 0
    assert "\x1b" not in plain.out
    assert "\x1b[32mSucceeded" in coloured.text
