"""Hosts for the tests: one that many tests share, and ones that a test has for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.running_host import RunningHost

StartHost = Callable[..., RunningHost]


@pytest.fixture(scope="session")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """The app `durable`, shared; instances keep apart by their ids."""
    host = RunningHost("durable", tmp_path_factory.mktemp("durable"))
    try:
        yield host.start()
        assert host.stop() == 0, host.log.read_text()
    finally:
        host.close()


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """The app `web`, shared."""
    host = RunningHost("web", tmp_path_factory.mktemp("web"), {"FROM_BOTH": "environment"})
    try:
        yield host.start()
        assert host.stop() == 0, host.log.read_text()
    finally:
        host.close()


@pytest.fixture
def new_host(tmp_path: Path) -> Iterator[StartHost]:
    """Make hosts of the test's own; they end with it."""
    hosts = []

    def make(app: str | Path = "durable", **settings: str) -> RunningHost:
        host = RunningHost(app, tmp_path, settings)
        hosts.append(host)
        return host

    yield make
    for host in hosts:
        host.close()
