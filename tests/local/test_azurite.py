"""Azurite as a child process: it answers at once, keeps what it should, and never stays behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.folders import REPOSITORY
from shared.errors import ConfigurationError

PUBLISHED_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

PARENT = """
import sys, time
from pathlib import Path
from local.azurite import Azurite
azurite = Azurite(Path(sys.argv[1]))
azurite.start()
print(azurite.pid, azurite.connection_string, flush=True)
time.sleep(600)
"""


def put_blob(azurite: Azurite, container: str, name: str, data: bytes) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        service.create_container(container).upload_blob(name, data)


def is_running(pid: int) -> bool:
    """Zombies count as ended: a parent that was killed leaves its orphans to init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs after {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """A process of its own that runs Azurite in tmp_path, its Azurite's pid and connection."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid, _, connection_string = process.stdout.readline().strip().partition(" ")
        try:
            yield process, int(pid), connection_string
        finally:
            process.kill()
            wait_for_end(int(pid))


def test_blobs_and_tables_answer_the_first_call(azurite: Azurite) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        assert blobs.get_account_information()["sku_name"]
        assert blobs.url.rstrip("/") == azurite.blob_endpoint
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        assert isinstance(list(tables.list_tables()), list)
        assert tables.url.rstrip("/") == azurite.table_endpoint


def test_the_published_key_does_not_open_it(azurite: Azurite) -> None:
    connection_string = azurite.connection_string.replace(azurite.account_key, PUBLISHED_KEY)
    with (
        BlobServiceClient.from_connection_string(connection_string) as service,
        pytest.raises(HttpResponseError, match="AuthorizationFailure"),
    ):
        service.get_account_information()


def test_data_and_key_outlive_a_stop_on_disk(tmp_path: Path) -> None:
    with Azurite(tmp_path) as first:
        put_blob(first, "landing", "sales.bak", b"kept")
    assert first.pid is None
    with Azurite(tmp_path) as second:
        assert second.account_key == first.account_key
        with BlobServiceClient.from_connection_string(second.connection_string) as service:
            assert service.get_blob_client("landing", "sales.bak").download_blob().read() == b"kept"
    assert (tmp_path / "account-key").stat().st_mode & 0o777 == 0o600


def test_memory_leaves_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Azurite() as running:
        put_blob(running, "landing", "sales.bak", b"gone")
    assert list(tmp_path.iterdir()) == []


def test_it_ends_and_saves_when_its_parent_is_killed(
    parent: tuple[subprocess.Popen[str], int, str], tmp_path: Path
) -> None:
    process, pid, connection_string = parent
    with BlobServiceClient.from_connection_string(connection_string) as service:
        service.create_container("landing").upload_blob("sales.bak", b"kept")
    os.kill(process.pid, signal.SIGKILL)
    with Azurite(tmp_path) as restarted:  # waits until the old one has let go of the folder
        assert not is_running(pid)
        with BlobServiceClient.from_connection_string(restarted.connection_string) as service:
            assert service.get_blob_client("landing", "sales.bak").download_blob().read() == b"kept"


def test_a_folder_serves_one_azurite(
    parent: tuple[subprocess.Popen[str], int, str], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="another Azurite is using the folder"):
        Azurite(tmp_path, start_timeout_s=0.2).start()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"EADDRINUSE.*127\.0\.0\.1:{port}"):
            Azurite(tmp_path, blob_port=port).start()


def test_the_chosen_ports_are_used(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = one.getsockname()[1], two.getsockname()[1]
    with Azurite(tmp_path, blob_port=ports[0], table_port=ports[1]) as running:
        assert running.blob_endpoint == f"http://127.0.0.1:{ports[0]}/devstoreaccount1"
        assert running.table_endpoint == f"http://127.0.0.1:{ports[1]}/devstoreaccount1"


def test_the_lock_file_pins_the_version_and_names_no_registry() -> None:
    folder = REPOSITORY / "local" / "azurite"
    lock = json.loads((folder / "package-lock.json").read_text())
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]["azurite"]
    assert lock["packages"]["node_modules/azurite"]["version"] == wanted
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
