"""What the parser makes of a batch. Pure values, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from local.sqlserver.sqltypes import SqlType


@dataclass(frozen=True)
class Literal:
    """A constant. NULL has value None."""

    type: SqlType
    value: object


@dataclass(frozen=True)
class Name:
    """A column, with what qualifies it: ("d", "name")."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """A variable or parameter: @x; or a global one: @@VERSION."""

    name: str


@dataclass(frozen=True)
class Operation:
    """An arithmetic operator or a comparison with two sides, or a sign with one."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Logical:
    """AND, OR, NOT over conditions."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class IsNull:
    """X IS [NOT] NULL."""

    operand: Expression
    negated: bool


@dataclass(frozen=True)
class In:
    """X [NOT] IN (items or a query)."""

    operand: Expression
    items: tuple[Expression, ...] | Query
    negated: bool


@dataclass(frozen=True)
class Like:
    """X [NOT] LIKE pattern [ESCAPE character]."""

    operand: Expression
    pattern: Expression
    escape: str | None
    negated: bool


@dataclass(frozen=True)
class Case:
    """CASE WHEN condition THEN value ... [ELSE value] END."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression


@dataclass(frozen=True)
class Call:
    """A function. COUNT(*) has no arguments and `star`."""

    name: str
    arguments: tuple[Expression, ...]
    star: bool = False
    distinct: bool = False


@dataclass(frozen=True)
class Cast:
    """CAST(x AS type), CONVERT(type, x[, style]), TRY_CAST, TRY_CONVERT."""

    operand: Expression
    type: SqlType
    style: Expression | None = None
    lenient: bool = False


@dataclass(frozen=True)
class Subquery:
    """A query in brackets: a value, or a condition when EXISTS stands before it."""

    query: Query
    exists: bool


Expression = Union[  # noqa: UP007 evaluated at run time, also by Python 3.10
    Literal,
    Name,
    Variable,
    Operation,
    Logical,
    IsNull,
    In,
    Like,
    Case,
    Call,
    Cast,
    Subquery,
]


@dataclass(frozen=True)
class Item:
    """One thing selected. A star has no expression; `assign` is the variable it is put in."""

    expression: Expression | None
    alias: str | None = None
    qualifier: str | None = None
    assign: str | None = None


@dataclass(frozen=True)
class Table:
    """A view in FROM, by its name's parts, known as `alias`."""

    parts: tuple[str, ...]
    alias: str


@dataclass(frozen=True)
class TableFunction:
    """A table-valued function in FROM."""

    parts: tuple[str, ...]
    arguments: tuple[Expression, ...]
    alias: str


@dataclass(frozen=True)
class Derived:
    """A query in FROM."""

    query: Query
    alias: str


@dataclass(frozen=True)
class Join:
    """Two sources. `kind` is INNER, LEFT, CROSS, CROSS APPLY or OUTER APPLY.

    The last three have no condition; in an APPLY the right one sees the columns of the left one.
    """

    kind: str
    left: Source
    right: Table | TableFunction | Derived
    on: Expression | None


Source = Union[Table, TableFunction, Derived, Join]  # noqa: UP007 evaluated at run time, also by Python 3.10


@dataclass(frozen=True)
class Order:
    """One key of ORDER BY."""

    expression: Expression
    descending: bool


@dataclass(frozen=True)
class Query:
    """SELECT. `top` of None means all rows."""

    items: tuple[Item, ...]
    source: Source | None = None
    where: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    having: Expression | None = None
    order_by: tuple[Order, ...] = ()
    top: Expression | None = None
    distinct: bool = False


class RestoreVerb(Enum):
    """What RESTORE is to do; the value is how messages call it."""

    DATABASE = "RESTORE DATABASE"
    LOG = "RESTORE LOG"
    HEADERONLY = "RESTORE HEADERONLY"
    FILELISTONLY = "RESTORE FILELISTONLY"
    LABELONLY = "RESTORE LABELONLY"
    VERIFYONLY = "VERIFY DATABASE"


@dataclass(frozen=True)
class DeviceName:
    """A backup device as named: DISK or URL, and a literal or variable."""

    kind: str
    name: Expression


class StopKind(Enum):
    """Where roll forward is to stop; the value is the option's name."""

    AT_TIME = "STOPAT"
    AT_MARK = "STOPATMARK"
    BEFORE_MARK = "STOPBEFOREMARK"


@dataclass(frozen=True)
class StopClause:
    """STOPAT, STOPATMARK or STOPBEFOREMARK; `after` is the time after AFTER of a mark."""

    kind: StopKind
    value: Expression
    after: Expression | None = None


@dataclass(frozen=True)
class Restore:
    """RESTORE in all its forms. `recovery` is False for NORECOVERY; `moves` are literal pairs.

    `standby` is the undo file, which excludes both. `stats` is the percentage step of progress
    messages, None when STATS was not given. `transfer` has the sizes in which devices are read, by
    the name of the option.
    """

    verb: RestoreVerb
    database: Expression | None
    devices: tuple[DeviceName, ...]
    recovery: bool = True
    replace: bool = False
    checksum: bool = False
    stats: int | None = None
    file: Expression | None = None
    moves: tuple[tuple[str, str], ...] = ()
    standby: Expression | None = None
    stop: StopClause | None = None
    transfer: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Select:
    """A query whose rows go to the client."""

    query: Query


@dataclass(frozen=True)
class CreateDatabase:
    """CREATE DATABASE name, with the server's default files."""

    name: str


@dataclass(frozen=True)
class DropDatabase:
    """DROP DATABASE [IF EXISTS] name, ..."""

    names: tuple[str, ...]
    if_exists: bool


@dataclass(frozen=True)
class SetCredential:
    """CREATE or ALTER CREDENTIAL."""

    name: str
    identity: str
    secret: str | None = field(repr=False)
    create: bool


@dataclass(frozen=True)
class DropCredential:
    """DROP CREDENTIAL name."""

    name: str


@dataclass(frozen=True)
class CreateLogin:
    """CREATE LOGIN name WITH PASSWORD, [SID], [DEFAULT_DATABASE]."""

    name: str
    password: str = field(repr=False)
    sid: bytes | None
    database: str


@dataclass(frozen=True)
class AlterLogin:
    """ALTER LOGIN name ENABLE, DISABLE, or WITH PASSWORD."""

    name: str
    enabled: bool | None
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class DropLogin:
    """DROP LOGIN name."""

    name: str


@dataclass(frozen=True)
class AlterRole:
    """ALTER [SERVER] ROLE role ADD or DROP MEMBER name."""

    role: str
    member: str
    add: bool
    is_server_role: bool


@dataclass(frozen=True)
class Permit:
    """GRANT, DENY or REVOKE server permissions TO or FROM a login."""

    action: str
    permissions: tuple[str, ...]
    login: str


@dataclass(frozen=True)
class CreateCertificate:
    """CREATE CERTIFICATE name FROM FILE or FROM BINARY, with or without its private key."""

    name: str
    file: str | None
    binary: bytes | None
    has_private_key: bool


@dataclass(frozen=True)
class DropCertificate:
    """DROP CERTIFICATE name."""

    name: str


@dataclass(frozen=True)
class CreateUser:
    """CREATE USER name [FOR LOGIN login | WITHOUT LOGIN]."""

    name: str
    login: str | None


@dataclass(frozen=True)
class AlterUser:
    """ALTER USER name WITH LOGIN = login."""

    name: str
    login: str


@dataclass(frozen=True)
class AlterAuthorization:
    """ALTER AUTHORIZATION ON DATABASE::name TO login."""

    database: str
    login: str


@dataclass(frozen=True)
class AlterDatabase:
    """ALTER DATABASE name SET option [value]; `rolls_back` is WITH ROLLBACK IMMEDIATE."""

    database: str
    option: str
    value: str
    rolls_back: bool = False


@dataclass(frozen=True)
class CheckDatabase:
    """DBCC CHECKDB [(database)] [WITH options]; no database means the current one."""

    database: str | None
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Use:
    """USE database."""

    database: str


@dataclass(frozen=True)
class SetOption:
    """SET option ON|OFF|value; only IMPLICIT_TRANSACTIONS has an effect here."""

    option: str
    value: str


@dataclass(frozen=True)
class Declare:
    """DECLARE @x type [= value]."""

    name: str
    type: SqlType
    value: Expression | None


@dataclass(frozen=True)
class SetVariable:
    """SET @x = value."""

    name: str
    value: Expression


@dataclass(frozen=True)
class Kill:
    """KILL session [WITH STATUSONLY]."""

    session: int
    only_status: bool = False


@dataclass(frozen=True)
class Transaction:
    """BEGIN, COMMIT or ROLLBACK TRANSACTION."""

    action: str


@dataclass(frozen=True)
class Argument:
    """An argument of EXECUTE. No name means by position; no value means DEFAULT."""

    name: str | None
    value: Expression | None
    output: bool = False


@dataclass(frozen=True)
class Execute:
    """EXECUTE [@status =] procedure arguments; `procedure` has database and schema as written."""

    procedure: tuple[str, ...]
    arguments: tuple[Argument, ...]
    status: str | None = None


@dataclass(frozen=True)
class ExecuteText:
    """EXECUTE (text), or sp_executesql once its arguments are known."""

    text: Expression


@dataclass(frozen=True)
class Print:
    """PRINT text."""

    text: Expression


@dataclass(frozen=True)
class RaiseError:
    """RAISERROR (text, severity, state), or THROW number, text, state with severity 16."""

    text: Expression
    severity: Expression
    state: Expression
    number: Expression | None = None


@dataclass(frozen=True)
class Rethrow:
    """THROW without arguments, inside CATCH."""


@dataclass(frozen=True)
class Delay:
    """WAITFOR DELAY 'hh:mm:ss'."""

    duration: Expression


@dataclass(frozen=True)
class Return:
    """RETURN: nothing of the batch runs behind it."""


@dataclass(frozen=True)
class TryCatch:
    """BEGIN TRY ... END TRY BEGIN CATCH ... END CATCH."""

    attempt: tuple[Statement, ...]
    handler: tuple[Statement, ...]


@dataclass(frozen=True)
class Block:
    """BEGIN ... END."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class If:
    """IF condition statement [ELSE statement]."""

    condition: Expression
    then: Statement
    otherwise: Statement | None


Statement = Union[  # noqa: UP007 evaluated at run time, also by Python 3.10
    Select,
    Restore,
    CreateDatabase,
    DropDatabase,
    SetCredential,
    DropCredential,
    CreateLogin,
    AlterLogin,
    DropLogin,
    AlterRole,
    Permit,
    CreateCertificate,
    DropCertificate,
    CreateUser,
    AlterUser,
    AlterAuthorization,
    AlterDatabase,
    CheckDatabase,
    Use,
    SetOption,
    Declare,
    SetVariable,
    Kill,
    Transaction,
    Execute,
    ExecuteText,
    Print,
    RaiseError,
    Rethrow,
    Delay,
    Return,
    TryCatch,
    Block,
    If,
]
