"""The catalog views of sys, as far as they are simulated.

Source: Microsoft Learn, the page of each view. A view has the columns that clients ask for; any
other column is refused by name, because a wrong NULL would be worse.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from local.sqlserver.catalog.agent import AGENT_VIEWS
from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.msdb import BACKUPSET, RESTOREFILE, RESTOREHISTORY, restored_files
from local.sqlserver.catalog.security import SECURITY_VIEWS, database_principals
from local.sqlserver.catalog.table_functions import require_view_state
from local.sqlserver.catalog.view import View
from local.sqlserver.engine.faults import FaultRecord
from local.sqlserver.engine.model import Database, PhysicalFile, Position
from local.sqlserver.engine.sessions import Request, Session
from local.sqlserver.engine.volumes import Volume
from local.sqlserver.errors import not_simulated, refuse
from local.sqlserver.results import Field
from local.sqlserver.sqltypes import (
    BIGINT,
    BIT,
    DATETIME,
    INT,
    LSN,
    REAL,
    SMALLINT,
    SYSNAME,
    TINYINT,
    UNIQUEIDENTIFIER,
    nvarchar,
    varbinary,
)

_PAGE = 8192
_MODELS = {"FULL": 1, "BULK-LOGGED": 2, "SIMPLE": 3}
_FILE_TYPES = {"D": (0, "ROWS"), "L": (1, "LOG"), "S": (2, "FILESTREAM"), "F": (4, "FULLTEXT")}
_SINCE = {"sys.dm_os_enumerate_fixed_drives": 15}
"""The major version from which on a view exists."""


def find_view(parts: tuple[str, ...], context: Context) -> View:
    """Return a view by the name that a query gives; raises SqlError 50000 for an unknown one.

    Views of sys are the same in every database; those of msdb need the database's name, unless
    the session is in msdb.
    """
    words = [part.casefold() for part in parts]
    if words[-2:] == ["sys", "database_principals"]:
        return database_principals(
            parts[0] if len(parts) > 2 else context.session.database, context
        )
    if words[-2:-1] == ["sys"]:
        words = words[-2:]
    elif len(words) < 3 and context.session.database.casefold() == "msdb":
        words = ["msdb", "dbo", words[-1]]
    name = ".".join(words)
    if context.instance.settings.product.major < _SINCE.get(name, 0):
        raise refuse(208, ".".join(parts))
    view = VIEWS.get(name)
    if view is None:
        raise not_simulated(f"table or view {'.'.join(parts)}")
    return view


class _FileOf(NamedTuple):
    """A file of a database. Roll forward is a matter of the data files, not of the log's."""

    database: Database
    file: PhysicalFile

    @property
    def position(self) -> Position | None:
        """Where roll forward goes on: documented as NULL unless the database is restoring."""
        hidden = self.file.type == "L" or self.database.is_in_standby
        return None if hidden else self.database.position

    @property
    def type(self) -> tuple[int, str]:
        return _FILE_TYPES.get(self.file.type, (0, "ROWS"))


def _position(name: str) -> Callable[[_FileOf], object]:
    """Return what reads a field of a file's position; NULL where it has none."""
    return lambda item: getattr(item.position, name) if item.position else None


class _Running(NamedTuple):
    """A session and what it runs."""

    session: Session
    request: Request

    @property
    def is_restore(self) -> bool:
        return self.request.command.startswith("RESTORE")


def _sees_state(context: Context) -> bool:
    """Tell whether a session sees others' requests: its own are always visible."""
    return context.instance.logins.has(context.session.login, "VIEW SERVER PERFORMANCE STATE")


def _sessions(context: Context) -> Iterable[Session]:
    every = _sees_state(context)
    own = context.session.session_id
    return [s for s in context.instance.sessions.list() if every or s.session_id == own]


class _Owned(NamedTuple):
    database: Database
    owner_sid: bytes | None


def _databases(context: Context) -> Iterable[_Owned]:
    for database in context.instance.databases():
        owner = context.instance.logins.find(database.owner)
        yield _Owned(database, owner.sid if owner else None)


def _drives(context: Context) -> Iterable[Volume]:
    require_view_state(context)
    return context.instance.volumes.all(context.instance.file_sizes())


def _files(context: Context) -> Iterable[_FileOf]:
    """Return the rows of sys.master_files, which not every login may see."""
    logins, login = context.instance.logins, context.session.login
    if not any(logins.has(login, p) for p in ("CREATE ANY DATABASE", "VIEW ANY DEFINITION")):
        return
    for database in context.instance.databases():
        for file in database.files:
            yield _FileOf(database, file)


def _running(context: Context) -> Iterable[_Running]:
    for session in _sessions(context):
        if request := session.request:
            yield _Running(session, request)


_ACCESS = ("MULTI_USER", "SINGLE_USER", "RESTRICTED_USER")
_DATABASES: tuple[Field[_Owned], ...] = (
    Field("name", SYSNAME, lambda o: o.database.name),
    Field("database_id", INT, lambda o: o.database.database_id),
    Field("owner_sid", varbinary(85), lambda o: o.owner_sid),
    Field("create_date", DATETIME, lambda o: o.database.create_date),
    Field("compatibility_level", TINYINT, lambda o: o.database.compatibility_level),
    Field("collation_name", SYSNAME, lambda o: o.database.collation),
    Field("user_access", TINYINT, lambda o: _ACCESS.index(o.database.user_access)),
    Field("user_access_desc", nvarchar(60), lambda o: o.database.user_access),
    Field("is_read_only", BIT, lambda o: o.database.is_read_only or o.database.is_in_standby),
    Field("state", TINYINT, lambda o: int(o.database.state)),
    Field("state_desc", nvarchar(60), lambda o: o.database.state.name),
    Field("is_in_standby", BIT, lambda o: o.database.is_in_standby),
    Field("recovery_model", TINYINT, lambda o: _MODELS.get(o.database.recovery_model, 1)),
    Field(
        "recovery_model_desc",
        nvarchar(60),
        lambda o: o.database.recovery_model.replace("-", "_"),
    ),
    Field("page_verify_option_desc", nvarchar(60), lambda o: o.database.page_verify),
    Field("is_trustworthy_on", BIT, lambda o: o.database.is_trustworthy_on),
    Field("is_broker_enabled", BIT, lambda o: o.database.is_broker_enabled),
    Field("is_cdc_enabled", BIT, lambda o: 0),
    Field("is_encrypted", BIT, lambda o: o.database.is_encrypted),
)
_DRIVES: tuple[Field[Volume], ...] = (
    Field("fixed_drive_path", nvarchar(512), lambda v: v.mount_point),
    Field("drive_type", INT, lambda v: 3),
    Field("drive_type_desc", nvarchar(512), lambda v: "DRIVE_FIXED"),
    Field("free_space_in_bytes", BIGINT, lambda v: v.available_bytes),
)
_MASTER_FILES: tuple[Field[_FileOf], ...] = (
    Field("database_id", INT, lambda f: f.database.database_id),
    Field("file_id", INT, lambda f: f.file.file_id),
    Field("file_guid", UNIQUEIDENTIFIER, lambda f: f.file.unique_id),
    Field("type", TINYINT, lambda f: f.type[0]),
    Field("type_desc", nvarchar(60), lambda f: f.type[1]),
    Field("data_space_id", INT, lambda f: f.file.data_space_id),
    Field("name", SYSNAME, lambda f: f.file.logical_name),
    Field("physical_name", nvarchar(260), lambda f: f.file.physical_name),
    Field("state", TINYINT, lambda f: int(f.database.state)),
    Field("state_desc", nvarchar(60), lambda f: f.database.state.name),
    Field("size", INT, lambda f: min(f.file.size // _PAGE, 2**31 - 1)),
    Field("is_read_only", BIT, lambda f: f.file.is_read_only),
    Field("create_lsn", LSN, lambda f: f.file.create_lsn),
    Field("drop_lsn", LSN, lambda f: None),
    Field("differential_base_lsn", LSN, _position("differential_base_lsn")),
    Field("differential_base_guid", UNIQUEIDENTIFIER, _position("differential_base_guid")),
    Field("differential_base_time", DATETIME, _position("differential_base_time")),
    Field("redo_start_lsn", LSN, _position("reported_lsn")),
    Field("redo_start_fork_guid", UNIQUEIDENTIFIER, _position("redo_start_fork_guid")),
    Field("redo_target_lsn", LSN, _position("redo_start_lsn")),
    Field("redo_target_fork_guid", UNIQUEIDENTIFIER, _position("redo_start_fork_guid")),
)
_RECOVERY_STATUS: tuple[Field[Database], ...] = (
    Field("database_id", INT, lambda d: d.database_id),
    Field("database_guid", UNIQUEIDENTIFIER, lambda d: d.database_guid),
    Field("family_guid", UNIQUEIDENTIFIER, lambda d: d.family_guid),
    Field("last_log_backup_lsn", LSN, lambda d: None),
    Field("recovery_fork_guid", UNIQUEIDENTIFIER, lambda d: d.recovery_fork_guid),
)
_REQUESTS: tuple[Field[_Running], ...] = (
    Field("session_id", SMALLINT, lambda r: r.session.session_id),
    Field("request_id", INT, lambda r: 0),
    Field("start_time", DATETIME, lambda r: r.request.started),
    Field("status", nvarchar(30), lambda r: "suspended" if r.is_restore else "running"),
    Field("command", nvarchar(32), lambda r: r.request.command),
    Field("database_id", SMALLINT, lambda r: r.request.database_id),
    Field("blocking_session_id", SMALLINT, lambda r: 0),
    Field("wait_type", nvarchar(60), lambda r: "BACKUPIO" if r.is_restore else None),
    Field("total_elapsed_time", INT, lambda r: int(r.request.elapsed_s * 1000)),
    Field("wait_time", INT, lambda r: int(r.request.elapsed_s * 1000) if r.is_restore else 0),
    Field(
        "last_wait_type", nvarchar(60), lambda r: "BACKUPIO" if r.is_restore else "MISCELLANEOUS"
    ),
    Field("cpu_time", INT, lambda r: 0),
    Field("reads", BIGINT, lambda r: 0),
    Field("writes", BIGINT, lambda r: 0),
    Field("logical_reads", BIGINT, lambda r: 0),
    Field("sql_handle", varbinary(64), lambda r: r.request.sql_handle),
    Field("open_transaction_count", INT, lambda r: int(r.session.transaction is not None)),
    Field("percent_complete", REAL, lambda r: r.request.percent),
    Field("estimated_completion_time", BIGINT, lambda r: int(r.request.remaining_s * 1000)),
)
_SESSIONS: tuple[Field[Session], ...] = (
    Field("session_id", SMALLINT, lambda s: s.session_id),
    Field("login_time", DATETIME, lambda s: s.login_time),
    Field("host_name", nvarchar(128), lambda s: s.host),
    Field("program_name", nvarchar(128), lambda s: s.application),
    Field("login_name", nvarchar(128), lambda s: s.login),
    Field("status", nvarchar(30), lambda s: "running" if s.request else "sleeping"),
    Field("database_id", SMALLINT, lambda s: s.database_id),
    Field("is_user_process", BIT, lambda s: 1),
    Field("original_login_name", nvarchar(128), lambda s: s.login),
    Field("host_process_id", INT, lambda s: 0),
    Field("open_transaction_count", INT, lambda s: int(s.transaction is not None)),
    Field("last_request_start_time", DATETIME, lambda s: s.last_request or s.login_time),
)


class _Service(NamedTuple):
    name: str
    is_running: bool
    process_id: int | None
    started: datetime | None
    initializes_files: bool


def _services(context: Context) -> Iterable[_Service]:
    require_view_state(context)
    instance, agent = context.instance, context.instance.agent
    yield _Service("SQL Server (MSSQLSERVER)", True, os.getpid(), instance.started, True)
    pid = os.getpid() if agent.is_running else None
    yield _Service("SQL Server Agent (MSSQLSERVER)", agent.is_running, pid, agent.started, False)


_SERVICES: tuple[Field[_Service], ...] = (
    Field("servicename", nvarchar(256), lambda s: s.name),
    Field("startup_type", INT, lambda s: 2),
    Field("startup_type_desc", nvarchar(256), lambda s: "Automatic"),
    Field("status", INT, lambda s: 4 if s.is_running else 1),
    Field("status_desc", nvarchar(256), lambda s: "Running" if s.is_running else "Stopped"),
    Field("process_id", INT, lambda s: s.process_id),
    Field(
        "last_startup_time", nvarchar(64), lambda s: s.started.isoformat() if s.started else None
    ),
    Field("service_account", nvarchar(256), lambda s: "SIMULATED"),
    Field(
        "instant_file_initialization_enabled",
        nvarchar(1),
        lambda s: "Y" if s.initializes_files else "N",
    ),
)

_FAULTS: tuple[Field[FaultRecord], ...] = (
    Field("name", SYSNAME, lambda r: r.name),
    Field("fault", nvarchar(4000), lambda r: r.fault.model_dump_json(exclude_defaults=True)),
    Field("kind", SYSNAME, lambda r: r.fault.do.value),
    Field("struck", INT, lambda r: r.struck),
)

VIEWS: dict[str, View] = {
    "sys.simulated_faults": View(_FAULTS, lambda c: c.instance.faults.all()),
    "sys.dm_server_services": View(_SERVICES, _services),
    "sys.databases": View(_DATABASES, _databases),
    "sys.dm_os_enumerate_fixed_drives": View(_DRIVES, _drives),
    "sys.master_files": View(_MASTER_FILES, _files),
    "sys.database_recovery_status": View(_RECOVERY_STATUS, lambda c: c.instance.databases()),
    **SECURITY_VIEWS,
    "sys.dm_exec_requests": View(_REQUESTS, _running),
    "sys.dm_exec_sessions": View(_SESSIONS, _sessions),
    "msdb.dbo.restorehistory": View(RESTOREHISTORY, lambda c: c.instance.history.restores()),
    "msdb.dbo.restorefile": View(
        RESTOREFILE, lambda c: restored_files(c.instance.history.restores())
    ),
    **AGENT_VIEWS,
    "msdb.dbo.backupset": View(BACKUPSET, lambda c: c.instance.history.backups()),
}
