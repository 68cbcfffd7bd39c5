"""Conversions between SQL types, explicit and implicit, and how values compare. Pure.

Source: Microsoft Learn, "Data type conversion" and "CAST and CONVERT". Strings compare without
case and without trailing blanks, as SQL_Latin1_General_CP1_CI_AS does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from uuid import UUID

from local.sqlserver.errors import Diagnostic, SqlError, not_simulated, refuse
from local.sqlserver.sqltypes import (
    BINARIES,
    FLOATS,
    INTEGER_RANGES,
    INTEGERS,
    MOMENTS,
    NATIONAL,
    STRINGS,
    Kind,
    SqlType,
    Variant,
    numeric,
)

_PRECEDENCE = (
    Kind.SQL_VARIANT,
    Kind.DATETIMEOFFSET,
    Kind.DATETIME2,
    Kind.DATETIME,
    Kind.SMALLDATETIME,
    Kind.DATE,
    Kind.TIME,
    Kind.FLOAT,
    Kind.REAL,
    Kind.NUMERIC,
    Kind.BIGINT,
    Kind.INT,
    Kind.SMALLINT,
    Kind.TINYINT,
    Kind.BIT,
    Kind.UNIQUEIDENTIFIER,
    Kind.NVARCHAR,
    Kind.NCHAR,
    Kind.VARCHAR,
    Kind.CHAR,
    Kind.VARBINARY,
    Kind.BINARY,
)
_DIGITS = Context(prec=76)
_MOMENT = re.compile(
    r"\s*(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?)?"
    r"(Z|[+-]\d{2}:\d{2})?\s*"
)
_STYLES: dict[int, str] = {
    0: "%b %d %Y %I:%M%p",
    100: "%b %d %Y %I:%M%p",
    112: "%Y%m%d",
    23: "%Y-%m-%d",
    120: "%Y-%m-%d %H:%M:%S",
    121: "%Y-%m-%d %H:%M:%S.%f",
    126: "%Y-%m-%dT%H:%M:%S.%f",
    127: "%Y-%m-%dT%H:%M:%S.%fZ",
}


def common_type(one: SqlType, other: SqlType) -> SqlType:
    """Return the type that two operands are brought to: the one of higher precedence."""
    if one == other:
        return one
    high, low = sorted((one, other), key=lambda t: _PRECEDENCE.index(t.kind))
    if high.kind is Kind.NUMERIC and low.kind in (Kind.NUMERIC, *INTEGERS):
        digits = low.precision - low.scale if low.kind is Kind.NUMERIC else 19
        scale = max(high.scale, low.scale)
        return numeric(min(38, max(high.precision - high.scale, digits) + scale), scale)
    if (high.kind in STRINGS and low.kind in STRINGS) or high.kind in BINARIES:
        lengths = (one.length, other.length)
        longest = None if None in lengths else max(length or 1 for length in lengths)
        return SqlType(high.kind, longest)
    return high


def comparable_key(value: object, sql_type: SqlType) -> object:
    """Return what two values of one type are compared by: equal exactly if they are equal."""
    if isinstance(value, str):
        return value.rstrip(" ").casefold()
    if isinstance(value, UUID):
        # SQL Server orders uniqueidentifiers by their last six bytes first.
        raw = value.bytes
        return raw[10:] + raw[8:10] + raw[6:8] + raw[4:6] + raw[:4]
    if isinstance(value, datetime) and sql_type.kind is Kind.DATETIMEOFFSET:
        return value.astimezone(timezone.utc)
    return value


def convert(value: object, source: SqlType, target: SqlType, style: int | None = None) -> object:
    """Return a value in another type; raises SqlError 206, 241, 245, 8114, 8115 or 8169."""
    if value is None or (source == target and source.kind is not Kind.SQL_VARIANT):
        return value
    if target.kind is Kind.SQL_VARIANT:
        return value if isinstance(value, Variant) else Variant(source, value)
    if isinstance(value, Variant):
        return convert(value.value, value.type, target, style)
    for kinds, conversion in _CONVERSIONS:
        if target.kind in kinds:
            with localcontext(_DIGITS):
                return conversion(value, source, target, style)
    raise refuse(206, source.kind.value, target.kind.value)


def _failed(value: object, source: SqlType, target: SqlType) -> SqlError:
    return refuse(245, source.kind.value, str(value)[:128], target.kind.value)


def _to_integer(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    del style
    if isinstance(value, str):
        text = value.strip() or "0"
        if target.kind is Kind.BIT and text.casefold() in ("true", "false"):
            return int(text.casefold() == "true")
        if not re.fullmatch(r"[+-]?\d{1,40}", text):
            raise _failed(value, source, target)
        number = int(text)
    elif isinstance(value, (int, float, Decimal)):
        number = int(value)
    elif isinstance(value, bytes):
        number = int.from_bytes(value[-8:], "big")
    else:
        raise refuse(206, source.kind.value, target.kind.value)
    if target.kind is Kind.BIT:
        return int(number != 0)
    low, high = INTEGER_RANGES[target.kind]
    if not low <= number <= high:
        raise refuse(8115, target.kind.value)
    return number


def _to_numeric(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    del style
    if not isinstance(value, (int, float, Decimal, str)):
        raise refuse(206, source.kind.value, target.kind.value)
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
        if not number.is_finite():
            raise refuse(8115, target.kind.value)
        number = number.quantize(Decimal(1).scaleb(-target.scale), ROUND_HALF_UP)
    except InvalidOperation:
        raise SqlError(
            Diagnostic(8114, 16, f"Error converting data type {source.kind.value} to numeric.")
        ) from None
    if abs(number) >= Decimal(10) ** (target.precision - target.scale):
        raise refuse(8115, target.kind.value)
    return number


def _to_float(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    del style
    if not isinstance(value, (int, float, Decimal, str)):
        raise refuse(206, source.kind.value, target.kind.value)
    try:
        return float(value)
    except ValueError:
        raise _failed(value, source, target) from None


def _to_guid(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    del style
    if isinstance(value, bytes) and len(value) == 16:
        return UUID(bytes_le=value)
    if isinstance(value, str):
        text = value.strip()
        text = text[1:-1] if text[:1] == "{" and text[-1:] == "}" else text
        if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text[:36]):
            return UUID(text[:36])
        raise SqlError(
            Diagnostic(
                8169,
                16,
                "Conversion failed when converting from a character string to uniqueidentifier.",
            )
        )
    raise refuse(206, source.kind.value, target.kind.value)


def _to_moment(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    del style
    if isinstance(value, str):
        moment = _parse_moment(value)
    elif isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    else:
        raise refuse(206, source.kind.value, target.kind.value)
    if target.kind is Kind.DATE:
        return moment.date()
    if target.kind is Kind.DATETIMEOFFSET:
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return moment.replace(tzinfo=None)


def _parse_moment(text: str) -> datetime:
    match = _MOMENT.fullmatch(text)
    try:
        if not match:
            raise ValueError(text)  # noqa: TRY301 one way out
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        microseconds = int((match[7] or "").ljust(6, "0")[:6] or 0)
        moment = datetime(year, month, day, hour, minute, second, microseconds)  # noqa: DTZ001 the zone is read below
        zone = match[8]
        if zone:
            offset = datetime.strptime(zone.replace("Z", "+00:00"), "%z").tzinfo
            moment = moment.replace(tzinfo=offset)
    except ValueError:
        raise refuse(241) from None
    return moment


def _to_string(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    text = _text(value, source, target, style or 0)
    if target.length is not None and len(text) > target.length:
        if isinstance(value, (int, Decimal, UUID)):
            raise refuse(8115, str(target))
        text = text[: target.length]
    if target.kind in (Kind.CHAR, Kind.NCHAR):
        text = text.ljust(target.length or 1)
    return text


def _text(value: object, source: SqlType, target: SqlType, style: int) -> str:
    if isinstance(value, bytes):
        if style in (1, 2):
            return ("0x" if style == 1 else "") + value.hex().upper()
        encoding = "utf-16-le" if target.kind in NATIONAL else "cp1252"
        return value.decode(encoding, "replace")
    if isinstance(value, UUID):
        return str(value).upper()
    if isinstance(value, Decimal):
        return f"{value:.{source.scale}f}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, date):
        return _moment_text(value, source, style)
    return str(int(value)) if isinstance(value, bool) else str(value)


def _moment_text(value: date, source: SqlType, style: int) -> str:
    if style == 0 and source.kind in (Kind.DATE, Kind.DATETIME2, Kind.DATETIMEOFFSET):
        style = 23 if source.kind is Kind.DATE else 121
    if style not in _STYLES:
        raise not_simulated(f"CONVERT of a date with style {style}")
    text = value.strftime(_STYLES[style])
    if "%f" in _STYLES[style] and source.kind is Kind.DATETIME:
        text = re.sub(r"(\.\d{3})\d{3}", r"\1", text)
    return text


def _to_binary(value: object, source: SqlType, target: SqlType, style: int | None) -> object:
    if isinstance(value, str) and style in (1, 2):
        digits = value[2:] if style == 1 else value
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            raise _failed(value, source, target) from None
    elif isinstance(value, str):
        data = value.encode("utf-16-le" if source.kind in NATIONAL else "cp1252", "replace")
    elif isinstance(value, UUID):
        data = value.bytes_le
    elif isinstance(value, int):
        data = value.to_bytes(8, "big", signed=True)[-(target.length or 8) :]
    elif isinstance(value, bytes):
        data = value
    else:
        raise refuse(206, source.kind.value, target.kind.value)
    return data[: target.length]


_CONVERSIONS: tuple[
    tuple[tuple[Kind, ...], Callable[[object, SqlType, SqlType, int | None], object]], ...
] = (
    (INTEGERS, _to_integer),
    ((Kind.NUMERIC,), _to_numeric),
    (FLOATS, _to_float),
    ((Kind.UNIQUEIDENTIFIER,), _to_guid),
    (MOMENTS, _to_moment),
    (STRINGS, _to_string),
    (BINARIES, _to_binary),
)
