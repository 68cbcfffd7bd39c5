"""What every test may use: real storage on this machine, and the folder of real backups."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from local import odbc
from local.azurite import Azurite
from local.folders import REPOSITORY

odbc.preload()

# How long an example takes depends on what else the machine does.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for each test process, on disk; tests keep apart by their container's name."""
    with (
        tempfile.TemporaryDirectory(prefix="backhaul-tests-") as folder,
        Azurite(Path(folder)) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real backups and chain cases beside the repository."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "backups").is_dir():
        pytest.skip("needs the real backups of ../shared/backups, which are not here")
    return folder
