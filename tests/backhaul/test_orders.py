"""The commands that change something: what is asked, what is sent, what is refused."""

from __future__ import annotations

import json

import pytest

from shared.models import PreflightReport
from shared.preflight import listed
from shared.vocabulary import MigrationState, MigrationStatus
from tests.backhaul import golden
from tests.backhaul.answers import AFTERMATH, GAP, ID, OPERATION, PREFLIGHT, Story
from tests.backhaul.app import App, Reply, Seen, refusal
from tests.backhaul.conftest import Run

SHOW = f"GET /api/migrations/{ID}"
CHECK = f"POST /api/migrations/{ID}/cutover?validateOnly=true"
CUTOVER = f"POST /api/migrations/{ID}/cutover"
CANCEL = f"POST /api/migrations/{ID}/cancel"
READY = MigrationStatus.READY_FOR_CUTOVER

ready = Story(restored=6)
held_up = Story(restored=3, missing=[1])
REPLIES = {
    SHOW: [Reply(content=ready.show(READY))],
    CHECK: [Reply(content=ready.readiness(READY))],
    CUTOVER: [Reply(202, ready.show(MigrationStatus.COMPLETING))],
    CANCEL: [Reply(202, ready.show(MigrationStatus.CANCELING))],
}
NOT_READY = {
    SHOW: [Reply(content=held_up.show(MigrationStatus.IN_PROGRESS, blocking=GAP))],
    CHECK: [Reply(content=held_up.readiness(MigrationStatus.IN_PROGRESS, blocking=GAP))],
    CUTOVER: [Reply(202, held_up.show(MigrationStatus.COMPLETING))],
}


def posted(app: App) -> list[Seen]:
    """Return the requests that changed something."""
    return [s for s in app.seen if s.method == "POST" and "validateOnly" not in s.path]


def test_cutover_shows_the_checks_asks_and_names_the_present_operation(run: Run) -> None:
    with App(dict(REPLIES)) as app:
        ended = run("cutover", ID, *app.options, typed="r\ny\n")

    assert ended.status == 0
    assert ended.out == "The cutover of Sales is in progress.\n"
    golden.check("cutover-dialog.txt", ended.err)
    body = {"migrationOperationId": str(OPERATION), "confirmNoMoreBackups": True}
    assert posted(app) == [Seen("POST", f"/api/migrations/{ID}/cutover", body)]


@pytest.mark.parametrize("typed", ["n\n", "\n", "", "what\nNo\n"])
def test_cutover_without_a_yes_changes_nothing(typed: str, run: Run) -> None:
    with App(dict(REPLIES)) as app:
        ended = run("cutover", ID, *app.options, typed=typed)

    assert ended.status == 1
    assert "Nothing was changed." in ended.err
    assert posted(app) == []


def test_cutover_with_yes_asks_nothing(run: Run) -> None:
    with App(dict(REPLIES)) as app:
        ended = run("cutover", ID, "--yes", "--json", *app.options)

    assert ended.status == 0
    assert json.loads(ended.out)["properties"]["migrationStatus"] == "Completing"
    assert len(posted(app)) == 1


def test_cutover_that_is_not_ready_stops_before_asking(run: Run) -> None:
    with App(dict(NOT_READY)) as app:
        ended = run("cutover", ID, *app.options, typed="y\n")

    assert ended.status == 1
    assert "Error: not ready for cutover: statusAllowsCutover" not in ended.err
    assert "Error: not ready for cutover: noBlockingReason: Log SQL01/sales" in ended.err
    assert "--accept-data-loss" in ended.err
    assert posted(app) == []


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (("--last-backup", "LOG/tail.trn"), {"lastBackupName": "LOG/tail.trn"}),
        (
            ("--accept-data-loss", "LOG/x.trn"),
            {"acceptDataLoss": {"lastRestoredFilename": "LOG/x.trn"}},
        ),
    ],
)
def test_cutover_that_is_not_ready_can_wait_or_be_forced(
    options: tuple[str, ...], sent: dict[str, object], run: Run
) -> None:
    with App(dict(NOT_READY)) as app:
        ended = run("cutover", ID, *options, *app.options, typed="y\n")

    assert ended.status == 0
    (request,) = posted(app)
    assert request.body == {
        "migrationOperationId": str(OPERATION),
        "confirmNoMoreBackups": True,
        **sent,
    }


@pytest.mark.parametrize(
    ("options", "stop"),
    [
        (("--stop-at", "2026-03-01 14:29:59"), {"time": "2026-03-01T14:29:59", "before": False}),
        (
            ("--stop-at-lsn", "0000002d:000000c6:0001", "--before"),
            {"lsn": "45000000019800001", "before": True},
        ),
        (
            ("--stop-at-mark", "release", "--after", "2026-03-01T12:00"),
            {"mark": "release", "before": False, "after": "2026-03-01T12:00:00"},
        ),
    ],
)
def test_cutover_may_end_at_a_stop_point(
    options: tuple[str, ...], stop: dict[str, object], run: Run
) -> None:
    with App(dict(REPLIES)) as app:
        ended = run("cutover", ID, *options, *app.options, typed="y\n")

    assert ended.status == 0
    assert "waits for the logs that lead there" in " ".join(ended.err.split())
    (request,) = posted(app)
    assert request.body == {
        "migrationOperationId": str(OPERATION),
        "confirmNoMoreBackups": True,
        "stopAt": stop,
    }


@pytest.mark.parametrize(
    "options",
    [
        ("--before",),
        ("--stop-at", "soon"),
        ("--stop-at-lsn", "x"),
        ("--stop-at", "2026-03-01", "--stop-at-lsn", "1"),
        ("--stop-at-lsn", "1", "--last-backup", "x.trn"),
        ("--stop-at-mark", "lsn:1"),
    ],
)
def test_what_is_no_stop_point_is_wrong_usage(options: tuple[str, ...], run: Run) -> None:
    with App(dict(REPLIES)) as app:
        ended = run("cutover", ID, *options, "--yes", *app.options)

    assert ended.status == 2
    assert app.seen == []


@pytest.mark.parametrize(("replies", "status"), [(REPLIES, 0), (NOT_READY, 1)])
def test_cutover_can_be_checked_only(
    replies: dict[str, list[Reply]], status: int, run: Run
) -> None:
    with App(dict(replies)) as app:
        shown = run("cutover", ID, "--validate-only", *app.options)
        as_json = run("cutover", ID, "--validate-only", "--json", *app.options)

    assert shown.status == as_json.status == status
    assert json.loads(as_json.out)["ready"] is (status == 0)
    golden.check(f"cutover-check-{status}.txt", shown.out)
    assert posted(app) == []


@pytest.mark.parametrize("fits", [True, False])
def test_create_can_check_the_target_alone(fits: bool, run: Run) -> None:
    checks = listed(PREFLIGHT)
    report = PreflightReport(ready=fits, checks=checks[:1] if fits else checks)
    with App({"POST /api/migrations?validateOnly=true": [Reply(content=report)]}) as app:
        options = ("SQL01/sales", "--name", "Sales", "--validate-only", *app.options)
        shown = run("create", *options)
        as_json = run("create", "--json", *options)

    assert shown.status == as_json.status == int(not fits)
    assert json.loads(as_json.out) == report.as_json()
    if not fits:
        golden.check("create-check.txt", shown.out)
    assert posted(app) == []
    assert app.seen[0].body["name"] == "Sales"


@pytest.mark.parametrize(
    ("end", "status"), [(MigrationStatus.SUCCEEDED, 0), (MigrationStatus.FAILED, 1)]
)
def test_cutover_waits_for_the_end_and_shows_what_is_left_to_do(
    end: MigrationStatus, status: int, run: Run
) -> None:
    ended_so = ready.show(end, aftermath=AFTERMATH)
    completing = Reply(content=ready.show(MigrationStatus.COMPLETING))
    shown = [Reply(content=ready.show(READY)), completing, Reply(content=ended_so)]
    with App({**REPLIES, SHOW: [*shown]}) as app:
        ended = run("cutover", ID, "--yes", "--wait", *app.options)
    with App({**REPLIES, SHOW: [*shown]}) as app:
        as_json = run("cutover", ID, "--yes", "--wait", "--json", *app.options)

    assert ended.status == as_json.status == status
    assert "Left to do" in ended.out
    assert [line.partition(",")[0] for line in ended.err.splitlines()] == [
        f"{ID}: Completing",
        f"{ID}: {end.value} ({'1 Warning' if status == 0 else '1 Error'})",
    ]
    document = json.loads(as_json.out)
    assert document["properties"]["migrationStatus"] == end.value
    assert document["properties"]["migrationStatusDetails"]["toDo"][0]["code"] == "CheckDatabase"


def test_a_refused_cutover_says_what_and_what_to_do(run: Run) -> None:
    no = refusal(409, "OperationInProgress", "a cutover is under way", "let it finish")
    with App({**REPLIES, CUTOVER: [no]}) as app:
        ended = run("cutover", ID, "--yes", *app.options)

    assert ended == (1, "", "Error: a cutover is under way\nTry:   let it finish\n")


@pytest.mark.parametrize(
    ("options", "fate", "keep"), [((), "is dropped", False), (("--keep-target",), "stays", True)]
)
def test_cancel_tells_what_becomes_of_the_target(
    options: tuple[str, ...], fate: str, keep: bool, run: Run
) -> None:
    with App(dict(REPLIES)) as app:
        ended = run("cancel", ID, *options, *app.options, typed="y\n")

    assert ended.status == 0
    assert fate in ended.err
    assert ended.out == "The migration of Sales is being canceled.\n"
    body = {"migrationOperationId": str(OPERATION), "keepTarget": keep}
    assert posted(app) == [Seen("POST", f"/api/migrations/{ID}/cancel", body)]


def test_cancel_of_a_migration_whose_database_is_open_says_that_it_stays(run: Run) -> None:
    shown = ready.show(MigrationStatus.COMPLETING, state=MigrationState.VERIFYING_TARGET)
    with App({**REPLIES, SHOW: [Reply(content=shown)]}) as app:
        ended = run("cancel", ID, *app.options, typed="n\n")

    assert "stays there, since it is open" in ended.err
    assert "is dropped" not in ended.err


def test_cancel_without_a_yes_changes_nothing(run: Run) -> None:
    with App(dict(REPLIES)) as app:
        assert run("cancel", ID, *app.options, typed="n\n").status == 1

    assert posted(app) == []


CREATE = "POST /api/migrations"
LOCATION = {"fileStorageType": "AzureBlob", "azureBlob": {"folder": "SQL01/sales"}}


@pytest.mark.parametrize(
    ("options", "properties"),
    [
        ((), {"offlineConfiguration": {"offline": False}}),
        (
            (
                *("--offline", "--last-backup", "LOG/x.trn", "--target", "vm"),
                *("--source-database", "S", "--priority", "5", "--adopt"),
                *("--restore-delay", "90"),
            ),
            {
                "restoreDelayMinutes": 90,
                "priority": 5,
                "adopt": True,
                "scope": "vm",
                "sourceDatabaseName": "S",
                "offlineConfiguration": {"offline": True, "lastBackupName": "LOG/x.trn"},
            },
        ),
        (
            (
                *("--check-database", "physical", "--owner", "sa"),
                *("--compatibility-level", "160"),
            ),
            {
                "offlineConfiguration": {"offline": False},
                "afterRecovery": {
                    "checkDatabase": "physical",
                    "owner": "sa",
                    "compatibilityLevel": 160,
                },
            },
        ),
        (
            (
                *("--data-folder", "D:\\Data", "--log-folder", "L:\\"),
                *("--move", "a=b=C:\\x=y.mdf", "--move", "it's [log]=C:\\数.ldf"),
                *("--max-transfer-size", "65536", "--buffer-count", "8", "--block-size", "512"),
                "--standby",
            ),
            {
                "offlineConfiguration": {"offline": False},
                "restoreOptions": {
                    "dataFolder": "D:\\Data",
                    "logFolder": "L:\\",
                    "moveFiles": {"a=b": "C:\\x=y.mdf", "it's [log]": "C:\\数.ldf"},
                    "maxTransferSize": 65536,
                    "bufferCount": 8,
                    "blockSize": 512,
                    "standby": True,
                },
            },
        ),
    ],
)
def test_create_orders_a_migration(
    options: tuple[str, ...], properties: dict[str, object], run: Run
) -> None:
    with App({CREATE: [Reply(201, Story().show(MigrationStatus.CREATING))]}) as app:
        ended = run("create", "SQL01/sales", "--name", "Sales", *options, *app.options)

    assert ended.status == 0
    assert ended.out.startswith(f"Migration {ID} restores what comes to folder 'SQL01/sales'")
    (request,) = app.seen
    assert request.body == {
        "name": "Sales",
        "properties": {
            "kind": "SqlVm",
            "backupConfiguration": {"sourceLocation": LOCATION},
            "priority": 0,
            "adopt": False,
            "restoreDelayMinutes": 0,
            **properties,
        },
    }


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--name", "Sales", "--offline"),
        ("--name", "Sales", "--last-backup", "x"),
        ("--name", "S" * 129),
        ("--name", ""),
        ("--name", "Sales", "--compatibility-level", "155"),
        ("--name", "Sales", "--owner", ""),
        ("--name", "Sales", "--check-database", "quick"),
        ("--name", "Sales", "--move", "x"),
        ("--name", "Sales", "--move", "x=rel.mdf"),
        ("--name", "Sales", "--move", "=/x.mdf"),
        ("--name", "Sales", "--move", "x=/x", "--move", "x=/y"),
        ("--name", "Sales", "--data-folder", "data"),
        ("--name", "Sales", "--max-transfer-size", "1"),
    ],
)
def test_create_with_options_that_do_not_fit_is_wrong_usage(
    options: tuple[str, ...], run: Run
) -> None:
    with App() as app:
        ended = run("create", "sales", *options, *app.options)

    assert ended.status == 2
    assert app.seen == []


def test_retry_and_restart_name_the_present_operation(run: Run) -> None:
    shown = Story(restored=3).show(MigrationStatus.RETRIABLE)
    replies = {
        SHOW: [Reply(content=shown)],
        f"{SHOW.replace('GET', 'POST')}/retry": [Reply(202, shown)],
        f"{SHOW.replace('GET', 'POST')}/restart": [Reply(201, shown)],
    }
    with App(replies) as app:
        assert run("retry", ID, *app.options).out == "The migration of Sales goes on.\n"
        assert run("restart", ID, *app.options).out == "The migration of Sales begins anew.\n"
        assert json.loads(run("retry", ID, "--json", *app.options).out)["name"] == "Sales"
    body = {"migrationOperationId": str(OPERATION)}
    route = f"/api/migrations/{ID}"
    assert posted(app)[:2] == [
        Seen("POST", f"{route}/retry", body),
        Seen("POST", f"{route}/restart", body),
    ]


@pytest.mark.parametrize("force", [False, True])
def test_delete_asks_and_tells_what_becomes_of_the_record(run: Run, *, force: bool) -> None:
    shown = Story(restored=3).show(MigrationStatus.CANCELED)
    query = f"?migrationOperationId={OPERATION}&force={str(force).lower()}"
    route = f"DELETE /api/migrations/{ID}{query}"
    reply = Reply(202, shown) if force else Reply(204, raw=b"")
    with App({SHOW: [Reply(content=shown)], route: [reply]}) as app:
        options = [*(["--force"] if force else []), *app.options]
        assert run("delete", ID, *options, typed="n\n").status == 1
        ended = run("delete", ID, *options, typed="y\n")
    told = "is being canceled, its record goes after that" if force else "is deleted"
    assert ended.out == f"The migration of Sales {told}.\n"
    assert [s.method for s in app.seen].count("DELETE") == 1


def test_create_says_which_options_of_the_restore_do_not_go_together(run: Run) -> None:
    with App() as app:
        ended = run("create", "f", "--name", "x", "--buffer-count", "600", *app.options)

    assert ended.status == 2
    told = " ".join(ended.err.split())
    assert "the options of the restore: bufferCount 600 x 4194304 bytes" in told
    assert "at most 512 buffers" in told
