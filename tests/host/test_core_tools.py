"""The part of this suite that is true of any Functions host, on Microsoft's own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.host.core_tools_host import COMMAND
from tests.host.running_host import REPOSITORY


@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    shutil.which(COMMAND) is None,
    reason=f"needs Azure Functions Core Tools ({COMMAND}), which are not here",
)
def test_suite_runs_on_core_tools_and_azurite() -> None:
    command = [sys.executable, "-m", "pytest", "tests/host", "--host", "func", "-n", "0"]
    run = subprocess.run(  # noqa: S603 - our own program
        [*command, "-p", "no:cacheprovider"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout
