"""What is asked of a database that is open, on the simulated server, whatever it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from shared.errors import TargetError, TargetUnavailable
from shared.opened import Check, Outcome
from shared.targets import RestoreStopped, jobs, upkeep
from shared.targets import opened as opened_module
from shared.targets.sqlserver import SqlServerTarget
from shared.vocabulary import DatabaseCheck
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import PASSWORD, raw_connection, target_on
from tests.targets.names import NASTY
from tests.targets.restores import always, order_of

OPERATION = UUID(int=5)
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory, container: Container) -> Iterator[Server]:
    """A server whose databases bring users of every name, and that has a login of each."""
    settings = Settings(
        data=tmp_path_factory.mktemp("peopled"),
        password=PASSWORD,
        database_users=tuple(NASTY.values()),
    )
    with serve(settings) as server:
        with target_on(server) as target:
            target.ensure_credential(container.url, lambda: SIGNATURE)
        for name in NASTY.values():
            run(server, f"CREATE LOGIN {bracketed(name)} WITH PASSWORD = 'secret'")
        yield server


def bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def run(server: Server, statement: str) -> None:
    with raw_connection(server) as connection:
        cursor = connection.cursor()
        cursor.noscan = True
        cursor.execute(statement)


def opened(target: SqlServerTarget, container: Container, name: str, **source: Any) -> None:
    full = SampleDatabase(name[:60], seed=1, **source).full()
    target.restore(order_of(container, full, name), always)
    target.recover(name)


def wait_for(target: SqlServerTarget, name: str) -> Check:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        check = target.opened(name).find_check(OPERATION)
        assert check is not None, "the job is gone"
        if check.outcome is not Outcome.RUNNING:
            return check
        time.sleep(0.05)
    raise AssertionError("it does not end")


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY)
def test_every_verb_carries_every_name(peopled: Server, container: Container, name: str) -> None:
    with target_on(peopled) as target:
        opened(target, container, name)
        database = target.opened(name)
        facts = database.read_facts()
        assert facts is not None
        assert (facts.state, facts.owner, facts.login) == ("ONLINE", "sa", "sa")
        assert (facts.compatibility_level, facts.recovery_model) == (150, "FULL")
        found = database.list_orphaned_users()
        assert found is not None
        assert found.count == len(NASTY)
        assert {user.name for user in found.users} == set(NASTY.values())
        assert {user.kind for user in found.users} == {"SQL_USER"}
        assert all(user.sid.startswith("0x") for user in found.users)
        for _ in range(2):
            database.set_compatibility_level(160)
        for kind in (DatabaseCheck.PHYSICAL, DatabaseCheck.FULL):
            database.check(kind, always)
            database.start_check(OPERATION, kind)
            assert wait_for(target, name).outcome is Outcome.GOOD
            for check in (wait_for(target, name),) * 2:
                database.end_check(check)
            assert database.find_check(OPERATION) is None
        assert target.has_login(name)
        for _ in range(2):
            database.set_owner(name)
        facts = database.read_facts()
        assert facts is not None
        assert (facts.owner, facts.compatibility_level) == (name, 160)


def test_a_user_that_got_its_login_back_is_no_orphan(peopled: Server, container: Container) -> None:
    with target_on(peopled) as target:
        opened(target, container, "joined")
        name = NASTY["brackets-quotes-comment"]
        with raw_connection(peopled) as connection:
            cursor = connection.cursor()
            cursor.noscan = True
            for statement in (
                "USE [joined]",
                f"ALTER USER {bracketed(name)} WITH LOGIN = {bracketed(name)}",
            ):
                cursor.execute(statement)
        found = target.opened("joined").list_orphaned_users()
        assert found is not None
        assert found.count == len(NASTY) - 1
        assert name not in {user.name for user in found.users}


def test_more_users_than_are_listed_are_counted(tmp_path: Path, container: Container) -> None:
    users = tuple(f"user {number:03}" for number in range(130))
    settings = Settings(data=tmp_path, password=PASSWORD, database_users=users)
    with serve(settings) as server, target_on(server) as target:
        target.ensure_credential(container.url, lambda: SIGNATURE)
        opened(target, container, "many")
        found = target.opened("many").list_orphaned_users()
    assert found is not None
    assert (found.count, len(found.users)) == (130, 100)
    assert [user.name for user in found.users] == list(users[:100])


def test_an_absent_database_has_no_facts(target: SqlServerTarget) -> None:
    database = target.opened("nowhere")
    assert database.read_facts() is None
    assert database.find_check(OPERATION) is None
    assert target.has_login("nobody at all") is False
    verbs: list[Callable[[], None]] = [
        lambda: database.set_owner("sa"),
        lambda: database.set_compatibility_level(160),
        lambda: database.check(DatabaseCheck.FULL, always),
    ]
    for verb in verbs:
        with pytest.raises(TargetError) as refusal:
            verb()
        assert refusal.value.number
        assert not isinstance(refusal.value, TargetUnavailable)


@pytest.mark.parametrize("login", ["no such login", "no]such", "end "], ids=repr)
def test_an_owner_that_is_no_login_is_refused(
    target: SqlServerTarget, container: Container, login: str
) -> None:
    name = f"of {login.strip()}"
    opened(target, container, name)
    with pytest.raises(TargetError):
        target.opened(name).set_owner(login)


def test_damage_is_told_by_its_first_error(
    target: SqlServerTarget,
    container: Container,
    server: Server,
) -> None:
    opened(target, container, "damaged")
    server.instance.damage("damaged", is_corrupt=True)
    database = target.opened("damaged")
    with pytest.raises(TargetError) as refusal:
        database.check(DatabaseCheck.FULL, always)
    assert refusal.value.number == 8928
    database.start_check(OPERATION, DatabaseCheck.PHYSICAL)
    check = wait_for(target, "damaged")
    assert check.outcome is Outcome.FAILED
    assert check.error is not None
    assert check.error.number == 8928
    database.end_check(check)


def test_a_check_is_stopped_by_its_watch(slow: Server, container: Container) -> None:
    with target_on(slow) as target:
        opened(target, container, "long", data_bytes=3_000_000)
        seen: list[float] = []

        def watch(percent: float) -> bool:
            seen.append(percent)
            return percent < 10

        with pytest.raises(RestoreStopped):
            target.opened("long").check(DatabaseCheck.FULL, watch)
        assert seen == sorted(seen)
        target.opened("long").start_check(OPERATION, DatabaseCheck.FULL)
        check = target.opened("long").find_check(OPERATION)
        assert check is not None
        assert check.outcome is Outcome.RUNNING
        target.opened("long").end_check(check)
        assert target.opened("long").find_check(OPERATION) is None


@pytest.mark.parametrize("without", ["server", "step and server"])
def test_a_check_whose_maker_died_counts_as_lost_until_it_is_begun_again(
    server: Server, target: SqlServerTarget, container: Container, without: str
) -> None:
    name = f"half made, without {without}"
    opened(target, container, name)
    with raw_connection(server) as connection:
        job = jobs.check_name_of(name, OPERATION)
        connection.execute(jobs.ADD_JOB, job, "half made")
        if without == "server":
            statement = upkeep.check_database(name, DatabaseCheck.FULL, tells_end=False)
            connection.execute(jobs.ADD_STEP, job, "check", statement, jobs.QUIT_WITH_SUCCESS)
    database = target.opened(name)
    check = database.find_check(OPERATION)
    assert check is not None
    assert check.outcome is Outcome.LOST
    with pytest.raises(TargetUnavailable, match="another worker"):
        database.start_check(OPERATION, DatabaseCheck.FULL)
    database.end_check(check)
    database.start_check(OPERATION, DatabaseCheck.FULL)
    check = wait_for(target, name)
    assert check.outcome is Outcome.GOOD
    database.end_check(check)


def test_a_change_that_others_block_is_given_up(
    target: SqlServerTarget, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulated server knows no locks, so a statement that takes its time stands for one."""
    monkeypatch.setattr(upkeep, "set_owner", lambda *_: "WAITFOR DELAY '00:00:30'")
    monkeypatch.setattr(opened_module, "_PATIENCE_S", 0.3)
    began = time.monotonic()
    with pytest.raises(TargetError, match="other sessions blocked it"):
        target.opened("blocked").set_owner("sa")
    assert time.monotonic() - began < 10
    assert target.opened("blocked").read_facts() is None, "the connection is of use still"
