"""The tokens of a response: result sets, messages, completions. Pure.

Source: [MS-TDS] 2.2.7, "Packet Data Token Stream Definition".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, IntFlag
from struct import pack

from local.sqlserver.results import Column
from local.sqlserver.sqltypes import SqlType
from local.sqlserver.wire.cursor import encode_utf16
from local.sqlserver.wire.encoding import encode_type, encode_value
from local.sqlserver.wire.layout import COLLATION

TDS_74 = bytes.fromhex("74000004")
_NULLABLE_UNKNOWN_UPDATE = 0x0009
_MAX_TEXT = 8000
"""Longest message text; the token's own length is only 16 bits."""


class Done(IntFlag):
    """Status bits of DONE."""

    FINAL = 0x0
    MORE = 0x1
    ERROR = 0x2
    COUNT = 0x10
    ATTENTION = 0x20


class DoneToken(IntEnum):
    """Which completion: of a statement of a batch, of one inside a procedure, of a procedure."""

    DONE = 0xFD
    DONE_PROCEDURE = 0xFE
    DONE_IN_PROCEDURE = 0xFF


def done(token: DoneToken, status: int, rows: int = 0, command: int = 0) -> bytes:
    """Encode a completion."""
    return pack("<BHHQ", token, status, command, rows)


def message(
    number: int, severity: int, text: str, server: str, line: int = 1, state: int = 1
) -> bytes:
    """Encode ERROR (severity above 10) or INFO. INFO goes out with severity 0 like the real one."""
    is_error = severity > 10
    body = (
        pack("<iBB", number, state, severity if is_error else 0)
        + _us_varchar(text[:_MAX_TEXT])
        + _b_varchar(server)
        + _b_varchar("")
        + pack("<I", line)
    )
    return pack("<BH", 0xAA if is_error else 0xAB, len(body)) + body


def column_metadata(columns: Sequence[Column]) -> bytes:
    """Encode COLMETADATA."""
    parts = [pack("<BH", 0x81, len(columns))]
    for column in columns:
        parts.append(pack("<IH", 0, _NULLABLE_UNKNOWN_UPDATE) + encode_type(column.type))
        parts.append(_b_varchar(column.name))
    return b"".join(parts)


def row(columns: Sequence[Column], values: Sequence[object]) -> bytes:
    """Encode ROW, or NBCROW where NULLs make it shorter."""
    nulls = [value is None for value in values]
    if not any(nulls):
        return b"\xd1" + b"".join(map(encode_value, (c.type for c in columns), values))
    bitmap = bytearray((len(values) + 7) // 8)
    for index, is_null in enumerate(nulls):
        if is_null:
            bitmap[index // 8] |= 1 << index % 8
    body = b"".join(
        encode_value(column.type, value)
        for column, value in zip(columns, values, strict=True)
        if value is not None
    )
    return b"\xd2" + bytes(bitmap) + body


def return_status(status: int) -> bytes:
    """Encode RETURNSTATUS of a procedure."""
    return pack("<Bi", 0x79, status)


def return_value(ordinal: int, name: str, sql_type: SqlType, value: object) -> bytes:
    """Encode RETURNVALUE: an output parameter."""
    return (
        pack("<BH", 0xAC, ordinal)
        + _b_varchar(name)
        + pack("<BIH", 0x01, 0, _NULLABLE_UNKNOWN_UPDATE)
        + encode_type(sql_type)
        + encode_value(sql_type, value)
    )


def login_acknowledgement(program: str, version: tuple[int, int, int]) -> bytes:
    """Encode LOGINACK; the client takes the server's version from it."""
    major, minor, build = version
    body = b"\x01" + TDS_74 + _b_varchar(program) + pack(">BBH", major, minor, build)
    return pack("<BH", 0xAD, len(body)) + body


def feature_acknowledgement(features: dict[int, bytes]) -> bytes:
    """Encode FEATUREEXTACK. Only what is implemented may be acknowledged."""
    body = b"".join(pack("<BI", number, len(data)) + data for number, data in features.items())
    return b"\xae" + body + b"\xff"


def change_database(new: str, old: str) -> bytes:
    """Encode ENVCHANGE of the current database."""
    return _environment(1, _b_varchar(new) + _b_varchar(old))


def change_language(new: str, old: str) -> bytes:
    """Encode ENVCHANGE of the language."""
    return _environment(2, _b_varchar(new) + _b_varchar(old))


def change_packet_size(new: int, old: int) -> bytes:
    """Encode ENVCHANGE of the packet size."""
    return _environment(4, _b_varchar(str(new)) + _b_varchar(str(old)))


def change_collation() -> bytes:
    """Encode ENVCHANGE of the collation."""
    return _environment(7, bytes((len(COLLATION),)) + COLLATION + b"\x00")


def begin_transaction(descriptor: bytes) -> bytes:
    """Encode ENVCHANGE: a transaction with this 8-byte descriptor began."""
    return _environment(8, b"\x08" + descriptor + b"\x00")


def end_transaction(descriptor: bytes, *, committed: bool) -> bytes:
    """Encode ENVCHANGE: the transaction was committed or rolled back."""
    return _environment(9 if committed else 10, b"\x00\x08" + descriptor)


def _environment(kind: int, body: bytes) -> bytes:
    return pack("<BHB", 0xE3, len(body) + 1, kind) + body


def _b_varchar(text: str) -> bytes:
    data = encode_utf16(text)[: 2 * 255]
    return bytes((len(data) // 2,)) + data


def _us_varchar(text: str) -> bytes:
    data = encode_utf16(text)
    return pack("<H", len(data) // 2) + data
