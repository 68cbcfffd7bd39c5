"""The data types on the wire: their tokens, sizes and special lengths. Constants only.

Source: [MS-TDS] 2.2.5.4, "Data Type Definitions".
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from local.sqlserver.sqltypes import Kind, SqlType
from local.sqlserver.wire.cursor import ProtocolError

COLLATION = bytes.fromhex("0904d00034")
"""SQL_Latin1_General_CP1_CI_AS."""

CODE_PAGE = "cp1252"


class Token(IntEnum):
    """The first byte of TYPE_INFO. Those that end in N may be NULL."""

    NULL = 0x1F
    GUID = 0x24
    INTN = 0x26
    DATEN = 0x28
    TIMEN = 0x29
    DATETIME2N = 0x2A
    DATETIMEOFFSETN = 0x2B
    INT1 = 0x30
    BIT = 0x32
    INT2 = 0x34
    INT4 = 0x38
    SMALLDATETIME = 0x3A
    REAL = 0x3B
    DATETIME = 0x3D
    FLOAT = 0x3E
    VARIANT = 0x62
    BITN = 0x68
    DECIMALN = 0x6A
    NUMERICN = 0x6C
    FLTN = 0x6D
    DATETIMEN = 0x6F
    INT8 = 0x7F
    BIGVARBINARY = 0xA5
    BIGVARCHAR = 0xA7
    BIGBINARY = 0xAD
    BIGCHAR = 0xAF
    NVARCHAR = 0xE7
    NCHAR = 0xEF


MAX_MARKER = 0xFFFF
"""As a length in TYPE_INFO it means (max), as the length of a value NULL."""

PLP_NULL = 0xFFFFFFFFFFFFFFFF
PLP_UNKNOWN = 0xFFFFFFFFFFFFFFFE
MAX_VARIANT = 8009
EPOCH_1900 = datetime(1900, 1, 1)  # noqa: DTZ001 SQL Server's datetime has no zone
TICKS_PER_DAY = 300 * 86400

INTEGER_SIZES = {Kind.TINYINT: 1, Kind.SMALLINT: 2, Kind.INT: 4, Kind.BIGINT: 8}
FIXED: dict[int, SqlType] = {
    Token.INT1: SqlType(Kind.TINYINT),
    Token.BIT: SqlType(Kind.BIT),
    Token.INT2: SqlType(Kind.SMALLINT),
    Token.INT4: SqlType(Kind.INT),
    Token.INT8: SqlType(Kind.BIGINT),
    Token.REAL: SqlType(Kind.REAL),
    Token.FLOAT: SqlType(Kind.FLOAT),
    Token.DATETIME: SqlType(Kind.DATETIME),
    Token.SMALLDATETIME: SqlType(Kind.SMALLDATETIME),
}
FIXED_SIZES = {
    Kind.TINYINT: 1,
    Kind.BIT: 1,
    Kind.SMALLINT: 2,
    Kind.INT: 4,
    Kind.BIGINT: 8,
    Kind.REAL: 4,
    Kind.FLOAT: 8,
    Kind.DATETIME: 8,
    Kind.SMALLDATETIME: 4,
    Kind.UNIQUEIDENTIFIER: 16,
    Kind.DATE: 3,
}
VARYING = {
    Kind.VARBINARY: Token.BIGVARBINARY,
    Kind.BINARY: Token.BIGBINARY,
    Kind.VARCHAR: Token.BIGVARCHAR,
    Kind.CHAR: Token.BIGCHAR,
    Kind.NVARCHAR: Token.NVARCHAR,
    Kind.NCHAR: Token.NCHAR,
}
VARYING_KINDS: dict[int, Kind] = {token: kind for kind, token in VARYING.items()}
SCALED = {
    Kind.TIME: Token.TIMEN,
    Kind.DATETIME2: Token.DATETIME2N,
    Kind.DATETIMEOFFSET: Token.DATETIMEOFFSETN,
}
SCALED_KINDS: dict[int, Kind] = {token: kind for kind, token in SCALED.items()}


def time_size(scale: int) -> int:
    """Return the bytes of a time with so many decimals."""
    if scale > 7:
        raise ProtocolError(f"a time has at most 7 decimals, not {scale}")
    return 3 if scale <= 2 else 4 if scale <= 4 else 5
