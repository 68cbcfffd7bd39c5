"""Cutovers that end at a time, an LSN or a mark: there, or nowhere, whatever happens on the way."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from local.samples import SampleBackup
from local.sqlserver import Server, Settings, serve
from shared import ordering, restoring
from shared.chain import DatabaseState
from shared.lsn import Lsn
from shared.models import CutoverRequest
from shared.outlook import Action
from shared.records import MigrationOrder
from shared.stop_point import StopPoint
from shared.vocabulary import BlockingReason, IgnoreReason, MigrationStatus
from tests.shared.conftest import MakeScene
from tests.shared.scene import PASSWORD, Scene, guids, refusal_of, restored, sample

BOTH = pytest.mark.parametrize("restore_with", ["inline", "agent"])


def history() -> list[SampleBackup]:
    """Return a full and four logs."""
    source = sample()
    return [source.full(), *(source.log() for _ in range(4))]


def inside(log: SampleBackup, before: SampleBackup) -> str:
    """Return a time that lies in a log, and surely not in the one before it."""
    finish, end = before.header.backup_finish_date, log.header.backup_start_date
    assert finish
    assert end
    assert finish < end
    return (finish + (end - finish) / 2).isoformat()


def middle(log: SampleBackup) -> str:
    return str((int(log.header.first_lsn) + int(log.header.last_lsn)) // 2)


def online_at(scene: Scene, order: MigrationOrder) -> DatabaseState:
    with scene.on_target() as target:
        return DatabaseState(target.read_position(order.target_database).state)


def start(scene: Scene, taken: list[SampleBackup]) -> MigrationOrder:
    """Restore all of this, and return the migration."""
    scene.drop_backups("f", taken)
    order = scene.create("f", scene.database("Sales"))
    scene.drive(order)
    assert restored(scene, order) == guids(taken)
    return order


def restore_to_the_point(scene: Scene, order: MigrationOrder) -> None:
    """Do all that comes before the recovery."""
    turn = restoring.take_turn(scene.place, order.id)
    while turn.action is Action.RESTORE:
        turn = restoring.restore_batch(scene.place, order.id)
    assert turn.action is Action.RECOVER


@BOTH
@pytest.mark.parametrize("by", ["time", "lsn", "before"])
def test_a_cutover_ends_inside_a_log(
    make_scene: MakeScene, server: Server, restore_with: str, by: str
) -> None:
    scene = make_scene(server, {"restore_with": restore_with})
    taken = history()
    order = start(scene, taken[:2])
    stop: dict[str, Any] = (
        {"time": inside(taken[3], taken[2])}
        if by == "time"
        else {"lsn": middle(taken[3]), "before": by == "before"}
    )
    scene.cutover(order, stopAt=stop)
    scene.drop_backups("f", taken[2:])
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken[:4])
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert online_at(scene, order) is DatabaseState.ONLINE
    rows = scene.history(order.target_database)
    assert [row.under_stop for row in rows] == [False, False, True, True]

    details = scene.details(order)
    shown = details.cutover_stop
    assert shown is not None
    assert shown.reached
    assert shown.reached_lsn is not None
    assert taken[3].header.first_lsn <= shown.reached_lsn < taken[3].header.last_lsn
    behind = next(s for s in details.active_backup_sets if s.backup_set_id == guids(taken)[4])
    assert behind.ignore_reason_codes == [IgnoreReason.BEYOND_STOP_POINT]
    assert details.pending_log_backups_count == 0


@BOTH
def test_a_point_close_to_the_end_of_a_log_may_be_in_the_next(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    """The finish of a log is only an upper bound of what it holds: message 4322."""
    scene = make_scene(server, {"restore_with": restore_with})
    taken = history()
    order = start(scene, taken[:2])
    finish = taken[2].header.backup_finish_date
    assert finish
    scene.drop_backups("f", taken[2:3])
    scene.cutover(order, stopAt={"time": finish.isoformat()})
    assert scene.drive(order).action is Action.WAIT
    details = scene.details(order)
    assert details.restore_blocking_reason_code is BlockingReason.STOP_POINT_NOT_REACHED
    assert taken[2].file_names[0] in (details.restore_blocking_reason or "")
    assert scene.status(order) is MigrationStatus.COMPLETING
    assert online_at(scene, order) is DatabaseState.RESTORING
    scene.drop_backups("f", taken[3:])
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken[:4])


def test_a_point_that_is_passed_is_refused_at_once(scene: Scene) -> None:
    taken = history()
    order = start(scene, taken[:3])
    for stop in (
        {"time": inside(taken[1], taken[0])},
        {"lsn": middle(taken[2])},
        {"lsn": "1", "before": True},
    ):
        error = refusal_of(lambda stop=stop: scene.cutover(order, stopAt=stop))
        assert (error.status, error.code) == (409, "StopPointNotPossible")
        assert taken[2].file_names[0] in error.message
        assert error.action
    assert scene.read(order)[0].cutover is None


def test_a_point_before_the_end_of_the_full_is_refused(scene: Scene) -> None:
    taken = history()
    order = start(scene, taken[:1])
    finish = taken[0].header.backup_finish_date
    assert finish
    early = (finish - timedelta(seconds=30)).isoformat()
    assert refusal_of(lambda: scene.cutover(order, stopAt={"time": early})).status == 409


@BOTH
def test_an_answer_that_was_lost_is_asked_for_again(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    """The log is restored, and whoever was to write down how it ended has died."""
    scene = make_scene(server, {"restore_with": restore_with})
    taken = history()
    order = start(scene, taken[:2])
    scene.drop_backups("f", taken[2:])
    scene.cutover(order, stopAt={"time": inside(taken[3], taken[2])})
    restore_to_the_point(scene, order)
    _, stored = scene.read(order)
    stored.update(stop_trial=None)
    assert restoring.take_turn(scene.place, order.id).action is Action.RESTORE
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == [*guids(taken[:4]), guids(taken)[3]]
    assert scene.details(order).restored_files == 4


@BOTH
def test_a_lost_answer_of_a_log_that_ended_before_the_point(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    scene = make_scene(server, {"restore_with": restore_with})
    taken = history()
    order = start(scene, taken[:2])
    finish = taken[2].header.backup_finish_date
    assert finish
    scene.drop_backups("f", taken[2:3])
    scene.cutover(order, stopAt={"time": finish.isoformat()})
    scene.drive(order)
    _, stored = scene.read(order)
    stored.update(stop_trial=None)
    assert scene.drive(order).action is Action.WAIT
    trial = scene.progress(order).stop_trial
    assert trial is not None
    assert trial.reached is False
    assert online_at(scene, order) is DatabaseState.RESTORING
    scene.drop_backups("f", taken[3:])
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken[:4])


@BOTH
def test_a_log_that_ended_at_the_point_unexpectedly_is_noticed_at_the_next(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    """As when the source's clock was set back: what a header says is no proof."""
    scene = make_scene(server, {"restore_with": restore_with})
    taken = history()
    order = start(scene, taken[:2])
    scene.drop_backups("f", taken[2:])
    scene.cutover(order, stopAt={"time": inside(taken[3], taken[2])})
    restore_to_the_point(scene, order)
    _, stored = scene.read(order)
    last = stored.now.last_restored
    assert last is not None
    assert last.backup_finish_date is not None
    early = last.backup_finish_date - timedelta(days=1)
    doubtful = last.model_copy(update={"backup_finish_date": early})
    stored.update(stop_trial=None, last_restored=doubtful)
    assert scene.drive(order).action is Action.FINISH
    assert set(restored(scene, order)) == set(guids(taken[:4]))


def test_the_checks_tell_whether_a_point_is_possible(scene: Scene) -> None:
    taken = history()
    order = start(scene, taken[:2])
    scene.drop_backups("f", taken[3:])
    ahead, behind = (StopPoint(lsn=Lsn(int(middle(log)))) for log in (taken[3], taken[1]))
    assert ordering.check_cutover(scene.place, order.id, ahead).ready
    assert not ordering.check_cutover(scene.place, order.id, behind).ready
    assert not ordering.check_cutover(scene.place, order.id).ready
    scene.cutover(order, stopAt={"lsn": middle(taken[4])})
    assert ordering.check_cutover(scene.place, order.id, ahead).ready


@BOTH
def test_the_point_may_be_moved_while_it_is_not_reached(
    make_scene: MakeScene, server: Server, restore_with: str
) -> None:
    scene = make_scene(server, {"restore_with": restore_with})
    taken = history()
    order = start(scene, taken[:2])
    scene.drop_backups("f", taken[2:])
    scene.cutover(order, stopAt={"time": "2099-01-01T00:00:00"})
    scene.cutover(order, stopAt={"time": "2099-01-01T00:00:00"})
    assert refusal_of(lambda: scene.cutover(order, lastBackupName="x.trn")).status == 409
    scene.cutover(order, stopAt={"lsn": middle(taken[3])})
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken[:4])
    late = refusal_of(lambda: scene.cutover(order, stopAt={"lsn": middle(taken[4])}))
    assert late.status == 409


@BOTH
def test_a_mark_ends_a_cutover_wherever_it_is(
    make_scene: MakeScene, tmp_path: Path, restore_with: str
) -> None:
    """No header tells where a mark is, so each log is asked."""
    taken = history()
    settings = Settings(
        data=tmp_path / "marked", password=PASSWORD, marks=(("it's [m]", middle(taken[3])),)
    )
    with serve(settings) as marked:
        scene = make_scene(marked, {"restore_with": restore_with})
        order = start(scene, taken[:2])
        late = {"mark": "it's [m]", "after": "2099-01-01T00:00:00"}
        scene.cutover(order, stopAt=late)
        scene.drop_backups("f", taken[2:3])
        assert scene.drive(order).action is Action.WAIT
        code = scene.details(order).restore_blocking_reason_code
        assert code is BlockingReason.STOP_POINT_NOT_REACHED
        scene.cutover(order, stopAt={"mark": "it's [m]", "before": True})
        scene.drop_backups("f", taken[3:])
        assert scene.drive(order).action is Action.FINISH
        assert restored(scene, order) == guids(taken[:4])
        reached = scene.details(order).cutover_stop
    assert reached is not None
    assert str(reached.reached_lsn) == middle(taken[3])


def test_a_point_cannot_be_moved_once_the_database_is_being_opened(scene: Scene) -> None:
    taken = history()
    order = start(scene, taken[:2])
    scene.drop_backups("f", taken[2:])
    first = {"lsn": middle(taken[3])}
    scene.cutover(order, stopAt=first)
    _, stored = scene.read(order)
    stored.update(recovering=True)
    error = refusal_of(lambda: scene.cutover(order, stopAt={"lsn": middle(taken[4])}))
    assert "being opened" in error.message
    cutover = scene.read(order)[0].cutover
    assert cutover is not None
    assert cutover.stop == StopPoint.model_validate(first)


def test_an_expired_cutover_with_a_stop_point_goes_on_waiting(
    make_scene: MakeScene, server: Server
) -> None:
    scene = make_scene(server, cutover_wait_hours=1e-6)
    taken = history()
    order = start(scene, taken[:2])
    scene.cutover(order, stopAt={"time": "2099-01-01T00:00:00"})
    assert scene.drive(order).action is Action.WAIT
    assert scene.read(order)[0].cutover is not None


def test_the_delay_does_not_keep_a_cutover_from_its_point(scene: Scene) -> None:
    taken = history()
    scene.drop_backups("f", taken)
    order = scene.create("f", scene.database("Sales"), restoreDelayMinutes=60)
    scene.drive(order)
    scene.cutover(order, stopAt={"time": inside(taken[2], taken[1])})
    assert scene.drive(order).action is Action.FINISH
    assert restored(scene, order) == guids(taken[:3])


@BOTH
def test_a_log_that_is_being_restored_without_the_point_is_given_up(
    make_scene: MakeScene, tmp_path: Path, restore_with: str
) -> None:
    settings = Settings(data=tmp_path / "slow", password=PASSWORD, restore_delay_s=3.0)
    with serve(settings) as slow:
        scene = make_scene(slow, {"restore_with": restore_with})
        taken = history()
        order = start(scene, taken[:2])
        scene.drop_backups("f", taken[2:])
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(restoring.restore_batch, scene.place, order.id)
            while scene.progress(order).current is None and not running.done():
                time.sleep(0.05)
            scene.cutover(order, stopAt={"lsn": middle(taken[2])})
            running.result()
        assert scene.drive(order).action is Action.FINISH
        rows = scene.history(order.target_database)
    assert [row.backup_set_guid for row in rows] == guids(taken[:3])
    assert rows[-1].under_stop


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        ({}, "exactly one"),
        ({"time": "2026-01-01T00:00:00", "lsn": "1"}, "exactly one"),
        ({"time": "2026-01-01T00:00:00Z"}, "without a zone"),
        ({"time": "2026-01-01T00:00:00+02:00"}, "without a zone"),
        ({"time": "1700-01-01T00:00:00"}, "1753"),
        ({"time": "2026-01-01T00:00:00", "before": True}, "before belongs"),
        ({"lsn": "1", "after": "2026-01-01T00:00:00"}, "after belongs"),
        ({"lsn": "9" * 26}, "25 digits"),
        ({"mark": "lsn:1"}, "as lsn"),
        ({"mark": "m" * 129}, "128"),
        ({"time": "soon"}, "time"),
    ],
)
def test_what_is_no_stop_point(stop: dict[str, Any], says: str) -> None:
    body = {"migrationOperationId": "6f0f1c0e-5f1d-4a52-9a0e-0d3c8e1f2a33", "stopAt": stop}
    with pytest.raises(ValidationError, match=says):
        CutoverRequest.model_validate(body)


def test_a_time_is_never_rounded_up_and_stays_what_it_is() -> None:
    for microsecond in (0, 1, 2_999, 3_000, 3_500, 6_999, 7_000, 9_999, 500_000, 999_999):
        given = f"2026-01-01T00:00:00.{microsecond:06}"
        once = StopPoint.model_validate({"time": given}).time
        assert once is not None
        assert once.microsecond <= microsecond
        assert microsecond - once.microsecond < 4_000
        assert StopPoint(time=once).time == once


def test_a_stop_point_is_read_as_it_was_written() -> None:
    point = StopPoint(lsn=Lsn(45000000019800001), before=True)
    assert StopPoint.model_validate_json(point.model_dump_json()) == point
    assert StopPoint.model_validate(point.as_json()) == point
