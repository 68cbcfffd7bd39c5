"""The instance: its databases and credentials, and who may change them when.

What it holds in memory is what the store holds on disk; every change is written first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID, uuid4

from local.sqlserver.agent.jobs import Caller, Jobs
from local.sqlserver.agent.runner import Agent
from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.faults import Faults
from local.sqlserver.engine.history import History
from local.sqlserver.engine.logins import AGENT_ROLES, Logins
from local.sqlserver.engine.model import (
    ClockBase,
    Counter,
    Database,
    DatabaseState,
    PhysicalFile,
    RestoreRecord,
)
from local.sqlserver.engine.placement import comparable
from local.sqlserver.engine.secrets import Certificates, Credentials
from local.sqlserver.engine.sessions import MASTER, Request, Session, Sessions
from local.sqlserver.engine.store import Store
from local.sqlserver.engine.strikes import Power, strike
from local.sqlserver.engine.volumes import Volumes
from local.sqlserver.errors import SqlError, refuse
from local.sqlserver.media.blob import BlobDevice
from local.sqlserver.media.device import Device
from local.sqlserver.media.disk import DiskDevice
from local.sqlserver.settings import Settings
from shared.backupset import BackupHeader
from shared.errors import ConfigurationError
from shared.lsn import Lsn

COLLATION = "SQL_Latin1_General_CP1_CI_AS"
_SYSTEM = (MASTER, "tempdb", "model", "msdb")
_MEGABYTE = 1024 * 1024


class Instance:
    """One simulated instance. Safe for threads.

    Whoever looks and then changes holds `lock` meanwhile, but never while reading a device.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the state; raises ConfigurationError if it is in use or of another version."""
        self.settings = settings
        self.sessions = Sessions()
        self._store = Store(settings.data)
        settings.backup_path.mkdir(exist_ok=True)
        self.lock = threading.RLock()
        self._closed = False
        self._claims: dict[str, int] = {}
        try:
            self.clock = Clock(settings.clock_factor, next(iter(self._store.load(ClockBase)), None))
            self._store.save(self.clock.base)
            self.started = self.clock.now()
            self._databases = {_key(d.name): d for d in self._system_databases()}
            self._databases |= {_key(d.name): d for d in self._store.load(Database)}
            self.credentials = Credentials(self._store, self.lock, self.clock)
            self.history = History(self._store)
            self._counters = {c.name: c.value for c in self._store.load(Counter)}
            self.logins = Logins(
                self._store,
                self.lock,
                self.clock,
                user=settings.user,
                password=settings.password,
            )
            self.certificates = Certificates(
                self._store, self.lock, self.clock, settings.certificates, self.next_id
            )
            self.faults = Faults(self._store, self.lock, self.clock, settings.faults)
            self.volumes = Volumes(settings.volumes, self.clock)
            self.jobs = Jobs(self._store, self.lock, self.clock, self.next_id)
        except ConfigurationError:
            self._store.close()
            raise
        self.agent = Agent(self.jobs, self.sessions, self.new_request, settings.server_name)
        self.power: Power | None = None
        self.start_agent()
        self.faults.begin(partial(strike, self))

    def start_agent(self) -> None:
        """Start SQL Server Agent, if it is to run and the edition has one."""
        if self.settings.agent and self.settings.edition.has_agent and not self._closed:
            self.agent.start_service()

    def close(self, *, crash: bool = False) -> None:
        """Give the folder free. In a crash nobody writes down what was interrupted."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
        self.faults.stop()
        self.agent.stop_service(crash=crash)
        with self.lock:
            self._store.close()

    def next_id(self, name: str) -> int:
        """Return an id of a kind that was never given before, whatever was deleted since."""
        with self.lock:
            value = self._counters.get(name, 0) + 1
            self._store.save(Counter(name=name, value=value))
            self._counters[name] = value
            return value

    def agent_caller(self, login: str) -> Caller:
        """Return what a login may do with jobs; raises 229 if it has no part in them."""
        if self.logins.is_sysadmin(login):
            return Caller(login, is_sysadmin=True, is_operator=True)
        roles = self.logins.agent_roles(login)
        if not roles:
            raise refuse(229, "EXECUTE", "sp_add_job", "msdb", "dbo")
        return Caller(login, is_sysadmin=False, is_operator=AGENT_ROLES[-1] in roles)

    def require(self, session: Session, permission: str, error: SqlError) -> None:
        """Raise an error unless the session's login has a server permission."""
        if not self.logins.has(session.login, permission):
            raise error

    def is_owner(self, session: Session, database: Database) -> bool:
        """Tell whether a session may restore over, change or drop a database."""
        if database.owner.casefold() == session.login.casefold():
            return True
        return self.logins.has(session.login, "ALTER ANY DATABASE")

    def may_enter(self, login: str, database: Database) -> bool:
        """Tell whether a login may use a database: its own, one that it is a user of, master."""
        found = self.logins.find(login)
        if found is None or database.is_system or self.logins.is_sysadmin(login):
            return True
        return database.owner.casefold() == login.casefold() or any(
            user.sid == found.sid for user in database.users
        )

    def new_request(self, session: Session) -> Request:
        """Return a request that begins now in the session's database."""
        session.last_request = self.clock.now()
        return Request(self.clock, self.clock.now(), database_id=session.database_id)

    def databases(self) -> list[Database]:
        """Return all databases in order of their ids."""
        with self.lock:
            return sorted(self._databases.values(), key=lambda d: d.database_id)

    def find(self, name: str) -> Database | None:
        """Return a database by name, compared without case."""
        with self.lock:
            return self._databases.get(_key(name))

    def save(self, database: Database) -> None:
        """Keep the new state of a database."""
        with self.lock:
            self._store.save(database)
            self._databases[_key(database.name)] = database

    def record(self, database: Database, header: BackupHeader, restore: RestoreRecord) -> None:
        """Keep the new state of a database together with the restore that led to it."""
        with self.lock:
            self.history.add(database, header, restore)
            self._databases[_key(database.name)] = database

    def damage(self, name: str, **columns: bool) -> None:
        """Mark a database as damaged in some way; one that is not there cannot be."""
        with self.lock:
            if database := self.find(name):
                self.save(database.model_copy(update=columns))

    def create_database(self, name: str, session: Session) -> None:
        """Make an empty database that is online, in the full recovery model. Raises 226, 1801."""
        if session.transaction is not None:
            raise refuse(226, "CREATE DATABASE")
        self.require(session, "CREATE ANY DATABASE", refuse(262, "CREATE DATABASE", "master"))
        with self.lock:
            if self.find(name):
                raise refuse(1801, name)
            self.save(self._new_database(name, self.next_database_id(), session.login))

    def drop_database(self, name: str, session: Session, *, if_exists: bool) -> None:
        """Remove a database, restoring or online. Raises 226, 3701, 3702, 3708."""
        if session.transaction is not None:
            raise refuse(226, "DROP DATABASE")
        with self.lock:
            database = self.find(name)
            if database is None:
                if if_exists:
                    return
                raise refuse(3701, name)
            if not self.is_owner(session, database):
                raise refuse(3701, name)
            if database.is_system:
                raise refuse(3708, name)
            if _key(name) in self._claims or self.sessions.occupants(database.database_id):
                raise refuse(3702, name)
            self._store.delete(database)
            del self._databases[_key(name)]

    def enter(self, name: str, session: Session) -> str:
        """Make a database the session's own (USE). Returns the one before. Raises 911, 927."""
        with self.lock:
            database = self.find(name)
            if database is None:
                raise refuse(911, name)
            self.require_open(database)
            if not self.may_enter(session.login, database):
                raise refuse(916, session.login, database.name)
            before = session.database
            session.database, session.database_id = database.name, database.database_id
            return before

    def require_open(self, database: Database) -> None:
        """Raise 927 for a database that is restoring."""
        if database.state is not DatabaseState.ONLINE:
            raise refuse(927, database.name)

    @contextmanager
    def exclusive(self, name: str, session: Session) -> Iterator[None]:
        """Keep everybody else out of a database, existing or to be. Raises 3101, 3102.

        A RESTORE holds it until its abort is done.
        """
        key = _key(name)
        with self.lock:
            database = self.find(name)
            occupants = self.sessions.occupants(database.database_id) if database else set()
            if session.session_id in occupants:
                raise refuse(3102, name)
            if occupants or key in self._claims:
                raise refuse(3101)
            self._claims[key] = session.session_id
        try:
            yield
        finally:
            with self.lock:
                del self._claims[key]

    def next_database_id(self) -> int:
        """Return the lowest database id that is free."""
        with self.lock:
            taken = {d.database_id for d in self._databases.values()}
            return next(i for i in range(1, len(taken) + 2) if i not in taken)

    def file_sizes(self, but: str = "") -> list[tuple[str, int]]:
        """Return path and size of the files of all databases but one."""
        with self.lock:
            return [
                (file.physical_name, file.size)
                for key, database in self._databases.items()
                if key != _key(but)
                for file in database.files
            ]

    def taken_paths(self, but: str) -> dict[str, str]:
        """Return the comparable paths of the files of all databases but one, with its owner."""
        with self.lock:
            return {
                comparable(file.physical_name): database.name
                for key, database in self._databases.items()
                if key != _key(but)
                for file in database.files
            }

    @property
    def directories(self) -> tuple[str, ...]:
        """Folders that exist for database files."""
        settings = self.settings
        return (settings.data_path, settings.log_path, *settings.directories)

    def open_device(self, kind: str, name: str) -> Device:
        """Open a backup device, DISK or URL; raises SqlError."""
        if kind == "URL":
            return BlobDevice(name, self.credentials.all(), self.settings.identity)
        return DiskDevice(name, self.settings.backup_path)

    def _system_databases(self) -> list[Database]:
        return [
            self._new_database(name, number, "sa").model_copy(
                update={"recovery_model": "FULL" if name == "model" else "SIMPLE"}
            )
            for number, name in enumerate(_SYSTEM, start=1)
        ]

    def _new_database(self, name: str, database_id: int, owner: str) -> Database:
        family = uuid4()
        settings = self.settings
        return Database(
            database_id=database_id,
            name=name,
            state=DatabaseState.ONLINE,
            create_date=self.clock.now(),
            owner=owner,
            recovery_model="FULL",
            compatibility_level=settings.product.compatibility_level,
            collation=COLLATION,
            family_guid=family,
            database_guid=uuid4(),
            recovery_fork_guid=family,
            is_broker_enabled=True,
            files=(
                _file(1, "D", name, f"{settings.data_path}{name}.mdf"),
                _file(2, "L", f"{name}_log", f"{settings.log_path}{name}_log.ldf"),
            ),
        )


def _file(file_id: int, kind: str, logical_name: str, physical_name: str) -> PhysicalFile:
    return PhysicalFile(
        file_id=file_id,
        type=kind,
        logical_name=logical_name[:128],
        physical_name=physical_name,
        size=8 * _MEGABYTE,
        max_size=2**31 * 1024 if kind == "L" else 2**32 * 8192,
        data_space_id=1 if kind == "D" else 0,
        unique_id=UUID(int=uuid4().int),
        create_lsn=Lsn(0),
    )


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are one to the server's collation."""
    return _key(one) == _key(other)


def _key(name: str) -> str:
    """Return a name as the server's collation compares it: no case, no trailing blanks."""
    return name.rstrip(" ").casefold()
