"""Runs a simulated SQL Server from a shell: `python -m local.sqlserver --help`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from pathlib import Path
from typing import Annotated

import typer

from local.folders import STATE
from local.sqlserver.server import HOST, Server
from local.sqlserver.settings import PRODUCTS, Settings
from shared.errors import ConfigurationError

app = typer.Typer(add_completion=False)


@app.command()
def main(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes any that is free.")] = 0,
    data: Annotated[
        Path, typer.Option(help="Folder of the server's state; one server at a time.")
    ] = STATE / "sqlserver",
    version: Annotated[
        str, typer.Option(help=f"SQL Server to simulate: {', '.join(PRODUCTS)}.")
    ] = "2022",
    user: Annotated[str, typer.Option(help="The one login; it is a sysadmin.")] = "sa",
    password: Annotated[
        str | None,
        typer.Option(
            envvar="BACKHAUL_SQLSERVER_PASSWORD",
            help="Its password. Without one it is made up and printed.",
        ),
    ] = None,
    restore_speed: Annotated[
        float | None, typer.Option(help="MB/s that RESTORE reads; without it, as fast as it can.")
    ] = None,
    restore_delay: Annotated[float, typer.Option(help="Seconds before each RESTORE reads.")] = 0.0,
    separated_messages: Annotated[
        bool,
        typer.Option(help="Send each message of a RESTORE as a result of its own, as real ones."),
    ] = True,
    redo_slots_behind: Annotated[
        int, typer.Option(help="Slots that redo_start_lsn lies below a log's LastLSN.")
    ] = 2,
    data_path: Annotated[
        str, typer.Option(help="Default folder of data files. It is a name only.")
    ] = "/var/opt/mssql/data/",
    log_path: Annotated[
        str, typer.Option(help="Default folder of log files. It is a name only.")
    ] = "/var/opt/mssql/data/",
    directory: Annotated[
        list[str] | None, typer.Option(help="Another folder that MOVE may name; repeatable.")
    ] = None,
    verbose: Annotated[bool, typer.Option(help="Log connections to stderr.")] = False,
) -> None:
    """Run a SIMULATED SQL Server: RESTORE reads real backups and obeys the rules; no data is kept.

    Example: python -m local.sqlserver --port 14330 --data .backhaul/sqlserver --restore-speed 5
    """
    if version not in PRODUCTS:
        raise typer.BadParameter(
            f"{version} is none of {', '.join(PRODUCTS)}", param_hint="version"
        )
    if restore_speed is not None and restore_speed <= 0:
        raise typer.BadParameter("a speed is above 0 MB/s", param_hint="restore-speed")
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING)
    settings = Settings(
        data=data,
        password=password or secrets.token_urlsafe(12),
        user=user,
        port=port,
        product=PRODUCTS[version],
        restore_speed=restore_speed,
        restore_delay_s=restore_delay,
        separated_messages=separated_messages,
        redo_slots_behind=redo_slots_behind,
        data_path=data_path,
        log_path=log_path,
        directories=tuple(directory or ()),
    )
    try:
        asyncio.run(_run(settings, tell_password=password is None))
    except (ConfigurationError, OSError) as exc:
        typer.echo(f"Error: {exc}", err=True)
        if isinstance(exc, ConfigurationError):
            typer.echo(f"Try: {exc.action}", err=True)
        raise typer.Exit(1) from exc


async def _run(settings: Settings, *, tell_password: bool) -> None:
    server = Server(settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        await server.start()
        _tell(server, tell_password=tell_password)
        await stopping.wait()
    finally:
        await server.stop()


def _tell(server: Server, *, tell_password: bool) -> None:
    settings = server.settings
    typer.echo(f"SIMULATED SQL Server {settings.product.name} on {HOST},{server.port}")
    typer.echo(f"It keeps no data, only what was restored, in {settings.data}.")
    login = f"Login {settings.user}"
    typer.echo(f"{login}, password {settings.password}" if tell_password else login)


if __name__ == "__main__":
    app()
