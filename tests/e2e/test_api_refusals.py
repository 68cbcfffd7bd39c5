"""Wrong requests get a status, a code, and words that say what to change; no key, no answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.samples import SampleDatabase
from tests.e2e.world import World, write

LOCATION = {"backupConfiguration": {"sourceLocation": {"azureBlob": {"folder": "x"}}}}
CREATE = {"name": "X", "properties": LOCATION}


def _with(**properties: Any) -> dict[str, Any]:
    return {"name": "X", "properties": {**LOCATION, **properties}}


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b"", 400, "InvalidRequest", "name"),
        (b"{", 400, "InvalidRequest", "JSON"),
        (b"[]", 400, "InvalidRequest", "body"),
        (b"\xff\xfe", 400, "InvalidRequest", ""),
        ({"name": "X"}, 400, "InvalidRequest", "properties"),
        ({"name": "", "properties": LOCATION}, 400, "InvalidRequest", "name"),
        ({"name": "X" * 129, "properties": LOCATION}, 400, "InvalidRequest", "128"),
        ({"name": "X\n", "properties": LOCATION}, 400, "InvalidName", "control"),
        ({"name": "X ", "properties": LOCATION}, 400, "InvalidName", "blanks"),
        ({**CREATE, "extra": 1}, 400, "InvalidRequest", "extra"),
        (_with(kind="SqlDb"), 400, "InvalidRequest", "kind"),
        (_with(scope="nowhere"), 400, "UnknownTarget", "local"),
        (
            _with(offlineConfiguration={"offline": True}),
            400,
            "InvalidRequest",
            "lastBackupName",
        ),
        (
            _with(offlineConfiguration={"lastBackupName": "x"}),
            400,
            "InvalidRequest",
            "cutover",
        ),
        (
            {
                "name": "X",
                "properties": {
                    "backupConfiguration": {
                        "sourceLocation": {"azureBlob": {"blobContainerName": "other"}}
                    }
                },
            },
            400,
            "InvalidContainerName",
            "landing",
        ),
        (b'{"name": "' + b"x" * 70_000 + b'"}', 413, "RequestTooLarge", "65536"),
    ],
)
def test_a_wrong_order_is_refused(
    world: World, body: Any, status: int, code: str, words: str
) -> None:
    answer = world.call("POST", "migrations", body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert words in error["message"]
    assert error["action"]


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("GET", "migrations/nobody", None),
        ("GET", "migrations/it's%20;--%3F", None),
        ("GET", "migrations/%00%0A", None),
        ("GET", "migrations/" + "x" * 2000, None),
        (
            "POST",
            "migrations/nobody/cutover",
            {"migrationOperationId": str(uuid4()), "confirmNoMoreBackups": True},
        ),
        ("POST", "migrations/nobody/cutover?validateOnly=true", None),
        ("POST", "migrations/nobody/cancel", {"migrationOperationId": str(uuid4())}),
    ],
)
def test_an_unknown_migration_is_not_found(
    world: World, method: str, route: str, body: Any
) -> None:
    answer = world.call(method, route, body)
    assert answer.status_code == 404, answer.text
    assert answer.json()["error"]["code"] == "MigrationNotFound"
    assert answer.json()["error"]["action"]


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": "wrong"}])
@pytest.mark.parametrize("route", ["migrations", "migrations/x"])
def test_nothing_is_told_without_the_key(world: World, headers: dict[str, str], route: str) -> None:
    assert world.call("GET", route, headers=headers).status_code == 401
    assert world.call("POST", route + "/cutover", {}, headers).status_code in (401, 404)


def test_orders_may_be_repeated_but_not_contradicted(world: World) -> None:
    first = world.create("contrary", "Contrary")
    again = world.create("contrary", "Contrary")
    ids = [m["properties"]["migrationOperationId"] for m in (first, again)]
    assert ids[0] == ids[1]
    other = {
        "name": "Contrary 2",
        "properties": {
            "backupConfiguration": {"sourceLocation": {"azureBlob": {"folder": "contrary"}}}
        },
    }
    answer = world.call("POST", "migrations", other)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "OperationInProgress")
    taken = {
        "name": "CONTRARY",
        "properties": {
            "backupConfiguration": {"sourceLocation": {"azureBlob": {"folder": "contrary2"}}}
        },
    }
    answer = world.call("POST", "migrations", taken)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ResourceAlreadyExists")


def test_a_cutover_must_be_confirmed_and_be_about_the_present_attempt(world: World) -> None:
    world.create("confirm", "Confirm")
    world.wait(
        "confirm", lambda p: p["migrationStatusDetails"]["migrationState"] == "WaitForFullBackup"
    )
    answer = world.cutover("confirm", confirmNoMoreBackups=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ConfirmationRequired")
    answer = world.cutover("confirm", migrationOperationId=str(uuid4()))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "OperationIdNotFound")
    answer = world.cancel("confirm", migrationOperationId=str(uuid4()))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "OperationIdNotFound")
    answer = world.cutover("confirm")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "MigrationNotReadyForCutoverError"


def test_readiness_is_told_check_by_check(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Ready")
    world.upload("ready", write([database.full(), database.log()], tmp_path))
    world.create("ready", "Ready")
    world.wait_status("ready", "ReadyForCutover")
    answer = world.call("POST", "migrations/ready/cutover?validateOnly=true")
    assert answer.status_code == 200
    readiness = answer.json()
    assert readiness["ready"] is True
    assert {check["name"]: check["state"] for check in readiness["checks"]}["noUnreadFiles"] == (
        "pass"
    )
    world.put("ready/later.trn", b"not read yet")
    readiness = world.call("POST", "migrations/ready/cutover?validateOnly=true").json()
    assert readiness["ready"] is False
    assert readiness["unreadFiles"] == ["later.trn"]


def test_the_list_shows_every_migration_in_short(world: World) -> None:
    world.create("listed", "Listed")
    answer = world.call("GET", "migrations")
    assert answer.status_code == 200
    listed = {m["id"]: m for m in answer.json()["value"]}
    assert listed["listed"]["name"] == "Listed"
    assert "migrationStatusDetails" not in listed["listed"]["properties"]
    assert "warningCount" in listed["listed"]["properties"]["migrationStatusWarnings"]
