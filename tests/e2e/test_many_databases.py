"""Many databases to one target: no more at once than it has slots, and all come to an end."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from local.samples import SampleDatabase
from local.sqlserver import Server, Settings, serve
from local.stack import Stack, StackOptions
from tests.e2e.world import World, guids

# A hundred take three minutes on two cores; BACKHAUL_TEST_DATABASES says otherwise.
DATABASES = int(os.environ.get("BACKHAUL_TEST_DATABASES", "12"))
SLOTS = 4
PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the test

_RESTORES = ("RESTORE DATABASE", "RESTORE LOG")


class Counter(threading.Thread):
    """Looks at the server all the time: how many restores run at once."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._ended = threading.Event()
        self.most = 0

    def run(self) -> None:
        while not self._ended.is_set():
            requests = [s.request for s in self._server.instance.sessions.list()]
            running = [r for r in requests if r and r.command in _RESTORES and r.percent > 0]
            self.most = max(self.most, len(running))
            time.sleep(0.02)

    def stop(self) -> None:
        self._ended.set()
        self.join()


@pytest.mark.timeout(280)
def test_a_queue_of_databases_keeps_to_the_slots_and_starves_nobody(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "sqlserver", password=PASSWORD, restore_speed=1.0)
    names = [f"Db{number:02d}" for number in range(DATABASES)]
    taken = {}
    for name in names:
        source = SampleDatabase(name, data_bytes=400_000)
        taken[name] = [source.full(), source.log()]
    with serve(settings) as server:
        target = {
            "server": "127.0.0.1",
            "port": server.port,
            "user": "sa",
            "password": PASSWORD,
            "trust_server_certificate": True,
            "restore_slots": SLOTS,
        }
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
