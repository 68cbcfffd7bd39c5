from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from local.sqlserver import Server, Settings, serve
from shared.targets.connection import SqlServerConnection
from shared.targets.driver import find_driver, load_odbc
from shared.targets.sqlserver import SqlServerTarget
from tests.targets.blobs import SIGNATURE, Container
from tests.targets.blobs import serve as serve_blobs

PASSWORD = "p;w}d {'x"  # noqa: S105 of a server that lives as long as the test


def login_at(port: int, **settings: Any) -> SqlServerConnection:
    """Return how to log in to the simulated server at a port."""
    return SqlServerConnection(
        **{
            "server": "127.0.0.1",
            "port": port,
            "user": "sa",
            "password": SecretStr(PASSWORD),
            "trust_server_certificate": True,
            "login_timeout_s": 5,
            **settings,
        }
    )


@contextmanager
def target_on(server: Server, **options: Any) -> Iterator[SqlServerTarget]:
    """Open a target, with a watch that is quick enough for tests."""
    with closing(
        SqlServerTarget(login_at(server.port), **{"watch_interval_s": 0.05, **options})
    ) as target:
        yield target


@contextmanager
def raw_connection(server: Server) -> Iterator[Any]:
    """Open a connection that is nobody's but the test's."""
    text = (
        f"DRIVER={{{find_driver()}}};SERVER=tcp:127.0.0.1,{server.port};UID=sa;"
        f"PWD={{{PASSWORD.replace('}', '}}')}}};TrustServerCertificate=yes"
    )
    with closing(load_odbc().connect(text, autocommit=True)) as connection:
        yield connection


@pytest.fixture(scope="session")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with serve_blobs(tmp_path_factory.mktemp("blobs")) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that restores as fast as it can. Tests of a module keep apart by databases' names.

    Those of several modules could not: each goes through all the odd names there are.
    """
    folder = tmp_path_factory.mktemp("sqlserver")
    with serve(Settings(data=folder, password=PASSWORD)) as running:
        yield running


@pytest.fixture
def target(server: Server, container: Container) -> Iterator[SqlServerTarget]:
    with target_on(server) as opened:
        opened.ensure_credential(container.url, lambda: SIGNATURE)
        yield opened


@pytest.fixture
def slow(tmp_path: Path, container: Container) -> Iterator[Server]:
    """A server whose restores take seconds: 1 MB of a backup in each."""
    with serve(Settings(data=tmp_path / "slow", password=PASSWORD, restore_speed=1.0)) as running:
        with target_on(running) as opened:
            opened.ensure_credential(container.url, lambda: SIGNATURE)
        yield running
