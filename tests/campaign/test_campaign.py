"""A few runs of the campaign, so that it stays one that can be run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local.folders import REPOSITORY


@pytest.mark.timeout(280)
def test_a_few_runs_pass() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.campaign", "--runs", "3", "--seed", "5"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=270,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "3 passed, 0 failed", done.stdout + done.stderr[-3000:]
    assert "host killed" in done.stdout
