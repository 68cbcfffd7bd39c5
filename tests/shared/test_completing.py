"""What follows a recovery on a target: each step, a failing one, a crash between any two."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from local.sqlserver import Server, Settings, serve
from shared import ordering, restoring
from shared.after_recovery import AfterRecovery
from shared.chain import DatabaseState
from shared.errors import BackhaulError
from shared.looking import glance
from shared.models import RestartRequest
from shared.outlook import Action
from shared.records import MigrationOrder, MigrationProgress
from shared.sweeping import survey
from shared.targets.connection import Session
from shared.vocabulary import AfterStep, MigrationState, MigrationStatus, StepState, ToDo
from shared.work import Turn
from tests.shared.conftest import MakeScene
from tests.shared.scene import PASSWORD, Scene, refusal_of, request, sample, settings_of

DONE, FAILED, SKIPPED = StepState.DONE, StepState.FAILED, StepState.SKIPPED
LONGEST_ACTIVITY_S = 5.0
ALL = {"checkDatabase": "full", "owner": "sa", "compatibilityLevel": 160}


@pytest.fixture
def checks_slowly(tmp_path: Path) -> Iterator[Server]:
    """A server that reads one MB in a second, and whose databases bring users without login."""
    settings = Settings(
        data=tmp_path / "slow",
        password=PASSWORD,
        restore_speed=1.0,
        database_users=("anna", "it's [bob]"),
    )
    with serve(settings) as running:
        yield running


def restored(scene: Scene, after: dict[str, Any], **options: Any) -> MigrationOrder:
    """Return a migration that has restored everything and has got its cutover."""
    source = sample(data_bytes=options.pop("data_bytes", 64 * 1024))
    scene.drop_backups("f", [source.full(), source.log()])
    order = scene.create("f", scene.database("Sales"), afterRecovery=after)
    scene.drive(order)
    scene.cutover(order)
    return order


def states(scene: Scene, order: MigrationOrder) -> dict[AfterStep, StepState]:
    return {step.name: step.state for step in scene.details(order).after_recovery}


def codes(scene: Scene, order: MigrationOrder) -> list[ToDo]:
    return [item.code for item in scene.details(order).to_do]


def run(server: Server, *statements: str) -> None:
    with closing(Session(settings_of(server))) as session:
        for statement in statements:
            session.run(statement, doing="what somebody else does")


def poll(scene: Scene, order: MigrationOrder) -> Turn:
    began = time.monotonic()
    turn = restoring.recover(scene.place, order.id)
    assert time.monotonic() - began < LONGEST_ACTIVITY_S
    return turn


def test_nothing_is_done_that_was_not_asked_for(scene: Scene) -> None:
    order = restored(scene, {})
    assert scene.drive(order).action is Action.FINISH
    assert states(scene, order) == {
        AfterStep.ONLINE: DONE,
        AfterStep.COMPATIBILITY_LEVEL: SKIPPED,
        AfterStep.ORPHANED_USERS: DONE,
        AfterStep.CHECK_DATABASE: SKIPPED,
        AfterStep.OWNER: SKIPPED,
    }
    database = scene.details(order).recovered_database
    assert database is not None
    assert (database.state, database.owner, database.compatibility_level) == ("ONLINE", "sa", 150)
    assert (database.source_compatibility_level, database.maximum_compatibility_level) == (150, 160)
    assert {ToDo.FIRST_BACKUP, ToDo.OWNER, ToDo.COMPATIBILITY_LEVEL} <= set(codes(scene, order))


def test_all_that_was_asked_for_is_done(scene: Scene) -> None:
    order = restored(scene, ALL)
    scene.drive(order)
    assert set(states(scene, order).values()) == {DONE}
    database = scene.details(order).recovered_database
    assert database is not None
    assert database.compatibility_level == 160
    assert not {ToDo.OWNER, ToDo.COMPATIBILITY_LEVEL} & set(codes(scene, order))


def test_a_restart_asks_for_the_same_again(scene: Scene) -> None:
    order = restored(scene, ALL)
    scene.drive(order)
    ordering.order_restart(
        scene.place, order.id, RestartRequest(migration_operation_id=order.operation_id)
    )
    again, progress = both(scene, order)
    assert again.operation_id != order.operation_id
    assert again.after_recovery == order.after_recovery == AfterRecovery.model_validate(ALL)
    assert progress.aftermath is None


def test_the_same_order_again_is_the_same_only_with_the_same_wishes(scene: Scene) -> None:
    order = restored(scene, ALL)
    again = scene.create("f", order.target_database, afterRecovery=ALL)
    assert again.operation_id == order.operation_id
    other = {**ALL, "owner": "app"}
    refused = refusal_of(lambda: scene.create("f", order.target_database, afterRecovery=other))
    assert refused.code == "OperationInProgress"


@pytest.mark.parametrize(
    "after",
    [
        {"owner": "a\nb"},
        {"owner": "ends in a blank "},
        {"owner": "\N{OIL DRUM}" * 65},
    ],
    ids=["control", "blank", "too long"],
)
def test_an_owner_that_no_login_can_be_is_refused(bare: Scene, after: dict[str, Any]) -> None:
    refused = refusal_of(lambda: bare.create("f", "Sales", afterRecovery=after))
    assert (refused.status, refused.code) == (400, "InvalidName")


@pytest.mark.parametrize(
    "after",
    [
        {"owner": ""},
        {"owner": "x" * 129},
        {"compatibilityLevel": 70},
        {"compatibilityLevel": 155},
        {"compatibilityLevel": 10**9},
        {"checkDatabase": "thorough"},
        {"sweep": True},
    ],
    ids=str,
)
def test_a_wish_out_of_bounds_is_refused(after: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="after"):
        request("f", "Sales", afterRecovery=after)


# Steps that fail: the database is open, so the migration succeeds


def test_every_step_may_fail_and_the_migration_succeeds(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(
        scene, {"checkDatabase": "full", "owner": "no]body", "compatibilityLevel": 200}
    )
    damage = f'{{"do": "corrupt-database", "database": "{order.target_database}", "after_s": 0}}'
    run(checks_slowly, f"EXEC sp_simulate_fault N'{damage}'")
    deadline = time.monotonic() + 20
    while not any(fault.struck for fault in checks_slowly.instance.faults.all()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert states(scene, order) == {
        AfterStep.ONLINE: DONE,
        AfterStep.COMPATIBILITY_LEVEL: FAILED,
        AfterStep.ORPHANED_USERS: DONE,
        AfterStep.CHECK_DATABASE: FAILED,
        AfterStep.OWNER: FAILED,
    }
    steps = {step.name: step for step in scene.details(order).after_recovery}
    numbers = [step.sql_error_number for step in steps.values()]
    assert numbers == [None, 15048, None, 8928, 15151]
    assert all(step.action for step in steps.values() if step.state is FAILED)
    assert (steps[AfterStep.OWNER].action or "").startswith("Create the login on the target")
    told = {item.code: item.text for item in scene.details(order).to_do}
    assert "8928" in told[ToDo.CHECK_DATABASE]
    assert "15151" in told[ToDo.OWNER]
    assert "15048" in told[ToDo.COMPATIBILITY_LEVEL]
    assert "[anna], [it's [bob]]]" in told[ToDo.LOGINS]
    shown = scene.shown(order).properties
    assert shown.migration_status_warnings.warning_count == 3
    assert shown.migration_failure_error is None


def poll_until_open(scene: Scene, order: MigrationOrder) -> None:
    """Let the recovery happen, and no more of what follows than it takes to start the check."""
    assert poll(scene, order).pause_s > 0
    assert scene.progress(order).aftermath is not None


def test_a_login_that_does_not_see_all_logins_says_so(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    run(
        checks_slowly,
        "CREATE LOGIN app WITH PASSWORD = 'secret'",
        "GRANT CREATE ANY DATABASE, ALTER ANY CREDENTIAL TO app",
    )
    scene = make_scene(checks_slowly, {"user": "app", "password": "secret"})
    order = restored(scene, {"owner": "sa", "checkDatabase": "physical"})
    scene.drive(order)
    assert states(scene, order) == {
        AfterStep.ONLINE: DONE,
        AfterStep.COMPATIBILITY_LEVEL: SKIPPED,
        AfterStep.ORPHANED_USERS: SKIPPED,
        AfterStep.CHECK_DATABASE: DONE,
        AfterStep.OWNER: DONE,
    }
    told = {item.code: item.text for item in scene.details(order).to_do}
    assert "VIEW ANY DEFINITION" in told[ToDo.LOGINS]
    # A crash after the database was given away: the login has no rights in it any more.
    done = scene.progress(order)
    assert done.aftermath is not None
    kept = done.aftermath.model_copy(update={"steps": done.aftermath.steps[:-1], "facts": None})
    changes = {"status": MigrationStatus.COMPLETING, "ended_on": None, "aftermath": kept}
    scene.put_back(order, done.model_copy(update=changes))
    scene.drive(order)
    assert states(scene, order)[AfterStep.OWNER] is DONE


def test_a_database_that_somebody_drops_after_the_recovery_was_migrated(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(scene, ALL, data_bytes=1_500_000)
    poll_until_open(scene, order)
    run(checks_slowly, f"DROP DATABASE [{order.target_database}]")
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert states(scene, order)[AfterStep.OWNER] is FAILED
    assert scene.details(order).recovered_database is None


def test_a_database_that_is_gone_when_its_users_are_to_be_listed_holds_nothing_up(
    scene: Scene, server: Server
) -> None:
    order = restored(scene, ALL)
    scene.drive(order)
    done = scene.progress(order)
    assert done.aftermath is not None
    opened = done.aftermath.model_copy(update={"steps": done.aftermath.steps[:1], "facts": None})
    changes = {"status": MigrationStatus.COMPLETING, "ended_on": None, "aftermath": opened}
    scene.put_back(order, done.model_copy(update=changes))
    run(server, f"DROP DATABASE [{order.target_database}]")
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert set(states(scene, order).values()) == {DONE, FAILED}
    assert [s for s in states(scene, order).values() if s is DONE] == [DONE]


# A check that takes its time


def test_a_long_check_is_followed_as_a_job_and_its_slot_is_free(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(scene, {"checkDatabase": "full"}, data_bytes=2_500_000)
    turn = poll(scene, order)
    assert (turn.action, turn.pause_s) == (Action.RECOVER, 1.0)
    assert turn.status["migrationStatus"] == "Completing"
    assert turn.status["migrationState"] == "VerifyingTarget"
    assert str(turn.status["waitingFor"]).startswith("the end of DBCC CHECKDB, ")
    seen = glance(scene.place, *both(scene, order))
    assert (seen.busy, seen.restless) == (False, True)
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ONLINE
    assert restoring.take_turn(scene.place, order.id).action is Action.RECOVER
    assert scene.details(order).migration_state is MigrationState.VERIFYING_TARGET
    assert ToDo.CONNECTION_STRINGS in codes(scene, order)
    scene.drive(order)
    assert states(scene, order)[AfterStep.CHECK_DATABASE] is DONE
    with scene.on_target() as target:
        assert target.opened(order.target_database).find_check(order.operation_id) is None


def both(scene: Scene, order: MigrationOrder) -> tuple[MigrationOrder, MigrationProgress]:
    now, stored = scene.read(order)
    return now, stored.now


@pytest.mark.parametrize("runner", ["agent", "inline"])
def test_a_cancel_ends_a_check_and_the_migration_succeeds(
    make_scene: MakeScene, checks_slowly: Server, runner: str
) -> None:
    scene = make_scene(checks_slowly, {"restore_with": runner})
    order = restored(scene, {**ALL, "compatibilityLevel": None}, data_bytes=3_000_000)
    if runner == "agent":
        poll_until_open(scene, order)
        scene.cancel(order)
    else:
        _cancel_while(scene, order)
    assert scene.drive(order).action is Action.FINISH
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert states(scene, order)[AfterStep.CHECK_DATABASE] is SKIPPED
    assert states(scene, order)[AfterStep.OWNER] is SKIPPED
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ONLINE
        assert target.opened(order.target_database).find_check(order.operation_id) is None


def _cancel_while(scene: Scene, order: MigrationOrder) -> None:
    """Cancel once a check on our own connection shows how far it is."""
    working = threading.Thread(target=lambda: restoring.recover(scene.place, order.id))
    working.start()
    deadline = time.monotonic() + 20
    while "0 % done" in (told := scene.progress(order).waiting_for or "0 % done"):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    scene.cancel(order)
    working.join(30)
    assert not working.is_alive()


def test_a_deletion_by_force_ends_a_check_and_spares_the_database(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(scene, {"checkDatabase": "full"}, data_bytes=2_000_000)
    poll_until_open(scene, order)
    ordering.delete_migration(scene.place, order.id, order.operation_id, force=True)
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    assert states(scene, order)[AfterStep.CHECK_DATABASE] is SKIPPED
    survey(scene.place)
    assert scene.place.catalog.read_migration(order.id) is None
    with scene.on_target() as target:
        assert target.read_position(order.target_database).state is DatabaseState.ONLINE


def test_a_check_that_the_server_interrupts_is_begun_again(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(scene, {"checkDatabase": "full"}, data_bytes=2_000_000)
    poll_until_open(scene, order)
    checks_slowly.instance.agent.stop_service(crash=True)
    checks_slowly.instance.start_agent()
    scene.drive(order)
    assert states(scene, order)[AfterStep.CHECK_DATABASE] is DONE
    aftermath = scene.progress(order).aftermath
    assert aftermath is not None
    assert aftermath.check_attempts == 2


def test_a_check_that_somebody_stops_stays_stopped(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(scene, {"checkDatabase": "full"}, data_bytes=2_500_000)
    poll_until_open(scene, order)
    with scene.on_target() as target:
        check = target.opened(order.target_database).find_check(order.operation_id)
        assert check is not None
        run(checks_slowly, f"EXEC msdb.dbo.sp_stop_job @job_id = '{check.check_id}'")
    scene.drive(order)
    step = scene.details(order).after_recovery[3]
    assert (step.name, step.state) == (AfterStep.CHECK_DATABASE, FAILED)
    assert "Somebody stopped" in step.message


# Crashes: what was done is not written down


def test_a_crash_after_any_step_leads_to_the_same_end(scene: Scene) -> None:
    order = restored(scene, ALL)
    before = scene.progress(order)
    scene.drive(order)
    done = scene.progress(order)
    assert done.aftermath is not None
    opened = {"status": MigrationStatus.COMPLETING, "ended_on": None, "recovering": True}
    crashes: list[MigrationProgress] = [before.model_copy(update={"recovering": True})]
    for number in range(1, len(done.aftermath.steps) + 1):
        kept = done.aftermath.model_copy(
            update={"steps": done.aftermath.steps[:number], "facts": None}
        )
        crashes.append(done.model_copy(update={**opened, "aftermath": kept}))
    for crash in crashes:
        scene.put_back(order, crash)
        assert glance(scene.place, *both(scene, order)).restless
        assert scene.drive(order).action is Action.FINISH
        assert scene.progress(order).blocking is None
        assert set(states(scene, order).values()) == {DONE}
        assert scene.details(order).recovered_database is not None


def test_workers_that_complete_at_once_do_each_step_and_leave_no_job(
    make_scene: MakeScene, checks_slowly: Server
) -> None:
    scene = make_scene(checks_slowly)
    order = restored(scene, ALL, data_bytes=500_000)

    def work() -> None:
        for _ in range(3):
            with suppress(BackhaulError):
                restoring.recover(scene.place, order.id)

    with ThreadPoolExecutor(3) as pool:
        for worker in [pool.submit(work) for _ in range(3)]:
            worker.result()
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
    aftermath = scene.progress(order).aftermath
    assert aftermath is not None
    assert [step.name for step in aftermath.steps] == list(AfterStep)
    assert {step.state for step in aftermath.steps} == {DONE}
    assert checks_slowly.instance.jobs.all() == []


def test_a_stranger_who_restores_over_it_later_does_not_hold_the_migration_up(
    scene: Scene,
) -> None:
    order = restored(scene, ALL)
    scene.drive(order)
    done = scene.progress(order)
    assert done.aftermath is not None
    opened = done.aftermath.model_copy(update={"steps": done.aftermath.steps[:1], "facts": None})
    scene.put_back(
        order,
        done.model_copy(
            update={
                "status": MigrationStatus.COMPLETING,
                "ended_on": None,
                "aftermath": opened,
                # As if the last row of the history were somebody else's.
                "history_id": 0,
                "last_restored": None,
                "batch": (),
            }
        ),
    )
    for name in scene.place.catalog.list_versions("f"):
        scene.container.delete_blob(name)
    scene.check_unchecked()
    for act in (restoring.take_turn, restoring.restore_batch, restoring.clean_up):
        assert act(scene.place, order.id).action is Action.RECOVER
    scene.drive(order)
    assert scene.status(order) is MigrationStatus.SUCCEEDED
