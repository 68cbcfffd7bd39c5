"""Backup devices: what is no backup, what cannot be read, and what a URL needs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from local.samples import SampleBackup, SampleDatabase, appended
from local.sqlserver.engine.model import Credential
from local.sqlserver.errors import SqlError
from local.sqlserver.media.blob import BlobDevice
from local.sqlserver.media.disk import DiskDevice
from shared.backupset import BackupType
from tests.sqlserver.blobs import SAS, BlobServer
from tests.sqlserver.console import Console


@pytest.fixture(scope="module")
def full() -> SampleBackup:
    return SampleDatabase("Sales", data_bytes=64 * 1024).full()


@pytest.fixture
def blobs() -> Iterator[BlobServer]:
    with BlobServer() as server:
        yield server


def _tape_of_other_software(data: bytes) -> bytes:
    """Exchange the software's name, as another writer of the format would have its own."""
    name = "Microsoft SQL Server".encode("utf-16-le")
    return data.replace(name, "Another Tape Program".encode("utf-16-le"))


def _of(kind: str, whole: bytes) -> bytes:
    return {
        "nothing": b"",
        "text": b"-- a script, not a backup\n" * 200,
        "zip": b"PK\x03\x04" + bytes(5000),
        "other software": _tape_of_other_software(whole),
        "cut in the data": whole[: len(whole) // 2],
        "cut by one byte": whole[:-1],
        "damaged label": whole[:60] + b"\xff" * 8 + whole[68:],
        "compressed": b"MSSQLBAK" + bytes(5000),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("nothing", 3254),
        ("text", 3241),
        ("zip", 3241),
        ("other software", 3242),
        ("cut in the data", 3256),
        ("cut by one byte", 3256),
        ("damaged label", 3241),
        ("compressed", 50000),
    ],
)
def test_what_is_no_whole_backup(
    kind: str, number: int, full: SampleBackup, console: Console, tmp_path: Path
) -> None:
    path = tmp_path / "file.bak"
    path.write_bytes(_of(kind, full.to_bytes()[0]))
    for verb in ("HEADERONLY", "FILELISTONLY", "LABELONLY", "DATABASE x", "VERIFYONLY"):
        assert console.run(f"RESTORE {verb} FROM DISK = '{path}'").numbers == [number, 3013]
    assert console.must("SELECT 1 FROM sys.databases WHERE name = 'x'").table == []


def test_a_file_that_cannot_be_opened_tells_the_system_error(
    console: Console, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for name, system_error in (
        (tmp_path / "missing.bak", "2("),
        (tmp_path / "folder", "5("),
        ("https://a.invalid/b/c", "123("),
        ("x" * 300, "123("),
    ):
        answer = console.run(f"RESTORE HEADERONLY FROM DISK = '{name}'")
        assert answer.numbers == [3201, 3013]
        assert f"Operating system error {system_error}" in answer.failed[0].text


def test_a_relative_path_lies_in_the_backup_folder(console: Console, full: SampleBackup) -> None:
    folder = console.instance.settings.backup_path
    (path,) = full.write(folder)
    assert console.must(f"RESTORE LABELONLY FROM DISK = '{path.name}'").table


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.bak"
    path.write_bytes(bytes(100))
    device = DiskDevice(path.name, tmp_path)
    path.write_bytes(bytes(50))
    with pytest.raises(SqlError, match="38"):
        device.read(0, 100)
    device.close()


def test_appended_sets_are_listed_and_chosen_by_position(console: Console, tmp_path: Path) -> None:
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    (path,) = appended(database.full(), database.log(), database.differential()).write(tmp_path)
    headers = console.must(f"RESTORE HEADERONLY FROM DISK = '{path}'")
    names = [column.name for column in headers.columns]
    assert [row[names.index("BackupType")] for row in headers.table] == [1, 2, 5]
    assert [row[names.index("Position")] for row in headers.table] == [1, 2, 3]
    (third,) = console.must(f"RESTORE HEADERONLY FROM DISK = '{path}' WITH FILE = 3").table
    assert third[names.index("BackupType")] == BackupType.DIFFERENTIAL
    answer = console.run(f"RESTORE FILELISTONLY FROM DISK = '{path}' WITH FILE = 4")
    assert answer.numbers == [3287, 3013]


def test_one_stripe_shows_its_header_but_not_its_files(console: Console, tmp_path: Path) -> None:
    database = SampleDatabase("Sales", data_bytes=64 * 1024)
    first, second = database.full(stripes=2).write(tmp_path)
    assert console.must(f"RESTORE HEADERONLY FROM DISK = '{first}'").table
    assert console.must(f"RESTORE LABELONLY FROM DISK = '{second}'").table[0][2:4] == (2, 2)
    assert console.run(f"RESTORE FILELISTONLY FROM DISK = '{first}'").numbers == [3132, 3013]
    both = f"DISK = '{second}', DISK = '{first}'"
    assert len(console.must(f"RESTORE FILELISTONLY FROM {both}").table) == 2
    assert console.must(f"RESTORE VERIFYONLY FROM {both}").told[-1].number == 3262


def _with_credential(
    console: Console, name: str, secret: str = SAS, identity: str = "SHARED ACCESS SIGNATURE"
) -> Console:
    console.must(f"CREATE CREDENTIAL [{name}] WITH IDENTITY = '{identity}', SECRET = '{secret}'")
    return console


def test_a_blob_is_read_with_the_credential_of_its_container(
    console: Console, full: SampleBackup, blobs: BlobServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = blobs.put("landing/a b/ü'.bak", full.to_bytes()[0])
    _with_credential(console, f"{blobs.url}/landing")
    quoted = url.replace("'", "''")
    header = console.must(f"RESTORE HEADERONLY FROM URL = N'{quoted}'")
    names = [column.name for column in header.columns]
    assert header.table[0][names.index("DeviceType")] == 9
    assert header.table[0][names.index("BackupSetGUID")] == full.header.backup_set_guid
    assert console.must(f"RESTORE VERIFYONLY FROM URL = N'{quoted}'").told
    assert all(query == SAS for query in blobs.queries)
    assert "sig=" not in caplog.text


@pytest.mark.parametrize(
    ("name", "secret", "identity", "system_error"),
    [
        (None, SAS, "SHARED ACCESS SIGNATURE", "5("),
        ("/Landing", SAS, "SHARED ACCESS SIGNATURE", "5("),
        ("/land", SAS, "SHARED ACCESS SIGNATURE", "5("),
        ("/landing", "?" + SAS, "SHARED ACCESS SIGNATURE", "86("),
        ("/landing", SAS, "an account", "86("),
        ("/landing", "sig=wrong", "SHARED ACCESS SIGNATURE", "86("),
        ("/landing", "sig=forbidden", "SHARED ACCESS SIGNATURE", "5("),
    ],
)
def test_a_blob_without_the_right_credential(
    name: str | None,
    secret: str,
    identity: str,
    system_error: str,
    console: Console,
    full: SampleBackup,
    blobs: BlobServer,
) -> None:
    url = blobs.put("landing/full.bak", full.to_bytes()[0])
    if name is not None:
        _with_credential(console, blobs.url + name, secret, identity)
    answer = console.run(f"RESTORE HEADERONLY FROM URL = '{url}'")
    assert answer.numbers == [3201, 3013]
    assert f"Operating system error {system_error}" in answer.failed[0].text
    assert not any("sig=" in diagnostic.text for diagnostic in answer.failed)


def test_the_longest_credential_that_fits_is_used(
    console: Console, full: SampleBackup, blobs: BlobServer
) -> None:
    url = blobs.put("account/landing/full.bak", full.to_bytes()[0])
    _with_credential(console, f"{blobs.url}/account", "sig=wrong")
    _with_credential(console, f"{blobs.url}/account/landing")
    assert console.must(f"RESTORE LABELONLY FROM URL = '{url}'").table


@pytest.mark.parametrize(
    ("path", "number"),
    [("missing.bak", 3201), ("page.bak", 3201), ("busy.bak", 3271), ("empty.bak", 3254)],
)
def test_a_blob_that_cannot_be_had(
    path: str, number: int, console: Console, blobs: BlobServer
) -> None:
    blobs.put("landing/page.bak", b"x", blob_type="PageBlob")
    blobs.put("landing/busy.bak", b"x", status=503)
    blobs.put("landing/empty.bak", b"")
    _with_credential(console, f"{blobs.url}/landing")
    answer = console.run(f"RESTORE HEADERONLY FROM URL = '{blobs.url}/landing/{path}'")
    assert answer.numbers == [number, 3013]


@pytest.mark.parametrize(
    "url",
    [
        "http://somewhere.example/landing/a.bak",
        "ftp://127.0.0.1/landing/a.bak",
        "https://a.example/landing/a.bak?sig=1",
        "https://a.example/landing/a.bak#x",
        "https://u:p@a.example/landing/a.bak",
        "https://a.example/a.bak",
        "https://a.example/" + "x/" * 130,
        "nothing",
        "",
    ],
)
def test_a_url_that_is_none_for_a_backup(url: str, console: Console) -> None:
    assert console.run(f"RESTORE HEADERONLY FROM URL = '{url}'").numbers == [3297, 3013]


def test_no_connection_to_the_storage(console: Console, blobs: BlobServer) -> None:
    url = f"{blobs.url}/landing/a.bak"
    _with_credential(console, f"{blobs.url}/landing")
    blobs.close()
    answer = console.run(f"RESTORE HEADERONLY FROM URL = '{url}'")
    assert answer.numbers == [3201, 3013]
    assert "12029" in answer.failed[0].text


def test_a_blob_that_fails_in_the_middle_leaves_an_interrupted_restore(
    console: Console, full: SampleBackup, blobs: BlobServer
) -> None:
    url = blobs.put("landing/full.bak", full.to_bytes()[0])
    _with_credential(console, f"{blobs.url}/landing")
    console.must(f"RESTORE HEADERONLY FROM URL = '{url}'")
    blobs.fail_after = 2 * len(blobs.queries)  # the header is read again, then the whole
    move = "MOVE 'Sales' TO '/var/opt/mssql/data/a', MOVE 'Sales_log' TO '/var/opt/mssql/data/b'"
    restore = f"RESTORE DATABASE Sales FROM URL = '{url}' WITH NORECOVERY, {move}"
    answer = console.run(restore)
    assert answer.numbers == [3203, 3013]
    assert console.run("RESTORE DATABASE Sales WITH RECOVERY").numbers == [4333, 3013]
    blobs.fail_after = None
    console.must(restore)


def test_a_blob_that_was_replaced_by_a_longer_one(full: SampleBackup, blobs: BlobServer) -> None:
    url = blobs.put("landing/full.bak", full.to_bytes()[0])
    device = BlobDevice(url, [_credential(f"{blobs.url}/landing")])
    blobs.put("landing/full.bak", full.to_bytes()[0] + b"more")
    with pytest.raises(SqlError, match="3203"):
        device.read(0, 10)
    device.close()


def _credential(name: str) -> Credential:
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 the server's local time
    return Credential(
        credential_id=1,
        name=name,
        identity="SHARED ACCESS SIGNATURE",
        secret=SAS,
        create_date=moment,
        modify_date=moment,
    )
