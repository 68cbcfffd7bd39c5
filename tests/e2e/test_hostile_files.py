"""Whatever is dropped into the container gets a verdict, and the other databases go on."""

from __future__ import annotations

import http.client
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote, urlsplit

from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from local.samples import SampleDatabase, appended
from local.stack import CONTAINER
from tests.e2e.world import Json, World, details, write


def _put_raw(world: World, name: str, content: bytes) -> None:
    """Upload a blob whose name no client library would send: dots and all, encoded."""
    place = urlsplit(world.stack.container.url)
    account, key = world.account
    signature = generate_container_sas(
        account_name=account,
        container_name=CONTAINER,
        account_key=key,
        permission=ContainerSasPermissions(write=True, create=True),
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    path = f"{place.path}/{quote(name, safe='')}?{signature}"
    headers = {"x-ms-blob-type": "BlockBlob"}
    connection.request("PUT", path, body=content, headers=headers)
    assert connection.getresponse().status == 201
    connection.close()


def _with_lying_lengths(backup: bytes) -> bytes:
    """Make a stream of the header claim almost all of the address space; checksums still fit."""
    at = backup.rindex(b"MQCI")
    stream = bytearray(backup[at : at + 22])
    stream[8:16] = struct.pack("<Q", 2**63 - 1)
    words = struct.unpack("<10H", bytes(stream[:20]))
    checksum = 0
    for word in words:
        checksum ^= word
    stream[20:22] = struct.pack("<H", checksum)
    return backup[:at] + bytes(stream) + backup[at + 22 :]


def test_every_odd_file_gets_a_verdict_and_the_rest_goes_on(world: World, tmp_path: Path) -> None:
    database, other = SampleDatabase("Odd"), SampleDatabase("Other")
    full, *logs = write([database.full(), database.log(), database.log()], tmp_path)
    whole = logs[0].read_bytes()
    doubled = appended(database.log(name="a"), database.log(name="b")).to_bytes()[0]
    foreign = other.full().to_bytes()[0]
    files: dict[str, tuple[bytes, str]] = {
        "notes.txt": (b"see wiki", "NotABackup"),
        "archive.zip": (b"PK\x03\x04" + b"\0" * 100, "NotABackup"),
        "empty.bak": (b"", "EmptyBlob"),
        "cut.trn": (whole[: len(whole) // 2], "HeaderUnreadable"),
        "lying.trn": (_with_lying_lengths(whole), "HeaderUnreadable"),
        "appended.trn": (doubled, "AppendedBackups"),
        "compressed.bak": (b"MSSQLBAK" + b"\x02\0\0\0" * 200, "HeaderUnreadable"),
        "foreign.bak": (foreign, "WrongDatabase"),
        'it\'s "x" [y]];--.txt': (b"no backup", "NotABackup"),
        "new\nline.txt": (b"no backup", "NotABackup"),
        "<b>bold</b>.txt": (b"no backup", "NotABackup"),
    }
    world.create("odd", "Odd", sourceDatabaseName="Odd")
    for name, (content, _) in files.items():
        world.put(f"odd/{name}", content)
    _put_raw(world, "odd/../escape.bak", whole)
    # Backups may have such names too, and are restored from them.
    world.put('odd/it\'s [the] "full".bak', full.read_bytes())
    world.put("odd/ü\nlog.trn", logs[0].read_bytes())
    world.put("odd/100% $log.trn", logs[1].read_bytes())

    expected = {name: code for name, (_, code) in files.items()}
    expected["../escape.bak"] = "NameNotAllowed"

    def judged(properties: Json) -> bool:
        found = properties["migrationStatusDetails"]
        all_judged = found["unrestorableFiles"] == len(expected) and found["restoredFiles"] == 3
        return all_judged and bool(properties["migrationStatus"] == "ReadyForCutover")

    shown = world.wait("odd", judged)
    found = {f["fileName"]: f for f in details(shown)["invalidFileDetails"]}
    assert {name: file["reasonCode"] for name, file in found.items()} == expected
    assert all(file["reason"] and file["action"] for file in found.values())

    # One of the unusable files may be the tail, so it takes an acknowledgement.
    loss = {"lastRestoredFilename": "100% $log.trn"}
    assert world.cutover("odd", acceptDataLoss=loss).status_code == 202
    world.wait_status("odd", "Succeeded")


def test_a_blob_that_is_uploaded_again_is_judged_again(world: World, tmp_path: Path) -> None:
    database = SampleDatabase("Redo")
    full, first, second = write([database.full(), database.log(), database.log()], tmp_path)
    world.create("redo", "Redo")
    world.upload("redo", [full, second])
    world.put(f"redo/{first.name}", first.read_bytes()[:5000])
    shown = world.wait(
        "redo", lambda p: p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "ChainGap"
    )
    world.wait("redo", lambda p: p["migrationStatusDetails"]["invalidFiles"] == [first.name])
    world.upload("redo", [first])
    shown = world.wait_status("redo", "ReadyForCutover")
    assert details(shown)["invalidFiles"] == []
    assert details(shown)["restoredFiles"] == 3


def test_a_blob_that_vanishes_before_its_restore_is_missed_by_name(
    world: World, tmp_path: Path
) -> None:
    database = SampleDatabase("Gone")
    full, first, second = write([database.full(), database.log(), database.log()], tmp_path)
    world.upload("gone", [first, second])
    world.create("gone", "Gone")
    world.wait_settled("gone", 2)
    world.stack.container.delete_blob(f"gone/{first.name}")
    world.upload("gone", [full])
    shown = world.wait(
        "gone", lambda p: p["migrationStatusDetails"].get("restoreBlockingReasonCode") == "ChainGap"
    )
    removed = details(shown)["invalidFileDetails"][0]
    assert (removed["fileName"], removed["reasonCode"]) == (first.name, "BlobRemoved")
    world.upload("gone", [first])
    world.wait_status("gone", "ReadyForCutover")
