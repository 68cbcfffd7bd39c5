"""SQL data types as the simulation knows them: what a column, a parameter or a variable has. Pure.

Values are Python's: int for the integers and bit, Decimal for numeric, str, bytes, UUID, float,
naive datetime, date and time, aware datetime for datetimeoffset, None for NULL. A sql_variant
holds a Variant, which carries the type along.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """A data type without its length; the value is T-SQL's name."""

    BIT = "bit"
    TINYINT = "tinyint"
    SMALLINT = "smallint"
    INT = "int"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    REAL = "real"
    FLOAT = "float"
    CHAR = "char"
    VARCHAR = "varchar"
    NCHAR = "nchar"
    NVARCHAR = "nvarchar"
    BINARY = "binary"
    VARBINARY = "varbinary"
    UNIQUEIDENTIFIER = "uniqueidentifier"
    DATETIME = "datetime"
    SMALLDATETIME = "smalldatetime"
    DATE = "date"
    TIME = "time"
    DATETIME2 = "datetime2"
    DATETIMEOFFSET = "datetimeoffset"
    SQL_VARIANT = "sql_variant"


INTEGERS = (Kind.BIT, Kind.TINYINT, Kind.SMALLINT, Kind.INT, Kind.BIGINT)
FLOATS = (Kind.REAL, Kind.FLOAT)
STRINGS = (Kind.CHAR, Kind.VARCHAR, Kind.NCHAR, Kind.NVARCHAR)
NATIONAL = (Kind.NCHAR, Kind.NVARCHAR)
BINARIES = (Kind.BINARY, Kind.VARBINARY)
MOMENTS = (Kind.DATETIME, Kind.SMALLDATETIME, Kind.DATE, Kind.DATETIME2, Kind.DATETIMEOFFSET)

INTEGER_RANGES = {
    Kind.BIT: (0, 1),
    Kind.TINYINT: (0, 255),
    Kind.SMALLINT: (-(2**15), 2**15 - 1),
    Kind.INT: (-(2**31), 2**31 - 1),
    Kind.BIGINT: (-(2**63), 2**63 - 1),
}


@dataclass(frozen=True)
class SqlType:
    """A data type. `length` counts characters or bytes, None is (max); 0 where it has none."""

    kind: Kind
    length: int | None = 0
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        """T-SQL's spelling, as in a declaration."""
        if self.kind is Kind.NUMERIC:
            return f"numeric({self.precision},{self.scale})"
        if self.kind in STRINGS or self.kind in BINARIES:
            return f"{self.kind.value}({'max' if self.length is None else self.length})"
        return str(self.kind.value)


class Variant(NamedTuple):
    """A sql_variant that is not NULL."""

    type: SqlType
    value: object


BIT = SqlType(Kind.BIT)
TINYINT = SqlType(Kind.TINYINT)
SMALLINT = SqlType(Kind.SMALLINT)
INT = SqlType(Kind.INT)
BIGINT = SqlType(Kind.BIGINT)
REAL = SqlType(Kind.REAL)
FLOAT = SqlType(Kind.FLOAT)
UNIQUEIDENTIFIER = SqlType(Kind.UNIQUEIDENTIFIER)
DATETIME = SqlType(Kind.DATETIME)
DATE = SqlType(Kind.DATE)
SQL_VARIANT = SqlType(Kind.SQL_VARIANT)


def numeric(precision: int, scale: int = 0) -> SqlType:
    """Make an exact number type."""
    return SqlType(Kind.NUMERIC, precision=precision, scale=scale)


def nvarchar(length: int | None) -> SqlType:
    """Make a Unicode string type; None is (max)."""
    return SqlType(Kind.NVARCHAR, length)


def varchar(length: int | None) -> SqlType:
    """Make a code page string type; None is (max)."""
    return SqlType(Kind.VARCHAR, length)


def varbinary(length: int | None) -> SqlType:
    """Make a binary type; None is (max)."""
    return SqlType(Kind.VARBINARY, length)


def char(length: int) -> SqlType:
    """Make a fixed-length string type."""
    return SqlType(Kind.CHAR, length)


LSN = numeric(25)
SYSNAME = nvarchar(128)
