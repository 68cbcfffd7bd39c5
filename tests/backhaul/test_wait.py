"""The command `wait`."""

from __future__ import annotations

import json

from shared.vocabulary import MigrationStatus
from tests.backhaul.answers import ID, Story
from tests.backhaul.app import App, Reply
from tests.backhaul.conftest import Run

SHOW = f"GET /api/migrations/{ID}"
RESTORING = Reply(content=Story(restored=3).show(MigrationStatus.RESTORING))
READY = Reply(content=Story(restored=6).show(MigrationStatus.READY_FOR_CUTOVER))
FAILED = Reply(content=Story(restored=3).show(MigrationStatus.FAILED))


def test_waiting_ends_with_the_status(run: Run) -> None:
    with App({SHOW: [RESTORING, RESTORING, READY]}) as app:
        ended = run("wait", ID, "--status", "ReadyForCutover", "--json", *app.options)

    assert ended.status == 0
    assert json.loads(ended.out)["properties"]["migrationStatus"] == "ReadyForCutover"
    assert [line.partition(",")[0] for line in ended.err.splitlines()] == [
        f"{ID}: Restoring",
        f"{ID}: Ready for cutover",
    ]


def test_waiting_for_a_status_that_cannot_come_any_more_fails_at_once(run: Run) -> None:
    with App({SHOW: [FAILED]}) as app:
        ended = run("wait", ID, "--status", "Succeeded", *app.options)

    assert ended.status == 1
    assert ended.out == ""
    assert f"migration {ID} ended as Failed, it cannot become Succeeded" in ended.err


def test_waiting_gives_up_after_the_time(run: Run) -> None:
    with App({SHOW: [RESTORING]}) as app:
        ended = run("wait", ID, "--status", "Succeeded", "--timeout", "0", *app.options)

    assert ended.status == 1
    assert f"migration {ID} is not Succeeded after 0 s" in ended.err
    assert len(app.seen) == 1


def test_waiting_for_what_is_no_status_is_wrong_usage(run: Run) -> None:
    ended = run("wait", ID, "--status", "Ready")

    assert ended.status == 2
    assert "'ReadyForCutover'" in ended.err
