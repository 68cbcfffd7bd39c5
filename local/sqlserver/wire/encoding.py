"""Types and values as bytes, for columns, rows and output parameters. Pure.

A value that does not fit its type is refused here, because a client answers it with "Protocol
error in TDS stream" at some later fetch. Source: [MS-TDS] 2.2.5.4, "Data Type Definitions".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from struct import pack

from local.sqlserver.sqltypes import (
    BINARIES,
    INTEGER_RANGES,
    INTEGERS,
    NATIONAL,
    STRINGS,
    Kind,
    SqlType,
    Variant,
)
from local.sqlserver.wire.cursor import encode_utf16
from local.sqlserver.wire.layout import (
    CODE_PAGE,
    COLLATION,
    EPOCH_1900,
    FIXED,
    INTEGER_SIZES,
    MAX_MARKER,
    MAX_VARIANT,
    PLP_NULL,
    SCALED,
    TICKS_PER_DAY,
    VARYING,
    Token,
    time_size,
)


def encode_type(sql_type: SqlType) -> bytes:
    """Return TYPE_INFO: the type token, length, precision, scale and collation."""
    kind = sql_type.kind
    if kind in VARYING:
        width = 2 if kind in NATIONAL else 1
        length = MAX_MARKER if sql_type.length is None else sql_type.length * width
        collation = COLLATION if kind in STRINGS else b""
        return pack("<BH", VARYING[kind], length) + collation
    if kind is Kind.NUMERIC:
        return bytes(
            (Token.NUMERICN, _numeric_size(sql_type.precision), sql_type.precision, sql_type.scale)
        )
    if kind in SCALED:
        return bytes((SCALED[kind], sql_type.scale))
    return _ENCODED_TYPES[kind]


_ENCODED_TYPES = {
    Kind.BIT: bytes((Token.BITN, 1)),
    **{kind: bytes((Token.INTN, size)) for kind, size in INTEGER_SIZES.items()},
    Kind.REAL: bytes((Token.FLTN, 4)),
    Kind.FLOAT: bytes((Token.FLTN, 8)),
    Kind.DATETIME: bytes((Token.DATETIMEN, 8)),
    Kind.SMALLDATETIME: bytes((Token.DATETIMEN, 4)),
    Kind.UNIQUEIDENTIFIER: bytes((Token.GUID, 16)),
    Kind.DATE: bytes((Token.DATEN,)),
    Kind.SQL_VARIANT: pack("<BI", Token.VARIANT, MAX_VARIANT),
}


def encode_value(sql_type: SqlType, value: object) -> bytes:
    """Return a value with the length prefix of its type; raises ValueError if it does not fit."""
    kind = sql_type.kind
    if kind in VARYING:
        return _encode_varying(sql_type, value)
    if kind is Kind.SQL_VARIANT:
        return _encode_variant(value)
    if value is None:
        return b"\x00"
    data = _scalar_bytes(sql_type, value)
    return bytes((len(data),)) + data


def _encode_varying(sql_type: SqlType, value: object) -> bytes:
    if value is None:
        return pack("<Q", PLP_NULL) if sql_type.length is None else pack("<H", MAX_MARKER)
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
    token: int
    if kind in VARYING:
        width = 2 if kind in NATIONAL else 1
        properties = (COLLATION if kind in STRINGS else b"") + pack(
            "<H", (value.type.length or 0) * width
        )
        token, data = VARYING[kind], _varying_bytes(value.type, value.value)
    elif kind is Kind.NUMERIC:
        properties = bytes((value.type.precision, value.type.scale))
        token, data = Token.NUMERICN, _scalar_bytes(value.type, value.value)
    else:
        properties, data = b"", _scalar_bytes(value.type, value.value)
        token = _VARIANT_TOKENS[kind]
    return pack("<IBB", 2 + len(properties) + len(data), token, len(properties)) + properties + data


_VARIANT_TOKENS = {
    **{sql_type.kind: token for token, sql_type in FIXED.items()},
    Kind.UNIQUEIDENTIFIER: Token.GUID,
    Kind.DATE: Token.DATEN,
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
    size = INTEGER_SIZES.get(sql_type.kind, 1)
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
    since = _naive(value) - EPOCH_1900
    if sql_type.kind is Kind.SMALLDATETIME:
        return pack("<HH", since.days, round(since.seconds / 60))
    ticks = (since.seconds * 1_000_000 + since.microseconds) * 3 + 5_000
    days, ticks = since.days, ticks // 10_000
    if ticks >= TICKS_PER_DAY:
        days, ticks = days + 1, ticks - TICKS_PER_DAY
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
    return units.to_bytes(time_size(sql_type.scale), "little")


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
