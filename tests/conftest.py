"""What every test may use: real storage on this machine, and the folder of real backups."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from local import odbc
from local.azurite import Azurite
from local.folders import REPOSITORY

odbc.preload()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declared here because pytest asks only the outermost conftest for options."""
    parser.addoption(
        "--host",
        choices=("embedded", "func"),
        default="embedded",
        help="what runs the apps of tests/host: the embedded host, or Core Tools with Azurite",
    )


# How long an example takes depends on what else the machine does.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    # A shell ignores Ctrl-C for what it starts in the background, and all that we start would too.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "embedded(why): only true of the embedded host, and why")


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
