"""The command `python -m local.setup`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from rich.console import Console

from local.setup import azurite, odbc
from shared.errors import ConfigurationError

STEPS: tuple[tuple[str, Callable[[], bool], Callable[[], None]], ...] = (
    ("ODBC libraries", odbc.is_ready, odbc.install),
    ("Azurite, the storage emulator", azurite.is_ready, azurite.install),
)
"""What to set up: its name, whether it is there, and how to get it."""


def main() -> int:
    """Set up what is missing; returns the exit status."""
    console = Console(stderr=True, highlight=False)
    for name, is_ready, install in STEPS:
        try:
            if is_ready():
                continue
            if not console.is_terminal:
                console.print(f"Installing: {name} ...")
            begin = time.monotonic()
            with console.status(f"Installing: {name} ..."):
                install()
            console.print(f"Installed:  {name} ({time.monotonic() - begin:.0f} s)")
        except ConfigurationError as error:
            console.print(f"Error: {name}: {error.message}", markup=False, soft_wrap=True)
            console.print(f"Try:   {error.action}", markup=False, soft_wrap=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
