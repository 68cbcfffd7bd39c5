"""Statements about logins, roles, permissions, certificates and users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.sqlserver.engine.instance import same_name
from local.sqlserver.engine.logins import AGENT_ROLES, PERMISSIONS, SERVER_ROLES
from local.sqlserver.engine.model import Database, DatabaseUser
from local.sqlserver.errors import not_simulated, refuse
from local.sqlserver.session.execution import Execution
from local.sqlserver.tsql import ast

_FIRST_LOGIN = 256
_FIRST_USER = 5
_MSDB = "msdb"


def _require(execution: Execution, permission: str) -> None:
    execution.instance.require(execution.session, permission, refuse(15247))


def _create_login(execution: Execution, statement: ast.CreateLogin) -> None:
    _require(execution, "ALTER ANY LOGIN")
    instance = execution.instance
    instance.logins.create(
        statement.name,
        statement.password,
        sid=statement.sid,
        database=statement.database,
        principal_id=_FIRST_LOGIN + instance.next_id("principals"),
    )


def _alter_login(execution: Execution, statement: ast.AlterLogin) -> None:
    _require(execution, "ALTER ANY LOGIN")
    logins = execution.instance.logins
    login = logins.require(statement.name, "alter")
    if statement.password is not None:
        logins.change(login, password=statement.password)
    if statement.enabled is not None:
        logins.change(login, is_disabled=not statement.enabled)


def _drop_login(execution: Execution, statement: ast.DropLogin) -> None:
    _require(execution, "ALTER ANY LOGIN")
    execution.instance.logins.drop(statement.name)


def _alter_role(execution: Execution, statement: ast.AlterRole) -> None:
    _require(execution, "CONTROL SERVER")
    instance = execution.instance
    known: tuple[str, ...]
    if statement.is_server_role:
        known, field = SERVER_ROLES, "roles"
    elif execution.session.database == _MSDB:
        known, field = AGENT_ROLES, "msdb_roles"
    else:
        raise not_simulated(f"the role {statement.role} of a database")
    role = next((r for r in known if r.casefold() == statement.role.casefold()), None)
    if role is None:
        raise refuse(15151, "alter", "role", statement.role)
    if not statement.is_server_role:
        _user(instance.find(_MSDB), statement.member)
    login = instance.logins.require(statement.member, "add")
    others = tuple(r for r in getattr(login, field) if r != role)
    instance.logins.change(login, **{field: (*others, role) if statement.add else others})


def _user(database: Database | None, name: str) -> DatabaseUser:
    users = database.users if database else ()
    user = next((user for user in users if same_name(user.name, name)), None)
    if user is None:
        raise refuse(15151, "alter", "user", name)
    return user


def _permit(execution: Execution, statement: ast.Permit) -> None:
    _require(execution, "CONTROL SERVER")
    logins = execution.instance.logins
    login = logins.require(statement.login, "find")
    unknown = set(statement.permissions) - PERMISSIONS
    if unknown:
        raise not_simulated(f"the server permission {min(unknown)}")
    named = set(statement.permissions)
    granted, denied = set(login.permissions) - named, set(login.denied) - named
    if statement.action == "GRANT":
        granted |= named
    elif statement.action == "DENY":
        denied |= named
    logins.change(login, permissions=tuple(sorted(granted)), denied=tuple(sorted(denied)))


def _create_certificate(execution: Execution, statement: ast.CreateCertificate) -> None:
    _require(execution, "CONTROL SERVER")
    execution.instance.certificates.create(
        statement.name,
        file=Path(statement.file) if statement.file is not None else None,
        binary=statement.binary,
        has_private_key=statement.has_private_key,
    )


def _drop_certificate(execution: Execution, statement: ast.DropCertificate) -> None:
    _require(execution, "CONTROL SERVER")
    execution.instance.certificates.drop(statement.name)


def _current(execution: Execution) -> Database:
    """Return the session's database, in which its login must be at home."""
    database = execution.instance.find(execution.session.database)
    if database is None or not execution.instance.is_owner(execution.session, database):
        raise refuse(15247)
    return database


def _create_user(execution: Execution, statement: ast.CreateUser) -> None:
    instance = execution.instance
    with instance.lock:
        database = _current(execution)
        sid = None
        if statement.login is not None:
            login = instance.logins.find(statement.login)
            if login is None:
                raise refuse(15007, statement.login)
            sid = login.sid
        if any(same_name(user.name, statement.name) for user in database.users):
            raise refuse(15023, statement.name)
        taken = [user.principal_id for user in database.users]
        user = DatabaseUser(
            principal_id=max(taken, default=_FIRST_USER - 1) + 1, name=statement.name, sid=sid
        )
        instance.save(database.model_copy(update={"users": (*database.users, user)}))


def _alter_user(execution: Execution, statement: ast.AlterUser) -> None:
    instance = execution.instance
    with instance.lock:
        database = _current(execution)
        user = _user(database, statement.name)
        login = instance.logins.find(statement.login)
        if login is None:
            raise refuse(15007, statement.login)
        fixed = user.model_copy(update={"sid": login.sid})
        users = tuple(fixed if other is user else other for other in database.users)
        instance.save(database.model_copy(update={"users": users}))


def _alter_authorization(execution: Execution, statement: ast.AlterAuthorization) -> None:
    instance = execution.instance
    with instance.lock:
        database = instance.find(statement.database)
        if database is None or not instance.is_owner(execution.session, database):
            raise refuse(15151, "alter", "database", statement.database)
        login = instance.logins.find(statement.login)
        if login is None:
            raise refuse(15151, "find", "principal", statement.login)
        instance.require_open(database)
        if any(user.sid == login.sid for user in database.users):
            raise refuse(15110)
        instance.save(database.model_copy(update={"owner": login.name}))


SECURITY: dict[type, tuple[str, Callable[[Execution, Any], None]]] = {
    ast.CreateLogin: ("CREATE LOGIN", _create_login),
    ast.AlterLogin: ("ALTER LOGIN", _alter_login),
    ast.DropLogin: ("DROP LOGIN", _drop_login),
    ast.AlterRole: ("ALTER ROLE", _alter_role),
    ast.Permit: ("GRANT", _permit),
    ast.CreateCertificate: ("CREATE CERTIFICATE", _create_certificate),
    ast.DropCertificate: ("DROP CERTIFICATE", _drop_certificate),
    ast.CreateUser: ("CREATE USER", _create_user),
    ast.AlterUser: ("ALTER USER", _alter_user),
    ast.AlterAuthorization: ("ALTER AUTHORIZATION", _alter_authorization),
}
