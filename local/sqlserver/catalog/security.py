"""Views of principals, credentials and certificates. Who may not see a row does not get it.

Source: Microsoft Learn, the page of each view.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.view import View
from local.sqlserver.engine.logins import SERVER_ROLES, Login
from local.sqlserver.engine.model import Credential, Database
from local.sqlserver.engine.secrets import Certificate
from local.sqlserver.errors import refuse
from local.sqlserver.results import Field
from local.sqlserver.sqltypes import (
    BIT,
    DATETIME,
    INT,
    SYSNAME,
    char,
    nvarchar,
    varbinary,
)


class _Principal(NamedTuple):
    """A login or a server role."""

    principal_id: int
    name: str
    login: Login | None


class _User(NamedTuple):
    """A row of sys.database_principals."""

    principal_id: int
    name: str
    sid: bytes | None
    type: str = "S"
    has_login: bool = False


def _credentials(context: Context) -> Iterable[Credential]:
    instance = context.instance
    seen = instance.logins.has(context.session.login, "ALTER ANY CREDENTIAL")
    return instance.credentials.all() if seen else []


def _certificates(context: Context) -> Iterable[Certificate]:
    instance = context.instance
    seen = instance.logins.has(context.session.login, "VIEW ANY DEFINITION")
    return instance.certificates.all() if seen else []


def _logins(context: Context) -> Iterable[Login]:
    """Return the logins that a session sees: all, or its own and sa."""
    logins = context.instance.logins
    every = logins.has(context.session.login, "ALTER ANY LOGIN")
    own = context.session.login.casefold()
    return [x for x in logins.all() if every or x.principal_id == 1 or x.name.casefold() == own]


def _principals(context: Context) -> Iterable[_Principal]:
    for login in _logins(context):
        yield _Principal(login.principal_id, login.name, login)
    for number, role in enumerate(("public", *SERVER_ROLES[:-1]), start=2):
        yield _Principal(number, role, None)


def _members(context: Context) -> Iterable[tuple[int, int]]:
    numbers = {role: n for n, role in enumerate(("public", *SERVER_ROLES[:-1]), start=2)}
    for login in _logins(context):
        for role in login.roles:
            yield numbers[role], login.principal_id


def users_of(database: Database, context: Context) -> list[_User]:
    """Return the principals of a database; raises 927, 916."""
    instance = context.instance
    instance.require_open(database)
    if not instance.may_enter(context.session.login, database):
        raise refuse(916, context.session.login, database.name)
    owner = instance.logins.find(database.owner)
    fixed = [
        _User(0, "public", None, "R"),
        _User(1, "dbo", owner.sid if owner else None, has_login=True),
        _User(2, "guest", b"\0"),
        _User(3, "INFORMATION_SCHEMA", None),
        _User(4, "sys", None),
        _User(16384, "db_owner", None, "R"),
    ]
    return fixed + [
        _User(user.principal_id, user.name, user.sid, has_login=user.sid is not None)
        for user in database.users
    ]


def database_principals(name: str, context: Context) -> View:
    """Return sys.database_principals of a database; raises 911, and what `users_of` raises."""
    database = context.instance.find(name)
    if database is None:
        raise refuse(911, name)
    return View(_USERS, lambda context: users_of(database, context))


_USER_TYPES = {"S": "SQL_USER", "R": "DATABASE_ROLE"}
_USERS: tuple[Field[_User], ...] = (
    Field("name", SYSNAME, lambda u: u.name),
    Field("principal_id", INT, lambda u: u.principal_id),
    Field("type", char(1), lambda u: u.type),
    Field("type_desc", nvarchar(60), lambda u: _USER_TYPES[u.type]),
    Field("default_schema_name", SYSNAME, lambda u: None if u.type == "R" else "dbo"),
    Field("sid", varbinary(85), lambda u: u.sid),
    Field("is_fixed_role", BIT, lambda u: u.name == "db_owner"),
    Field("authentication_type", INT, lambda u: int(u.has_login)),
    Field(
        "authentication_type_desc",
        nvarchar(60),
        lambda u: "INSTANCE" if u.has_login else "NONE",
    ),
)
_PRINCIPALS: tuple[Field[_Principal], ...] = (
    Field("name", SYSNAME, lambda p: p.name),
    Field("principal_id", INT, lambda p: p.principal_id),
    Field("sid", varbinary(85), lambda p: p.login.sid if p.login else bytes([p.principal_id])),
    Field("type", char(1), lambda p: "S" if p.login else "R"),
    Field("type_desc", nvarchar(60), lambda p: "SQL_LOGIN" if p.login else "SERVER_ROLE"),
    Field("is_disabled", BIT, lambda p: bool(p.login and p.login.is_disabled)),
    Field("create_date", DATETIME, lambda p: p.login.create_date if p.login else None),
    Field("default_database_name", SYSNAME, lambda p: p.login and p.login.default_database),
)
_LOGINS: tuple[Field[Login], ...] = (
    Field("name", SYSNAME, lambda x: x.name),
    Field("principal_id", INT, lambda x: x.principal_id),
    Field("sid", varbinary(85), lambda x: x.sid),
    Field("type", char(1), lambda x: "S"),
    Field("type_desc", nvarchar(60), lambda x: "SQL_LOGIN"),
    Field("is_disabled", BIT, lambda x: x.is_disabled),
    Field("create_date", DATETIME, lambda x: x.create_date),
    Field("default_database_name", SYSNAME, lambda x: x.default_database),
    Field("is_policy_checked", BIT, lambda x: 0),
    Field("is_expiration_checked", BIT, lambda x: 0),
)
_MEMBERS: tuple[Field[tuple[int, int]], ...] = (
    Field("role_principal_id", INT, lambda m: m[0]),
    Field("member_principal_id", INT, lambda m: m[1]),
)
_CREDENTIALS: tuple[Field[Credential], ...] = (
    Field("credential_id", INT, lambda c: c.credential_id),
    Field("name", SYSNAME, lambda c: c.name),
    Field("credential_identity", nvarchar(4000), lambda c: c.identity),
    Field("create_date", DATETIME, lambda c: c.create_date),
    Field("modify_date", DATETIME, lambda c: c.modify_date),
    Field("target_type", nvarchar(100), lambda c: None),
    Field("target_id", INT, lambda c: None),
)
_CERTIFICATES: tuple[Field[Certificate], ...] = (
    Field("name", SYSNAME, lambda c: c.name),
    Field("certificate_id", INT, lambda c: c.certificate_id),
    Field("principal_id", INT, lambda c: 1),
    Field("pvt_key_encryption_type", char(2), lambda c: "MK" if c.has_private_key else "NA"),
    Field(
        "pvt_key_encryption_type_desc",
        nvarchar(60),
        lambda c: "ENCRYPTED_BY_MASTER_KEY" if c.has_private_key else "NO_PRIVATE_KEY",
    ),
    Field("subject", nvarchar(4000), lambda c: c.subject),
    Field("start_date", DATETIME, lambda c: c.start_date),
    Field("expiry_date", DATETIME, lambda c: c.expiry_date),
    Field("thumbprint", varbinary(32), lambda c: c.thumbprint),
)
_ASYMMETRIC_KEYS: tuple[Field[Certificate], ...] = tuple(
    field
    for field in _CERTIFICATES
    if field.column.name in ("name", "principal_id", "pvt_key_encryption_type", "thumbprint")
)

SECURITY_VIEWS = {
    "sys.credentials": View(_CREDENTIALS, _credentials),
    # None can be made here.
    "sys.asymmetric_keys": View(_ASYMMETRIC_KEYS, lambda context: []),
    "sys.certificates": View(_CERTIFICATES, _certificates),
    "sys.server_principals": View(_PRINCIPALS, _principals),
    "sys.sql_logins": View(_LOGINS, _logins),
    "sys.server_role_members": View(_MEMBERS, _members),
}
