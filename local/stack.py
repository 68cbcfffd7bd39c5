"""Everything that a migration needs, on one machine: storage, a target, the app, blob events.

Azurite and a simulated SQL Server by default; a real storage account or a real SQL Server can take
the place of either. The function app is the deployed one, run by the embedded host.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient

from local import odbc
from local.azurite import Azurite
from local.blob_events import BlobEventWatcher, Faults, RetryPolicy, Webhook
from local.child import Child
from local.folders import REPOSITORY

TARGET = "local"
CONTAINER = "landing"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Where things listen on loopback; 0 takes a free port."""

    host: int = 0
    blob: int = 0
    table: int = 0
    sql_server: int = 0


@dataclass(frozen=True)
class StackOptions:
    """How the stack is put together.

    `storage` is a connection string and `sql_server` the settings of one target, for real ones.
    `settings` are further app settings. `restore_speed` is that of the simulated server, in MB/s,
    `recovery_s` how long it takes to recover a database.
    `retry` is how blob events that the app does not take are tried again.
    """

    data: Path
    ports: Ports = Ports()
    storage: str | None = field(default=None, repr=False)
    sql_server: Mapping[str, object] | None = field(default=None, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    restore_speed: float | None = None
    recovery_s: float | None = None
    faults: Faults = field(default_factory=Faults)
    retry: RetryPolicy = field(default_factory=RetryPolicy)


class Stack:
    """The running whole; use as a context manager, in one thread.

    Attributes are set once it runs: `url` of the app, `key` of its functions, `master_key` of the
    host, `connection_string` of the storage, `sql_server` the settings of the app's target.
    """

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.url = ""
        self.key = ""
        self.master_key = ""
        self.connection_string = options.storage or ""
        self.sql_server: dict[str, object] = dict(options.sql_server or {})
        self._data = options.data.resolve()
        self._event_key = ""
        self._host: Child | None = None
        self._host_port = options.ports.host
        self._resources = contextlib.ExitStack()

    @property
    def container(self) -> ContainerClient:
        """The container that backups are dropped into."""
        service = BlobServiceClient.from_connection_string(self.connection_string)
        return service.get_container_client(CONTAINER)

    @property
    def simulated(self) -> bool:
        """Whether the target is the simulated SQL Server."""
        return self.options.sql_server is None

    @property
    def host_pid(self) -> int | None:
        """Process id of the embedded host while it runs."""
        return self._host.pid if self._host else None

    @property
    def connection_file(self) -> Path:
        """Where the command line finds address and key."""
        return self._data / "connection.json"

    @property
    def dead_letters(self) -> Path:
        """Where blob events are kept that the app did not take."""
        return self._data / "dead-letters"

    def __enter__(self) -> Stack:
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            self._start_storage()
            self._start_sql_server()
            self._resources.callback(self.connection_file.unlink, missing_ok=True)
            self._resources.callback(self.stop_host)
            self.start_host()
            self._watch_blobs()
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def start_host(self) -> None:
        """Start the embedded host; after a kill it goes on at its port, with its task hub."""
        self._host = Child(
            "the embedded host",
            [
                *("local", "--app", str(REPOSITORY), "--port", str(self._host_port)),
                *("--data", str(self._data / "host")),
            ],
            log=self._data / "host.log",
            ready=r"Listening on (http://\S+:(\d+))\s",
            environment=self._app_settings(),
        )
        match = self._host.start()
        self.url, self._host_port = match[1], int(match[2])
        keys = json.loads((self._data / "host" / "keys.json").read_text())
        self.key = keys["host"]["default"]
        self.master_key = keys["master"]
        self._event_key = keys["system"]["eventgrid_extension"]
        self._tell_command_line()

    def kill_host(self) -> None:
        """Kill the embedded host, as a power cut would."""
        if self._host is not None:
            self._host.kill()

    def stop_host(self) -> None:
        """Stop the embedded host in order."""
        if self._host is not None:
            self._host.stop()

    def _start_storage(self) -> None:
        if self.options.storage is None:
            ports = self.options.ports
            azurite = Azurite(self._data / "azurite", blob_port=ports.blob, table_port=ports.table)
            self._resources.enter_context(azurite)
            self.connection_string = azurite.connection_string
        with contextlib.suppress(ResourceExistsError):
            self.container.create_container()

    def _start_sql_server(self) -> None:
        if self.options.sql_server is not None:
            return
        password = secrets.token_urlsafe(18)
        arguments = ["local.sqlserver", "--port", str(self.options.ports.sql_server)]
        arguments += ["--data", str(self._data / "sqlserver")]
        if self.options.restore_speed is not None:
            arguments += ["--restore-speed", str(self.options.restore_speed)]
        if self.options.recovery_s is not None:
            arguments += ["--recovery-time", str(self.options.recovery_s)]
        server = Child(
            "the simulated SQL Server",
            arguments,
            log=self._data / "sqlserver.log",
            ready=r"SIMULATED SQL Server .* on \S+,(\d+)\s",
            environment={"BACKHAUL_SQLSERVER_PASSWORD": password},
        )
        match = server.start()
        self._resources.callback(server.stop)
        self.sql_server = {
            "server": _LOOPBACK,
            "port": int(match[1]),
            "user": "sa",
            "password": password,
            "trust_server_certificate": True,
        }

    def _app_settings(self) -> dict[str, str]:
        """Return the app's settings, as the deployed app would have them."""
        return {
            **odbc.environment(),
            "BACKHAUL_STORAGE_CONNECTION_STRING": self.connection_string,
            "BACKHAUL_CONTAINER": CONTAINER,
            "BACKHAUL_TARGETS": json.dumps({TARGET: self.sql_server}),
            "BACKHAUL_AUTO_START": "true",
            **self.options.settings,
        }

    def _watch_blobs(self) -> None:
        watcher = BlobEventWatcher(
            self.container,
            Webhook(self.url, "backup_created", self._event_key),
            self._data / "blob-events.sqlite",
            self.dead_letters,
            faults=self.options.faults,
            policy=self.options.retry,
        )
        self._resources.enter_context(watcher.in_background())

    def _tell_command_line(self) -> None:
        content = {"url": self.url, "key": self.key, "masterKey": self.master_key}
        self.connection_file.touch(mode=0o600)
        self.connection_file.write_text(json.dumps(content))
