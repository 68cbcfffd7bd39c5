"""`backhaul demo`: the main job from beginning to end, on this machine, in under a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Exit, Option


def demo(
    backups: Annotated[
        Path | None,
        Option(metavar="DIR", help="A folder of your own backups.", exists=True, file_okay=False),
    ] = None,
    seed: Annotated[int, Option(metavar="N", help="Another order of uploads.")] = 1,
) -> None:
    """Migrate three sample databases on this machine, from upload to cutover.

    It starts storage (Azurite), a SIMULATED SQL Server and the app, uploads backups in a random
    order as people and jobs would, raises the cutover over HTTP, and shows what the server has
    restored. With --backups it does the same with your own backups; nothing leaves the machine.
    """
    # Not at the top: the Azure SDK takes half a second, which other commands need not spend.
    from backhaul.demo_run import run

    raise Exit(0 if run(backups, seed) else 1)
