"""Storage of each test's own, and one simulated server for all that need a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.azurite import Azurite
from local.sqlserver import Server, Settings, serve
from tests.shared.scene import PASSWORD, Scene, settings_of

MakeScene = Callable[..., Scene]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that restores as fast as it can; tests keep apart by the names of databases."""
    folder = tmp_path_factory.mktemp("sqlserver")
    with serve(Settings(data=folder, password=PASSWORD)) as running:
        yield running


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Server]:
    """A server that restores one MB in a second."""
    settings = Settings(data=tmp_path / "slow", password=PASSWORD, restore_speed=1.0)
    with serve(settings) as running:
        yield running


@pytest.fixture
def bare(azurite: Azurite) -> Scene:
    """A scene whose target cannot be reached: for what asks storage only."""
    return Scene(azurite, settings_of(None))


@pytest.fixture
def scene(azurite: Azurite, server: Server) -> Scene:
    """A scene with a target."""
    return Scene(azurite, settings_of(server))


@pytest.fixture
def make_scene(azurite: Azurite) -> MakeScene:
    """Make scenes with settings of their own: `make_scene(server, batch_sets=1)`."""

    def make(on: Server | None, target: dict[str, Any] | None = None, **settings: Any) -> Scene:
        return Scene(azurite, settings_of(on, **(target or {})), **settings)

    return make
