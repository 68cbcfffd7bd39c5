"""What a client asks once it is logged in: batches, procedure calls, transactions. Pure.

Source: [MS-TDS] 2.2.6.6 "RPC Request", 2.2.6.7 "SQLBatch", 2.2.6.9 "Transaction Manager Request".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.sqlserver.sqltypes import SqlType
from local.sqlserver.wire.cursor import Cursor, ProtocolError, decode_utf16
from local.sqlserver.wire.decoding import decode_parameter

PROCEDURES = {
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    14: "sp_prepexecrpc",
    15: "sp_unprepare",
}
_BY_NUMBER = 0xFFFF
_BATCH_SEPARATORS = (0x80, 0xFF)
_BY_REFERENCE = 0x01
_NAME_PART = re.compile(r"\[((?:[^\]]|\]\])+)\]|([^.\[\]]+)")
_MAX_PARAMETERS = 2100 + 3
"""SQL Server takes 2100 parameters; sp_prepexec has three of its own."""


@dataclass(frozen=True)
class Parameter:
    """One argument of a procedure call. `name` is empty when it was passed by position."""

    name: str
    type: SqlType
    value: object
    is_output: bool


@dataclass(frozen=True)
class ProcedureCall:
    """A remote procedure call. `qualifiers` are database and schema, as far as they were given."""

    name: str
    parameters: tuple[Parameter, ...]
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class TransactionRequest:
    """A request to the transaction manager: 5 begin, 7 commit, 8 roll back."""

    type: int


def parse_batch(payload: bytes) -> str:
    """Return the text of a batch."""
    return decode_utf16(payload[_headers(payload).offset :])


def parse_calls(payload: bytes) -> list[ProcedureCall]:
    """Return the procedure calls of one message, in order."""
    cursor = _headers(payload)
    calls = []
    while not cursor.at_end:
        length = cursor.u16()
        if length == _BY_NUMBER:
            number = cursor.u16()
            parts = [PROCEDURES.get(number, f"procedure {number}")]
        else:
            parts = name_parts(cursor.text(length))
        cursor.u16()
        calls.append(ProcedureCall(parts[-1], _parameters(payload, cursor), tuple(parts[:-1])))
    return calls


def name_parts(name: str) -> list[str]:
    """Return a name's parts without brackets: [msdb].dbo.sp_start_job has three."""
    quoted = [
        (match[1] or match[2]).replace("]]", "]")
        for match in _NAME_PART.finditer(name.replace("..", ".dbo."))
    ]
    return quoted or [name]


def _parameters(payload: bytes, cursor: Cursor) -> tuple[Parameter, ...]:
    parameters: list[Parameter] = []
    while not cursor.at_end:
        if payload[cursor.offset] in _BATCH_SEPARATORS:
            cursor.u8()
            break
        if len(parameters) == _MAX_PARAMETERS:
            raise ProtocolError(f"more than {_MAX_PARAMETERS} parameters")
        name, flags = cursor.b_varchar(), cursor.u8()
        sql_type, value = decode_parameter(cursor)
        parameters.append(Parameter(name, sql_type, value, bool(flags & _BY_REFERENCE)))
    return tuple(parameters)


def parse_transaction(payload: bytes) -> TransactionRequest:
    """Return what the transaction manager is asked to do."""
    return TransactionRequest(_headers(payload).u16())


def _headers(payload: bytes) -> Cursor:
    """Return a cursor behind ALL_HEADERS."""
    cursor = Cursor(payload)
    length = cursor.u32()
    if length < 4:
        raise ProtocolError(f"ALL_HEADERS of {length} bytes")
    cursor.take(length - 4)
    return cursor
