"""A connection to SQL Server through pyodbc: the settings of one, and statements run to the end.

A server answers a long statement in pieces: execute() returns at the first message, while the
statement still runs, and whoever closes the cursor then cancels it. So every statement here is
drained with nextset() before anything else happens.
"""

from __future__ import annotations

import contextlib
import re
import struct
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.errors import ConfigurationError, TargetUnavailable
from shared.targets import driver, faults, tsql
from shared.targets.rows import Row

if TYPE_CHECKING:
    import pyodbc

_SQL_COPT_SS_ACCESS_TOKEN = 1256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

MessageSink = Callable[[int, str], None]
"""Called with number and text of each message of a statement, as they arrive."""

TokenSource = Callable[[], str]
"""Returns an Entra access token for Azure SQL (scope https://database.windows.net/.default).

Raises TargetUnavailable when there is none now. Called for every connection that is opened.
"""


class SqlServerConnection(BaseModel):
    """Where a SQL Server is and how to log in: a user with password, or an Entra token.

    A named instance is reached by its port. `driver` is an ODBC driver's name or the path of its
    library; see `driver.find_driver` for what happens without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,255}$", description="Host name or address.")
    port: int = Field(default=1433, ge=1, le=65535)
    user: str | None = Field(default=None, min_length=1, max_length=128)
    password: SecretStr | None = None
    encrypt: Literal["yes", "no", "strict"] = "yes"
    trust_server_certificate: bool = False
    driver: str | None = None
    login_timeout_s: int = Field(default=15, ge=1, le=120)

    @model_validator(mode="after")
    def _check_login(self) -> SqlServerConnection:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together; without both a token is used")
        if self.user is None and self.encrypt == "no":
            raise ValueError("a token must not travel unencrypted: set encrypt to yes or strict")
        return self

    def __str__(self) -> str:
        return f"{self.server},{self.port}"


class Session:
    """One connection: autocommit, no time limit, one statement at a time, each drained.

    `cancel` may be called from another thread; nothing else may.
    """

    def __init__(self, connection: SqlServerConnection, token: TokenSource | None = None) -> None:
        self._odbc = driver.load_odbc()
        self._cursor: pyodbc.Cursor | None = None
        self._cursor_lock = threading.Lock()
        self._lost = False
        self._session_id: int | None = None
        doing = f"connecting to {connection}"
        with self._translated(doing):
            self._connection: pyodbc.Connection = self._odbc.connect(
                connection_string(connection, driver.find_driver(connection.driver)),
                autocommit=True,
                timeout=connection.login_timeout_s,
                attrs_before=_attributes(connection, token),
            )

    @property
    def lost(self) -> bool:
        """Whether the server or the network has closed the connection."""
        return self._lost

    def read_session_id(self) -> int:
        """Return the server's id of this session; read once, for it never changes."""
        if self._session_id is None:
            found = self.query(tsql.SESSION, doing="reading the id of the session")
            self._session_id = int(str(found[0]["session_id"]))
        return self._session_id

    def query(self, text: str, *parameters: object, doing: str) -> list[Row]:
        """Return the rows of a statement, columns in lower case; `doing` names it in errors."""
        rows: list[Row] = []
        has_result = False
        with self._translated(doing), self._executed(text, parameters) as cursor:
            while True:
                if cursor.description:
                    has_result = True
                    columns = [column[0].lower() for column in cursor.description]
                    rows += [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
                if not cursor.nextset():
                    break
        if not has_result:
            # A server that shuts down ends a statement without an error. That must not be taken
            # for a result without rows.
            self.give_up()
            raise TargetUnavailable(f"{doing} ended without a result", action="It is asked again.")
        return rows

    def run(
        self,
        text: str,
        *parameters: object,
        doing: str,
        on_message: MessageSink | None = None,
        holds_secret: bool = False,
    ) -> None:
        """Run a statement to its end. Errors of one that `holds_secret` never quote it."""
        with self._translated(doing, holds_secret), self._executed(text, parameters) as cursor:
            while True:
                # The list is replaced with each result, and gone after an error.
                for record in cursor.messages or ():
                    if on_message:
                        on_message(*faults.parse_message(record))
                if not cursor.nextset():
                    return

    def give_up(self) -> None:
        """Take the connection for lost, because of something that the driver did not notice."""
        self._lost = True

    def cancel(self) -> None:
        """Ask the server to stop the running statement; without one, do nothing."""
        with self._cursor_lock, contextlib.suppress(self._odbc.Error):
            if self._cursor is not None:
                self._cursor.cancel()

    def close(self) -> None:
        """Close the connection, which ends whatever runs on it."""
        with contextlib.suppress(self._odbc.Error):
            self._connection.close()

    @contextlib.contextmanager
    def _executed(self, text: str, parameters: tuple[object, ...]) -> Iterator[pyodbc.Cursor]:
        cursor = self._connection.cursor()
        # Off, the driver takes `{fn ...}` for an ODBC escape, even where it is part of a name.
        # Parameter markers need its scan.
        cursor.noscan = not parameters
        with self._cursor_lock:
            self._cursor = cursor
        try:
            cursor.execute(tsql.check(text), *parameters)
            yield cursor
        finally:
            with self._cursor_lock, contextlib.suppress(self._odbc.Error):
                self._cursor = None
                cursor.close()

    @contextlib.contextmanager
    def _translated(self, doing: str, holds_secret: bool = False) -> Iterator[None]:
        try:
            yield
        except self._odbc.Error as error:
            diagnostic = faults.parse(error.args)
            # HY000 is what an error of severity 20 or more arrives as: the server hangs up.
            if diagnostic.connection_lost or diagnostic.sqlstate == "HY000":
                self._lost = True
            if holds_secret:
                raise faults.to_error(faults.withhold_text(diagnostic), doing) from None
            raise faults.to_error(diagnostic, doing) from error


class LazySession:
    """A session that is opened when it is needed, and anew when the one before was lost.

    `token` is asked for an Entra token when the connection has no user.
    """

    def __init__(self, connection: SqlServerConnection, token: TokenSource | None = None) -> None:
        self._settings = connection
        self._token = token
        self._session: Session | None = None

    def open(self) -> Session:
        """Return the session, connected as far as is known."""
        if self._session is not None and self._session.lost:
            self.close()
        if self._session is None:
            self._session = Session(self._settings, self._token)
        return self._session

    def close(self) -> None:
        """Close the session, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None


def connection_string(connection: SqlServerConnection, driver_name: str) -> str:
    """Return the ODBC connection string, with the password: never to be shown.

    ConnectRetryCount is 0 so that the driver never reconnects behind our back: a new session
    would not be the one whose restore is watched.
    """
    # Only the driver's name and the login are free text.
    options = [
        f"DRIVER={_braced(driver_name, 'driver')}",
        f"SERVER=tcp:{connection.server},{connection.port}",
        "DATABASE=master",
        f"Encrypt={connection.encrypt}",
        f"TrustServerCertificate={'yes' if connection.trust_server_certificate else 'no'}",
        "ConnectRetryCount=0",
        "APP=Backhaul",
    ]
    if connection.user is not None and connection.password is not None:
        options.append(f"UID={_braced(connection.user, 'user')}")
        options.append(f"PWD={_braced(connection.password.get_secret_value(), 'password')}")
    return ";".join(options)


def token_structure(token: str) -> bytes:
    """Return an access token as the driver wants it: its length in bytes, then UTF-16.

    Source: Microsoft Learn, "Using Microsoft Entra ID with the ODBC Driver", ACCESSTOKEN.
    """
    encoded = token.encode("utf-16-le")
    return struct.pack("<I", len(encoded)) + encoded


def _braced(value: str, setting: str) -> str:
    if _CONTROL.search(value):
        raise ConfigurationError(
            f"the SQL Server setting {setting!r} holds a control character",
            action="Look for a line end or tab that was copied into it.",
        )
    return "{" + value.replace("}", "}}") + "}"


def _attributes(connection: SqlServerConnection, token: TokenSource | None) -> dict[int, Any]:
    if connection.user is not None:
        return {}
    if token is None:
        raise ConfigurationError(
            f"no login for SQL Server {connection}: neither a user nor a source of tokens",
            action="Set user and password, or run the app with an identity.",
        )
    return {_SQL_COPT_SS_ACCESS_TOKEN: token_structure(token())}
