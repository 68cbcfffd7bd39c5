"""`backhaul up`: the whole of Backhaul on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Option

from backhaul import terminal

if TYPE_CHECKING:
    from local.stack import Stack


def up(
    data: Annotated[
        Path, Option(metavar="DIR", help="Folder for everything that is kept.", file_okay=False)
    ] = Path(".backhaul"),
    port: Annotated[
        int, Option(metavar="N", min=0, max=65535, help="Port of the app; 0 takes a free one.")
    ] = 7071,
    blob_port: Annotated[
        int, Option(metavar="N", min=0, max=65535, help="Port of Azurite's blobs; 0: a free one.")
    ] = 10000,
    sql_port: Annotated[
        int, Option(metavar="N", min=0, max=65535, help="Port of the simulated server; 0: free.")
    ] = 14330,
    restore_speed: Annotated[
        float | None,
        Option(metavar="MB/S", min=0.001, help="How fast the simulated server restores."),
    ] = None,
    storage: Annotated[
        str | None,
        Option(
            metavar="CONNECTION",
            envvar="BACKHAUL_UP_STORAGE",
            help="Connection string of a real storage account, in place of Azurite.",
        ),
    ] = None,
    sql_server: Annotated[
        str | None,
        Option(
            metavar="HOST[,PORT]",
            help="A real SQL Server in place of the simulated one; needs --storage too.",
        ),
    ] = None,
    sql_user: Annotated[str, Option(metavar="NAME", help="Login on the real SQL Server.")] = "sa",
    sql_password: Annotated[
        str | None,
        Option(
            metavar="PASSWORD",
            envvar="BACKHAUL_UP_SQL_PASSWORD",
            help="Its password; better in the environment than here.",
        ),
    ] = None,
    trust_server_certificate: Annotated[
        bool, Option("--trust-server-certificate", help="Do not check the server's certificate.")
    ] = False,
) -> None:
    """Run the app, storage and a target on this machine, and stay up until Ctrl-C.

    Storage is Azurite and the target is a simulated SQL Server: it obeys the rules of RESTORE on
    real backups, but keeps no data. Either can be replaced by a real one. What is kept in the data
    folder is found again at the next start.
    """
    # Not at the top: the Azure SDK takes half a second, which other commands need not spend.
    from local.stack import Ports, Stack, StackOptions

    target = _real_server(sql_server, sql_user, sql_password, trust_server_certificate, storage)
    options = StackOptions(
        data=data,
        ports=Ports(host=port, blob=blob_port, table=0, sql_server=sql_port),
        storage=storage,
        sql_server=target,
        restore_speed=restore_speed,
    )
    terminal.notes().print("Starting ...")
    with Stack(options) as stack:
        for line in _addresses(stack):
            terminal.results().print(line, soft_wrap=True)
        _wait_for_signal()


def _wait_for_signal() -> None:
    """Wait for Ctrl-C or SIGTERM; raises KeyboardInterrupt.

    Each signal rings a bell, too: one that comes just before the wait begins is not missed.
    """
    bell, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    while True:
        os.read(bell, 1)


def _real_server(
    address: str | None, user: str, password: str | None, trust: bool, storage: str | None
) -> dict[str, object] | None:
    if address is None:
        return None
    if storage is None:
        raise BadParameter(
            "a SQL Server restores from a storage account, not from Azurite: give --storage too",
            param_hint="--sql-server",
        )
    if password is None:
        raise BadParameter(
            "the login has no password: set BACKHAUL_UP_SQL_PASSWORD", param_hint="--sql-password"
        )
    host, _, port = address.partition(",")
    if port and not port.isdecimal():
        raise BadParameter(f"{port!r} is no port", param_hint="--sql-server")
    return {
        "server": host,
        "port": int(port or 1433),
        "user": user,
        "password": password,
        "trust_server_certificate": trust,
    }


def _addresses(stack: Stack) -> list[str]:
    server = stack.sql_server
    kind = "SIMULATED SQL Server, keeps no data" if stack.simulated else "SQL Server"
    lines = [
        "Backhaul is up. Drop backups into the container, each database into a folder of its own.",
        "",
        f"  App        {stack.url}/api/migrations",
        f"  Key        in {stack.connection_file}, where `backhaul status` finds it",
        f"  Page       {stack.url}/admin/host shows what runs; its key is masterKey in that file",
        f"  Container  {stack.container.url}",
        f"  Target     {server['server']},{server['port']} ({kind})",
        f"  Events     that the app does not take end in {stack.dead_letters}",
    ]
    if stack.options.storage is None:
        lines += [
            "",
            "  Upload with any tool for Azure storage, to the container above:",
            f"  AZURE_STORAGE_CONNECTION_STRING='{stack.connection_string}'",
        ]
    return [*lines, "", "Ctrl-C stops it."]
