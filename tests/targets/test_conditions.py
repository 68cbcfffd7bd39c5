"""What a server offers, as servers of several versions tell it to logins of several rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from local.samples import SampleDatabase
from local.sqlserver import EDITIONS, PRODUCTS, Server, Settings, serve
from shared.errors import TargetError
from shared.paths import parent_of
from shared.targets import Certificate, ContainerCredential, Target, Volume
from shared.targets.conditions import credential, fitting
from shared.targets.sqlserver import SqlServerTarget
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.conftest import PASSWORD, login_at, raw_connection, target_on
from tests.targets.restores import order_of, upload

DATA, LOGS = "/var/opt/mssql/data/", "/var/opt/mssql_log/"
GB = 1024**3
NOW = datetime(2026, 3, 2, 8)  # noqa: DTZ001 a server's clock has no zone


@contextmanager
def login_of(server: Server, name: str, *statements: str) -> Iterator[Target]:
    """Open the server with a login of its own, after an administrator ran statements for it."""
    with raw_connection(server) as connection:
        connection.execute(f"CREATE LOGIN [{name}] WITH PASSWORD = N'{name}-1'")
        for statement in statements:
            connection.execute(statement.format(login=f"[{name}]"))
    settings = login_at(server.port, user=name, password=SecretStr(f"{name}-1"))
    with closing(SqlServerTarget(settings)) as opened:
        yield opened


@pytest.mark.parametrize("version", PRODUCTS)
def test_every_version_tells_what_it_can(
    version: str, tmp_path: Path, container: Container
) -> None:
    settings = Settings(
        data=tmp_path,
        password=PASSWORD,
        product=PRODUCTS[version],
        log_path=LOGS,
        volumes=(("/var/opt/mssql", GB), ("/mnt/empty", 3 * GB)),
        directories=("/mnt/empty/x",),
        certificates=(("one", "AB" * 20),),
    )
    with serve(settings) as server, target_on(server) as target:
        target.ensure_credential(container.url, lambda: SIGNATURE)
        seen = target.read_conditions(container.url, [DATA, LOGS, "/mnt/empty/x", "/mnt/none"])
    assert seen.login == "sa"
    assert seen.may_create_databases
    assert seen.may_alter_credentials
    assert seen.may_end_sessions
    assert seen.certificates == (
        Certificate(name="one", thumbprint=bytes.fromhex("AB" * 20), has_private_key=True),
    )
    assert seen.credential
    assert seen.credential.is_signature
    assert timedelta(0) <= seen.credential.age < timedelta(minutes=5)
    assert seen.why_no_agent is None

    data, logs, empty, none = seen.folders
    known = version != "2016"
    # Where files lie there is a folder, whatever the version knows of folders.
    assert [f.exists for f in seen.folders] == [
        True,
        True,
        *([True, False] if known else [None] * 2),
    ]
    # Four system databases of 8 MB data and 8 MB log lie there.
    used = 4 * 8 * 1024**2
    assert data.volume == Volume(mount_point="/var/opt/mssql", available_bytes=GB - used)
    assert logs.volume
    assert (data.is_certain, logs.is_certain, logs.volume.mount_point) == (True, True, "/")
    assert (empty.is_certain, none.is_certain) == (False, False)
    if version in ("2016", "2017"):
        # Only volumes with files are seen; the root holds the folders of all others.
        assert empty.volume == none.volume == logs.volume
    else:
        assert empty.volume == Volume(mount_point="/mnt/empty", available_bytes=3 * GB)


def test_a_login_without_rights_sees_little_and_breaks_nothing(
    server: Server, container: Container, target: Target
) -> None:
    with login_of(server, "sees little") as nobody:
        seen = nobody.read_conditions(container.url, [DATA])
    assert seen.login == "sees little"
    assert seen.may_read_history
    assert not seen.may_create_databases
    assert not seen.may_alter_credentials
    assert not seen.may_end_sessions
    assert seen.certificates is None
    assert seen.credential is None
    assert seen.why_no_agent == "the login may not make jobs, or not see how they run"
    (folder,) = seen.folders
    assert (folder.exists, folder.volume, folder.is_certain) == (None, None, False)


def test_rights_by_role_and_by_grant_count(server: Server, container: Container) -> None:
    with login_of(
        server,
        "may create",
        "ALTER SERVER ROLE dbcreator ADD MEMBER {login}",
        "GRANT VIEW SERVER STATE, VIEW ANY DEFINITION TO {login}",
    ) as creator:
        seen = creator.read_conditions(container.url, [DATA])
    assert seen.may_create_databases
    assert not seen.may_alter_credentials
    assert seen.certificates == ()
    assert seen.folders[0].is_certain


def test_a_server_without_agent_says_so(tmp_path: Path, container: Container) -> None:
    settings = Settings(data=tmp_path, password=PASSWORD, edition=EDITIONS["express"])
    with serve(settings) as server, target_on(server) as target:
        assert "Agent" in (target.read_conditions(container.url, []).why_no_agent or "")


def test_restored_files_take_room(tmp_path: Path, container: Container) -> None:
    settings = Settings(data=tmp_path, password=PASSWORD, volumes=((DATA, GB),))
    with serve(settings) as server, target_on(server) as target:
        target.ensure_credential(container.url, lambda: SIGNATURE)

        def free() -> int:
            volume = target.read_conditions(container.url, [DATA]).folders[0].volume
            assert volume
            return volume.available_bytes

        before = free()
        order = order_of(container, SampleDatabase("Sales").full(), "Sales")
        listed = target.read_contents(order.urls).files
        target.restore(order, lambda percent: True)
        assert before - free() == sum(file.size for file in listed) > 0


def test_an_underscore_in_a_folder_is_no_wildcard(tmp_path: Path, container: Container) -> None:
    volumes = (("/srv/sql_data", GB), ("/srv/sqlxdata", 2 * GB))
    settings = Settings(
        data=tmp_path,
        password=PASSWORD,
        data_path="/srv/sqlxdata/",
        log_path="/srv/sqlxdata/",
        volumes=volumes,
        directories=("/srv/sql_data",),
        product=PRODUCTS["2017"],
    )
    with serve(settings) as server, target_on(server) as target:
        (folder,) = target.read_conditions(container.url, ["/srv/sql_data"]).folders
    assert folder.volume is None


def test_contents_are_those_of_the_whole_set(tmp_path: Path, container: Container) -> None:
    settings = Settings(data=tmp_path, password=PASSWORD, encrypted=(("Sales", "CD" * 20),))
    with serve(settings) as server, target_on(server) as target:
        target.ensure_credential(container.url, lambda: SIGNATURE)
        encrypted = target.read_contents(upload(container, SampleDatabase("Sales").full(stripes=2)))
        plain = target.read_contents(upload(container, SampleDatabase("Other").full()))
        assert encrypted.thumbprints == (bytes.fromhex("CD" * 20),)
        assert plain.thumbprints == ()
        assert [(f.type, f.file_id) for f in plain.files] == [("D", 1), ("L", 2)]
        assert all(f.size > 0 for f in plain.files)
        with pytest.raises(TargetError, match="3201"):
            target.read_contents([container.url + "/not-there.bak"])


def test_a_managed_identity_takes_the_place_of_a_signature(
    tmp_path: Path, container: Container
) -> None:
    url = container.url
    settings = Settings(data=tmp_path, password=PASSWORD, product=PRODUCTS["2025"])
    with serve(settings) as server, target_on(server) as target:
        target.ensure_credential(url, lambda: SIGNATURE)
        for _ in range(2):
            target.ensure_credential(url, None)
            seen = target.read_conditions(url, []).credential
            assert seen
            assert (seen.identity, seen.is_signature) == ("Managed Identity", False)
        # It is somebody's choice then, and no signature takes its place.
        target.ensure_credential(url, lambda: pytest.fail("no secret is needed"), renew=True)


def test_a_server_too_old_for_an_identity_keeps_its_signature(
    target: Target, container: Container
) -> None:
    with pytest.raises(TargetError, match="CU17"):
        target.ensure_credential(container.url, None)
    seen = target.read_conditions(container.url, []).credential
    assert seen
    assert seen.is_signature


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("D:\\Data\\a.mdf", "D:\\Data"),
        ("D:\\a.mdf", "D:\\"),
        ("\\\\server\\share\\a.mdf", "\\\\server\\share\\"),
        ("/var/opt/a.mdf", "/var/opt"),
        ("/a.mdf", "/"),
    ],
)
def test_a_file_lies_in_a_folder(path: str, parent: str) -> None:
    assert parent_of(path) == parent


@pytest.mark.parametrize(
    ("folder", "mount"),
    [
        ("D:\\Data", "D:\\"),
        ("d:\\data\\mounted\\x", "D:\\DATA\\mounted\\"),
        ("D:\\data\\mountedx", "D:\\"),
        ("E:\\", None),
        ("/srv/data", "/srv"),
        ("/srvdata", "/"),
        ("/SRV/data", "/"),
    ],
)
def test_a_folder_lies_on_the_volume_that_is_mounted_nearest(folder: str, mount: str) -> None:
    volumes = [
        Volume(mount_point=name, available_bytes=1)
        for name in ("/", "/srv", "D:\\", "D:\\DATA\\mounted\\")
    ]
    found = fitting(folder, volumes)
    assert (found.mount_point if found else None) == mount


def test_the_age_of_a_credential_is_by_the_clock_of_the_server() -> None:
    row = {
        "credential_identity": "Shared Access Signature ",
        "modify_date": NOW - timedelta(days=2),
        "server_time": NOW,
    }
    assert credential(row) == ContainerCredential(
        identity="Shared Access Signature", is_signature=True, age=timedelta(days=2)
    )
    assert credential({**row, "modify_date": None}) is None
