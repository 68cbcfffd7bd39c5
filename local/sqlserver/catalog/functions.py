"""Built-in functions and global variables, as far as a client that restores databases asks.

A property that does not exist is NULL, as on a real server; a function that is not here is
refused by name.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce
from typing import NamedTuple
from uuid import uuid4

from local.sqlserver.catalog import dates
from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import common_type, comparable_key, convert
from local.sqlserver.engine.instance import COLLATION
from local.sqlserver.engine.logins import AGENT_ROLES, PERMISSIONS
from local.sqlserver.engine.model import Database, DatabaseState
from local.sqlserver.errors import not_simulated, refuse
from local.sqlserver.sqltypes import (
    BIGINT,
    DATETIME,
    INT,
    SMALLINT,
    SQL_VARIANT,
    SYSNAME,
    TINYINT,
    UNIQUEIDENTIFIER,
    Kind,
    SqlType,
    Variant,
    nvarchar,
    varbinary,
)

AGGREGATES = ("COUNT", "MIN", "MAX", "SUM")

_NEVER = datetime(1900, 1, 1)  # noqa: DTZ001 what SQL Server shows for no moment
_TEXT = nvarchar(4000)
_DATETIME2 = SqlType(Kind.DATETIME2, scale=7)

Values = Sequence[object]
Typing = Callable[[Sequence[SqlType]], SqlType]


class Function(NamedTuple):
    """A function: the types its arguments are brought to, how many it needs, what it returns.

    None as an argument's type takes it as it is; the last type goes for any further ones.
    """

    arguments: tuple[SqlType | None, ...]
    required: int
    returns: SqlType | Typing
    body: Callable[[Context, Values], object]
    repeats: bool = False


def call_function(
    context: Context, name: str, types: Sequence[SqlType], typed: Sequence[SqlType]
) -> tuple[SqlType, Callable[[Values], object]]:
    """Return the result type of a call and what computes it; raises SqlError 102 or 50000.

    `typed` are the types of the arguments that are not plain NULL.
    """
    function = _FUNCTIONS.get(name)
    if function is None:
        raise not_simulated(f"function {name}")
    limit = len(types) if function.repeats else len(function.arguments)
    if not function.required <= len(types) <= limit:
        raise refuse(102, name)
    wanted = list(function.arguments) + [
        function.arguments[-1] if function.arguments else None
    ] * len(types)
    returns = function.returns if isinstance(function.returns, SqlType) else function.returns(typed)
    untouched = None in function.arguments

    def compute(values: Values) -> object:
        brought = [
            value if target is None else convert(value, source, target)
            for value, source, target in zip(values, types, wanted, strict=False)
        ]
        if untouched:
            brought = [convert(v, t, returns) for v, t in zip(brought, types, strict=True)]
        return function.body(context, brought)

    return returns, compute


def global_variable(context: Context, name: str) -> tuple[SqlType, object]:
    """Return type and value of a global variable; raises SqlError 50000 for an unknown one."""
    session, settings = context.session, context.instance.settings
    table: dict[str, tuple[SqlType, object]] = {
        "@@VERSION": (nvarchar(300), settings.version_text),
        "@@SERVERNAME": (SYSNAME, settings.server_name),
        "@@SERVICENAME": (SYSNAME, "MSSQLSERVER"),
        "@@SPID": (SMALLINT, session.session_id),
        "@@TRANCOUNT": (INT, int(session.transaction is not None)),
        "@@ERROR": (INT, context.last_error),
        "@@ROWCOUNT": (INT, context.row_count),
        "@@LANGUAGE": (SYSNAME, "us_english"),
        "@@MAX_PRECISION": (TINYINT, 38),
    }
    try:
        return table[name.upper()]
    except KeyError:
        raise not_simulated(f"global variable {name}") from None


def _first(types: Sequence[SqlType]) -> SqlType:
    return types[0]


def _common(types: Sequence[SqlType]) -> SqlType:
    return reduce(common_type, types)


def _server_property(context: Context, values: Values) -> object:
    settings = context.instance.settings
    product = settings.product
    major, minor, build = product.parts
    properties: dict[str, object] = {
        "issimulated": 1,
        "machinename": socket.gethostname(),
        "computernamephysicalnetbios": socket.gethostname(),
        "servername": settings.server_name,
        "edition": f"{settings.edition.name} SIMULATED",
        "engineedition": settings.edition.engine_edition,
        "productversion": product.version,
        "productmajorversion": str(major),
        "productminorversion": str(minor),
        "productbuild": str(build),
        "productlevel": "RTM",
        "collation": COLLATION,
        "processid": os.getpid(),
        "instancedefaultdatapath": settings.data_path,
        "instancedefaultlogpath": settings.log_path,
        "instancedefaultbackuppath": str(settings.backup_path),
        "ishadrenabled": 0,
        "isclustered": 0,
        "issingleuser": 0,
        "isintegratedsecurityonly": 0,
        "isfulltextinstalled": 0,
        "isxtpsupported": 1,
        "filestreameffectivelevel": 0,
    }
    return _variant(properties.get(str(values[0]).casefold()))


def _database_property(context: Context, values: Values) -> object:
    database = context.instance.find(str(values[0]))
    if database is None:
        return None
    online = database.state is DatabaseState.ONLINE
    read_only = database.is_read_only or database.is_in_standby
    if str(values[1]).casefold() == "lastgoodcheckdbtime":
        return Variant(DATETIME, database.last_good_check or _NEVER)
    newest = context.instance.settings.product.database_version
    properties: dict[str, object] = {
        "status": database.state.name,
        "version": newest if online else None,
        "recovery": database.recovery_model.replace("-", "_"),
        "useraccess": database.user_access,
        "updateability": "READ_ONLY" if read_only else "READ_WRITE",
        "collation": database.collation if online else None,
        "isinstandby": int(database.is_in_standby),
        "isautoclose": 0,
    }
    return _variant(properties.get(str(values[1]).casefold()))


def _variant(value: object) -> Variant | None:
    if value is None:
        return None
    return Variant(INT if isinstance(value, int) else nvarchar(128), value)


def _database_id(context: Context, values: Values) -> object:
    if not values:
        return context.session.database_id
    database = context.instance.find(str(values[0])) if values[0] is not None else None
    return database.database_id if database else None


def _database_name(context: Context, values: Values) -> object:
    if not values:
        return context.session.database
    found: list[Database] = [d for d in context.instance.databases() if d.database_id == values[0]]
    return found[0].name if found else None


def _login_name(context: Context, values: Values) -> object:
    if not values:
        return context.session.login
    return next((x.name for x in context.instance.logins.all() if x.sid == values[0]), None)


def _login_sid(context: Context, values: Values) -> object:
    login = context.instance.logins.find(str(values[0]) if values else context.session.login)
    return login.sid if login else None


def _role_member(context: Context, values: Values) -> object:
    """Return IS_SRVROLEMEMBER: NULL for a role or a login that there is not."""
    login = str(values[1]) if len(values) > 1 else context.session.login
    member = context.instance.logins.is_member(login, str(values[0]))
    return None if member is None else int(member)


def _database_role_member(context: Context, values: Values) -> object:
    """Return IS_MEMBER and IS_ROLEMEMBER in the session's database."""
    instance, login = context.instance, context.session.login
    role = str(values[0]).casefold()
    if context.session.database == "msdb" and role in map(str.casefold, AGENT_ROLES):
        held = instance.logins.is_sysadmin(login) or role in map(
            str.casefold, instance.logins.agent_roles(login)
        )
        return int(held)
    if role == "db_owner":
        database = instance.find(context.session.database)
        owns = database is not None and database.owner.casefold() == login.casefold()
        return int(owns or instance.logins.is_sysadmin(login))
    return 1 if role == "public" else None


# Views of jobs are for sysadmins, whatever role of the Agent a login is in.
_FOR_EVERYBODY = ("MSDB.DBO.RESTOREHISTORY", "MSDB.DBO.RESTOREFILE", "MSDB.DBO.BACKUPSET")


def _granted(context: Context, values: Values) -> object:
    """Return HAS_PERMS_BY_NAME: NULL where there is no such securable or permission."""
    securable, kind, permission, *_ = (None if v is None else str(v).upper() for v in values)
    logins, login = context.instance.logins, context.session.login
    if permission is None:
        return None
    if logins.is_sysadmin(login):
        return 1
    if kind in (None, "SERVER"):
        return int(logins.has(login, permission)) if permission in PERMISSIONS else None
    if kind == "DATABASE" and permission == "CREATE DATABASE":
        return int(logins.has(login, "CREATE ANY DATABASE"))
    if kind == "OBJECT" and str(securable).startswith("MSDB."):
        if permission == "EXECUTE":
            return int(bool(logins.agent_roles(login)))
        if permission == "SELECT":
            return int(str(securable) in _FOR_EVERYBODY)
    raise not_simulated(f"HAS_PERMS_BY_NAME of {permission} on {kind}")


def _coalesce(context: Context, values: Values) -> object:
    del context
    return next((value for value in values if value is not None), None)


def _null_if(context: Context, values: Values) -> object:
    del context
    one, other = (None if v is None else comparable_key(v, _TEXT) for v in values)
    return None if one == other else values[0]


def _of_text(compute: Callable[..., object]) -> Callable[[Context, Values], object]:
    """Make a function of strings and numbers that is NULL when any of them is."""

    def body(context: Context, values: Values) -> object:
        del context
        return None if any(value is None for value in values) else compute(*values)

    return body


def _substring(text: str, start: int, length: int) -> str:
    first = max(start - 1, 0)
    return text[first : max(start - 1 + length, first)]


def _position_of(wanted: str, text: str, start: int = 1) -> int:
    return text.casefold().find(wanted.casefold(), max(start, 1) - 1) + 1


def _stuff(text: str, start: int, length: int, inserted: str) -> str | None:
    if not 1 <= start <= len(text) or length < 0:
        return None
    return text[: start - 1] + inserted + text[start - 1 + length :]


def _quote_name(text: str) -> str | None:
    return "[" + text.replace("]", "]]") + "]" if len(text) <= 128 else None


def _concatenate(context: Context, values: Values) -> object:
    del context
    return "".join(str(value) for value in values if value is not None)


_FUNCTIONS: dict[str, Function] = {
    "SERVERPROPERTY": Function((SYSNAME,), 1, SQL_VARIANT, _server_property),
    "DATABASEPROPERTYEX": Function((SYSNAME, SYSNAME), 2, SQL_VARIANT, _database_property),
    "DB_ID": Function((SYSNAME,), 0, SMALLINT, _database_id),
    "DB_NAME": Function((INT,), 0, SYSNAME, _database_name),
    "HAS_PERMS_BY_NAME": Function((SYSNAME,) * 5, 3, INT, _granted),
    "IS_SRVROLEMEMBER": Function((SYSNAME, SYSNAME), 1, INT, _role_member),
    "SUSER_SNAME": Function((varbinary(85),), 0, SYSNAME, _login_name),
    "IS_MEMBER": Function((SYSNAME,), 1, INT, _database_role_member),
    "IS_ROLEMEMBER": Function((SYSNAME,), 1, INT, _database_role_member),
    "SUSER_SID": Function((SYSNAME,), 0, varbinary(85), _login_sid),
    "SUSER_NAME": Function((), 0, SYSNAME, _login_name),
    "ORIGINAL_LOGIN": Function((), 0, SYSNAME, _login_name),
    "SYSTEM_USER": Function((), 0, SYSNAME, _login_name),
    "USER_NAME": Function((), 0, SYSNAME, lambda context, values: "dbo"),
    "SESSION_USER": Function((), 0, SYSNAME, lambda context, values: "dbo"),
    "CURRENT_USER": Function((), 0, SYSNAME, lambda context, values: "dbo"),
    "HOST_NAME": Function((), 0, SYSNAME, lambda context, values: context.session.host),
    "APP_NAME": Function((), 0, SYSNAME, lambda context, values: context.session.application),
    "GETDATE": Function((), 0, DATETIME, lambda context, values: context.instance.clock.now()),
    "CURRENT_TIMESTAMP": Function(
        (), 0, DATETIME, lambda context, values: context.instance.clock.now()
    ),
    "GETUTCDATE": Function((), 0, DATETIME, lambda context, values: _utc(context)),
    "SYSDATETIME": Function(
        (), 0, _DATETIME2, lambda context, values: context.instance.clock.now()
    ),
    "SYSUTCDATETIME": Function((), 0, _DATETIME2, lambda context, values: _utc(context)),
    "DATEADD": Function((_TEXT, INT, DATETIME), 3, DATETIME, _of_text(dates.add)),
    "DATEDIFF": Function((_TEXT, DATETIME, DATETIME), 3, INT, _of_text(dates.difference)),
    "DATEDIFF_BIG": Function((_TEXT, DATETIME, DATETIME), 3, BIGINT, _of_text(dates.difference)),
    "AGENT_DATETIME": Function((INT, INT), 2, DATETIME, _of_text(dates.agent_moment)),
    "CHARINDEX": Function((_TEXT, _TEXT, INT), 2, INT, _of_text(_position_of)),
    "STUFF": Function((_TEXT, INT, INT, _TEXT), 4, _TEXT, _of_text(_stuff)),
    "NEWID": Function((), 0, UNIQUEIDENTIFIER, lambda context, values: uuid4()),
    "ERROR_NUMBER": Function((), 0, INT, lambda context, values: _caught(context, "number")),
    "ERROR_SEVERITY": Function((), 0, INT, lambda context, values: _caught(context, "severity")),
    "ERROR_STATE": Function((), 0, INT, lambda context, values: _caught(context, "state")),
    "ERROR_MESSAGE": Function((), 0, _TEXT, lambda context, values: _caught(context, "text")),
    "ERROR_LINE": Function((), 0, INT, lambda context, values: 1 if context.caught else None),
    "ERROR_PROCEDURE": Function((), 0, SYSNAME, lambda context, values: None),
    "ISNULL": Function((None, None), 2, _first, _coalesce),
    "COALESCE": Function((None,), 1, _common, _coalesce, repeats=True),
    "NULLIF": Function((None, None), 2, _first, _null_if),
    "CONCAT": Function((_TEXT,), 2, _TEXT, _concatenate, repeats=True),
    "LEN": Function((_TEXT,), 1, INT, _of_text(lambda text: len(text.rstrip(" ")))),
    "UPPER": Function((_TEXT,), 1, _TEXT, _of_text(str.upper)),
    "LOWER": Function((_TEXT,), 1, _TEXT, _of_text(str.lower)),
    "LTRIM": Function((_TEXT,), 1, _TEXT, _of_text(lambda text: text.lstrip(" "))),
    "RTRIM": Function((_TEXT,), 1, _TEXT, _of_text(lambda text: text.rstrip(" "))),
    "LEFT": Function((_TEXT, INT), 2, _TEXT, _of_text(lambda text, n: text[: max(n, 0)])),
    "RIGHT": Function((_TEXT, INT), 2, _TEXT, _of_text(lambda text, n: text[-n:] if n > 0 else "")),
    "SUBSTRING": Function((_TEXT, INT, INT), 3, _TEXT, _of_text(_substring)),
    "REPLACE": Function((_TEXT, _TEXT, _TEXT), 3, _TEXT, _of_text(str.replace)),
    "QUOTENAME": Function((_TEXT,), 1, nvarchar(258), _of_text(_quote_name)),
}


def _caught(context: Context, name: str) -> object:
    """Return a part of the error that a CATCH block handles; NULL outside of one."""
    return getattr(context.caught, name) if context.caught else None


def _utc(context: Context) -> object:
    return context.instance.clock.utc_now().replace(tzinfo=None)
