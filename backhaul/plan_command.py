"""The command `plan`: what would be restored from a folder of backups."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Exit, Option

from backhaul import terminal
from backhaul.options import AsJson, Unfolded
from backhaul.plan_table import plan_table
from backhaul.planning import Wish, plan_folder
from backhaul.reading import ReadFile, list_folder, name_of, read_file
from shared.errors import BackhaulError

TIMES = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


def plan(
    folder: Annotated[
        Path, Argument(metavar="DIR", help="Folder with backups, in any layout and depth.")
    ],
    *,
    database: Annotated[
        str | None, Option(metavar="NAME", help="Plan only this database, by its name there.")
    ] = None,
    last_backup: Annotated[
        str | None, Option(metavar="NAME", help="End with this file, a name or path below DIR.")
    ] = None,
    stop_at: Annotated[
        datetime | None,
        Option(metavar="TIME", formats=TIMES, help="End at this local time of the source."),
    ] = None,
    unfolded: Unfolded = False,
    as_json: AsJson = False,
) -> None:
    """Show what would be restored from a folder of backups, in which order, and what is missing.

    The exit status is 0 if each database has a plan, nothing is missing and no backup is
    unusable, else 1.
    """
    wish = Wish(last_backup=last_backup, stop_at=stop_at, database_name=database)
    planned = plan_folder(_read(folder), wish)
    if as_json:
        terminal.print_json(planned.as_json())
    else:
        console = terminal.results()
        folded = console.is_terminal and not unfolded
        console.print(plan_table(terminal.for_display(planned), folded=folded), crop=False)
    raise Exit(int(not planned.complete))


def _read(folder: Path) -> list[ReadFile]:
    if not folder.is_dir():
        raise BadParameter(f"{terminal.harmless(name_of(folder))} is no folder", param_hint="DIR")
    below = list_folder(folder)
    unreadable = [
        ReadFile(name=_below(folder, path), verdict=verdict) for path, verdict in below.unreadable
    ]
    read = [
        read_file(path, _below(folder, path))
        for path in terminal.tracked(below.paths, "Reading backups")
    ]
    if not read and not unreadable:
        raise BackhaulError(f"no file is below {name_of(folder)}", action="name another folder")
    return [*read, *unreadable]


def _below(folder: Path, path: Path) -> str:
    return name_of(path.relative_to(folder).as_posix())
