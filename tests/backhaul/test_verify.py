"""The command `verify`, and addresses of blobs in place of paths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.blob import (
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from backhaul.blobs import parse_address
from local.azurite import Azurite
from local.samples import SampleDatabase
from shared.errors import BackhaulError
from tests.backhaul.conftest import Run
from tests.backupfile.real_backups import FOLDER, needs_real_backups
from tests.backupfile.walk import walk


def _damage(data: bytes) -> tuple[bytes, int]:
    """Turn a bit in the header of the block with the pages; return where that block is."""
    offset = next(part.offset for part in walk(data) if part.tag == "MSDA")
    damaged = bytearray(data)
    damaged[offset + 20] ^= 1
    return bytes(damaged), offset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good files, a damaged one and one that is no backup."""
    sales = SampleDatabase("Sales", seed=1, data_bytes=65536)
    (full,) = sales.full().to_bytes()
    (tmp_path / "full.bak").write_bytes(full)
    (tmp_path / "log.trn").write_bytes(sales.log().to_bytes()[0])
    (tmp_path / "bad.bak").write_bytes(_damage(full)[0])
    (tmp_path / "notes.txt").write_text("hello, world")
    return tmp_path


def _files(run: Run, *args: str) -> dict[str, Any]:
    shown = json.loads(run("verify", *args, "--json").out)["files"]
    return {file["file"].rpartition("/")[2]: file for file in shown}


def test_good_file_is_good_at_each_level(run: Run, folder: Path) -> None:
    for level in ("header", "structure", "data"):
        shown = run("verify", str(folder / "full.bak"), "--level", level)
        assert shown.status == 0
        assert f"good ({level} level)" in shown.out
        assert shown.out.endswith("1 of 1 file good\n")


def test_damage_is_named_with_its_place_and_fails(run: Run, folder: Path) -> None:
    offset = _damage((folder / "full.bak").read_bytes())[1]

    shown = run("verify", str(folder))
    files = _files(run, str(folder))

    assert shown.status == 1
    assert "2 of 4 files good" in shown.out
    assert {name for name, file in files.items() if file["good"]} == {"full.bak", "log.trn"}
    verification = files["bad.bak"]["verification"]
    assert verification["result"] == "damaged"
    (finding,) = verification["findings"]
    assert finding["offset"] == offset
    assert finding["reasonCode"] == "HeaderUnreadable"
    assert str(offset) in shown.out
    assert files["notes.txt"]["verification"]["findings"][0]["reasonCode"] == "NotABackup"


def test_damage_beyond_the_level_is_not_seen(run: Run, folder: Path) -> None:
    assert run("verify", str(folder / "bad.bak"), "--level", "header").status == 0
    assert run("verify", str(folder / "bad.bak"), "--level", "structure").status == 1


def test_what_cannot_be_read_is_a_verdict(run: Run, folder: Path) -> None:
    files = _files(run, str(folder / "absent"), "/dev/null")

    assert [file["verdict"]["reasonCode"] for file in files.values()] == ["FileNotReadable"] * 2


@needs_real_backups
def test_all_real_backups_are_good(run: Run) -> None:
    files = json.loads(run("verify", str(FOLDER), "--json").out)["files"]

    assert [f["file"] for f in files if not f["good"]] == [str(FOLDER / "MANIFEST.json")]


@pytest.fixture
def container(azurite: Azurite, folder: Path) -> Iterator[ContainerClient]:
    """The same files in blob storage."""
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    with service.create_container(f"verify-{uuid4()}") as client:
        for file in folder.iterdir():
            client.upload_blob(f"SQL01/Sales Ltd/{file.name}", file.read_bytes())
        yield client


def _signature(azurite: Azurite, container: ContainerClient) -> str:
    return generate_container_sas(
        account_name="devstoreaccount1",
        container_name=str(container.container_name),
        account_key=azurite.account_key,
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )


def test_blobs_are_verified_by_connection_string(
    run: Run, azurite: Azurite, container: ContainerClient
) -> None:
    for address in (container.url, f"{container.url}/SQL01/Sales%20Ltd"):
        files = _files(run, str(address), "--storage", azurite.connection_string)
        assert {name for name, file in files.items() if file["good"]} == {"full.bak", "log.trn"}
        assert len(files) == 4


def test_blobs_are_verified_by_signature_which_is_never_shown(
    run: Run, azurite: Azurite, container: ContainerClient
) -> None:
    signature = _signature(azurite, container)
    blob = f"{container.url}/SQL01/Sales%20Ltd/full.bak?{signature}"

    for command in ("verify", "inspect"):
        shown = run(command, blob)
        assert shown.status == 0
        assert "SQL01/Sales%20Ltd/full.bak" in shown.out
        assert "sig=" not in shown.out + shown.err


def test_refused_or_absent_blobs_are_verdicts(
    run: Run, azurite: Azurite, container: ContainerClient
) -> None:
    wrong = f"{container.url}?{_signature(azurite, container)[:-8]}"
    absent = f"{container.url}-absent?{_signature(azurite, container)}"

    for address in (wrong, absent):
        shown = run("verify", address, "--json")
        (file,) = json.loads(shown.out)["files"]
        assert shown.status == 1
        assert file["verdict"]["reasonCode"] == "FileNotReadable"
        assert "sig=" not in shown.out


@pytest.mark.parametrize(
    ("text", "account", "container", "path"),
    [
        ("https://a.blob.core.windows.net/c/d/e%20f.bak?sv=1", "https://a.blob.core.windows.net",
         "c", "d/e f.bak"),
        ("http://127.0.0.1:10000/acc/c", "http://127.0.0.1:10000/acc", "c", ""),
        ("http://localhost:1/acc/c/x/", "http://localhost:1/acc", "c", "x"),
    ],
)  # fmt: skip
def test_address_is_taken_apart(text: str, account: str, container: str, path: str) -> None:
    address = parse_address(text)

    assert (address.account_url, address.container, address.path) == (account, container, path)
    assert "sv=" not in str(address)


@pytest.mark.parametrize("text", ["https://a.blob.core.windows.net", "http://127.0.0.1:1/account"])
def test_address_without_a_container_is_an_error(text: str) -> None:
    with pytest.raises(BackhaulError, match="names no container"):
        parse_address(text)
