"""Starts Azurite, waits until it answers, and ends it.

Three things are easy to get wrong and are settled here: ports (Azurite chooses free ones itself and
says which, so nothing races for them), a parent that is killed (see end_with_parent.js), and a
folder that the killed run has not let go of yet (a lock that lives exactly as long as the child).
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import secrets
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO

from local.folders import TOOLS
from local.node import find_node
from shared.errors import ConfigurationError, StorageUnavailable

PROGRAM = TOOLS / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
ACCOUNT = "devstoreaccount1"

_WATCHDOG = Path(__file__).with_name("end_with_parent.js")
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (\S+)\n")
_SERVICES = 3
_LOCK_WAIT_S = 15.0
_STOP_S = 15.0


class Azurite:
    """Blob and table storage of one account on loopback, on disk or in memory.

    The account's key is made at random: kept in `folder`, so that it stays the same for the same
    data, and new for each start in memory. Use as a context manager, or call `start` and `stop`.

    Args:
        folder: where the data is kept; None keeps it in memory, for data well below 2 GiB in all,
            deleted blobs of the last ten minutes included.
        blob_port: 0 takes a free one.
        table_port: 0 takes a free one.
        start_timeout_s: how long a start may take; it is about 1.5 s on an idle machine.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        blob_port: int = 0,
        table_port: int = 0,
        start_timeout_s: float = 60.0,
    ) -> None:
        self.blob_endpoint = ""
        self.table_endpoint = ""
        self.queue_endpoint = ""
        self.account_key = ""
        self._folder = folder
        self._ports = (blob_port, table_port)
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._resources = contextlib.ExitStack()

    @property
    def connection_string(self) -> str:
        """What the storage SDKs connect with; has the account's key in it."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.account_key};"
            f"BlobEndpoint={self.blob_endpoint};TableEndpoint={self.table_endpoint};"
            f"QueueEndpoint={self.queue_endpoint};"
        )

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it and return once it answers.

        Raises:
            ConfigurationError: it is not installed, or a port or the folder is in use.
            StorageUnavailable: it did not answer in time.
        """
        if not PROGRAM.is_file():
            raise ConfigurationError(
                f"Azurite is not installed: {PROGRAM} does not exist", action="Run: make setup"
            )
        try:
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, after it has written its data; does nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._resources.close()

    def __enter__(self) -> Azurite:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        if self._folder is None:
            scratch = tempfile.TemporaryDirectory(prefix="backhaul-azurite-")
            folder = Path(self._resources.enter_context(scratch))
            persistence = ["--inMemoryPersistence", "--extentMemoryLimit", "2048"]
        else:
            folder = self._folder.resolve()
            folder.mkdir(parents=True, exist_ok=True)
            persistence = ["--location", str(folder)]
        lock = self._resources.enter_context((folder / "azurite.lock").open("ab"))
        _acquire(lock, folder, min(_LOCK_WAIT_S, self._start_timeout_s))
        self.account_key = _account_key(folder / "account-key")
        log = folder / "azurite.log"
        blob_port, table_port = self._ports
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command line
                [
                    str(find_node()),
                    *("--require", str(_WATCHDOG), str(PROGRAM)),
                    # The SDK speaks a newer API version than the emulator lists; it works.
                    *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
                    *persistence,
                    *("--blobHost", "127.0.0.1", "--blobPort", str(blob_port)),
                    *("--tableHost", "127.0.0.1", "--tablePort", str(table_port)),
                    *("--queueHost", "127.0.0.1", "--queuePort", "0"),
                ],
                cwd=folder,
                env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.account_key}"},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[lock.fileno()],
                # Ctrl-C is for the parent, which ends this one when it no longer needs it.
                start_new_session=True,
            )
        lock.close()  # the child's copy holds the lock from here on
        endpoints = self._wait_for_endpoints(self._process, log)
        self.blob_endpoint = f"{endpoints['Blob']}/{ACCOUNT}"
        self.table_endpoint = f"{endpoints['Table']}/{ACCOUNT}"
        self.queue_endpoint = f"{endpoints['Queue']}/{ACCOUNT}"

    def _wait_for_endpoints(self, process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            text = log.read_text(errors="replace")
            endpoints = dict(_LISTENING.findall(text))
            if len(endpoints) == _SERVICES:
                return endpoints
            if ended:
                raise _failed_start(text, process.returncode, self._ports)
            time.sleep(0.02)
        raise StorageUnavailable(
            f"Azurite did not answer within {self._start_timeout_s:g} s",
            action=f"Look at {log}; if the machine is just slow, try again.",
        )


def _acquire(lock: IO[bytes], folder: Path, timeout_s: float) -> None:
    """Lock the folder; wait a little for a killed run, whose Azurite is still writing its data."""
    deadline = time.monotonic() + timeout_s
    while not _locks(lock):
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"another Azurite is using the folder {folder}",
                action="Stop the other one, or choose another folder.",
            )
        time.sleep(0.05)


def _locks(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _account_key(file: Path) -> str:
    """Return the key kept in `file`, making one if it is not there yet."""
    key = file.read_text().strip() if file.exists() else ""
    if not key:
        key = base64.b64encode(secrets.token_bytes(64)).decode()
        file.touch(mode=0o600)
        file.write_text(key)
    return key


def _failed_start(text: str, status: int, ports: tuple[int, int]) -> ConfigurationError:
    if "EADDRINUSE" in text:
        return ConfigurationError(
            f"Azurite cannot listen on 127.0.0.1, ports {ports[0]} (blob) and {ports[1]} (table):"
            f" {text.strip().splitlines()[-1]}",
            action="Stop what listens there, or choose other ports; 0 takes a free one.",
        )
    return ConfigurationError(
        f"Azurite ended with status {status} instead of starting: {text.strip()[-500:]}",
        action="Run: make setup",
    )
