"""What is simulated, and how: the server's version, folders, speed. Read once, then passed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from local.sqlserver.engine.faults import Fault
from shared.lsn import Lsn

OLDEST_RESTORABLE = 655
"""Internal version of SQL Server 2008, the oldest that the simulated versions restore."""


@dataclass(frozen=True)
class Product:
    """A version of SQL Server. `database_version` is the internal one that backups carry."""

    name: str
    version: str
    database_version: int

    @property
    def parts(self) -> tuple[int, int, int]:
        """Major, minor and build."""
        major, minor, build, _ = map(int, self.version.split("."))
        return major, minor, build

    @property
    def major(self) -> int:
        """Major version, 16 for SQL Server 2022."""
        return self.parts[0]

    @property
    def compatibility_level(self) -> int:
        """Compatibility level of a new database."""
        return self.major * 10


PRODUCTS = {
    product.name: product
    for product in (
        Product("2016", "13.0.6300.2", 852),
        Product("2017", "14.0.3456.2", 869),
        Product("2019", "15.0.4355.3", 904),
        Product("2022", "16.0.4150.1", 957),
        Product("2025", "17.0.1000.7", 998),
    )
}
"""Versions that can be simulated. Source of the internal versions: headers of real backups."""


_LARGER_EXPRESS_SINCE = 17


@dataclass(frozen=True)
class Edition:
    """An edition: what SERVERPROPERTY says of it, and what it lacks."""

    name: str
    engine_edition: int
    has_agent: bool = True
    max_database_bytes: int | None = None


EDITIONS = {
    "developer": Edition("Developer Edition (64-bit)", 3),
    "enterprise": Edition("Enterprise Edition: Core-based Licensing (64-bit)", 3),
    "standard": Edition("Standard Edition (64-bit)", 2),
    "web": Edition("Web Edition (64-bit)", 2),
    "express": Edition("Express Edition (64-bit)", 4, False, 10 * 1024**3),
}
"""Editions that can be simulated. Source: Microsoft Learn, "SERVERPROPERTY", EngineEdition, and
"Editions and supported features of SQL Server"."""


@dataclass(frozen=True)
class Settings:
    """How the server is simulated.

    Attributes:
        data: Folder of the server's own state. It is created; one server at a time may use it.
        password: Password of the only login.
        port: Port on the loopback address, 0 for any that is free.
        agent: Whether SQL Server Agent runs, on an edition that has one.
        restore_speed: Megabytes (1,000,000 bytes) per second of a RESTORE, by the server's clock;
            None reads as fast as the device gives.
        restore_delay_s: Time that each RESTORE takes before it begins to copy.
        recovery_s: Time that the recovery of a database takes, by the server's clock.
        clock_factor: How many times faster than the real one the server's clock goes. Speed and
            delay are of the server's clock.
        separated_messages: Whether each message of a RESTORE is a result of its own, as real
            servers send them: a client that does not read to the end then loses its RESTORE.
        redo_slots_behind: How many slots below the LastLSN of a log redo_start_lsn is reported
            after restoring it; real servers are often a few off.
        volumes: Mount points and sizes in bytes of the disks that files would lie on.
        certificates: Names and thumbprints, in hex, of certificates in master.
        encrypted: Names of databases whose backups count as encrypted (TDE), and thumbprints.
        database_users: SQL users that every restored database brings along.
        marks: Names of marked transactions and their LSNs.
        identity: A signature for blobs that stands for the server's managed identity; without one
            it has none.
        force_encryption: Whether connections are encrypted that did not ask for it.
        faults: What goes wrong, and when.
        directories: Folders that files may be restored to, besides the two default ones.
    """

    data: Path
    password: str = field(repr=False)
    user: str = "sa"
    port: int = 0
    product: Product = PRODUCTS["2022"]
    edition: Edition = EDITIONS["developer"]
    agent: bool = True
    server_name: str = "SIMULATED"
    restore_speed: float | None = None
    restore_delay_s: float = 0.0
    recovery_s: float = 0.0
    clock_factor: float = 1.0
    separated_messages: bool = True
    redo_slots_behind: int = 2
    data_path: str = "/var/opt/mssql/data/"
    log_path: str = "/var/opt/mssql/data/"
    directories: tuple[str, ...] = ()
    volumes: tuple[tuple[str, int], ...] = ()
    faults: tuple[Fault, ...] = ()
    certificates: tuple[tuple[str, str], ...] = ()
    encrypted: tuple[tuple[str, str], ...] = ()
    database_users: tuple[str, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    force_encryption: bool = False
    identity: str = field(default="", repr=False)

    @property
    def max_database_bytes(self) -> int | None:
        """How much data a database may hold; Express takes five times as much from 2025 on."""
        limit = self.edition.max_database_bytes
        return limit and limit * (5 if self.product.major >= _LARGER_EXPRESS_SINCE else 1)

    @property
    def mark_lsns(self) -> dict[str, Lsn]:
        """The LSNs of named marks; names have no case."""
        return {name.casefold(): Lsn(int(lsn)) for name, lsn in self.marks}

    def thumbprints_of(self, database: str) -> list[bytes]:
        """Return the certificates that the backups of a database count as encrypted with."""
        return [
            bytes.fromhex(thumbprint)
            for name, thumbprint in self.encrypted
            if name.casefold() == database.casefold()
        ]

    @property
    def backup_path(self) -> Path:
        """Folder that relative DISK paths start from."""
        return self.data / "backup"

    @property
    def version_text(self) -> str:
        """@@VERSION; it says first of all that nothing here is a real server."""
        return (
            f"SIMULATED Microsoft SQL Server {self.product.name} - {self.product.version} (X64) \n"
            "\tThis is Backhaul's simulation for tests and demos. It keeps no data.\n"
            f"\t{self.edition.name} on Linux\n"
        )
