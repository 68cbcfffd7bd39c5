"""The one thread that writes: what is answered is on disk, what fails leaves nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.host.errors import HubError, Refused
from local.host.hub import Hub
from local.host.instance import Instance
from local.host.queries import HubQueries, InstanceFilter
from local.host.writer import Writer


def _instance(name: str) -> Instance:
    at = "2026-01-01T00:00:00.000000Z"
    return Instance(name, "echo", "e", None, "Pending", None, None, None, at, at)


class _Running:
    def __init__(self, folder: Path) -> None:
        self.failures: list[BaseException] = []
        self.hub = Hub(folder)
        self.writer = Writer(self.hub, self.failures.append)
        self.queries = HubQueries(self.hub.path)
        self.writer.start([])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[_Running]:
    one = _Running(tmp_path)
    yield one
    one.queries.close()
    one.writer.stop()


def _ids(running: _Running) -> list[str]:
    return [one.id for one in running.queries.instances(InstanceFilter(), None, None)[0]]


def test_answer_comes_when_the_change_is_on_disk(running: _Running) -> None:
    seen = []
    done = threading.Event()

    def look(_: object) -> None:
        seen.append(_ids(running))
        done.set()

    future = running.writer.call(lambda: running.hub.put_instance(_instance("one")))
    future.add_done_callback(look)
    assert done.wait(10)
    assert seen == [["one"]]


def test_commits_are_written_through_to_the_disk(running: _Running) -> None:
    def pragmas() -> list[object]:
        names = ("journal_mode", "synchronous")
        return [running.hub._db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert running.writer.call(pragmas).result(10) == ["wal", 2]


def test_command_that_fails_undoes_itself_and_nothing_else(running: _Running) -> None:
    def half() -> None:
        running.hub.put_instance(_instance("half"))
        raise Refused(400, "no")

    futures = [
        running.writer.call(lambda: running.hub.put_instance(_instance("before"))),
        running.writer.call(half),
        running.writer.call(lambda: running.hub.put_instance(_instance("after"))),
    ]
    with pytest.raises(Refused):
        futures[1].result(10)
    futures[2].result(10)
    assert sorted(_ids(running)) == ["after", "before"]


def test_messages_are_carried_out_in_order(running: _Running) -> None:
    order: list[int] = []
    for number in range(2000):
        running.writer.post(lambda number=number: order.append(number))  # type: ignore[misc]
    running.writer.call(lambda: None).result(10)
    assert order == list(range(2000))


def test_failed_transaction_stops_the_writer_and_breaks_promises(tmp_path: Path) -> None:
    one = _Running(tmp_path)

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    one.writer.call(lambda: one.hub.put_instance(_instance("kept"))).result(10)
    one.writer.post(fail)
    lost = one.writer.call(lambda: one.hub.put_instance(_instance("lost")))
    with pytest.raises(HubError, match="disk I/O error"):
        lost.result(10)
    assert [type(failure) for failure in one.failures] == [sqlite3.OperationalError]
    with pytest.raises(HubError):
        one.writer.call(lambda: None).result(10)
    assert _ids(one) == ["kept"]
    one.queries.close()
    one.writer.stop()
    one.hub.close()
