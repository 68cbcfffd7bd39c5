"""Runs a simulated SQL Server from a shell: `python -m local.sqlserver --help`."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import signal
from pathlib import Path
from typing import Annotated

import typer

from local.folders import STATE
from local.sqlserver.engine.faults import parse_fault, read_plan
from local.sqlserver.server import HOST, Server
from local.sqlserver.settings import EDITIONS, PRODUCTS, Settings
from shared.errors import ConfigurationError

_THUMBPRINT = r"(?:[0-9a-fA-F]{2}){1,32}"

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
    recovery_time: Annotated[
        float, typer.Option(help="Seconds that RESTORE WITH RECOVERY takes to open a database.")
    ] = 0.0,
    clock_factor: Annotated[
        float,
        typer.Option(
            help="How many times faster than the real one the server's clock goes: with 3600 a "
            "restore of ten hours takes ten seconds. Speed and delay are of that clock."
        ),
    ] = 1.0,
    faults: Annotated[
        Path | None,
        typer.Option(help="A plan of what goes wrong, as JSON; see docs/simulated-sql-server.md."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help='One fault, repeatable: \'{"do": "restart", "restore": 2, "percent": 50}\'.'
        ),
    ] = None,
    edition: Annotated[
        str, typer.Option(help=f"Edition to simulate: {', '.join(EDITIONS)}.")
    ] = "developer",
    agent: Annotated[bool, typer.Option(help="Run SQL Server Agent; Express has none.")] = True,
    volume: Annotated[
        list[str] | None,
        typer.Option(help="A disk for files, as MOUNT=MB, for instance D:\\=50000; repeatable."),
    ] = None,
    certificate: Annotated[
        list[str] | None,
        typer.Option(help="A certificate in master, as NAME=THUMBPRINT in hex; repeatable."),
    ] = None,
    encrypted: Annotated[
        list[str] | None,
        typer.Option(
            help="A database whose backups count as encrypted, as NAME=THUMBPRINT; repeatable."
        ),
    ] = None,
    database_user: Annotated[
        list[str] | None,
        typer.Option(help="A SQL user that every restored database brings along; repeatable."),
    ] = None,
    mark: Annotated[
        list[str] | None,
        typer.Option(help="A marked transaction for STOPATMARK, as NAME=LSN; repeatable."),
    ] = None,
    force_encryption: Annotated[
        bool, typer.Option(help="Encrypt connections that do not ask for it, too.")
    ] = False,
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
    if edition not in EDITIONS:
        raise typer.BadParameter(
            f"{edition} is none of {', '.join(EDITIONS)}", param_hint="edition"
        )
    if restore_speed is not None and restore_speed <= 0:
        raise typer.BadParameter("a speed is above 0 MB/s", param_hint="restore-speed")
    if clock_factor <= 0:
        raise typer.BadParameter("a clock goes forward: above 0", param_hint="clock-factor")
    volumes = tuple(
        (mount, int(size) * 1024 * 1024)
        for mount, size in _pairs(volume, r"\d{1,12}", "MOUNT=MB", "volume")
    )
    certificates = _pairs(certificate, _THUMBPRINT, "NAME=THUMBPRINT", "certificate")
    encrypted_databases = _pairs(encrypted, _THUMBPRINT, "NAME=THUMBPRINT", "encrypted")
    marks = _pairs(mark, r"\d{1,25}", "NAME=LSN", "mark")
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING)
    try:
        plan = (*(read_plan(faults) if faults else ()), *map(parse_fault, fault or ()))
    except ConfigurationError as exc:
        raise _failed(exc) from exc
    settings = Settings(
        data=data,
        password=password or secrets.token_urlsafe(12),
        user=user,
        port=port,
        product=PRODUCTS[version],
        restore_speed=restore_speed,
        restore_delay_s=restore_delay,
        recovery_s=recovery_time,
        clock_factor=clock_factor,
        edition=EDITIONS[edition],
        agent=agent,
        volumes=volumes,
        faults=plan,
        certificates=certificates,
        encrypted=encrypted_databases,
        database_users=tuple(database_user or ()),
        marks=marks,
        force_encryption=force_encryption,
        separated_messages=separated_messages,
        redo_slots_behind=redo_slots_behind,
        data_path=data_path,
        log_path=log_path,
        directories=tuple(directory or ()),
    )
    try:
        asyncio.run(_run(settings, tell_password=password is None))
    except (ConfigurationError, OSError) as exc:
        raise _failed(exc) from exc


def _failed(error: ConfigurationError | OSError) -> typer.Exit:
    typer.echo(f"Error: {error}", err=True)
    if isinstance(error, ConfigurationError):
        typer.echo(f"Try: {error.action}", err=True)
    return typer.Exit(1)


def _pairs(
    texts: list[str] | None, value: str, form: str, option: str
) -> tuple[tuple[str, str], ...]:
    """Return NAME=VALUE options as pairs; `value` is the pattern of the latter."""
    pairs = [re.fullmatch(f"(.+)=({value})", text) for text in texts or ()]
    if not all(pairs):
        raise typer.BadParameter(f"expected {form}", param_hint=option)
    return tuple((match[1], match[2]) for match in pairs if match)


async def _run(settings: Settings, *, tell_password: bool) -> None:
    server = Server(settings, own_process=True)
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
