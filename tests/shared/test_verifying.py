"""Backups are read as far as their migration asks before anything of them is restored."""

from __future__ import annotations

import random

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server
from shared import arrivals
from shared.arrivals import check_blob, unchecked_blobs, verify_blob
from shared.records import FileRecord, MigrationOrder
from shared.vocabulary import InvalidReason, MigrationStatus, VerificationLevel
from tests.shared.conftest import MakeScene
from tests.shared.scene import Scene, guids, restored, sample
from tests.verification.running import turned, victims

CHANCE = random.Random(1)  # noqa: S311 tests, no secret


def order_with(scene: Scene, level: str, folder: str = "f", database: str = "x") -> MigrationOrder:
    return scene.create(folder, database, verify=level, sourceDatabaseName="Sales")


def known(record: FileRecord | None) -> FileRecord:
    assert record is not None
    return record


def verify(scene: Scene, name: str) -> FileRecord:
    """Do what the orchestration does with a blob."""
    record = known(check_blob(scene.place, name)[0])
    parts = 0
    while record.verifying is not None:
        record, parts = known(verify_blob(scene.place, name)[0]), parts + 1
        assert parts < 10_000
    return record


def verify_all(scene: Scene) -> None:
    for blob in list(unchecked_blobs(scene.place)):
        verify(scene, blob.name)
    assert list(unchecked_blobs(scene.place)) == []


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call read little, so that small samples take many."""
    monkeypatch.setattr(arrivals, "_VERIFY_S", 0.0)
    monkeypatch.setattr(arrivals, "_VERIFY_BYTES", 16 * 1024)


def test_a_damaged_page_is_found_on_arrival_and_named(bare: Scene) -> None:
    order_with(bare, "data")
    (whole,) = SampleDatabase("Sales", checksums=False).full().to_bytes()
    page = next(victim for victim in victims(whole) if victim.kind == "page")
    record = known(bare.drop("f/full.bak", bytes(turned(whole, page, CHANCE))))
    assert record.verifying is not None
    assert record.backup is None
    assert record.claimed is not None
    record = verify(bare, "f/full.bak")
    assert record.refusal is not None
    assert record.refusal.code is InvalidReason.BACKUP_DAMAGED
    assert f"at offset {page.named}" in record.refusal.reason
    assert record.claimed is None
    assert list(unchecked_blobs(bare.place)) == []

    bare.drop("f/full.bak", whole)
    record = verify(bare, "f/full.bak")
    assert record.refusal is None
    assert record.backup is not None
    assert record.verified is VerificationLevel.DATA


@pytest.mark.usefixtures("in_small_parts")
def test_reading_goes_on_from_where_it_was(bare: Scene) -> None:
    order_with(bare, "data")
    (whole,) = sample(data_bytes=512 * 1024).full().to_bytes()
    record = known(bare.drop("f/full.bak", whole))
    reached = []
    while record.verifying is not None:
        reached.append(record.verifying.at)
        # Whoever is told of the file again changes nothing.
        assert known(check_blob(bare.place, "f/full.bak")[0]) == record
        record = known(verify_blob(bare.place, "f/full.bak")[0])
    assert len(reached) > 3
    assert reached == sorted(set(reached))
    assert record.verified is VerificationLevel.DATA


@pytest.mark.usefixtures("in_small_parts")
def test_a_blob_that_is_replaced_meanwhile_is_read_from_its_beginning(bare: Scene) -> None:
    order_with(bare, "data")
    database = sample(data_bytes=512 * 1024)
    bare.drop("f/full.bak", database.full().to_bytes()[0])
    before = known(verify_blob(bare.place, "f/full.bak")[0])
    bare.container.upload_blob("f/full.bak", database.full().to_bytes()[0], overwrite=True)
    after = known(verify_blob(bare.place, "f/full.bak")[0])
    assert before.verifying is not None
    assert after.verifying is not None
    assert after.etag != before.etag
    assert after.verifying.at < before.verifying.at
    bare.container.delete_blob("f/full.bak")
    assert verify_blob(bare.place, "f/full.bak")[0] is None


def test_a_backup_of_less_than_was_asked_for_is_read_again(bare: Scene) -> None:
    (full, log) = (database := sample()).full(), database.log()
    bare.drop_backups("f", [full, log])
    assert list(unchecked_blobs(bare.place)) == []
    order_with(bare, "structure")
    assert len(list(unchecked_blobs(bare.place))) == 2
    verify_all(bare)
    levels = {file.verified for file in bare.place.catalog.list_files("f")}
    assert levels == {VerificationLevel.STRUCTURE}
    assert bare.place.catalog.files_being_verified("f") == []
    assert len(bare.place.catalog.data_backups("f")) == 1


def test_what_could_not_be_checked_is_told(bare: Scene) -> None:
    order = order_with(bare, "data")
    bare.drop(
        "f/full.bak",
        SampleDatabase("Sales", checksums=False, page_checksums=False).full().to_bytes()[0],
    )
    record = verify(bare, "f/full.bak")
    assert any("without CHECKSUM" in note for note in record.notes)
    ((info,),) = [s.list_of_backup_files for s in bare.details(order).active_backup_sets]
    assert info.verification_notes == list(record.notes)
    assert info.verified is VerificationLevel.DATA


def test_nothing_is_restored_before_it_is_verified(scene: Scene) -> None:
    database = sample()
    backups = [database.full(), database.log()]
    # They were judged by their headers before there was an order, and stand in every plan.
    names = scene.drop_backups("f", backups)
    order = order_with(scene, "data", database=scene.database("Sales"))
    turn = scene.drive(order)
    assert turn.status["waitingFor"] == f"the verification of {names[0]!r} (level data)"
    assert restored(scene, order) == []
    verify(scene, names[1])
    turn = scene.drive(order)
    assert str(turn.status["waitingFor"]).startswith(f"the verification of {names[0]!r}")
    assert not scene.details(order).restore_blocking_reason_code
    verify(scene, names[0])
    scene.drive(order)
    assert restored(scene, order) == guids(backups)
    assert scene.status(order) is MigrationStatus.READY_FOR_CUTOVER


def test_a_cutover_waits_for_the_verification_of_its_last_file(scene: Scene) -> None:
    database = sample()
    order = order_with(scene, "data", database=scene.database("Sales"))
    scene.drop_backups("f", [database.full()])
    verify_all(scene)
    scene.drive(order)
    (tail,) = scene.drop_backups("f", [database.log()])
    checks = {c.name: c.state for c in scene.details(order).cutover_readiness.checks}
    assert checks["noFilesBeingVerified"] == "fail"
    scene.cutover(order, lastBackupName=tail.removeprefix("f/"))
    turn = scene.drive(order)
    assert str(turn.status["waitingFor"]).startswith(f"the verification of {tail!r}")
    assert turn.status["migrationStatus"] == "Completing"
    verify_all(scene)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED


def test_a_stripe_that_is_verified_and_one_that_is_missing_are_told_apart(scene: Scene) -> None:
    order = order_with(scene, "data", database=scene.database("Sales"))
    first, second, _ = sample().full(stripes=3).to_bytes()
    scene.drop("f/1.bak", first)
    scene.drop("f/2.bak", second)
    verify(scene, "f/1.bak")
    turn = scene.drive(order)
    assert turn.status["blockingReasonCode"] == "StripesMissing"
    assert "3" in str(turn.status["waitingFor"])
    (missing,) = scene.details(order).waiting_for_stripes
    assert missing.missing_sequence_numbers == [3]


def test_a_later_file_that_is_verified_does_not_hide_a_gap(scene: Scene) -> None:
    database = sample()
    order = order_with(scene, "data", database=scene.database("Sales"))
    full, _, last = database.full(), database.log(), database.log()
    scene.drop_backups("f", [full])
    verify_all(scene)
    scene.drop_backups("f", [last])
    turn = scene.drive(order)
    assert turn.status["blockingReasonCode"] == "ChainGap"


def test_the_end_of_a_migration_ends_the_verification_of_its_files(scene: Scene) -> None:
    order = order_with(scene, "data", database=scene.database("Sales"))
    (name,) = scene.drop_backups("f", [sample().full()])
    scene.cancel(order)
    scene.drive(order)
    assert [blob.name for blob in unchecked_blobs(scene.place)] == [name]
    record = known(verify_blob(scene.place, name)[0])
    assert record.verifying is None
    assert record.verified is VerificationLevel.HEADER
    assert list(unchecked_blobs(scene.place)) == []


def test_a_started_migration_has_the_level_of_the_settings(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, auto_start=True, verify=VerificationLevel.DATA)
    record = known(scene.drop("g/full.bak", sample(scene.database("S")).full().to_bytes()[0]))
    assert record.verifying is not None
    (order,) = scene.place.catalog.list_orders()
    assert order.verify is VerificationLevel.DATA
    assert verify(scene, "g/full.bak").backup is not None


def test_the_settings_say_what_a_request_does_not(make_scene: MakeScene, server: Server) -> None:
    scene = make_scene(server, verify=VerificationLevel.STRUCTURE)
    assert scene.create("a", scene.database("A")).verify is VerificationLevel.STRUCTURE
    assert scene.create("b", scene.database("B"), verify="header").verify is (
        VerificationLevel.HEADER
    )
