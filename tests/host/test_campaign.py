"""A small part of the campaign: `python -m tests.host.campaign` runs as much of it as wanted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.host.campaign import run_batch
from tests.host.workflows import sample

_RUNS = 20


@pytest.mark.parametrize("seed", range(2))
def test_random_workflows_give_the_same_when_the_host_is_killed(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    verdict = run_batch(tmp_path, sample(_RUNS, seed), chance, kills=8)
    assert verdict.problems == [""] * _RUNS
    assert verdict.kills >= 1
