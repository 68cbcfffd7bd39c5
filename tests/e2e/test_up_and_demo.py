"""`backhaul up` and `backhaul demo`, as a person runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import ContainerClient

from local.samples import SampleDatabase
from tests.e2e.world import write

BACKHAUL = [sys.executable, "-m", "backhaul"]


def test_the_demo_migrates_its_three_databases(tmp_path: Path) -> None:
    run = _demo(tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    for database in ("Sales", "Warehouse", "Archive"):
        assert re.search(rf"{database} +│ ONLINE +│ 1 full", run.stdout), run.stdout
    assert "SIMULATED" in run.stdout
    assert "/api/migrations/sales/cutover" in run.stderr
    assert "Archive_LOG" in run.stdout, "what lies behind the named last backup is told"
    assert not any(tmp_path.iterdir()), "it cleans up behind itself"


def test_the_demo_takes_backups_of_ones_own(tmp_path: Path, shared_dir: Path) -> None:
    folder = shared_dir / "backups" / "dataplat__appveyor-lab" / "RestoreTimeClean"
    run = _demo(tmp_path, "--backups", str(folder))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 full, 1 diff, 3 log" in run.stdout


def test_the_demo_says_what_an_incomplete_folder_waits_for(tmp_path: Path) -> None:
    database = SampleDatabase("Torn")
    files = write([database.full(), *(database.log() for _ in range(3))], tmp_path / "backups")
    files[2].unlink()
    (tmp_path / "backups" / "readme.txt").write_text("not a backup")
    (tmp_path / "scratch").mkdir()
    run = _demo(tmp_path / "scratch", "--backups", str(tmp_path / "backups"))
    assert run.returncode == 1
    assert "A log backup between them is missing" in run.stdout
    assert "readme.txt" in run.stdout


def test_the_demo_refuses_a_folder_without_backups(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("not a backup")
    run = _demo(tmp_path, "--backups", str(tmp_path))
    assert run.returncode == 1
    assert "no usable backup" in run.stderr
    assert "Traceback" not in run.stderr


def test_up_stays_up_is_found_by_the_command_line_and_keeps_what_was_done(tmp_path: Path) -> None:
    database = SampleDatabase("Kept")
    files = write([database.full(), database.log()], tmp_path / "backups")
    with _up(tmp_path) as output:
        assert "SIMULATED" in output
        connection = re.search(r"AZURE_STORAGE_CONNECTION_STRING='(\S+)'", output)
        assert connection is not None
        container = ContainerClient.from_connection_string(connection[1], "landing")
        for file in files:
            container.upload_blob(f"kept/{file.name}", file.read_bytes())
        _wait_status(tmp_path, "ReadyForCutover")
    with _up(tmp_path):
        done = _backhaul(tmp_path, "cutover", "kept", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        _wait_status(tmp_path, "Succeeded")
    assert not (tmp_path / ".backhaul" / "connection.json").exists()
    assert _processes_of(tmp_path) == []


def test_up_with_a_real_server_wants_a_storage_account(tmp_path: Path) -> None:
    run = _backhaul(tmp_path, "up", "--sql-server", "sql.example")
    assert run.returncode == 2
    assert "--storage" in run.stderr


def _demo(scratch: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own command
        [*BACKHAUL, "demo", *options],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(scratch), "COLUMNS": "110"},
        check=False,
    )


def _backhaul(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own command
        [*BACKHAUL, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
    )


@contextmanager
def _up(folder: Path) -> Iterator[str]:
    """Run `backhaul up` in a folder, and stop it with Ctrl-C."""
    log = folder / "up.txt"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 our own command
            [*BACKHAUL, "up", "--port", "0", "--blob-port", "0", "--sql-port", "0"],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
    try:
        deadline = time.monotonic() + 60
        while "Ctrl-C stops it" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield log.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
    assert status == 130, log.read_text()
    assert "Traceback" not in log.read_text()


def _wait_status(folder: Path, status: str) -> None:
    connection = json.loads((folder / ".backhaul" / "connection.json").read_text())
    headers = {"x-functions-key": connection["key"]}
    deadline = time.monotonic() + 120  # what a busy machine misses comes with the next minute
    text = ""
    while time.monotonic() < deadline:
        text = httpx.get(f"{connection['url']}/api/migrations/kept", headers=headers).text
        if f'"migrationStatus": "{status}"' in text:
            return
        time.sleep(0.3)
    raise AssertionError(text)


def _processes_of(folder: Path) -> list[str]:
    """Return the command lines of what still runs with a data folder below `folder`."""
    if shutil.which("pgrep") is None:
        pytest.skip("needs pgrep")
    found = subprocess.run(  # noqa: S603 a fixed command
        ["pgrep", "-af", str(folder)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in found.stdout.splitlines() if "pgrep" not in line]
