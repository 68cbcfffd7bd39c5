"""Hosts for the tests: one that many tests share, and ones that a test has for itself.

With `--host=func`, the modules that say what any Functions host does run on Core Tools and Azurite
instead; tests that are marked `embedded`, and all other modules, are about the embedded host.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.host.core_tools_host import COMMAND, CoreToolsHost
from tests.host.running_host import RunningHost

StartHost = Callable[..., RunningHost]

_ANY_HOST = {
    "test_client",
    "test_encoding",
    "test_http_triggers",
    "test_management_api",
    "test_orchestrations",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--host") == "embedded":
        return
    for item in items:
        mark = item.get_closest_marker("embedded")
        if shutil.which(COMMAND) is None:
            reason = f"needs Azure Functions Core Tools ({COMMAND}), which are not here"
        elif mark is not None:
            reason = f"only true of the embedded host: {mark.args[0]}"
        elif item.path.stem not in _ANY_HOST:
            reason = "about the embedded host itself"
        else:
            continue
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def durable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """The app `durable`, shared; instances keep apart by their ids."""
    with _shared(request, "durable", tmp_path_factory.mktemp("durable")) as host:
        yield host


@pytest.fixture(scope="session")
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """The app `web`, shared."""
    with _shared(request, "web", tmp_path_factory.mktemp("web"), FROM_BOTH="environment") as host:
        yield host


@contextmanager
def _shared(
    request: pytest.FixtureRequest, app: str, folder: Path, **settings: str
) -> Iterator[RunningHost]:
    if request.config.getoption("--host") == "func":
        azurite: Azurite = request.getfixturevalue("azurite")
        host: RunningHost = CoreToolsHost(app, folder, azurite.connection_string, settings)
    else:
        host = RunningHost(app, folder, settings)
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
