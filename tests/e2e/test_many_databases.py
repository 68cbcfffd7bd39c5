"""Many databases to one target: no more at once than it has slots, and all come to an end."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from local.stack import Stack, StackOptions
from tests.e2e.world import World, guids

# A hundred take three minutes on two cores; BACKHAUL_TEST_DATABASES says otherwise.
DATABASES = int(os.environ.get("BACKHAUL_TEST_DATABASES", "12"))
SLOTS = 4

# The first target is at its first database for longer than the others are at all of theirs.
TARGETS = int(os.environ.get("BACKHAUL_TEST_TARGETS", "10"))
ON_EACH = int(os.environ.get("BACKHAUL_TEST_ON_EACH", "2"))
QUICK, SLOW = 0.2, 0.002
PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the test

_RESTORES = ("RESTORE DATABASE", "RESTORE LOG")


class Counter(threading.Thread):
    """Looks at servers all the time: how many restores run at once on each, and on how many."""

    def __init__(self, *servers: Server) -> None:
        super().__init__(daemon=True)
        self._servers = servers
        self._ended = threading.Event()
        self.most = 0
        self.most_servers = 0

    def run(self) -> None:
        while not self._ended.is_set():
            running = [_restores(server) for server in self._servers]
            self.most = max(self.most, *running)
            self.most_servers = max(self.most_servers, sum(map(bool, running)))
            time.sleep(0.02)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _restores(server: Server) -> int:
    requests = [session.request for session in server.instance.sessions.list()]
    return sum(1 for r in requests if r and r.command in _RESTORES and r.percent > 0)


def connection(server: Server, slots: int) -> dict[str, object]:
    """Return the app's settings of a target."""
    return {
        "server": "127.0.0.1",
        "port": server.port,
        "user": "sa",
        "password": PASSWORD,
        "trust_server_certificate": True,
        "restore_slots": slots,
    }


@pytest.mark.timeout(280)
def test_a_queue_of_databases_keeps_to_the_slots_and_starves_nobody(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "sqlserver", password=PASSWORD, restore_speed=1.0)
    names = [f"Db{number:02d}" for number in range(DATABASES)]
    taken = {}
    for name in names:
        source = SampleDatabase(name, data_bytes=400_000)
        taken[name] = [source.full(), source.log()]
    with serve(settings) as server:
        target = connection(server, SLOTS)
        with Stack(StackOptions(data=tmp_path / "stack", sql_server=target)) as stack:
            world = World(stack)
            counter = Counter(server)
            counter.start()
            for name in names:
                for backup in taken[name]:
                    for file, content in zip(backup.file_names, backup.to_bytes(), strict=True):
                        world.put(f"{name.lower()}/{file}", content)
                world.create(name.lower(), name)
            for name in names:
                world.wait_status(name.lower(), "ReadyForCutover", patience_s=240)
            counter.stop()
            for name in names:
                assert guids(world.history(name)) == [b.header.backup_set_guid for b in taken[name]]
            assert 2 <= counter.most <= SLOTS
            world.close()


@pytest.mark.timeout(280)
def test_databases_of_one_target_do_not_wait_for_those_of_another(tmp_path: Path) -> None:
    names = [f"target{number}" for number in range(TARGETS)]
    taken = [SampleDatabase(f"Db{number}", data_bytes=400_000).full() for number in range(ON_EACH)]
    with contextlib.ExitStack() as running:
        servers = {
            name: running.enter_context(
                serve(Settings(data=tmp_path / name, password=PASSWORD, restore_speed=speed))
            )
            for name, speed in zip(names, [SLOW, *[QUICK] * TARGETS], strict=False)
        }
        targets = {name: connection(server, 1) for name, server in servers.items()}
        settings = {"BACKHAUL_TARGETS": json.dumps(targets), "BACKHAUL_AUTO_START": "false"}
        options = StackOptions(
            data=tmp_path / "stack", sql_server=targets[names[0]], settings=settings
        )
        world = World(running.enter_context(Stack(options)))
        running.callback(world.close)
        folders = [
            (name, full, f"{name}{full.header.database_name}") for name in names for full in taken
        ]
        for name, full, folder in folders:
            world.create(folder.lower(), full.header.database_name, scope=name)
        counter = Counter(*servers.values())
        counter.start()
        for _, full, folder in folders:
            world.put(f"{folder.lower()}/{full.file_names[0]}", full.to_bytes()[0])
        for name, _, folder in folders:
            if name != names[0]:
                world.wait_status(folder.lower(), "ReadyForCutover", patience_s=240)
        counter.stop()
        slow, *others = [guids_of(server) for server in servers.values()]
        assert [sorted(restored) for restored in others] == [
            sorted(full.header.backup_set_guid for full in taken)
        ] * (TARGETS - 1)
        assert not slow
        assert _restores(servers[names[0]]) == 1
        assert counter.most == 1
        assert counter.most_servers > TARGETS // 2


def guids_of(server: Server) -> list[UUID]:
    """Return the sets that a server has restored, by its own history."""
    history = server.instance.history
    sets = {row.backup_set_id: row.header.backup_set_guid for row in history.backups()}
    return [sets[row.backup_set_id] for row in history.restores()]
