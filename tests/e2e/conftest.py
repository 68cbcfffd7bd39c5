"""Stacks for the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import Stack, StackOptions
from tests.e2e.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One stack for each test process; tests keep apart by folder and database name."""
    options = StackOptions(
        data=tmp_path_factory.mktemp("stack"), settings={"BACKHAUL_AUTO_START": "false"}
    )
    with Stack(options) as stack:
        world = World(stack)
        yield world
        world.close()
