"""Orders: the same again is harmless, what does not fit is refused, and races have one winner."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server
from shared import ordering
from shared.errors import RequestError
from shared.looking import read_migration
from shared.models import CancelRequest, CutoverRequest, MigrationRequest
from shared.records import MigrationOrder
from shared.vocabulary import MigrationStatus
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene, refusal_of, request


def wish(order: MigrationOrder, **changes: Any) -> CutoverRequest:
    body = {"migrationOperationId": order.operation_id, "confirmNoMoreBackups": True, **changes}
    return CutoverRequest.model_validate(body)


def ready(scene: Scene, folder: str = "f", logs: int = 1) -> MigrationOrder:
    """Return a migration that has restored a full and some logs."""
    source = SampleDatabase("Sales")
    scene.drop_backups(folder, [source.full(), *(source.log() for _ in range(logs))])
    order = scene.create(folder, scene.database("Sales"))
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER
    return order


# Create


def test_the_same_request_again_gives_the_first_order(bare: Scene) -> None:
    wanted = request("a/b", "Sales")
    first, new = ordering.create_migration(bare.place, wanted)
    assert new
    for again in (wanted, request("/a/b/", "Sales"), request("a/b", "Sales", scope="t")):
        assert ordering.create_migration(bare.place, again) == (first, False)


@pytest.mark.parametrize(
    "other",
    [
        request("f", "HR"),
        request("f", "Sales", sourceDatabaseName="Other"),
        request("f", "Sales", offlineConfiguration={"offline": True, "lastBackupName": "x"}),
    ],
)
def test_another_request_for_the_same_folder_is_refused(
    bare: Scene, other: MigrationRequest
) -> None:
    bare.create("f", "Sales")
    refusal = refusal_of(lambda: ordering.create_migration(bare.place, other))
    assert (refusal.status, refusal.code) == (409, "OperationInProgress")


def test_one_database_has_one_migration_whatever_its_letters(bare: Scene) -> None:
    order = bare.create("one", "Sales")
    refusal = refusal_of(lambda: bare.create("two", "SALES"))
    assert (refusal.status, refusal.code) == (409, "ResourceAlreadyExists")
    assert "'one'" in refusal.message
    bare.cancel(order)
    bare.drive(order)
    assert bare.create("two", "SALES").folder == "two"


def test_of_many_requests_at_once_one_counts(bare: Scene) -> None:
    with ThreadPoolExecutor(6) as pool:
        calls = [
            pool.submit(ordering.create_migration, bare.place, request("f", "Sales"))
            for _ in range(6)
        ]
        answers = [call.result() for call in calls]
    assert sum(new for _, new in answers) == 1
    assert len({order.operation_id for order, _ in answers}) == 1


def test_an_ended_migration_is_started_anew_once(bare: Scene) -> None:
    order = bare.create("f", "Sales")
    bare.cancel(order)
    bare.drive(order)
    with ThreadPoolExecutor(6) as pool:
        calls = [
            pool.submit(ordering.create_migration, bare.place, request("f", "Sales"))
            for _ in range(6)
        ]
        answers = [call.result() for call in calls]
    assert sum(new for _, new in answers) == 1
    (again,) = {answer.operation_id for answer, _ in answers}
    assert again != order.operation_id
    assert bare.status(order) is MigrationStatus.CREATING


def test_a_request_for_another_container_is_refused(bare: Scene) -> None:
    wanted = request("f", "Sales").model_dump(by_alias=True)
    location = wanted["properties"]["backupConfiguration"]["sourceLocation"]["azureBlob"]
    location["blobContainerName"] = "elsewhere"
    refusal = refusal_of(
        lambda: ordering.create_migration(bare.place, MigrationRequest.model_validate(wanted))
    )
    assert (refusal.status, refusal.code) == (400, "InvalidContainerName")
    location["blobContainerName"] = bare.place.settings.container
    assert ordering.create_migration(bare.place, MigrationRequest.model_validate(wanted))[1]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("f", "a\nb"),
        ("f", "a\x85"),
        ("a\tb", "Sales"),
        ("f", "Sales "),
        ("f", "\N{OIL DRUM}" * 65),
    ],
)
def test_names_that_no_server_keeps_are_refused(bare: Scene, folder: str, name: str) -> None:
    refusal = refusal_of(lambda: bare.create(folder, name))
    assert (refusal.status, refusal.code) == (400, "InvalidName")


# The body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "name: Field required"),
        (b"{", "body: Invalid JSON"),
        (b"[]", "body: "),
        (b"\xff", "body: Invalid JSON"),
        (b'{"name": "\\ud800"}', "body: Invalid JSON"),
        (b'{"name": 5}', "name: Input should be a valid string"),
        (b'{"nane": "x"}', "nane: Extra inputs are not permitted"),
        (b"[" * 5000, "body: Invalid JSON"),
    ],
)
def test_a_wrong_body_is_refused_with_its_fields(body: bytes, words: str) -> None:
    refusal = refusal_of(lambda: ordering.parse_body(MigrationRequest, body))
    assert (refusal.status, refusal.code) == (400, "InvalidRequest")
    assert words in refusal.message


def test_a_wrong_value_is_not_repeated() -> None:
    body = json.dumps({"migrationOperationId": "SECRET"}).encode()
    assert "SECRET" not in refusal_of(lambda: ordering.parse_body(CutoverRequest, body)).message


# Cutover


def test_a_cutover_without_confirmation_is_refused(scene: Scene) -> None:
    order = ready(scene)
    refusal = refusal_of(
        lambda: ordering.order_cutover(scene.place, "f", wish(order, confirmNoMoreBackups=False))
    )
    assert (refusal.status, refusal.code) == (400, "ConfirmationRequired")


def test_the_same_cutover_again_gives_the_same_answer(scene: Scene) -> None:
    order = ready(scene)
    ordering.order_cutover(scene.place, "f", wish(order))
    first = ordering.show_migration(scene.place, "f")
    assert first.properties.migration_status is MigrationStatus.COMPLETING
    accepted = read_migration(scene.place, "f")[0].cutover
    ordering.order_cutover(scene.place, "f", wish(order))
    assert read_migration(scene.place, "f")[0].cutover == accepted
    other = wish(order, lastBackupName="another.trn")
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", other))
    assert (refusal.status, refusal.code) == (409, "OperationInProgress")


def test_of_two_cutovers_at_once_one_counts_and_the_other_is_told(scene: Scene) -> None:
    order = ready(scene)
    wishes = [wish(order, lastBackupName=f"{number}.trn") for number in range(6)]

    def ask(one: CutoverRequest) -> int:
        try:
            ordering.order_cutover(scene.place, "f", one)
        except RequestError as error:
            return error.status
        return 202

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, wishes))
    assert sorted(answers) == [202, 409, 409, 409, 409, 409]
    accepted = read_migration(scene.place, "f")[0].cutover
    assert accepted is not None
    assert accepted.last_backup_name == wishes[answers.index(202)].last_backup_name


def test_a_cutover_and_a_cancel_at_once_are_told_who_won(scene: Scene) -> None:
    order = ready(scene)

    def cut_over() -> int:
        try:
            ordering.order_cutover(scene.place, "f", wish(order))
        except RequestError as error:
            return error.status
        return 202

    with ThreadPoolExecutor(2) as pool:
        cutover = pool.submit(cut_over)
        pool.submit(scene.cancel, order).result()
    written = read_migration(scene.place, "f")[0]
    assert written.cancel is not None
    assert (written.cutover is not None) is (cutover.result() == 202)


def test_a_request_for_an_earlier_attempt_is_refused(scene: Scene) -> None:
    order = ready(scene)
    stale = order.model_copy(update={"operation_id": uuid4()})
    for call in (
        lambda: ordering.order_cutover(scene.place, "f", wish(stale)),
        lambda: scene.cancel(stale),
    ):
        refusal = refusal_of(call)
        assert (refusal.status, refusal.code) == (409, "OperationIdNotFound")


def test_orders_are_refused_when_they_no_longer_fit(scene: Scene) -> None:
    order = ready(scene)
    scene.cancel(order)
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", wish(order)))
    assert (refusal.status, refusal.code) == (409, "OperationInProgress")
    scene.drive(order)
    scene.cancel(order)
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", wish(order)))
    assert refusal.code == "CutoverNotAllowedMigrationCompleteError"

    done = ready(scene, "g")
    scene.cutover(done)
    scene.drive(done)
    refusal = refusal_of(lambda: scene.cancel(done))
    assert (refusal.status, refusal.code) == (409, "MigrationNotReadyForCancelError")
    offline = scene.create(
        "h", scene.database("h"), offlineConfiguration={"offline": True, "lastBackupName": "x"}
    )
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "h", wish(offline)))
    assert (refusal.status, refusal.code) == (409, "MigrationNotReadyForCutoverError")


def test_a_cutover_before_anything_is_restored_must_name_its_end(bare: Scene) -> None:
    order = bare.create("f", "Sales")
    refusal = refusal_of(lambda: ordering.order_cutover(bare.place, "f", wish(order)))
    assert (refusal.status, refusal.code) == (409, "MigrationNotReadyForCutoverError")
    ordering.order_cutover(bare.place, "f", wish(order, lastBackupName="x.trn"))
    assert read_migration(bare.place, "f")[0].cutover


def test_a_file_that_nobody_has_read_keeps_a_cutover_back(scene: Scene) -> None:
    order = ready(scene)
    scene.container.upload_blob("f/new.trn", b"who knows")
    checks = {check.name: check for check in ordering.check_cutover(scene.place, "f").checks}
    assert checks["noUnreadFiles"].state == "fail"
    assert "new.trn" in checks["noUnreadFiles"].message
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", wish(order)))
    assert "noUnreadFiles" in refusal.message
    scene.container.delete_blob("f/new.trn")
    assert ordering.check_cutover(scene.place, "f").ready
    ordering.order_cutover(scene.place, "f", wish(order))


def test_an_unusable_file_that_was_taken_away_keeps_nothing_back(scene: Scene) -> None:
    ready(scene)
    scene.drop("f/tail.trn", SampleDatabase("Sales").full().to_bytes()[0][:9000])
    assert not ordering.check_cutover(scene.place, "f").ready
    scene.container.delete_blob("f/tail.trn")
    scene.check_unchecked()
    assert ordering.check_cutover(scene.place, "f").ready


def test_a_loss_is_acknowledged_by_the_file_that_was_seen(scene: Scene) -> None:
    source = SampleDatabase("Sales")
    full, first, _, third = source.full(), source.log(), source.log(), source.log()
    names = scene.drop_backups("f", [full, first, third])
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", wish(order)))
    assert {"nothingPending", "chainContinuous", "noBlockingReason"} <= {
        part.split(":")[0] for part in refusal.message.removeprefix("not ready: ").split("; ")
    }
    seen = names[2].removeprefix("f/")
    stale = wish(order, acceptDataLoss={"lastRestoredFilename": seen})
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", stale))
    assert (refusal.status, refusal.code) == (412, "StateChanged")
    seen = names[1].removeprefix("f/")
    scene.cutover(order, acceptDataLoss={"lastRestoredFilename": seen})
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    skipped = scene.details(order).active_backup_sets[0]
    assert skipped.ignore_reason_codes[0] == "ArrivedAfterCutover"


def test_an_acknowledged_loss_does_not_excuse_a_database_that_is_not_ours(scene: Scene) -> None:
    order = ready(scene)
    with scene.on_target() as target:
        target.drop(order.target_database)
    scene.drive(order)
    seen = scene.details(order).last_restored_filename
    forced = wish(order, acceptDataLoss={"lastRestoredFilename": seen})
    refusal = refusal_of(lambda: ordering.order_cutover(scene.place, "f", forced))
    assert refusal.status == 409
    assert "targetDatabaseRestoring" in refusal.message


def test_the_end_of_the_wait_follows_from_the_settings(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, cutover_wait_hours=2.0)
    order = scene.create("f", scene.database("Sales"))
    scene.cutover(order, lastBackupName="x.trn")
    accepted = read_migration(scene.place, "f")[0].cutover
    assert accepted is not None
    assert accepted.awaited
    assert (accepted.expires_on - accepted.requested_on).total_seconds() == 7200


# Cancel, show, list


def test_a_cancel_shows_at_once_and_may_be_repeated(bare: Scene) -> None:
    order = bare.create("f", "Sales")
    cancel = CancelRequest(migration_operation_id=order.operation_id)
    for _ in range(2):
        shown = ordering.order_cancel(bare.place, "f", cancel)
        assert shown.properties.migration_status is MigrationStatus.CANCELING
    bare.drive(order)
    shown = ordering.order_cancel(bare.place, "f", cancel)
    assert shown.properties.migration_status is MigrationStatus.CANCELED


@pytest.mark.parametrize("migration", ["nobody", "", "a/b", "it's", "x" * 300, "\0"])
def test_an_unknown_migration_is_not_found(bare: Scene, migration: str) -> None:
    refusal = refusal_of(lambda: ordering.show_migration(bare.place, migration))
    assert (refusal.status, refusal.code) == (404, "MigrationNotFound")


def test_the_list_has_each_migration_without_details(bare: Scene) -> None:
    orders = [bare.create(folder, f"db{folder}") for folder in ("a", "b/c", "")]
    listed = {shown.id: shown for shown in ordering.list_migrations(bare.place)}
    assert set(listed) == {order.id for order in orders}
    for order in orders:
        shown = listed[order.id]
        assert shown.name == order.target_database
        assert shown.properties.migration_status_details is None
        assert shown.properties.migration_operation_id == order.operation_id
