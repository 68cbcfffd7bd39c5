"""The commands `host instances`, `host history`, `host queues`: a look into a Functions host."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from backhaul import terminal
from backhaul.connection import find_host
from backhaul.host_client import (
    HostClient,
    RuntimeStatus,
    read_instance,
    read_instances,
    read_queues,
)
from backhaul.host_table import instance_history, instance_list, queue_lengths
from backhaul.options import AsJson, Url

HostKey = Annotated[
    str | None,
    Option(
        "--key",
        metavar="KEY",
        envvar="BACKHAUL_HOST_KEY",
        help="Master key of the host; better in the environment than here, where others see it.",
    ),
]


def instances(
    *,
    status: Annotated[
        list[RuntimeStatus] | None,
        Option(
            metavar="STATUS",
            case_sensitive=False,
            help="Only those in this state, for instance running or failed; may be repeated.",
        ),
    ] = None,
    prefix: Annotated[
        str, Option(metavar="TEXT", help="Only those whose id begins with this.")
    ] = "",
    top: Annotated[int, Option(metavar="N", min=1, max=100_000, help="How many, at most.")] = 50,
    as_json: AsJson = False,
    url: Url = None,
    key: HostKey = None,
) -> None:
    """List the instances of orchestrations, the newest first."""
    with _open(url, key) as client:
        found = client.instances(prefix, status or [], top)
    if as_json:
        terminal.print_json(found)
    else:
        now = datetime.now(timezone.utc)
        terminal.results().print(instance_list(read_instances(found), now))


def history(
    instance: Annotated[
        str, Argument(metavar="INSTANCE", help="Its id, or as much of it as no other begins with.")
    ],
    *,
    as_json: AsJson = False,
    url: Url = None,
    key: HostKey = None,
) -> None:
    """Show what an instance did and when, how long each step took, and what failed."""
    with _open(url, key) as client:
        found = client.history(instance)
    if as_json:
        terminal.print_json(found)
    else:
        now = datetime.now(timezone.utc)
        terminal.results().print(instance_history(read_instance(found), now))


def queues(*, as_json: AsJson = False, url: Url = None, key: HostKey = None) -> None:
    """Show how much waits in the embedded host: events, activities, timers, operations."""
    with _open(url, key) as client:
        found = client.queues()
    if as_json:
        terminal.print_json(found)
    else:
        terminal.results().print(queue_lengths(read_queues(found)))


def _open(url: str | None, key: str | None) -> HostClient:
    return HostClient(find_host(url, key, Path.cwd()))
