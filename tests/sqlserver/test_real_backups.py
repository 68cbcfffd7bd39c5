"""The real backups of ../shared/backups: what RESTORE lists of them, and whole chains."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from local.sqlserver import Server
from tests.sqlserver.blobs import SAS, BlobServer
from tests.sqlserver.client import Client

Start = Callable[..., Server]
Connect = Callable[..., Client]

_CLEAN = "dataplat__appveyor-lab/RestoreTimeClean"
_STRIPED = "dataplat__appveyor-lab/sql2008-backups/RestoreTimeStripe"
_DATA = "/var/opt/mssql/data"


@pytest.fixture(scope="module")
def backups(shared_dir: Path) -> Path:
    return shared_dir / "backups"


def _agrees(seen: object, expected: object) -> bool:
    if isinstance(seen, datetime):
        return seen.isoformat() == expected
    if isinstance(seen, bool) or seen is None or expected is None:
        return bool(seen) == bool(expected)
    return str(seen) == str(expected)


def _differences(seen: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that differ; zeros stand for NULL in the facts of files."""
    spelled = {"FileGroupId": "FileGroupID", "MirrorCount": "Mirror_Count"}
    columns = {name.casefold(): value for name, value in seen.items()}
    return {
        name: (columns[key], value)
        for name, value in expected.items()
        if (key := spelled.get(name, name).casefold()) in columns
        and not _agrees(columns[key], value)
        and not (value is None and str(columns[key]).strip("0-") == "")
    }


def test_every_backup_is_listed_as_it_is(client: Client, backups: Path) -> None:
    manifest = json.loads((backups / "MANIFEST.json").read_text())
    listed = 0
    for file in manifest["files"]:
        path = str(backups / file["path"])
        if not file["sets"]:
            continue
        (label,) = client.table("RESTORE LABELONLY FROM DISK = ?", path)
        assert not _differences(label, file["LABELONLY"]), path
        headers = client.table("RESTORE HEADERONLY FROM DISK = ?", path)
        for header, facts in zip(headers, file["sets"], strict=True):
            assert not _differences(header, facts["HEADERONLY"]), path
            listed += 1
        if label["FamilyCount"] == 1:
            position = headers[0]["Position"]
            text = f"RESTORE FILELISTONLY FROM DISK = ? WITH FILE = {position}"
            for row, facts in zip(
                client.table(text, path), file["sets"][0]["FILELISTONLY"], strict=True
            ):
                assert not _differences(row, facts), path
    assert listed > 70


def test_a_media_header_without_a_set(client: Client, backups: Path) -> None:
    path = str(backups / "NikTheCompiler__Sps-Security/Backup/backup@15af98b.bak")
    assert client.table("RESTORE LABELONLY FROM DISK = ?", path)
    assert client.error("RESTORE HEADERONLY FROM DISK = ?", path) == 3254


def _moves(client: Client, devices: str) -> str:
    files = client.table(f"RESTORE FILELISTONLY FROM {devices}")
    return ", ".join(
        f"MOVE '{file['LogicalName']}' TO '{_DATA}/{file['LogicalName']}'" for file in files
    )


def test_a_chain_from_urls_in_order_and_every_other_order_is_refused(
    client: Client, backups: Path
) -> None:
    with BlobServer() as blobs:
        urls = {
            path.stem.removeprefix("RestoreTimeClean"): blobs.put(
                f"landing/{path.name}", path.read_bytes()
            )
            for path in (backups / _CLEAN).iterdir()
        }
        client.messages(
            f"CREATE CREDENTIAL [{blobs.url}/landing] "
            f"WITH IDENTITY = 'SHARED ACCESS SIGNATURE', SECRET = '{SAS}'"
        )
        full = f"URL = '{urls['']}'"
        moves = _moves(client, full)
        client.messages(f"RESTORE DATABASE Clean FROM {full} WITH NORECOVERY, {moves}")
        log = "RESTORE LOG Clean FROM URL = ? WITH NORECOVERY"
        client.messages(log, urls["_1"])
        assert client.error(log, urls["_3"]) == 4305
        assert client.error(log, urls["_1"]) == 4326
        client.messages("RESTORE DATABASE Clean FROM URL = ? WITH NORECOVERY", urls["2"])
        assert client.error(log, urls["_2"]) == 4326
        for name in ("2_1", "2_2", "2_3"):
            client.messages(log, urls[name])
        client.messages("RESTORE DATABASE Clean WITH RECOVERY")
    assert client.value("SELECT COUNT(*) FROM msdb.dbo.restorehistory") == 6


def test_a_striped_chain(client: Client, backups: Path) -> None:
    def devices(first: str, second: str) -> str:
        folder = backups / _STRIPED
        paths = (folder / "Stripe1" / first, folder / "Stripe2" / second)
        return ", ".join(f"DISK = '{path}'" for path in paths)

    full = devices("RestoreTimeStripe.bak", "RestoreTimeStripe1.bak")
    restore = f"RESTORE DATABASE Striped FROM {full} WITH NORECOVERY, "
    client.messages(restore + _moves(client, full))
    for number in (1, 2, 3):
        pair = devices(f"RestoreTimeStripe_{number}.trn", f"RestoreTimeStripe_{number}a.trn")
        client.messages(f"RESTORE LOG Striped FROM {pair} WITH NORECOVERY")
    client.messages("RESTORE DATABASE Striped WITH RECOVERY")
    assert client.value("SELECT state_desc FROM sys.databases WHERE name = 'Striped'") == "ONLINE"
