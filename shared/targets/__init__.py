"""Where databases are restored: the verbs that a migration needs of a target.

`sqlserver` speaks T-SQL to a SQL Server; `tsql` builds its statements, purely. A target is asked
for the position of a database before every step: it, not the catalog, knows what was restored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.backupset import BackupType
from shared.chain import TargetPosition
from shared.errors import BackhaulError
from shared.lsn import Lsn
from shared.opened import OpenedDatabase
from shared.restore_options import RestoreOptions
from shared.stop_point import StopPoint
from shared.targets.files import ListedFile

_MANAGED_IDENTITY_SINCE = (16, 0, 4175)


_MANAGED_INSTANCE = 8


class TargetModel(BaseModel):
    """Base of what goes to and comes from a target."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerFacts(TargetModel):
    """What the server is. `database_version` is the newest internal version it can restore."""

    server_name: str
    product_version: str
    product_major_version: int
    engine_edition: int
    edition: str
    database_version: int
    default_data_path: str
    default_log_path: str
    simulated: bool

    @property
    def highest_compatibility_level(self) -> int | None:
        """Ten times the major version; None for a managed instance, which names one of its own."""
        return None if self.engine_edition == _MANAGED_INSTANCE else 10 * self.product_major_version

    @property
    def reads_by_identity(self) -> bool:
        """Whether it is new enough to read a container by a managed identity: 2022 CU17.

        Whether it runs on an Azure VM and has one, it does not tell. Source: Microsoft Learn,
        "Backup and restore to URL using managed identities".
        """
        version = tuple(int(part) for part in self.product_version.split(".")[:3])
        return version >= _MANAGED_IDENTITY_SINCE


class Volume(TargetModel):
    """A disk of the server, and what is free on it."""

    mount_point: str
    available_bytes: int


class Folder(TargetModel):
    """A folder of the server for database files; None is what the server does not tell.

    `is_certain` tells that files in that very folder show on which volume it lies. Else it is the
    one with the longest mount point that fits: a server does not see volumes without files of its
    own, but for those with a drive letter.
    """

    path: str
    exists: bool | None = None
    volume: Volume | None = None
    is_certain: bool = False


class Certificate(TargetModel):
    """A certificate or asymmetric key in the server's master."""

    name: str
    thumbprint: bytes
    has_private_key: bool


class ContainerCredential(TargetModel):
    """The server's credential for a container; `age` is that of its secret."""

    identity: str
    is_signature: bool
    age: timedelta


class Conditions(TargetModel):
    """What a server offers to a migration, as far as the login may see it.

    `certificates` is None where the login does not see all of them, `credential` if there is none
    or none to be seen. `why_no_agent` is None if restores can run as jobs.
    """

    login: str
    may_create_databases: bool
    may_read_history: bool
    may_alter_credentials: bool
    may_end_sessions: bool
    takes_containers: bool
    folders: tuple[Folder, ...] = ()
    certificates: tuple[Certificate, ...] | None = None
    credential: ContainerCredential | None = None
    why_no_agent: str | None = None


class Contents(TargetModel):
    """What a backup asks of a server: room for its files, and the keys it is encrypted with."""

    files: tuple[ListedFile, ...]
    thumbprints: tuple[bytes, ...] = ()


class ServerHeader(TargetModel):
    """The columns of the target's own RESTORE HEADERONLY that must agree with ours."""

    backup_set_guid: UUID
    backup_type: int
    position: int
    database_name: str
    database_version: int
    first_lsn: Lsn
    last_lsn: Lsn
    checkpoint_lsn: Lsn
    database_backup_lsn: Lsn
    differential_base_lsn: Lsn | None
    differential_base_guid: UUID | None
    recovery_fork_id: UUID
    family_guid: UUID
    has_backup_checksums: bool
    is_damaged: bool


class RestoreOrder(TargetModel):
    """One restore WITH NORECOVERY: the set's files in family order, as URLs without a query.

    `brings_files` says of a log that it adds files to the database, for which a place is to be
    found. That is rare, and finding out takes time, so nobody asks before a restore has failed.
    `size_bytes` is that of all files together. Roll forward of a log ends at `stop`.
    """

    database: str
    backup_set_guid: UUID
    backup_type: BackupType
    urls: tuple[str, ...]
    checksum: bool
    brings_files: bool = False
    stop: StopPoint | None = None
    options: RestoreOptions = RestoreOptions()
    size_bytes: int = 0


@dataclass(frozen=True)
class Batch:
    """A run of restores that the server does by itself, one set after the other, as it stands.

    `operation_id` is the migration operation that it was started for. `failed` and `error` tell
    at which set it ended and why; without them it went to its end, or was stopped. `stops` tells of
    sets that it has restored whether a stop point, if one was given, was reached, where the server
    has kept what it said.
    """

    batch_id: UUID
    operation_id: UUID
    sets: tuple[UUID, ...]
    running: bool
    elapsed_s: float = 0.0
    percent: float = 0.0
    failed: UUID | None = None
    error: BackhaulError | None = None
    stops: Mapping[UUID, bool] = field(default_factory=dict)


class RestoredSet(TargetModel):
    """One row of msdb's restore history, oldest first by `restore_history_id`.

    `restore_date` is the end of the restore by the server's clock and has no zone. `family_guid` is
    that of the database that the backup was taken of. `under_stop` tells that the statement had a
    stop point, not that it was reached.
    """

    restore_history_id: int
    backup_set_guid: UUID
    family_guid: UUID | None
    last_lsn: Lsn
    restore_type: str
    restore_date: datetime
    recovery: bool
    replace: bool
    under_stop: bool = False


Watch = Callable[[float], bool]
"""Called about once a second with the percentage done; False asks to stop the restore."""


class RestoreStopped(Exception):
    """The watcher asked to stop; the server rolled the statement back or left it restoring."""


class Target(Protocol):
    """A server that can restore. Every verb may be called again after a crash.

    All raise TargetUnavailable when the same call may work later, TargetError (with the server's
    error number) when it will not, and ConfigurationError when no connection can be made the way
    it is set up. `shared.targets.faults.fault_of` tells which numbers are signals: the database
    is not where the caller believed, so its position is to be read again.
    """

    def read_server(self) -> ServerFacts:
        """Return product, version, edition and default folders."""
        ...

    def read_position(self, database: str) -> TargetPosition:
        """Return the state of a database and where its roll forward goes on."""
        ...

    def read_restore_history(self, database: str, after: int) -> Sequence[RestoredSet]:
        """Return what was restored to a database, after that restore_history_id, oldest first."""
        ...

    def read_headers(self, urls: Sequence[str]) -> Sequence[ServerHeader]:
        """Return RESTORE HEADERONLY of the files of one set: one row per set on the media."""
        ...

    def read_contents(self, urls: Sequence[str]) -> Contents:
        """Return the files of a backup set with their sizes, and the keys that it asks for."""
        ...

    def read_conditions(self, container_url: str, folders: Sequence[str]) -> Conditions:
        """Return what the server offers: rights, folders, keys, the container's credential."""
        ...

    def read_paths(self, but: str) -> Mapping[str, str]:
        """Return who has which file: names of databases, but one, by `shared.paths.comparable`."""
        ...

    def ensure_credential(
        self, container_url: str, secret: Callable[[], str] | None, *, renew: bool = False
    ) -> None:
        """Let the server read a container; `secret` makes a SAS (no `?`) when one is needed.

        With `renew` also if there is one that looks good still: it was refused. Without `secret`
        it reads as its managed identity.
        """
        ...

    def restore(self, order: RestoreOrder, watch: Watch) -> bool:
        """Restore one set WITH NORECOVERY, never with REPLACE; returns when it is restored.

        Returns whether a stop point, if the order has one, was reached: no later set fits then.

        Raises RestoreStopped when `watch` returned False and the restore was stopped by it.
        """
        ...

    def detaches(self) -> bool:
        """Tell whether restores are to go on without us, as batches, rather than by `restore`.

        Raises TargetUnavailable if they must and cannot now.
        """
        ...

    def find_batch(self, database: str) -> Batch | None:
        """Return the batch that restores a database or last did, until `end_batch` removes it."""
        ...

    def start_batch(self, operation: UUID, orders: Sequence[RestoreOrder]) -> None:
        """Let the server do restores of one database, in order up to the first that fails."""
        ...

    def end_batch(self, batch: Batch) -> None:
        """Stop a batch if it runs, and remove it. Returns also if it is gone."""
        ...

    def stand_by(self, database: str, folder: str | None) -> None:
        """Let a restoring database be read; returns also if it can be already.

        The undo file goes to a folder of the target, by default the one for log files.
        """
        ...

    def stop_standing_by(self, database: str) -> None:
        """Take a database back to restoring that can be read; whoever reads it is disconnected.

        Does nothing to one in another state.
        """
        ...

    def recover(self, database: str) -> None:
        """Open a restoring database. Returns also if it is open already.

        Whoever reads one in standby is disconnected.
        """
        ...

    def has_login(self, name: str) -> bool | None:
        """Tell whether somebody can log in by a name; None if our login does not see all."""
        ...

    def opened(self, database: str) -> OpenedDatabase:
        """Return what may be done to a database once it is open; asks nothing of the server."""
        ...

    def drop(self, database: str) -> None:
        """Drop a database that is restoring or in standby; refuses one that is open.

        Returns also if it is absent. Whoever reads one in standby is disconnected.
        """
        ...

    def drop_scratch(self, database: str, history_id: int) -> None:
        """Drop a database of our own, open or restoring, and end the sessions in it.

        The server leaves it alone if anything was restored to it after that row of its history.
        Returns also if it is absent.
        """
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...
