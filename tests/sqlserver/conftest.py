from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from local.sqlserver import Server, Settings, serve
from local.sqlserver.engine.instance import Instance
from tests.sqlserver.client import Client
from tests.sqlserver.console import Console

PASSWORD = "a}b;c 1"  # noqa: S105 not a secret


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """An instance without a network, that answers batches."""
    with closing(Instance(Settings(tmp_path / "instance", PASSWORD))) as instance:
        yield Console(instance)


StartServer = Callable[..., Server]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers with settings of their own; they share a folder unless told otherwise."""
    with ExitStack() as running:

        def start(**settings: Any) -> Server:
            data = settings.pop("data", tmp_path / "server")
            return running.enter_context(serve(Settings(data, PASSWORD, **settings)))

        yield start


@pytest.fixture
def server(start_server: StartServer) -> Server:
    return start_server()


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect to a server; what is still open at the end is closed."""
    with ExitStack() as opened:

        def connect_to(server: Server, **options: Any) -> Client:
            return opened.enter_context(Client(server.port, PASSWORD, **options))

        yield connect_to


@pytest.fixture
def client(server: Server, connect: Connect) -> Client:
    return connect(server)
