"""Logins: who may connect, their roles and permissions, and what follows from them.

One login is given by the settings: it is the sysadmin `sa`. Others come by CREATE LOGIN and may
do what they were granted, as on a real server. Source: Microsoft Learn, "Server-level roles",
"Permissions (Database Engine)", "SQL Server Agent Fixed Database Roles".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from pydantic import Field

from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.model import Record
from local.sqlserver.engine.store import Store
from local.sqlserver.errors import not_simulated, refuse

SA_SID = b"\x01"
SYSADMIN = "sysadmin"
SERVER_ROLES = (
    SYSADMIN,
    "securityadmin",
    "serveradmin",
    "setupadmin",
    "processadmin",
    "diskadmin",
    "dbcreator",
    "bulkadmin",
    "public",
)
AGENT_ROLES = ("SQLAgentUserRole", "SQLAgentReaderRole", "SQLAgentOperatorRole")
"""Roles of msdb, each of which holds the rights of those before it."""

_OF_ROLE = {
    "dbcreator": {"CREATE ANY DATABASE", "ALTER ANY DATABASE"},
    "processadmin": {"ALTER ANY CONNECTION", "ALTER SERVER STATE"},
    "securityadmin": {"ALTER ANY LOGIN"},
    "serveradmin": {"ALTER SERVER STATE", "ALTER SETTINGS", "SHUTDOWN"},
    "bulkadmin": {"ADMINISTER BULK OPERATIONS"},
    "public": {"CONNECT SQL", "VIEW ANY DATABASE"},
}
_IMPLIED = {
    "ALTER ANY DATABASE": {"CREATE ANY DATABASE"},
    "ALTER SERVER STATE": {"VIEW SERVER STATE"},
    "VIEW SERVER STATE": {"VIEW SERVER PERFORMANCE STATE", "VIEW SERVER SECURITY STATE"},
}
PERMISSIONS = frozenset(
    {"CONTROL SERVER", "ALTER ANY CREDENTIAL", "VIEW ANY DEFINITION", "IMPERSONATE ANY LOGIN"}
).union(*_OF_ROLE.values(), *_IMPLIED.values(), _IMPLIED)
"""Server permissions that are known by name."""

_ROUNDS = 1_000


class Login(Record):
    """A SQL login: a row of sys.server_principals and sys.sql_logins."""

    table: ClassVar[str] = "logins"
    key: ClassVar[str] = "principal_id"

    principal_id: int
    name: str
    sid: bytes
    salt: bytes = Field(default=b"", repr=False)
    password_hash: bytes = Field(default=b"", repr=False)
    create_date: datetime
    is_disabled: bool = False
    default_database: str = "master"
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    msdb_roles: tuple[str, ...] = ()


class Logins:
    """All logins by name, which compares without case."""

    def __init__(
        self, store: Store, lock: threading.RLock, clock: Clock, *, user: str, password: str
    ) -> None:
        self._store, self._lock, self._clock = store, lock, clock
        self._administrator = Login(
            principal_id=1,
            name=user,
            sid=SA_SID,
            create_date=clock.now(),
            roles=(SYSADMIN,),
            **_hashed(password),
        )
        self._logins = {_key(user): self._administrator}
        # Another user may have been given since: whom the settings name wins.
        kept = {_key(login.name): login for login in store.load(Login)}
        self._logins = kept | self._logins

    def all(self) -> list[Login]:
        """Return all logins in order of their ids."""
        with self._lock:
            return sorted(self._logins.values(), key=lambda login: login.principal_id)

    def find(self, name: str) -> Login | None:
        """Return a login by name."""
        with self._lock:
            return self._logins.get(_key(name))

    def authenticate(self, name: str, password: str) -> Login | None:
        """Return the login whose name and password these are, unless it is disabled."""
        login = self.find(name)
        if login is None or login.is_disabled:
            return None
        wanted = _digest(password, login.salt)
        return login if hmac.compare_digest(wanted, login.password_hash) else None

    def is_member(self, name: str, role: str) -> bool | None:
        """Tell whether a login is in a server role; None if there is no such login or role."""
        login = self.find(name)
        known = role.casefold() in SERVER_ROLES
        if login is None or not known:
            return None
        return role.casefold() in (*login.roles, "public") or SYSADMIN in login.roles

    def is_sysadmin(self, name: str) -> bool:
        """Tell whether a login may do everything."""
        return self.is_member(name, SYSADMIN) is True

    def has(self, name: str, permission: str) -> bool:
        """Tell whether a login has a server permission: granted, by a role, or implied."""
        login = self.find(name)
        if login is None:
            return False
        if SYSADMIN in login.roles:
            return True
        held = set(login.permissions)
        for role in (*login.roles, "public"):
            held |= _OF_ROLE.get(role, set())
        if "CONTROL SERVER" in held:
            held |= PERMISSIONS
        for stronger, weaker in _IMPLIED.items():
            if stronger in held:
                held |= weaker
        return permission.upper() in held - set(login.denied)

    def agent_roles(self, name: str) -> tuple[str, ...]:
        """Return the roles of msdb's Agent that a login is in, directly or through another."""
        login = self.find(name)
        given = login.msdb_roles if login else ()
        highest = max((AGENT_ROLES.index(role) for role in given), default=-1)
        return AGENT_ROLES[: highest + 1]

    def create(
        self, name: str, password: str, *, sid: bytes | None, database: str, principal_id: int
    ) -> None:
        """Add a login. Raises 15025, 15433."""
        with self._lock:
            if self.find(name):
                raise refuse(15025, name)
            if sid is not None and any(login.sid == sid for login in self._logins.values()):
                raise refuse(15433)
            self._save(
                Login(
                    principal_id=principal_id,
                    name=name,
                    sid=sid or uuid4().bytes,
                    create_date=self._clock.now(),
                    default_database=database,
                    **_hashed(password),
                )
            )

    def drop(self, name: str) -> None:
        """Remove a login. Raises 15151."""
        with self._lock:
            login = self.require(name, "drop")
            self._store.delete(login)
            del self._logins[_key(name)]

    def change(self, login: Login, **columns: object) -> None:
        """Change columns of a login; a `password` is kept as a hash only."""
        if login is self._administrator:
            raise not_simulated("changes of the login that the settings give")
        password = columns.pop("password", None)
        if isinstance(password, str):
            columns |= _hashed(password)
        with self._lock:
            self._save(login.model_copy(update=columns))

    def require(self, name: str, doing: str) -> Login:
        """Return a login; raises 15151 if there is none, or it is the one of the settings."""
        login = self.find(name)
        if login is None or (login is self._administrator and doing == "drop"):
            raise refuse(15151, doing, "login", name)
        return login

    def _save(self, login: Login) -> None:
        self._store.save(login)
        self._logins[_key(login.name)] = login


def _hashed(password: str) -> dict[str, bytes]:
    salt = secrets.token_hex(8).encode()
    return {"salt": salt, "password_hash": _digest(password, salt)}


def _digest(password: str, salt: bytes) -> bytes:
    """Return a hash as ASCII, which the store can keep."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt, _ROUNDS)
    return digest.hex().encode()


def _key(name: str) -> str:
    return name.rstrip(" ").casefold()
