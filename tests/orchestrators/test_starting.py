"""Starting and waking through the durable client: repeated, at once, and when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import azure.durable_functions as df
import pytest

from orchestrators.slots import restore_slots
from orchestrators.starting import give_back, start_validation, wake_migration, who_asked
from shared.blob_event import FinishedBlob, validation_id

Status = df.OrchestrationRuntimeStatus
BLOB = FinishedBlob("sales/full.bak", "0x1")
LIVE = [Status.Pending, Status.Running, Status.ContinuedAsNew, Status.Suspended]
OVER = [None, Status.Completed, Status.Failed, Status.Terminated, Status.Canceled]


class Client:
    """The calls of Azure's durable client that are used, on a task hub with one status."""

    def __init__(self, status: Any = None, *, refuses: bool = False, state: Any = None) -> None:
        self.status, self.refuses, self.state = status, refuses, state
        self.calls: list[tuple[Any, ...]] = []

    async def get_status(self, instance: str) -> Any:
        return SimpleNamespace(runtime_status=self.status)

    async def start_new(self, name: str, instance: str, given: Any) -> None:
        self.calls.append(("start", name, instance, given))
        self._refuse()

    async def raise_event(self, instance: str, name: str, data: Any) -> None:
        self.calls.append(("raise", instance, name))
        self._refuse()

    async def read_entity_state(self, entity: df.EntityId) -> Any:
        return SimpleNamespace(entity_state=self.state)

    async def signal_entity(self, entity: df.EntityId, operation: str, given: Any) -> None:
        self.calls.append(("signal", str(entity), operation, given))

    def _refuse(self) -> None:
        if self.refuses:
            raise Exception("an instance of this id is running")  # noqa: TRY002 as the SDK does


def do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@pytest.mark.parametrize("status", [*LIVE, *OVER])
@pytest.mark.parametrize("again", [False, True])
def test_a_version_is_checked_once_unless_the_catalog_does_not_know_it(
    status: Any, again: bool
) -> None:
    client = Client(status)
    do(start_validation(client, BLOB, again=again))
    starts = status not in LIVE and (again or status is not Status.Completed)
    expected = ("start", "validate_backup", validation_id(BLOB), {"name": BLOB.name})
    assert client.calls == [expected] * starts


@pytest.mark.parametrize("status", LIVE)
def test_a_migration_that_runs_is_woken(status: Any) -> None:
    client = Client(status)
    do(wake_migration(client, "sales"))
    assert client.calls == [("raise", "sales", "Wake")]


@pytest.mark.parametrize("status", OVER)
def test_a_migration_that_does_not_run_is_started(status: Any) -> None:
    client = Client(status)
    do(wake_migration(client, "sales"))
    given = {"migrationId": "sales", "version": 1}
    assert client.calls == [("start", "migrate_database", "sales", given)]


def test_a_wake_that_comes_too_late_is_no_failure() -> None:
    do(wake_migration(Client(Status.Running, refuses=True), "sales"))


def test_a_start_at_the_same_moment_as_another_is_no_failure() -> None:
    do(wake_migration(Client(Status.Completed, refuses=True), "sales"))
    with pytest.raises(Exception, match="running"):
        do(wake_migration(Client(None, refuses=True), "sales"))


def test_who_asked_for_a_slot() -> None:
    # As it is kept now, and as it was before there were priorities.
    for queue in ([{"who": "c", "priority": 1, "since": ""}], ["c"]):
        state = {"holders": ["a", "b"], "queue": queue}
        assert do(who_asked(Client(state=state), "sql-1")) == {"a", "b", "c"}
    assert do(who_asked(Client(state=None), "sql-1")) == set()


def test_slots_are_given_back_for_those_who_cannot() -> None:
    client = Client()
    do(give_back(client, "sql-1", ["a"]))
    assert client.calls == [("signal", "@restore_slots@sql-1", "release", {"who": "a"})]


class Entity:
    """The calls of a DurableEntityContext that the entity uses."""

    def __init__(self) -> None:
        self.state: Any = None

    def call(self, operation: str, **given: Any) -> Any:
        self.operation_name, self._input = operation, given
        restore_slots(self)
        return self.result

    def get_state(self, initializer: Any) -> Any:
        return initializer() if self.state is None else self.state

    def get_input(self) -> Any:
        return self._input

    def set_state(self, state: Any) -> None:
        self.state = state

    def set_result(self, result: Any) -> None:
        self.result = result


def test_the_entity_hands_slots_out() -> None:
    entity = Entity()
    assert entity.call("acquire", who="a", limit=1) == {"place": 0}
    assert entity.call("acquire", who="b", limit=1) == {"place": 1}
    assert entity.call("release", who="a") == {"next": "b"}
    assert entity.state == {
        "holders": [],
        "queue": [{"who": "b", "priority": 0, "since": ""}],
    }
    entity.state = {"holders": [], "queue": ["b"]}
    assert entity.call("acquire", who="b", limit=1) == {"place": 0}
    assert entity.call("release", who="b") == {"next": None}
