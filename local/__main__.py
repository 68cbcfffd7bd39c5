"""`python -m local --app DIR --port N`: run a function app on this machine."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from local.host.allocator import return_large_blocks
from local.host.errors import HostError
from local.host.logs import LogFormat
from local.host.service import Options, Service


def main(
    app: Annotated[
        Path, typer.Option(help="Folder with function_app.py and host.json.", file_okay=False)
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 7071,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder for task hub and keys; made if missing.  [default: APP/.backhaul/host]"
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that a stop waits for what runs.")
    ] = 10.0,
    log_format: Annotated[
        LogFormat, typer.Option(help="Log lines on stderr: for people, or JSON for programs.")
    ] = LogFormat.TEXT,
) -> None:
    """Run an Azure Functions app (Python v2) with Durable Functions on this machine.

    Example: python -m local --app . --port 7071

    State is kept in the data folder and survives a kill at any moment.
    One host at a time may use it. Settings come from host.json,
    local.settings.json and the environment, which wins. The keys that
    callers need are in keys.json in the data folder.
    """
    return_large_blocks()
    app = app.resolve()
    folder = app / ".backhaul" / "host" if data is None else data.resolve()
    options = Options(app, folder, host, port, grace, log_format)
    try:
        status = Service(options).run()
    except HostError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"Error: {error.message}", file=sys.stderr)
        if error.action:
            print(f"Try: {error.action}", file=sys.stderr)
        status = 1
    # Everything of ours is closed. Threads of the app may be anywhere, and the interpreter could
    # wait for them, or stumble over locks that they hold, for ever.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    typer.run(main)
