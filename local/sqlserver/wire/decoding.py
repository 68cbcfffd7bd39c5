"""Types and values from the bytes of a parameter. Pure; whatever is wrong is a ProtocolError.

Source: [MS-TDS] 2.2.5.4, "Data Type Definitions".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from struct import unpack
from uuid import UUID

from local.sqlserver.sqltypes import (
    BINARIES,
    INTEGER_RANGES,
    INTEGERS,
    NATIONAL,
    STRINGS,
    Kind,
    SqlType,
    nvarchar,
)
from local.sqlserver.wire.cursor import Cursor, ProtocolError, decode_utf16
from local.sqlserver.wire.layout import (
    CODE_PAGE,
    COLLATION,
    EPOCH_1900,
    FIXED,
    FIXED_SIZES,
    MAX_MARKER,
    PLP_NULL,
    PLP_UNKNOWN,
    SCALED_KINDS,
    VARYING,
    VARYING_KINDS,
    Token,
    time_size,
)


def decode_type(cursor: Cursor) -> SqlType:
    """Read TYPE_INFO of a parameter; raises ProtocolError for a type that is not supported."""
    token = cursor.u8()
    if token in FIXED:
        return FIXED[token]
    if token in VARYING_KINDS:
        return _decode_varying_type(VARYING_KINDS[token], cursor)
    if token in SCALED_KINDS:
        return SqlType(SCALED_KINDS[token], scale=cursor.u8())
    if token in (Token.NUMERICN, Token.DECIMALN):
        cursor.u8()
        return SqlType(Kind.NUMERIC, precision=cursor.u8(), scale=cursor.u8())
    if token in (Token.INTN, Token.FLTN, Token.DATETIMEN):
        return _sized(token, cursor.u8())
    if token in (Token.BITN, Token.GUID):
        cursor.u8()
        return SqlType(Kind.BIT if token == Token.BITN else Kind.UNIQUEIDENTIFIER)
    if token == Token.DATEN:
        return SqlType(Kind.DATE)
    if token == Token.NULL:
        return nvarchar(1)
    raise ProtocolError(f"parameter type 0x{token:02x} is not simulated")


def _decode_varying_type(kind: Kind, cursor: Cursor) -> SqlType:
    length = cursor.u16()
    if kind in STRINGS:
        cursor.take(len(COLLATION))
    if length == MAX_MARKER:
        return SqlType(kind, None)
    return SqlType(kind, length // (2 if kind in NATIONAL else 1))


def _sized(token: int, size: int) -> SqlType:
    kinds: dict[tuple[int, int], Kind] = {
        (Token.INTN, 1): Kind.TINYINT,
        (Token.INTN, 2): Kind.SMALLINT,
        (Token.INTN, 4): Kind.INT,
        (Token.INTN, 8): Kind.BIGINT,
        (Token.FLTN, 4): Kind.REAL,
        (Token.FLTN, 8): Kind.FLOAT,
        (Token.DATETIMEN, 4): Kind.SMALLDATETIME,
        (Token.DATETIMEN, 8): Kind.DATETIME,
    }
    if (token, size) not in kinds:
        raise ProtocolError(f"parameter type 0x{token:02x} of {size} bytes does not exist")
    return SqlType(kinds[token, size])


def decode_parameter(cursor: Cursor) -> tuple[SqlType, object]:
    """Read TYPE_INFO and the value behind it, in the form that parameters have."""
    token = cursor.take(1)[0]
    cursor.offset -= 1
    sql_type = decode_type(cursor)
    if token == Token.NULL:
        return sql_type, None
    if token in FIXED:
        return sql_type, _scalar(sql_type, cursor.take(FIXED_SIZES[sql_type.kind]))
    return sql_type, decode_value(sql_type, cursor)


def decode_value(sql_type: SqlType, cursor: Cursor) -> object:
    """Read a value with the length prefix of its type."""
    if sql_type.kind in VARYING:
        data = _read_varying(sql_type, cursor)
        if data is None:
            return None
        if sql_type.kind in NATIONAL:
            return decode_utf16(data)
        return data if sql_type.kind in BINARIES else data.decode(CODE_PAGE, "replace")
    data = cursor.take(cursor.u8())
    return _scalar(sql_type, data) if data else None


def _read_varying(sql_type: SqlType, cursor: Cursor) -> bytes | None:
    if sql_type.length is not None:
        length = cursor.u16()
        return None if length == MAX_MARKER else cursor.take(length)
    total = cursor.u64()
    if total == PLP_NULL:
        return None
    data = bytearray()
    while length := cursor.u32():
        data += cursor.take(length)
    if total not in (PLP_UNKNOWN, len(data)):
        raise ProtocolError(f"a long value of {total} bytes came with {len(data)}")
    return bytes(data)


def _scalar(sql_type: SqlType, data: bytes) -> object:
    size = FIXED_SIZES.get(sql_type.kind, len(data))
    if len(data) != size:
        raise ProtocolError(f"a {sql_type} of {len(data)} bytes, expected {size}")
    try:
        return _DECODERS[sql_type.kind](sql_type, data)
    except (ValueError, OverflowError, IndexError) as exc:
        raise ProtocolError(f"not a {sql_type}: {data.hex()}: {exc}") from exc


def _decode_integer(sql_type: SqlType, data: bytes) -> object:
    return int.from_bytes(data, "little", signed=INTEGER_RANGES[sql_type.kind][0] < 0)


def _decode_numeric(sql_type: SqlType, data: bytes) -> object:
    magnitude = int.from_bytes(data[1:], "little")
    if magnitude >= 10**38 or sql_type.precision > 38 or sql_type.scale > 38:
        raise ValueError("more than 38 digits")
    digits = tuple(map(int, str(magnitude)))
    return Decimal((0 if data[0] else 1, digits, -sql_type.scale))


def _decode_datetime(sql_type: SqlType, data: bytes) -> object:
    if sql_type.kind is Kind.SMALLDATETIME:
        days, minutes = unpack("<HH", data)
        return EPOCH_1900 + timedelta(days=days, minutes=minutes)
    days, ticks = unpack("<iI", data)
    milliseconds = (ticks * 10 + 1) // 3
    return EPOCH_1900 + timedelta(days=days, milliseconds=milliseconds)


def _decode_date(sql_type: SqlType, data: bytes) -> object:
    del sql_type
    return date.fromordinal(int.from_bytes(data, "little") + 1)


def _decode_time(sql_type: SqlType, data: bytes) -> time:
    units = int.from_bytes(data, "little") * 10 ** (7 - sql_type.scale)
    return (datetime.min + timedelta(microseconds=units // 10)).time()  # noqa: DTZ901 only the clock is used


def _decode_datetime2(sql_type: SqlType, data: bytes) -> datetime:
    size = time_size(sql_type.scale)
    if len(data) != size + 3:
        raise ValueError(f"{len(data)} bytes")
    day = date.fromordinal(int.from_bytes(data[size:], "little") + 1)
    return datetime.combine(day, _decode_time(sql_type, data[:size]))


def _decode_datetimeoffset(sql_type: SqlType, data: bytes) -> object:
    utc = _decode_datetime2(sql_type, data[:-2])
    zone = timezone(timedelta(minutes=unpack("<h", data[-2:])[0]))
    return utc.replace(tzinfo=timezone.utc).astimezone(zone)


_DECODERS: dict[Kind, Callable[[SqlType, bytes], object]] = {
    **dict.fromkeys(INTEGERS, _decode_integer),
    Kind.NUMERIC: _decode_numeric,
    Kind.REAL: lambda _, data: unpack("<f", data)[0],
    Kind.FLOAT: lambda _, data: unpack("<d", data)[0],
    Kind.UNIQUEIDENTIFIER: lambda _, data: UUID(bytes_le=data),
    Kind.DATETIME: _decode_datetime,
    Kind.SMALLDATETIME: _decode_datetime,
    Kind.DATE: _decode_date,
    Kind.TIME: _decode_time,
    Kind.DATETIME2: _decode_datetime2,
    Kind.DATETIMEOFFSET: _decode_datetimeoffset,
}
