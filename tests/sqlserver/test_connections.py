"""Microsoft's ODBC driver on real connections: login, types, requests, cancel, loss."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import pyodbc
import pytest

from local.folders import REPOSITORY
from local.samples import SampleBackup, SampleDatabase
from local.sqlserver import PRODUCTS, Server
from shared.backupset import BackupType
from tests.sqlserver.client import Client, cancelled, number_of, refused
from tests.sqlserver.conftest import PASSWORD

Start = Callable[..., Server]
Connect = Callable[..., Client]

_FOLDERS = ("D:\\Data", "L:\\Log")
_SLOW = 0.2
"""MB/s: a sample of 64 KB of data takes a second."""


@pytest.mark.parametrize(
    "options",
    [
        {"Encrypt": "no"},
        {"Encrypt": "yes", "TrustServerCertificate": "yes"},
        {"Encrypt": "strict", "ServerCertificate": "certificate.pem"},
        {"PacketSize": "512"},
        {"PacketSize": "32767"},
    ],
)
def test_login(options: dict[str, str], server: Server, connect: Connect) -> None:
    if "ServerCertificate" in options:
        options = options | {"ServerCertificate": str(server.certificate)}
    client = connect(server, **options)
    assert "SIMULATED" in client.value("SELECT @@VERSION")
    long = "x" * 100_000
    assert client.value(f"SELECT N'{long}'") == long
    assert client.value("SELECT ?", long) == long


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"PWD": "wrong"}, 18456),
        ({"UID": "somebody"}, 18456),
        ({"DATABASE": "nowhere"}, 4060),
    ],
)
def test_login_refused(
    options: dict[str, str], number: int, server: Server, connect: Connect
) -> None:
    with refused() as errors:
        connect(server, **options)
    assert number_of(errors[0]) == number


def test_a_certificate_of_its_own_is_not_trusted_unasked(server: Server, connect: Connect) -> None:
    with refused() as errors:
        connect(server, Encrypt="yes")
    assert errors[0].args[0] == "08001"


def test_its_certificate_is_trusted_by_who_is_told_to(server: Server) -> None:
    """The whole check of Encrypt=yes, with the server's certificate as the root of trust."""
    done = subprocess.run(  # noqa: S603 the test's own client, with an environment of its own
        [sys.executable, "-c", _TRUSTING, str(server.port), PASSWORD],
        cwd=REPOSITORY,
        env=os.environ | {"SSL_CERT_FILE": str(server.certificate)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("SIMULATED", 0), done.stderr


_TRUSTING = """
import sys
from local import odbc
odbc.preload()
from tests.sqlserver.client import Client
server = {"SERVER": f"localhost,{sys.argv[1]}", "Encrypt": "yes", "TrustServerCertificate": "no"}
with Client(int(sys.argv[1]), sys.argv[2], **server) as client:
    print(client.value("SELECT @@VERSION")[:9], end="")
"""


@pytest.mark.parametrize("options", [{}, {"Encrypt": "yes"}])
def test_encryption_may_be_forced(
    options: dict[str, str], start_server: Start, connect: Connect
) -> None:
    client = connect(start_server(force_encryption=True), TrustServerCertificate="yes", **options)
    assert client.value("SELECT ?", "x" * 10_000) == "x" * 10_000


def test_login_to_a_database(server: Server, connect: Connect, client: Client) -> None:
    client.messages("CREATE DATABASE [my db]")
    assert connect(server, DATABASE="my db").value("SELECT DB_NAME()") == "my db"


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_version_says_what_it_is(name: str, start_server: Start, connect: Connect) -> None:
    client = connect(start_server(product=PRODUCTS[name]))
    product = PRODUCTS[name]
    version = client.value("SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))")
    assert version == product.version
    internal = client.value("SELECT CAST(DATABASEPROPERTYEX('master', 'Version') AS int)")
    assert internal == product.database_version
    assert client.connection.getinfo(pyodbc.SQL_DBMS_VER).startswith(f"{product.major:02d}.")
    assert "SIMULATED" in client.value("SELECT SERVERPROPERTY('Edition')")


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\x16\x03\x01\x00"])
def test_a_client_that_speaks_something_else_harms_nobody(
    data: bytes, server: Server, connect: Connect
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stranger:
        stranger.sendall(data)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(4096):
            pass
    assert connect(server).value("SELECT 1") == 1


_VALUES: list[tuple[str, object]] = [
    ("int", 2**31 - 1),
    ("bigint", -(2**63)),
    ("smallint", -5),
    ("tinyint", 255),
    ("bit", True),
    ("numeric(25,0)", Decimal(9999999999999999999999999)),
    ("numeric(38,10)", Decimal("-1.5000000000")),
    ("float", 0.1),
    ("real", 0.5),
    ("nvarchar(10)", "é日𝄞"),
    ("nvarchar(max)", "x" * 9000),
    ("varchar(10)", "é"),
    ("char(5)", "ab   "),
    ("varbinary(4)", b"\x00\xff"),
    ("varbinary(max)", b"a" * 9000),
    ("uniqueidentifier", "0EBAF87F-5EAB-449D-B518-A168F117874F"),
    ("datetime", datetime(2026, 3, 1, 2, 30, 0, 997000)),  # noqa: DTZ001 as SQL Server has it
    ("datetime2(7)", datetime(2026, 3, 1, 2, 30, 0, 123456)),  # noqa: DTZ001 as above
    ("date", date(2026, 3, 1)),
]


@pytest.mark.parametrize(("sql_type", "value"), _VALUES, ids=[t for t, _ in _VALUES])
def test_types_and_nulls(sql_type: str, value: object, client: Client) -> None:
    text = f"SELECT CAST(? AS {sql_type}) AS a, 1 AS b, CAST(NULL AS {sql_type}) AS c"
    ((got, one, null),) = client.rows(text, value)
    assert (got, one, null) == (value, 1, None)


@pytest.mark.parametrize(
    "value",
    [
        5,
        2**40,
        -1,
        "text",
        "x" * 5000,
        "",
        None,
        Decimal("1.25"),
        b"bytes",
        b"x" * 9000,
        True,
        1.5,
        datetime(2026, 3, 1, 2, 30),  # noqa: DTZ001 as above
        date(2026, 3, 1),
        UUID(int=7),
    ],
)
def test_parameters(value: Any, client: Client) -> None:
    ((got, again),) = client.rows("SELECT ?, ?", value, value)
    expected = str(value).upper() if isinstance(value, UUID) else value
    assert (got, again) == (expected, expected)


def test_parameters_again_and_again(client: Client) -> None:
    for value in (1, "a", None, 2, "b" * 5000, 3):
        assert client.value("SELECT ?", value) == value
    assert (
        client.rows("SELECT name FROM sys.databases WHERE name = ? AND database_id = ?", None, 1)
        == []
    )


def test_several_results_and_errors_in_one_batch(client: Client) -> None:
    cursor = client.cursor.execute("SELECT 1; SELECT 2 WHERE 1 = 2; CREATE DATABASE a; SELECT 3")
    results = [cursor.fetchall()]
    while cursor.nextset():
        results.append(cursor.fetchall() if cursor.description else [])
    assert [[tuple(row) for row in result] for result in results if result] == [[(1,)], [(3,)]]
    cursor.execute("SELECT 1; USE nowhere; SELECT 2")
    with refused() as errors:
        while cursor.nextset():
            pass
    assert number_of(errors[0]) == 911
    assert client.value("SELECT 4") == 4


def test_what_is_not_simulated_is_refused_loudly(client: Client) -> None:
    for text in ("EXEC sp_who", "SELECT * FROM sys.tables", "ALTER DATABASE x COLLATE y"):
        assert client.error(text) == 50000
    with refused() as errors:
        client.cursor.tables()
    assert number_of(errors[0]) == 50000


def test_transactions(server: Server, connect: Connect) -> None:
    client = connect(server, autocommit=False)
    assert client.value("SELECT @@TRANCOUNT") == 1
    assert client.error("RESTORE HEADERONLY FROM DISK = 'x'") == 3201
    assert client.error("RESTORE DATABASE x FROM DISK = 'x' WITH NORECOVERY") == 3021
    assert client.error("CREATE DATABASE x") == 226
    client.connection.commit()
    client.connection.rollback()
    assert client.value("SELECT @@TRANCOUNT") == 1


@pytest.fixture(scope="module")
def full() -> SampleBackup:
    return SampleDatabase("Sales", data_bytes=64 * 1024).full()


@pytest.fixture
def restore(full: SampleBackup, tmp_path: Path) -> str:
    (path,) = full.write(tmp_path)
    return f"RESTORE DATABASE Sales FROM DISK = '{path}' WITH NORECOVERY, STATS = 10"


@pytest.fixture
def slow(start_server: Start) -> Server:
    return start_server(restore_speed=_SLOW, directories=_FOLDERS)


def _state(client: Client) -> str | None:
    rows = client.rows("SELECT state_desc FROM sys.databases WHERE name = 'Sales'")
    return str(rows[0][0]) if rows else None


def _interrupted(client: Client, restore: str) -> bool:
    """Tell whether the full restore ended early; waits until it has ended at all."""
    while client.rows("SELECT 1 FROM sys.dm_exec_requests WHERE command LIKE 'RESTORE%'"):
        sleep(0.01)
    assert _state(client) == "RESTORING"
    return client.error("RESTORE DATABASE Sales WITH RECOVERY") == 4333


def test_progress_is_seen_from_another_connection(
    slow: Server, connect: Connect, restore: str
) -> None:
    worker, watcher = connect(slow), connect(slow)
    session = worker.value("SELECT @@SPID")
    told: list[str] = []
    running = threading.Thread(target=lambda: told.extend(worker.messages(restore)))
    running.start()
    seen: list[dict[str, Any]] = []
    while running.is_alive():
        seen += watcher.table("SELECT * FROM sys.dm_exec_requests WHERE session_id = ?", session)
        sleep(0.02)
    running.join()
    percents = [row["percent_complete"] for row in seen if row["command"] == "RESTORE DATABASE"]
    assert percents == sorted(percents)
    assert len({p for p in percents if 0 < p < 100}) > 3
    assert any(row["estimated_completion_time"] > 0 for row in seen)
    assert told[:10] == [f"{n}0 percent processed." for n in range(1, 11)]
    assert told[-1].startswith("RESTORE DATABASE successfully processed")


def test_execute_returns_at_the_first_message_and_the_rest_is_drained(
    slow: Server, connect: Connect, restore: str
) -> None:
    client = connect(slow)
    began = monotonic()
    client.cursor.execute(restore)
    returned = monotonic() - began
    client.drain()
    assert returned < (monotonic() - began) / 2


def test_unseparated_messages_come_in_one_result(
    start_server: Start, connect: Connect, restore: str
) -> None:
    server = start_server(restore_speed=1, directories=_FOLDERS, separated_messages=False)
    client = connect(server)
    client.cursor.execute(restore)
    assert len(client.cursor.messages) > 10
    assert not client.cursor.nextset()


def test_a_restore_that_is_not_drained_is_lost(
    slow: Server, connect: Connect, restore: str
) -> None:
    careless, other = connect(slow), connect(slow)
    careless.cursor.execute(restore)
    careless.cursor.close()
    assert _interrupted(other, restore)


def test_cancel_while_messages_are_read(slow: Server, connect: Connect, restore: str) -> None:
    client, other = connect(slow), connect(slow)
    client.cursor.execute(restore)
    told: list[str] = []
    with contextlib.suppress(pyodbc.Error), cancelled(client.cursor):
        told = client.drain()
    assert not any("successfully processed" in text for text in told)
    assert _interrupted(other, restore)
    assert client.connection.cursor().execute("SELECT 1").fetchone()[0] == 1


def test_cancel_between_two_results_is_silent(slow: Server, connect: Connect, restore: str) -> None:
    """The driver then ends the results without an error; only message 3014 tells of success."""
    client, other = connect(slow), connect(slow)
    client.cursor.execute(restore)
    assert client.cursor.nextset()
    client.cursor.cancel()
    assert not client.cursor.nextset()
    assert _interrupted(other, restore)


def test_cancel_before_the_first_message(
    start_server: Start, connect: Connect, restore: str
) -> None:
    server = start_server(restore_delay_s=5, directories=_FOLDERS)
    client, other = connect(server), connect(server)
    began = monotonic()
    with refused() as errors, cancelled(client.cursor):
        client.messages(restore)
    assert errors[0].args[0] == "HY008"
    assert monotonic() - began < 4
    assert _interrupted(other, restore)


def test_a_query_timeout_cancels_the_restore(
    start_server: Start, connect: Connect, restore: str
) -> None:
    server = start_server(restore_delay_s=5, directories=_FOLDERS)
    client, other = connect(server), connect(server)
    client.connection.timeout = 1
    with refused() as errors:
        client.connection.cursor().execute(restore)
    assert errors[0].args[0] == "HYT00"
    assert _interrupted(other, restore)


def test_kill_ends_a_restore_and_its_connection(
    slow: Server, connect: Connect, restore: str
) -> None:
    client, other = connect(slow), connect(slow)
    session = client.value("SELECT @@SPID")

    def kill() -> None:
        while not other.rows("SELECT 1 FROM sys.databases WHERE name = 'Sales'"):
            sleep(0.01)
        other.messages(f"KILL {session}")

    killer = threading.Thread(target=kill)
    killer.start()
    with refused() as errors:
        client.messages(restore)
    killer.join()
    assert number_of(errors[0]) == 596
    assert _interrupted(other, restore)
    with refused() as errors:
        client.value("SELECT 1")
    assert errors[0].args[0] == "08S01"


def test_kill_of_an_idle_session(slow: Server, connect: Connect) -> None:
    client, other = connect(slow), connect(slow)
    other.messages(f"KILL {client.value('SELECT @@SPID')}")
    with refused() as errors:
        client.value("SELECT 1")
    assert errors[0].args[0] == "08S01"


def test_a_lost_connection_aborts_its_restore(slow: Server, connect: Connect, restore: str) -> None:
    client, other = connect(slow), connect(slow)
    client.cursor.execute(restore)
    client.close()
    assert _interrupted(other, restore)
    assert other.rows("SELECT 1 FROM sys.dm_exec_sessions WHERE session_id <> @@SPID") == []


def test_the_database_stays_in_use_until_the_restore_ends(
    slow: Server, connect: Connect, restore: str
) -> None:
    client, other = connect(slow), connect(slow)
    client.cursor.execute(restore)
    assert other.error(restore) == 3101
    assert other.error("DROP DATABASE Sales") == 3702
    client.drain()
    other.messages("DROP DATABASE Sales")


def test_many_sessions_restore_at_once(
    start_server: Start, connect: Connect, tmp_path: Path
) -> None:
    server = start_server(restore_speed=1, directories=_FOLDERS)
    threads = []
    for number in range(12):
        backup = SampleDatabase(f"db{number}", seed=number, data_bytes=64 * 1024).full()
        (path,) = backup.write(tmp_path)
        text = f"RESTORE DATABASE db{number} FROM DISK = '{path}' WITH NORECOVERY"
        threads.append(threading.Thread(target=connect(server).messages, args=(text,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client = connect(server)
    rows = client.rows("SELECT database_id, state_desc FROM sys.databases WHERE name LIKE 'db%'")
    assert len({number for number, _ in rows}) == 12
    assert {state for _, state in rows} == {"RESTORING"}
    assert client.value("SELECT COUNT(*) FROM msdb.dbo.restorehistory") == 12


def test_a_chain_and_its_history(start_server: Start, connect: Connect, tmp_path: Path) -> None:
    client = connect(start_server(directories=_FOLDERS))
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    backups = [database.full(stripes=2), database.log(), database.differential(), database.log()]
    for backup in backups:
        devices = ", ".join("DISK = ?" for _ in backup.labels)
        verb = "LOG" if backup.header.backup_type is BackupType.LOG else "DATABASE"
        paths = [str(path) for path in backup.write(tmp_path)]
        client.messages(
            f"RESTORE {verb} ? FROM {devices} WITH NORECOVERY, CHECKSUM", "Sales", *paths
        )
    client.messages("RESTORE DATABASE Sales WITH RECOVERY")
    assert _state(client) == "ONLINE"
    history = client.table(
        "SELECT h.*, s.backup_set_uuid FROM msdb.dbo.restorehistory h "
        "JOIN msdb.dbo.backupset s ON s.backup_set_id = h.backup_set_id "
        "ORDER BY h.restore_history_id"
    )
    expected = [str(backup.header.backup_set_guid).upper() for backup in backups]
    assert [row["backup_set_uuid"] for row in history] == expected
    assert [row["restore_type"] for row in history] == ["D", "L", "I", "L"]
    assert [row["device_count"] for row in history] == [2, 1, 1, 1]
    assert not any(row["replace"] or row["recovery"] for row in history)
    status = client.table(
        "SELECT r.* FROM sys.database_recovery_status r JOIN sys.databases d "
        "ON d.database_id = r.database_id WHERE d.name = 'Sales'"
    )
    header = backups[-1].header
    assert status[0]["family_guid"] == str(header.family_guid).upper()
    assert status[0]["recovery_fork_guid"] != str(header.recovery_fork_id).upper()
    assert status[0]["database_guid"] != str(header.binding_id).upper()


def test_redo_start_lsn_is_reported_a_little_behind_a_log(
    start_server: Start, connect: Connect, tmp_path: Path
) -> None:
    client = connect(start_server(directories=_FOLDERS, redo_slots_behind=3))
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    for backup in (database.full(), log := database.log()):
        (path,) = backup.write(tmp_path)
        verb = "LOG" if backup is log else "DATABASE"
        client.messages(f"RESTORE {verb} Sales FROM DISK = '{path}' WITH NORECOVERY")
    redo = client.value(
        "SELECT MIN(redo_start_lsn) FROM sys.master_files f JOIN sys.databases d "
        "ON d.database_id = f.database_id WHERE d.name = 'Sales'"
    )
    assert log.header.first_lsn <= redo < log.header.last_lsn
