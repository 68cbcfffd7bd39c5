"""Bytes to values and back; and whatever bytes come, a value or a ProtocolError."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sqlserver.results import Column
from local.sqlserver.sqltypes import (
    BIGINT,
    BIT,
    DATE,
    DATETIME,
    FLOAT,
    INT,
    REAL,
    SMALLINT,
    SQL_VARIANT,
    TINYINT,
    UNIQUEIDENTIFIER,
    Kind,
    SqlType,
    Variant,
    char,
    numeric,
    nvarchar,
    varbinary,
    varchar,
)
from local.sqlserver.wire import tokens
from local.sqlserver.wire.cursor import Cursor, ProtocolError, encode_utf16
from local.sqlserver.wire.decoding import decode_parameter, decode_value
from local.sqlserver.wire.encoding import encode_type, encode_value
from local.sqlserver.wire.login7 import parse_login7
from local.sqlserver.wire.packets import (
    MAX_PACKET,
    MIN_PACKET,
    MessageReader,
    PacketType,
    PacketWriter,
    packetize,
)
from local.sqlserver.wire.prelogin import Prelogin, encode_prelogin, parse_prelogin
from local.sqlserver.wire.requests import parse_batch, parse_calls, parse_transaction

_day = datetime.fromisoformat
_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
_DATETIMES = st.datetimes(_day("1753-01-01"), _day("9999-12-31"))
_THREE_HUNDREDTHS = [0, 3_000, 7_000]


def _ticks(moment: datetime) -> datetime:
    """Round to what a datetime holds: 0, 3 or 7 milliseconds at the end."""
    last = _THREE_HUNDREDTHS[moment.microsecond % 3]
    return moment.replace(microsecond=moment.microsecond // 10_000 * 10_000 + last)


def _numerics(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    whole = st.integers(-(10**precision) + 1, 10**precision - 1)
    return whole.map(lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -scale)))


_TYPED: dict[str, tuple[SqlType, st.SearchStrategy[Any]]] = {
    "bit": (BIT, st.integers(0, 1)),
    "tinyint": (TINYINT, st.integers(0, 255)),
    "smallint": (SMALLINT, st.integers(-(2**15), 2**15 - 1)),
    "int": (INT, st.integers(-(2**31), 2**31 - 1)),
    "bigint": (BIGINT, st.integers(-(2**63), 2**63 - 1)),
    "an LSN": (numeric(25), _numerics(25, 0)),
    "numeric(38,38)": (numeric(38, 38), _numerics(38, 38)),
    "numeric(9,2)": (numeric(9, 2), _numerics(9, 2)),
    "real": (REAL, st.floats(width=32, allow_nan=False)),
    "float": (FLOAT, st.floats(allow_nan=False)),
    "uniqueidentifier": (UNIQUEIDENTIFIER, st.uuids()),
    "datetime": (DATETIME, _DATETIMES.map(_ticks)),
    "date": (DATE, st.dates()),
    "time(7)": (SqlType(Kind.TIME, scale=7), st.times()),
    "datetime2(7)": (SqlType(Kind.DATETIME2, scale=7), st.datetimes()),
    "datetimeoffset(7)": (
        SqlType(Kind.DATETIMEOFFSET, scale=7),
        st.datetimes(
            _day("0002-01-01"),
            _day("9998-01-01"),
            timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
        ),
    ),
    "nvarchar(200)": (nvarchar(200), _TEXT),
    "nvarchar(max)": (nvarchar(None), _TEXT),
    "varchar(60)": (varchar(60), st.text(st.characters(codec="latin-1", min_codepoint=160))),
    "varbinary(60)": (varbinary(60), st.binary(max_size=60)),
    "varbinary(max)": (varbinary(None), st.binary(max_size=200)),
}


@pytest.mark.parametrize("name", _TYPED)
@given(data=st.data())
def test_a_value_comes_back_as_it_went(name: str, data: st.DataObject) -> None:
    sql_type, values = _TYPED[name]
    value = data.draw(st.none() | values)
    encoded = encode_type(sql_type) + encode_value(sql_type, value)
    cursor = Cursor(encoded)
    assert decode_parameter(cursor) == (sql_type, value)
    assert cursor.at_end


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [
        (TINYINT, 256),
        (INT, 2**31),
        (INT, "1x"),
        (numeric(5), Decimal(100000)),
        (numeric(5), "x"),
        (nvarchar(2), "abc"),
        (nvarchar(2), 5),
        (varbinary(1), b"ab"),
        (varbinary(1), "a"),
        (DATETIME, "now"),
        (DATETIME, datetime(2026, 1, 1, tzinfo=timezone.utc)),
        (SqlType(Kind.DATETIMEOFFSET, scale=7), _day("2026-01-01")),
        (DATE, 5),
        (UNIQUEIDENTIFIER, "x"),
        (REAL, 1e300),
        (SQL_VARIANT, "bare"),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_not_sent(sql_type: SqlType, value: object) -> None:
    with pytest.raises(ValueError, match=r"fit|no |zone|number"):
        encode_value(sql_type, value)


def test_fixed_length_values_are_padded() -> None:
    assert encode_value(char(3), "a") == b"\x03\x00a  "
    assert encode_value(SqlType(Kind.BINARY, 3), b"a") == b"\x03\x00a\0\0"


def test_a_variant_carries_its_type() -> None:
    assert encode_value(SQL_VARIANT, None) == pack("<I", 0)
    assert encode_value(SQL_VARIANT, Variant(INT, 5)) == pack("<IBBi", 6, 0x38, 0, 5)
    text = encode_value(SQL_VARIANT, Variant(nvarchar(4), "é"))
    assert text[4:6] == b"\xe7\x07"
    assert text[-2:] == encode_utf16("é")


@given(
    st.lists(st.tuples(st.sampled_from([1, 3, 14]), st.binary(max_size=3000)), max_size=4),
    st.integers(MIN_PACKET, MAX_PACKET),
    st.data(),
)
def test_messages_survive_packets_that_arrive_in_any_pieces(
    messages: list[tuple[int, bytes]], size: int, data: st.DataObject
) -> None:
    stream = b"".join(packetize(kind, payload, size) for kind, payload in messages)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    reader = MessageReader()
    seen = [
        (message.type, message.payload)
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for message in reader.feed(stream[start:end])
    ]
    assert seen == messages


def test_a_flushed_packet_does_not_end_the_message() -> None:
    writer = PacketWriter(512)
    reader = MessageReader()
    assert reader.feed(writer.write(b"a" * 600) + writer.write(b"b") + writer.flush()) == []
    (message,) = reader.feed(writer.write(b"c") + writer.finish())
    assert message.payload == b"a" * 600 + b"bc"


def test_packets_that_lie_are_refused() -> None:
    with pytest.raises(ProtocolError, match="shorter than its header"):
        MessageReader().feed(bytes((1, 1, 0, 3, 0, 0, 0, 0)))


def test_an_ignored_message_is_dropped() -> None:
    packet = bytearray(packetize(PacketType.BATCH, b"x"))
    packet[1] |= 0x02
    assert MessageReader().feed(bytes(packet)) == []


@given(st.dictionaries(st.integers(0, 254), st.binary(max_size=40), max_size=10))
def test_prelogin_round_trip(options: dict[int, bytes]) -> None:
    assert parse_prelogin(encode_prelogin(Prelogin(options))).options == options


def _login7(user: str, password: str, database: str, feature: bytes) -> bytes:
    texts = ["host", user, password, "app", "server", "", "library", "", database]
    offset = 94 + 4
    table, body = b"", b""
    for index, text in enumerate(texts):
        encoded = encode_utf16(text)
        if index == 2:
            encoded = bytes((((byte & 15) << 4) | (byte >> 4)) ^ 0xA5 for byte in encoded)
        if index == 5:
            table += pack("<HH", 94, 4)
            continue
        table += pack("<HH", offset + len(body), len(encoded) // 2)
        body += encoded
    table += bytes(6) + bytes(12) + bytes(4)
    features = bytes((10,)) + pack("<I", len(feature)) + feature + b"\xff"
    pointer = pack("<I", offset + len(body))
    head = pack("<IIIIIBBBBiI", 0x74000004, 0, 7, 1, 0, 0, 0, 0, 0x10, 0, 0)
    whole = head + table + pointer + body + features
    return pack("<I", len(whole) + 4) + whole


@given(_TEXT, _TEXT, _TEXT, st.binary(max_size=9))
def test_login7_round_trip(user: str, password: str, database: str, feature: bytes) -> None:
    login = parse_login7(_login7(user, password, database, feature))
    assert (login.user, login.password, login.database) == (user, password, database)
    assert login.features == {10: feature}
    assert login.packet_size == 4096
    assert "password" not in repr(login)


@given(st.binary(max_size=300))
def test_hostile_bytes_give_a_value_or_a_protocol_error(data: bytes) -> None:
    for parse in (parse_prelogin, parse_login7, parse_batch, parse_calls, parse_transaction):
        with contextlib.suppress(ProtocolError):
            parse(data)
    with contextlib.suppress(ProtocolError):
        decode_parameter(Cursor(data))


@given(st.data())
def test_a_damaged_login_gives_a_value_or_a_protocol_error(data: st.DataObject) -> None:
    login = bytearray(_login7("sa", "secret", "master", b"\x01"))
    for _ in range(data.draw(st.integers(1, 4))):
        login[data.draw(st.integers(0, len(login) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        parse_login7(bytes(login[: data.draw(st.integers(0, len(login)))]))


def _decode_row(columns: list[Column], data: bytes) -> list[object]:
    cursor = Cursor(data)
    if cursor.u8() == 0xD1:
        return [decode_value(column.type, cursor) for column in columns]
    bitmap = cursor.take((len(columns) + 7) // 8)
    return [
        None if bitmap[i // 8] >> i % 8 & 1 else decode_value(column.type, cursor)
        for i, column in enumerate(columns)
    ]


@given(st.lists(st.none() | st.integers(0, 255), min_size=1, max_size=20))
def test_rows_with_and_without_nulls(values: list[int | None]) -> None:
    columns = [Column("c", TINYINT)] * len(values)
    assert _decode_row(columns, tokens.row(columns, values)) == values


def test_a_time_with_fewer_decimals_is_cut() -> None:
    sql_type = SqlType(Kind.TIME, scale=0)
    cursor = Cursor(encode_value(sql_type, time(1, 2, 3, 999_999)))
    assert decode_value(sql_type, cursor) == time(1, 2, 3)


def test_old_style_parameters_are_read() -> None:
    assert decode_parameter(Cursor(b"\x38" + pack("<i", -5))) == (INT, -5)
    assert decode_parameter(Cursor(b"\x1f")) == (nvarchar(1), None)
    smalldatetime = SqlType(Kind.SMALLDATETIME)
    moment = _day("2026-03-01T02:30:00")
    encoded = encode_type(smalldatetime) + encode_value(smalldatetime, moment)
    assert decode_parameter(Cursor(encoded)) == (smalldatetime, moment)
    assert decode_parameter(Cursor(encode_type(DATE) + encode_value(DATE, date(2026, 3, 1)))) == (
        DATE,
        date(2026, 3, 1),
    )
