"""Runs the installers of others: apt-get, dpkg-deb, npm, pip."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.errors import ConfigurationError

_TIMEOUT_S = 900
_TAIL = 1500


def run(
    command: Sequence[str],
    *,
    action: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, silently.

    Raises:
        ConfigurationError: it failed; the message ends with what it printed last, and `action`
            is what the user can try.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the commands are this package's own
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no {command[0]} here", action=action) from error
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(
            f"{' '.join(command)} did not end within {_TIMEOUT_S} s", action=action
        ) from error
    if done.returncode != 0:
        raise ConfigurationError(
            f"{' '.join(command)} ended with status {done.returncode}:\n"
            f"{done.stdout.strip()[-_TAIL:]}",
            action=action,
        )
