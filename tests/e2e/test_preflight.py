"""A target that cannot take a database holds it up before anything is restored, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from local.samples import SampleDatabase
from local.sqlserver import Settings, serve
from local.stack import Stack, StackOptions
from shared.settings import SqlServerSettings
from shared.targets.connection import LazySession
from tests.certificates import certificate
from tests.e2e.world import Json, World, details, target_at, write

PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the test
MB = 1024**2
# Four system databases of 16 MB each, and room for one sample of 9 MB beside one of 16.
VOLUME = ("/var/opt/mssql", (64 + 16 + 8) * MB)
CERTIFICATE = certificate()
THUMBPRINT = hashlib.sha1(CERTIFICATE).hexdigest().upper()  # noqa: S324 what a thumbprint is


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack whose server has one small disk, and a database that is encrypted with a key."""
    folder = tmp_path_factory.mktemp("tight")
    settings = Settings(
        data=folder / "server",
        password=PASSWORD,
        volumes=(VOLUME,),
        encrypted=(("Secret", THUMBPRINT),),
    )
    with serve(settings) as server:
        login = target_at(server, PASSWORD)
        options = StackOptions(
            data=folder / "stack",
            sql_server=login,
            settings={"BACKHAUL_AUTO_START": "false"},
        )
        with Stack(options) as stack:
            world = World(stack)
            yield world
            world.close()


def run(world: World, statement: str) -> None:
    """Let an administrator do something on the server."""
    settings = SqlServerSettings.model_validate(world.stack.sql_server)
    with closing(LazySession(settings)) as administrator:
        administrator.open().run(statement, doing=statement)


def held_up(world: World, migration: str, code: str) -> Json:
    return details(
        world.wait(
            migration,
            lambda p: p["migrationStatusDetails"].get("restoreBlockingReasonCode") == code,
        )
    )


def test_a_disk_too_small_and_a_missing_certificate_block_by_name_and_clear(
    tight: World, tmp_path: Path
) -> None:
    run(tight, "CREATE DATABASE [in the way]")
    for name in ("Large", "Secret"):
        tight.upload(name, write([SampleDatabase(name).full()], tmp_path / name))
        tight.wait_checked(name)

    large = tight.create("Large", "Large")["id"]
    seen = held_up(tight, large, "TargetStorageFull")
    assert (
        f"/var/opt/mssql: {9 * MB:,} bytes needed, {8 * MB:,} bytes free"
        in (seen["restoreBlockingReason"])
    )
    failed = [check for check in seen["preflight"] if check["state"] == "fail"]
    assert [(c["name"], c["required"]) for c in failed] == [("freeSpace", True)]
    assert failed[0]["message"] == seen["restoreBlockingReason"]
    assert tight.history("Large") == []
    run(tight, "DROP DATABASE [in the way]")
    tight.wait_status(large, "ReadyForCutover")

    secret = tight.create("Secret", "Secret")["id"]
    seen = held_up(tight, secret, "CertificateMissing")
    assert f"0x{THUMBPRINT} is not there" in seen["restoreBlockingReason"]
    assert tight.history("Secret") == []
    run(
        tight,
        f"CREATE CERTIFICATE [c] FROM BINARY = 0x{CERTIFICATE.hex()}"
        " WITH PRIVATE KEY (BINARY = 0x00, DECRYPTION BY PASSWORD = 'x')",
    )
    tight.wait(secret, lambda p: not p["migrationStatusDetails"].get("restoreBlockingReason"))

    taken, free = (check(tight, name) for name in ("Large", "Another"))
    assert taken.status_code == 409
    assert "Large" in taken.json()["error"]["message"]
    assert free.status_code == 200
    assert free.json()["ready"]
    assert {m["name"] for m in tight.call("GET", "migrations").json()["value"]} == {
        "Large",
        "Secret",
    }


def check(world: World, name: str) -> httpx.Response:
    """Ask whether a migration could be created, without creating it."""
    location = {"azureBlob": {"folder": "elsewhere"}}
    wanted = {"name": name, "properties": {"backupConfiguration": {"sourceLocation": location}}}
    return world.call("POST", "migrations?validateOnly=true", wanted)
