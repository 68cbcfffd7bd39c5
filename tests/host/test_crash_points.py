"""The host dies just before or after a commit; `campaign --every-commit` tries all of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.host.campaign import run_batch
from tests.host.workflows import EVERYTHING


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 5, 14, 33])
def test_nothing_is_lost_or_done_twice(tmp_path: Path, number: int, when: str) -> None:
    chance = random.Random(0)  # noqa: S311 - not for secrets
    verdict = run_batch(tmp_path, [EVERYTHING], chance, crash=(str(number), when))
    assert (verdict.problems, verdict.kills) == ([""], 1)
