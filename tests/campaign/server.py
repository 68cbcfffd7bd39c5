"""The simulated server of a campaign: a process of its own, which is killed and comes back."""

from __future__ import annotations

import contextlib
import json
import random
import socket
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from local.child import Child
from local.sqlserver.engine.faults import Fault
from shared.settings import SqlServerSettings
from shared.targets.connection import LazySession
from shared.targets.rows import Row

_PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the campaign
_SPEED_MB_S = 3.0


def port_that_stays_free() -> int:
    """Return a port that a process can come back to.

    It is none of those that the system hands out by itself: while nobody listens, such a one may
    be given to another process, or to the very client that tries to connect to it.
    """
    for port in random.sample(range(20000, 32000), 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port from 20000 to 32000 is free")


class ServerProcess:
    """A simulated SQL Server in a folder; what is on its disk outlives its process."""

    def __init__(self, data: Path, faults: Sequence[Fault]) -> None:
        self._data = data
        self._plan = data / "plan.json"
        self._port = port_that_stays_free()
        self._child: Child | None = None
        data.mkdir(parents=True, exist_ok=True)
        plan = [fault.model_dump(mode="json", exclude_defaults=True) for fault in faults]
        self._plan.write_text(json.dumps(plan), encoding="utf-8")

    @property
    def connection(self) -> dict[str, object]:
        """The settings of a target that is this server."""
        return {
            "server": "127.0.0.1",
            "port": self._port,
            "user": "sa",
            "password": _PASSWORD,
            "trust_server_certificate": True,
            "login_timeout_s": 5,
        }

    def start(self) -> None:
        """Start it, after a kill too: at the same port, with what is on its disk."""
        self._child = Child(
            "the simulated SQL Server",
            [
                *(
                    "local.sqlserver",
                    "--port",
                    str(self._port),
                    "--data",
                    str(self._data / "state"),
                ),
                *("--restore-speed", str(_SPEED_MB_S), "--faults", str(self._plan)),
            ],
            log=self._data / "server.log",
            ready=r"SIMULATED SQL Server .* on \S+,(\d+)\s",
            environment={"BACKHAUL_SQLSERVER_PASSWORD": _PASSWORD},
        )
        self._child.start()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """Stop it in order."""
        if self._child is not None:
            self._child.stop()

    def struck(self) -> Counter[str]:
        """Return how often each kind of fault of its plan has struck."""
        rows = self._query("SELECT kind, struck FROM sys.simulated_faults")
        found: Counter[str] = Counter()
        for row in rows:
            found[f"server: {row['kind']}"] += int(str(row["struck"]))
        return found

    def secret_changed_on(self) -> datetime | None:
        """Return when the secret of its one credential was changed last."""
        rows = self._query("SELECT modify_date FROM sys.credentials")
        moment = rows[0]["modify_date"] if rows else None
        return moment if isinstance(moment, datetime) else None

    def _query(self, text: str) -> list[Row]:
        session = LazySession(SqlServerSettings.model_validate(self.connection))
        try:
            return session.open().query(text, doing="looking at the simulated server")
        finally:
            session.close()
