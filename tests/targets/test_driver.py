from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import ConfigurationError
from shared.targets import driver

PIP = Path("/venv/libmsodbcsql-18.6.so.2.1")


@pytest.mark.parametrize(
    ("configured", "installed", "packaged", "expected"),
    [
        (None, [driver.NAME], [PIP], driver.NAME),
        (None, ["ODBC Driver 17 for SQL Server"], [PIP], str(PIP)),
        (None, [], [PIP, Path("/other.so")], str(PIP)),
        ("FreeTDS", ["FreeTDS", driver.NAME], [PIP], "FreeTDS"),
        (__file__, [], [], __file__),
    ],
)
def test_driver_is_the_configured_one_else_installed_else_from_pip(
    configured: str | None, installed: list[str], packaged: list[Path], expected: str
) -> None:
    assert driver.choose_driver(configured, installed, packaged) == expected


@pytest.mark.parametrize("configured", ["No Such Driver", "/no/such/library.so"])
def test_configured_driver_that_is_not_there_is_named_with_those_that_are(configured: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){configured}.*FreeTDS") as refusal:
        driver.choose_driver(configured, ["FreeTDS"], [PIP])
    assert "mssql-python-odbc" in refusal.value.action


def test_no_driver_at_all_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match="installed are: none") as refusal:
        driver.choose_driver(None, [], [])
    assert "mssql-python-odbc" in refusal.value.action


def test_driver_that_pip_brought_is_found_and_is_of_this_machine() -> None:
    pytest.importorskip("mssql_python_odbc", reason="mssql-python-odbc is not installed")
    found = driver.packaged_drivers()
    assert found
    assert all(path.is_file() for path in found)


def test_missing_driver_manager_says_what_to_install(tmp_path: Path) -> None:
    # The place of pyodbc is taken by a module that fails as pyodbc does without libodbc.
    reason = "libodbc.so.2: cannot open shared object file: No such file or directory"
    (tmp_path / "pyodbc.py").write_text(f"raise ImportError({reason!r})")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import shared.targets.sqlserver\n"
        "from shared.errors import ConfigurationError\n"
        "from shared.targets.driver import load_odbc\n"
        "try: load_odbc()\n"
        "except ConfigurationError as error: print(error, '/', error.action)\n"
    )
    run = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert "libodbc.so.2" in run.stdout
    assert "apt-get install unixodbc" in run.stdout
