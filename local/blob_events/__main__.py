"""The command `python -m local.blob_events`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Annotated

import typer
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

from local.blob_events import BlobEventWatcher, Faults, RetryPolicy, Schema, Webhook
from local.folders import STATE


def watch(
    container: Annotated[str, typer.Option(help="The container to watch.")],
    function: Annotated[str, typer.Option(help="The function with the Event Grid trigger.")],
    host: Annotated[str, typer.Option(help="Address of the Functions host.")],
    key: Annotated[
        str,
        typer.Option(envvar="BACKHAUL_EVENTGRID_KEY", help="The key its webhook wants."),
    ] = "",
    connection_string: Annotated[
        str,
        typer.Option(
            envvar="AZURE_STORAGE_CONNECTION_STRING",
            help="Connects to Azurite, or to an account by its key.",
            show_envvar=True,
        ),
    ] = "",
    account_url: Annotated[
        str, typer.Option(help="Connects to this blob endpoint, as the signed-in identity.")
    ] = "",
    outbox: Annotated[
        Path, typer.Option(help="The file that remembers what was sent and what is undelivered.")
    ] = STATE / "blob-events.sqlite",
    dead_letters: Annotated[
        Path, typer.Option(help="The folder for events that cannot be delivered.")
    ] = STATE / "dead-letters",
    retry_speed: Annotated[
        float, typer.Option(help="Retries come so many times faster than those of Event Grid.")
    ] = 1.0,
    schema: Annotated[Schema, typer.Option(help="How events are written.")] = Schema.EVENT_GRID,
    poll: Annotated[float, typer.Option(min=0.05, help="Seconds between two listings.")] = 0.5,
    copies: Annotated[
        str, typer.Option(help="Fault: how often an event comes, drawn from these numbers.")
    ] = "1",
    delay: Annotated[float, typer.Option(help="Fault: events wait up to so many seconds.")] = 0.0,
    shuffle: Annotated[bool, typer.Option(help="Fault: events come in random order.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same faults.")] = 0,
) -> None:
    """Send a BlobCreated event to a function for each new blob in a container.

    Example: python -m local.blob_events --container landing --function backup_events
    --host http://127.0.0.1:7071 --copies 0,1,3 --shuffle
    """
    if connection_string:
        client = ContainerClient.from_connection_string(connection_string, container)
    elif account_url:
        client = ContainerClient(account_url, container, credential=DefaultAzureCredential())
    else:
        raise typer.BadParameter("give --connection-string or --account-url")
    try:
        faults = Faults(tuple(map(int, copies.split(","))), delay, shuffle, seed)
    except ValueError as error:
        raise typer.BadParameter(f"--copies takes numbers such as 0,1,3: {error}") from error
    try:
        policy = RetryPolicy(speed=retry_speed)
    except ValueError as error:
        raise typer.BadParameter(f"--retry-speed: {error}") from error
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("local").setLevel(logging.INFO)
    watcher = BlobEventWatcher(
        client,
        Webhook(host, function, key),
        outbox,
        dead_letters,
        schema=schema,
        faults=faults,
        poll_s=poll,
        policy=policy,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watcher.run())


if __name__ == "__main__":
    typer.run(watch)
