"""The server as a process of its own: how it starts, says what it is, stops, and is killed."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from threading import Timer
from time import sleep

import pyodbc
import pytest
from typer.main import get_command

from local.folders import REPOSITORY
from local.samples import SampleDatabase
from local.sqlserver.__main__ import app
from tests.sqlserver.client import Client

Connect = Callable[..., Client]

_PASSWORD = "a}b;c 1"  # noqa: S105 not a secret
_COMMAND = [sys.executable, "-m", "local.sqlserver"]
_ADDRESS = re.compile(r"SIMULATED SQL Server \d+ on 127\.0\.0\.1,(\d+)")


class Process:
    """A server process that has said where it listens."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(  # noqa: S603 our own module
            [*_COMMAND, *options],
            cwd=REPOSITORY,
            env={"BACKHAUL_SQLSERVER_PASSWORD": _PASSWORD, "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        match = _ADDRESS.match(self.process.stdout.readline())
        assert match
        self.port = int(match[1])

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit status when it has ended by itself."""
        status = self.process.wait(timeout=20)
        assert self.process.stdout
        self.process.stdout.close()
        return status


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as ends:

        def start_process(*options: str) -> Process:
            process = Process("--data", str(tmp_path / "server"), *options)
            ends.callback(lambda: process.process.poll() is None and process.end(signal.SIGKILL))
            return process

        yield start_process


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 our own module
        [*_COMMAND, *options], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def test_help_shows_an_example() -> None:
    done = _run("--help")
    assert done.returncode == 0
    assert "SIMULATED" in done.stdout
    assert "Example: python -m local.sqlserver" in done.stdout


@pytest.mark.parametrize(
    "option",
    [
        ("--version", "2008"),
        ("--restore-speed", "0"),
        ("--edition", "lite"),
        ("--clock-factor", "0"),
        ("--volume", "D:"),
        ("--certificate", "tde=xyz"),
        ("--mark", "m=now"),
    ],
)
def test_wrong_usage(option: tuple[str, str], tmp_path: Path) -> None:
    done = _run("--data", str(tmp_path), *option)
    assert done.returncode == 2


def test_a_fault_that_makes_no_sense_is_refused_with_what_to_do(tmp_path: Path) -> None:
    done = _run("--data", str(tmp_path), "--fault", '{"do": "explode"}')
    assert done.returncode == 1
    assert "explode" in done.stderr
    assert "Try: " in done.stderr


def test_every_option_is_in_the_manual() -> None:
    manual = (REPOSITORY / "docs" / "simulated-sql-server.md").read_text()
    named = {re.sub("^--no-", "--", option) for option in re.findall(r"--[a-z][a-z-]+", manual)}
    options = {parameter.opts[0] for parameter in get_command(app).params}
    assert options - {"--help", "--verbose"} <= named


def test_a_folder_in_use_is_refused_with_what_to_do(start: Start, tmp_path: Path) -> None:
    start()
    done = _run("--data", str(tmp_path / "server"))
    assert done.returncode == 1
    assert "another simulated SQL Server" in done.stderr
    assert "Try: " in done.stderr


def test_it_stops_cleanly_while_it_restores(start: Start, tmp_path: Path) -> None:
    (path,) = SampleDatabase("Sales", data_bytes=64 * 1024).full().write(tmp_path)
    options = ("--directory", "D:\\Data", "--directory", "L:\\Log")
    process = start("--restore-delay", "60", *options)
    with Client(process.port, _PASSWORD) as client, Client(process.port, _PASSWORD) as other:
        client.cursor.execute("SELECT 1")
        statement = f"RESTORE DATABASE Sales FROM DISK = '{path}' WITH NORECOVERY"
        worker = subprocess.Popen(  # noqa: S603 the test's own client, in a process of its own
            [sys.executable, "-c", _RESTORE, str(process.port), _PASSWORD, statement],
            cwd=REPOSITORY,
        )
        while not other.rows("SELECT 1 FROM sys.databases WHERE name = 'Sales'"):
            sleep(0.02)
        assert process.end() == 0
        assert worker.wait(timeout=20) == 1
    with Client(start(*options).port, _PASSWORD) as client:
        assert client.value("SELECT state_desc FROM sys.databases WHERE name = 'Sales'") == (
            "RESTORING"
        )
        assert client.error("RESTORE DATABASE Sales WITH RECOVERY") == 4333


_RESTORE = """
import sys
from local import odbc
odbc.preload()
from tests.sqlserver.client import Client, pyodbc
try:
    Client(int(sys.argv[1]), sys.argv[2]).messages(sys.argv[3])
except pyodbc.OperationalError as error:
    sys.exit(error.args[0] == '08S01')
"""


def test_a_server_killed_at_any_moment_repeats_nothing_and_forgets_nothing(
    start: Start, tmp_path: Path
) -> None:
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    backups = [database.full(), *(database.log() for _ in range(5))]
    paths = [backup.write(_fresh(tmp_path, n))[0] for n, backup in enumerate(backups)]
    moments = Random(5)  # noqa: S311 moments, no secrets
    options = ("--directory", "D:\\Data", "--directory", "L:\\Log", "--restore-speed", "2")
    for _ in range(6):
        process = start(*options)
        killer = Timer(moments.uniform(0.05, 0.4), process.end, [signal.SIGKILL])
        killer.start()
        with contextlib.suppress(pyodbc.Error), Client(process.port, _PASSWORD) as client:
            _go_on(client, paths)
        killer.join()
    process = start(*options)
    with Client(process.port, _PASSWORD) as client:
        _go_on(client, paths)
        kinds = client.rows("SELECT restore_type FROM msdb.dbo.restorehistory ORDER BY 1")
        assert [kind for (kind,) in kinds] == ["D", "L", "L", "L", "L", "L"]
        redo = client.value("SELECT MIN(redo_target_lsn) FROM sys.master_files")
        assert redo == int(backups[-1].header.last_lsn)


def _go_on(client: Client, paths: list[Path]) -> None:
    """Restore what the history does not have yet."""
    for number in range(client.value("SELECT COUNT(*) FROM msdb.dbo.restorehistory"), len(paths)):
        verb = "LOG" if number else "DATABASE"
        client.messages(f"RESTORE {verb} Sales FROM DISK = '{paths[number]}' WITH NORECOVERY")


def _fresh(folder: Path, number: int) -> Path:
    inner = folder / f"backup-{number}"
    inner.mkdir()
    return inner


def test_kill_nine_loses_nothing_that_was_done(start: Start, tmp_path: Path) -> None:
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    full, logs = database.full(), [database.log() for _ in range(4)]
    options = ("--directory", "D:\\Data", "--directory", "L:\\Log", "--redo-slots-behind", "0")
    (path,) = full.write(tmp_path)
    statements = [f"RESTORE DATABASE Sales FROM DISK = '{path}' WITH NORECOVERY"]
    for log in logs:
        (path,) = log.write(tmp_path)
        statements.append(f"RESTORE LOG Sales FROM DISK = '{path}' WITH NORECOVERY")
    for statement, backup in zip(statements, [full, *logs], strict=True):
        process = start(*options)
        with Client(process.port, _PASSWORD) as client:
            client.messages(statement)
        process.end(signal.SIGKILL)
        process = start(*options)
        with Client(process.port, _PASSWORD) as client:
            redo = client.value("SELECT MIN(redo_start_lsn) FROM sys.master_files")
            assert redo == int(backup.header.last_lsn)
        process.end()
    with Client(start(*options).port, _PASSWORD) as client:
        client.messages("RESTORE DATABASE Sales WITH RECOVERY")
        assert client.value("SELECT COUNT(*) FROM msdb.dbo.restorehistory") == 5
