"""The PRELOGIN exchange: versions and whether the connection is encrypted. Pure.

Source: [MS-TDS] 2.2.6.5, "PRELOGIN".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct

from local.sqlserver.wire.cursor import Cursor, ProtocolError

_ENTRY = Struct(">BHH")
_TERMINATOR = 0xFF
_MAX_OPTIONS = 32


class Option(IntEnum):
    """PRELOGIN option tokens; unknown ones are ignored."""

    VERSION = 0
    ENCRYPTION = 1
    INSTANCE = 2
    THREAD_ID = 3
    MARS = 4
    TRACE_ID = 5
    FEDERATED_AUTHENTICATION = 6


class Encryption(IntEnum):
    """The encryption byte, in both directions."""

    OFF = 0
    """TLS for the login packet only."""
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


@dataclass(frozen=True)
class Prelogin:
    """Options by token."""

    options: dict[int, bytes] = field(default_factory=dict)

    @property
    def encryption(self) -> Encryption:
        """What this side wants; absent means that it cannot encrypt."""
        value = self.options.get(Option.ENCRYPTION, b"\x02")[:1]
        try:
            return Encryption(value[0])
        except (IndexError, ValueError):
            raise ProtocolError(f"unknown encryption option {value!r}") from None


def parse_prelogin(payload: bytes) -> Prelogin:
    """Read the options of a PRELOGIN message."""
    options: dict[int, bytes] = {}
    cursor = Cursor(payload)
    for _ in range(_MAX_OPTIONS):
        if payload[cursor.offset : cursor.offset + 1] == bytes([_TERMINATOR]):
            return Prelogin(options)
        token, offset, length = _ENTRY.unpack(cursor.take(_ENTRY.size))
        options[token] = Cursor(payload, offset).take(length)
    raise ProtocolError(f"PRELOGIN has more than {_MAX_OPTIONS} options")


def encode_prelogin(prelogin: Prelogin) -> bytes:
    """Return the message with its options in the order given."""
    offset = len(prelogin.options) * _ENTRY.size + 1
    table, values = b"", b""
    for token, value in prelogin.options.items():
        table += _ENTRY.pack(token, offset + len(values), len(value))
        values += value
    return table + bytes([_TERMINATOR]) + values
