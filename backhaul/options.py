"""Arguments and options that several commands have, with their help, and what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from backhaul.client import Client
from backhaul.connection import find_connection

MigrationId = Annotated[
    str, Argument(metavar="ID", help="The migration, as `backhaul status` lists it.")
]
AsJson = Annotated[bool, Option("--json", help="Print one JSON document; docs/cli.md explains it.")]
Files = Annotated[
    list[str],
    Argument(metavar="FILE", help="Backup files, folders, or addresses of blobs and containers."),
]
Storage = Annotated[
    str | None,
    Option(
        metavar="CONNECTION",
        envvar="AZURE_STORAGE_CONNECTION_STRING",
        help="For blobs of that account, such as Azurite's; else a SAS or your own identity.",
    ),
]
Unfolded = Annotated[bool, Option("--all", help="List every log backup also on a terminal.")]
Yes = Annotated[bool, Option("--yes", help="Do it without asking.")]
Url = Annotated[
    str | None,
    Option(
        metavar="ADDRESS",
        envvar="BACKHAUL_URL",
        help="Address of the app; else that of .backhaul/connection.json.",
    ),
]
Key = Annotated[
    str | None,
    Option(
        metavar="KEY",
        envvar="BACKHAUL_KEY",
        help="Function key of the app; better in the environment than here, where others see it.",
    ),
]


def open_client(url: str | None, key: str | None) -> Client:
    """Return a client of the app that the options, or the file below this folder, name."""
    return Client(find_connection(url, key, Path.cwd()))
