"""Set-up on a machine that has everything, and what it says where something is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local import odbc
from local.folders import REPOSITORY
from local.node import find_node, machine_node
from local.setup.command import run
from shared.errors import ConfigurationError


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def test_nothing_is_done_where_all_is_there() -> None:
    done = run_python("-m", "local.setup")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pyodbc_and_the_driver_load_in_a_fresh_process() -> None:
    done = run_python(
        "-c",
        "import ctypes; from local import odbc; odbc.preload()\n"
        "from shared.targets.driver import load_odbc, packaged_drivers\n"
        "load_odbc(); ctypes.CDLL(str(packaged_drivers()[0])); print(odbc.missing())",
    )
    assert (done.stdout, done.stderr) == ("{}\n", "")


def test_other_programs_get_the_unpacked_libraries_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odbc, "UNPACKED", tmp_path / "odbc")
    assert odbc.environment() == {}
    (tmp_path / "odbc").mkdir()
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert odbc.environment() == {"LD_LIBRARY_PATH": f"{tmp_path}/odbc"}
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    assert odbc.environment() == {"LD_LIBRARY_PATH": f"{tmp_path}/odbc:/opt/lib"}


@pytest.mark.parametrize(
    ("prints", "usable"),
    [("v24.19.0", True), ("v20.0.0", True), ("v18.20.4", False), ("", False), ("node", False)],
)
def test_an_old_node_of_the_machine_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, usable: bool
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {prints}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine_node() == (node if usable else None)


def test_a_machine_without_node_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("local.node._WHEEL", "no_such_package")
    with pytest.raises(ConfigurationError, match=r"Node\.js 20 or newer") as failure:
        find_node()
    assert failure.value.action == "Run: make setup"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sh", "-c", "echo why it failed >&2; exit 3"], r"status 3:\nwhy it failed$"),
        (["no-such-installer", "--all"], "there is no no-such-installer here"),
    ],
)
def test_a_failed_installer_is_quoted_with_the_next_step(command: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as failure:
        run(command, action="Run: something else")
    assert failure.value.action == "Run: something else"
