"""Data types and values as bytes, for columns, rows and parameters. Pure.

Source: [MS-TDS] 2.2.5.4, "Data Type Definitions". Encoders refuse a value that does not fit its
type, because a client answers that with "Protocol error in TDS stream" at some later fetch.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from struct import pack, unpack
from uuid import UUID

from local.sqlserver.sqltypes import (
    BINARIES,
    INTEGER_RANGES,
    INTEGERS,
    NATIONAL,
    STRINGS,
    Kind,
    SqlType,
    Variant,
    nvarchar,
)
from local.sqlserver.wire.cursor import Cursor, ProtocolError, decode_utf16, encode_utf16

COLLATION = bytes.fromhex("0904d00034")
"""SQL_Latin1_General_CP1_CI_AS."""
CODE_PAGE = "cp1252"

_NULL, _INT1, _BIT, _INT2, _INT4 = 0x1F, 0x30, 0x32, 0x34, 0x38
_SMALLDATETIME, _REAL, _DATETIME, _FLOAT, _INT8 = 0x3A, 0x3B, 0x3D, 0x3E, 0x7F
_GUID, _INTN, _DATEN, _TIMEN, _DATETIME2N, _DATETIMEOFFSETN = 0x24, 0x26, 0x28, 0x29, 0x2A, 0x2B
_VARIANT, _BITN, _DECIMALN, _NUMERICN, _FLTN, _DATETIMEN = 0x62, 0x68, 0x6A, 0x6C, 0x6D, 0x6F
_BIGVARBINARY, _BIGVARCHAR, _BIGBINARY, _BIGCHAR = 0xA5, 0xA7, 0xAD, 0xAF
_NVARCHAR, _NCHAR = 0xE7, 0xEF

_MAX_MARKER = 0xFFFF
_PLP_NULL = 0xFFFFFFFFFFFFFFFF
_PLP_UNKNOWN = 0xFFFFFFFFFFFFFFFE
_MAX_VARIANT = 8009
_EPOCH_1900 = datetime(1900, 1, 1)  # noqa: DTZ001 SQL Server's datetime has no zone
_TICKS_PER_DAY = 300 * 86400

_INTEGER_SIZES = {Kind.TINYINT: 1, Kind.SMALLINT: 2, Kind.INT: 4, Kind.BIGINT: 8}
_FIXED = {
    _INT1: SqlType(Kind.TINYINT),
    _BIT: SqlType(Kind.BIT),
    _INT2: SqlType(Kind.SMALLINT),
    _INT4: SqlType(Kind.INT),
    _INT8: SqlType(Kind.BIGINT),
    _REAL: SqlType(Kind.REAL),
    _FLOAT: SqlType(Kind.FLOAT),
    _DATETIME: SqlType(Kind.DATETIME),
    _SMALLDATETIME: SqlType(Kind.SMALLDATETIME),
}
_FIXED_SIZES = {
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
_VARYING = {
    Kind.VARBINARY: _BIGVARBINARY,
    Kind.BINARY: _BIGBINARY,
    Kind.VARCHAR: _BIGVARCHAR,
    Kind.CHAR: _BIGCHAR,
    Kind.NVARCHAR: _NVARCHAR,
    Kind.NCHAR: _NCHAR,
}
_VARYING_KINDS = {token: kind for kind, token in _VARYING.items()}
_SCALED = {
    Kind.TIME: _TIMEN,
    Kind.DATETIME2: _DATETIME2N,
    Kind.DATETIMEOFFSET: _DATETIMEOFFSETN,
}
_SCALED_KINDS = {token: kind for kind, token in _SCALED.items()}


def encode_type(sql_type: SqlType) -> bytes:
    """Return TYPE_INFO: the type token, length, precision, scale and collation."""
    kind = sql_type.kind
    if kind in _VARYING:
        width = 2 if kind in NATIONAL else 1
        length = _MAX_MARKER if sql_type.length is None else sql_type.length * width
        collation = COLLATION if kind in STRINGS else b""
        return pack("<BH", _VARYING[kind], length) + collation
    if kind is Kind.NUMERIC:
        return bytes(
            (_NUMERICN, _numeric_size(sql_type.precision), sql_type.precision, sql_type.scale)
        )
    if kind in _SCALED:
        return bytes((_SCALED[kind], sql_type.scale))
    return _ENCODED_TYPES[kind]


_ENCODED_TYPES = {
    Kind.BIT: bytes((_BITN, 1)),
    **{kind: bytes((_INTN, size)) for kind, size in _INTEGER_SIZES.items()},
    Kind.REAL: bytes((_FLTN, 4)),
    Kind.FLOAT: bytes((_FLTN, 8)),
    Kind.DATETIME: bytes((_DATETIMEN, 8)),
    Kind.SMALLDATETIME: bytes((_DATETIMEN, 4)),
    Kind.UNIQUEIDENTIFIER: bytes((_GUID, 16)),
    Kind.DATE: bytes((_DATEN,)),
    Kind.SQL_VARIANT: pack("<BI", _VARIANT, _MAX_VARIANT),
}


def encode_value(sql_type: SqlType, value: object) -> bytes:
    """Return a value with the length prefix of its type; raises ValueError if it does not fit."""
    kind = sql_type.kind
    if kind in _VARYING:
        return _encode_varying(sql_type, value)
    if kind is Kind.SQL_VARIANT:
        return _encode_variant(value)
    if value is None:
        return b"\x00"
    data = _scalar_bytes(sql_type, value)
    return bytes((len(data),)) + data


def _encode_varying(sql_type: SqlType, value: object) -> bytes:
    if value is None:
        return pack("<Q", _PLP_NULL) if sql_type.length is None else pack("<H", _MAX_MARKER)
    data = _varying_bytes(sql_type, value)
    if sql_type.length is None:
        chunk = pack("<I", len(data)) + data if data else b""
        return pack("<Q", len(data)) + chunk + pack("<I", 0)
    width = 2 if sql_type.kind in NATIONAL else 1
    if len(data) > sql_type.length * width:
        raise ValueError(f"{len(data)} bytes do not fit {sql_type}")
    if sql_type.kind in (Kind.CHAR, Kind.NCHAR, Kind.BINARY):
        blank = {Kind.CHAR: b" ", Kind.NCHAR: b" \0", Kind.BINARY: b"\0"}[sql_type.kind]
        data += blank * (sql_type.length - len(data) // width)
    return pack("<H", len(data)) + data


def _varying_bytes(sql_type: SqlType, value: object) -> bytes:
    if sql_type.kind in BINARIES:
        if not isinstance(value, bytes):
            raise ValueError(f"{value!r} is no {sql_type}")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no {sql_type}")  # noqa: TRY004 one error for misfits
    return encode_utf16(value) if sql_type.kind in NATIONAL else value.encode(CODE_PAGE, "replace")


def _encode_variant(value: object) -> bytes:
    if value is None:
        return pack("<I", 0)
    if not isinstance(value, Variant):
        raise ValueError(f"{value!r} is no sql_variant")  # noqa: TRY004 one error for misfits
    kind = value.type.kind
    if kind in _VARYING:
        width = 2 if kind in NATIONAL else 1
        properties = (COLLATION if kind in STRINGS else b"") + pack(
            "<H", (value.type.length or 0) * width
        )
        token, data = _VARYING[kind], _varying_bytes(value.type, value.value)
    elif kind is Kind.NUMERIC:
        properties = bytes((value.type.precision, value.type.scale))
        token, data = _NUMERICN, _scalar_bytes(value.type, value.value)
    else:
        properties, data = b"", _scalar_bytes(value.type, value.value)
        token = _VARIANT_TOKENS[kind]
    return pack("<IBB", 2 + len(properties) + len(data), token, len(properties)) + properties + data


_VARIANT_TOKENS = {
    **{sql_type.kind: token for token, sql_type in _FIXED.items()},
    Kind.UNIQUEIDENTIFIER: _GUID,
    Kind.DATE: _DATEN,
}


def _scalar_bytes(sql_type: SqlType, value: object) -> bytes:
    try:
        return _SCALARS[sql_type.kind](sql_type, value)
    except (TypeError, AttributeError, OverflowError, ArithmeticError) as exc:
        raise ValueError(f"{value!r} is no {sql_type}: {exc}") from exc


def _integer_bytes(sql_type: SqlType, value: object) -> bytes:
    low, high = INTEGER_RANGES[sql_type.kind]
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{value!r} does not fit {sql_type}")
    size = _INTEGER_SIZES.get(sql_type.kind, 1)
    return int(value).to_bytes(size, "little", signed=low < 0)


def _numeric_size(precision: int) -> int:
    for size, limit in ((5, 9), (9, 19), (13, 28), (17, 38)):
        if precision <= limit:
            return size
    raise ValueError(f"numeric has at most 38 digits, not {precision}")


def _numeric_bytes(sql_type: SqlType, value: object) -> bytes:
    number = Decimal(value)  # type: ignore[arg-type] # a misfit is a TypeError, caught above
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is no number")  # noqa: TRY004 one error for misfits
    magnitude = int("".join(map(str, digits)))
    shift = sql_type.scale + exponent
    if shift >= 0:
        magnitude *= 10**shift
    else:
        magnitude = int((Decimal(magnitude) / (10**-shift)).to_integral_value(ROUND_HALF_UP))
    if magnitude >= 10**sql_type.precision:
        raise ValueError(f"{number} does not fit {sql_type}")
    size = _numeric_size(sql_type.precision) - 1
    return bytes((not sign,)) + magnitude.to_bytes(size, "little")


def _datetime_bytes(sql_type: SqlType, value: object) -> bytes:
    since = _naive(value) - _EPOCH_1900
    if sql_type.kind is Kind.SMALLDATETIME:
        return pack("<HH", since.days, round(since.seconds / 60))
    ticks = (since.seconds * 1_000_000 + since.microseconds) * 3 + 5_000
    days, ticks = since.days, ticks // 10_000
    if ticks >= _TICKS_PER_DAY:
        days, ticks = days + 1, ticks - _TICKS_PER_DAY
    return pack("<iI", days, ticks)


def _naive(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is not None:
        raise ValueError(f"{value!r} is no datetime without a zone")
    return value


def _date_bytes(sql_type: SqlType, value: object) -> bytes:
    del sql_type
    day: date = value  # type: ignore[assignment] # a misfit is an AttributeError, caught above
    return (day.toordinal() - 1).to_bytes(3, "little")


def _time_bytes(sql_type: SqlType, value: object) -> bytes:
    clock: time = value  # type: ignore[assignment] # a misfit is an AttributeError, caught above
    microseconds = (
        (clock.hour * 60 + clock.minute) * 60 + clock.second
    ) * 1_000_000 + clock.microsecond
    units: int = microseconds * 10 // 10 ** (7 - sql_type.scale)
    return units.to_bytes(_time_size(sql_type.scale), "little")


def _time_size(scale: int) -> int:
    if scale > 7:
        raise ProtocolError(f"a time has at most 7 decimals, not {scale}")
    return 3 if scale <= 2 else 4 if scale <= 4 else 5


def _datetime2_bytes(sql_type: SqlType, value: object) -> bytes:
    moment = _naive(value)
    return _time_bytes(sql_type, moment.time()) + _date_bytes(sql_type, moment.date())


def _datetimeoffset_bytes(sql_type: SqlType, value: object) -> bytes:
    moment: datetime = value  # type: ignore[assignment] # a misfit is an AttributeError
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{value!r} has no zone")
    utc = (moment - offset).replace(tzinfo=None)
    return _datetime2_bytes(sql_type, utc) + pack("<h", int(offset.total_seconds() // 60))


_SCALARS: dict[Kind, Callable[[SqlType, object], bytes]] = {
    **dict.fromkeys(INTEGERS, _integer_bytes),
    Kind.NUMERIC: _numeric_bytes,
    Kind.REAL: lambda _, value: pack("<f", value),
    Kind.FLOAT: lambda _, value: pack("<d", value),
    Kind.UNIQUEIDENTIFIER: lambda _, value: value.bytes_le,  # type: ignore[attr-defined] # see above
    Kind.DATETIME: _datetime_bytes,
    Kind.SMALLDATETIME: _datetime_bytes,
    Kind.DATE: _date_bytes,
    Kind.TIME: _time_bytes,
    Kind.DATETIME2: _datetime2_bytes,
    Kind.DATETIMEOFFSET: _datetimeoffset_bytes,
}


def decode_type(cursor: Cursor) -> SqlType:
    """Read TYPE_INFO of a parameter; raises ProtocolError for a type that is not supported."""
    token = cursor.u8()
    if token in _FIXED:
        return _FIXED[token]
    if token in _VARYING_KINDS:
        return _decode_varying_type(_VARYING_KINDS[token], cursor)
    if token in _SCALED_KINDS:
        return SqlType(_SCALED_KINDS[token], scale=cursor.u8())
    if token in (_NUMERICN, _DECIMALN):
        cursor.u8()
        return SqlType(Kind.NUMERIC, precision=cursor.u8(), scale=cursor.u8())
    if token in (_INTN, _FLTN, _DATETIMEN):
        return _sized(token, cursor.u8())
    if token in (_BITN, _GUID):
        cursor.u8()
        return SqlType(Kind.BIT if token == _BITN else Kind.UNIQUEIDENTIFIER)
    if token == _DATEN:
        return SqlType(Kind.DATE)
    if token == _NULL:
        return nvarchar(1)
    raise ProtocolError(f"parameter type 0x{token:02x} is not simulated")


def _decode_varying_type(kind: Kind, cursor: Cursor) -> SqlType:
    length = cursor.u16()
    if kind in STRINGS:
        cursor.take(len(COLLATION))
    if length == _MAX_MARKER:
        return SqlType(kind, None)
    return SqlType(kind, length // (2 if kind in NATIONAL else 1))


def _sized(token: int, size: int) -> SqlType:
    kinds = {
        (_INTN, 1): Kind.TINYINT,
        (_INTN, 2): Kind.SMALLINT,
        (_INTN, 4): Kind.INT,
        (_INTN, 8): Kind.BIGINT,
        (_FLTN, 4): Kind.REAL,
        (_FLTN, 8): Kind.FLOAT,
        (_DATETIMEN, 4): Kind.SMALLDATETIME,
        (_DATETIMEN, 8): Kind.DATETIME,
    }
    if (token, size) not in kinds:
        raise ProtocolError(f"parameter type 0x{token:02x} of {size} bytes does not exist")
    return SqlType(kinds[token, size])


def decode_parameter(cursor: Cursor) -> tuple[SqlType, object]:
    """Read TYPE_INFO and the value behind it, in the form that parameters have."""
    token = cursor.take(1)[0]
    cursor.offset -= 1
    sql_type = decode_type(cursor)
    if token == _NULL:
        return sql_type, None
    if token in _FIXED:
        return sql_type, _scalar(sql_type, cursor.take(_FIXED_SIZES[sql_type.kind]))
    return sql_type, decode_value(sql_type, cursor)


def decode_value(sql_type: SqlType, cursor: Cursor) -> object:
    """Read a value with the length prefix of its type."""
    if sql_type.kind in _VARYING:
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
        return None if length == _MAX_MARKER else cursor.take(length)
    total = cursor.u64()
    if total == _PLP_NULL:
        return None
    data = bytearray()
    while length := cursor.u32():
        data += cursor.take(length)
    if total not in (_PLP_UNKNOWN, len(data)):
        raise ProtocolError(f"a long value of {total} bytes came with {len(data)}")
    return bytes(data)


def _scalar(sql_type: SqlType, data: bytes) -> object:
    size = _FIXED_SIZES.get(sql_type.kind, len(data))
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
        return _EPOCH_1900 + timedelta(days=days, minutes=minutes)
    days, ticks = unpack("<iI", data)
    milliseconds = (ticks * 10 + 1) // 3
    return _EPOCH_1900 + timedelta(days=days, milliseconds=milliseconds)


def _decode_date(sql_type: SqlType, data: bytes) -> object:
    del sql_type
    return date.fromordinal(int.from_bytes(data, "little") + 1)


def _decode_time(sql_type: SqlType, data: bytes) -> time:
    units = int.from_bytes(data, "little") * 10 ** (7 - sql_type.scale)
    return (datetime.min + timedelta(microseconds=units // 10)).time()  # noqa: DTZ901 only the clock is used


def _decode_datetime2(sql_type: SqlType, data: bytes) -> datetime:
    size = _time_size(sql_type.scale)
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
