"""The command line `backhaul`: which commands there are, and how it ends.

Exit status: 0 done, 1 failed or something is wrong with the input, 2 wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import inspect as python
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from backhaul import terminal
from backhaul.afterwards import delete, restart, retry
from backhaul.demo import demo
from backhaul.host_commands import history, instances, queues
from backhaul.inspecting import inspect
from backhaul.ordering import cancel, create, cutover
from backhaul.plan_command import plan
from backhaul.rehearsing import rehearse
from backhaul.up import up
from backhaul.verifying import verify
from backhaul.watching import status, wait
from shared.errors import BackhaulError


class _WithExample:
    """Begins the help, and what is said of wrong usage, with an example."""

    example: str

    def format_usage(self, context: Any, formatter: Any) -> None:
        formatter.write(f"Example: {self.example}\n\n")
        super().format_usage(context, formatter)  # type: ignore[misc] # of the class mixed with


class _Group(_WithExample, TyperGroup):
    example = "backhaul inspect /backups/Sales.bak"


app = typer.Typer(
    cls=_Group,
    help="Moves SQL Server databases from their native backups. It takes no backups itself and does"
    " not touch the source.",
    no_args_is_help=True,
    add_completion=False,
    # Rich help would be coloured in the pipes of some build servers.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _HostGroup(_WithExample, TyperGroup):
    example = "backhaul host instances --status failed"


host = typer.Typer(
    cls=_HostGroup,
    help="Looks into the Functions host that the app runs on: instances of orchestrations, their"
    " histories, and what waits.",
    no_args_is_help=True,
)


def add(command: Callable[..., None], example: str, to: typer.Typer = app) -> None:
    """Register a command under its function's name; its docstring is the help."""
    kind: Any = type("Command", (_WithExample, TyperCommand), {"example": example})
    summary = (python.getdoc(command) or "").partition("\n")[0]
    to.command(cls=kind, short_help=summary)(command)


add(inspect, "backhaul inspect /backups/Sales.bak /backups/LOG")
add(verify, "backhaul verify /backups/Sales.bak --level structure")
add(plan, "backhaul plan /backups/SQL01 --stop-at '2026-03-01 02:15'")
add(create, "backhaul create SQL01/sales --name Sales")
add(status, "backhaul status sales --watch")
add(wait, "backhaul wait sales --status ReadyForCutover --timeout 600")
add(cutover, "backhaul cutover sales --last-backup LOG/tail.trn")
add(cancel, "backhaul cancel sales")
add(retry, "backhaul retry sales")
add(restart, "backhaul restart sales")
add(rehearse, "backhaul rehearse sales --wait")
add(delete, "backhaul delete sales")
add(up, "backhaul up --restore-speed 50")
add(demo, "backhaul demo --backups /backups/SQL01")

add(instances, "backhaul host instances --status failed --prefix sales --top 20", host)
add(history, "backhaul host history sales", host)
add(queues, "backhaul host queues", host)
app.add_typer(host, name="host")


def main() -> int:
    """Run the command line; ends the process, or returns the exit status after an error."""
    terminal.prepare()
    try:
        app(prog_name="backhaul")
    except BackhaulError as error:
        terminal.print_error(error)
        return 1
    return 0
