"""The LOGIN7 message: who logs in, from where, to which database. Pure.

Source: [MS-TDS] 2.2.6.4, "LOGIN7".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from local.sqlserver.wire.cursor import Cursor, ProtocolError, decode_utf16
from local.sqlserver.wire.packets import DEFAULT_PACKET, MAX_PACKET, MIN_PACKET

_FIELDS_AT = 36
_HAS_EXTENSION = 0x10
_INTEGRATED = 0x80
_END_OF_FEATURES = 0xFF
_MAX_FEATURES = 64


@dataclass(frozen=True)
class Login7:
    """A login as sent. `features` are the offered extensions, by id."""

    tds_version: int
    packet_size: int
    host: str
    user: str
    password: str = field(repr=False)
    application: str
    server: str
    library: str
    database: str
    integrated: bool
    features: dict[int, bytes] = field(repr=False)


def parse_login7(payload: bytes) -> Login7:
    """Read a LOGIN7 message; the texts it points to are bounded by the message."""
    head = Cursor(payload)
    length = head.u32()
    if length > len(payload):
        raise ProtocolError(f"LOGIN7 says {length} bytes, {len(payload)} came")
    tds_version, packet_size = head.u32(), head.u32()
    head.take(12)
    head.u8()
    option2, _, option3 = head.u8(), head.u8(), head.u8()
    fields = Cursor(payload, _FIELDS_AT)
    host, user = _text(payload, fields), _text(payload, fields)
    password = _unscramble(_bytes(payload, fields))
    application, server = _text(payload, fields), _text(payload, fields)
    extension_at, extension_length = fields.u16(), fields.u16()
    library, _language, database = (_text(payload, fields) for _ in range(3))
    features: dict[int, bytes] = {}
    if option3 & _HAS_EXTENSION and extension_length:
        features = _features(payload, Cursor(payload, extension_at).u32())
    return Login7(
        tds_version=tds_version,
        packet_size=_packet_size(packet_size),
        host=host,
        user=user,
        password=password,
        application=application,
        server=server,
        library=library,
        database=database,
        integrated=bool(option2 & _INTEGRATED),
        features=features,
    )


def _packet_size(asked: int) -> int:
    return min(max(asked, MIN_PACKET), MAX_PACKET) if asked else DEFAULT_PACKET


def _bytes(payload: bytes, fields: Cursor) -> bytes:
    offset, characters = fields.u16(), fields.u16()
    return Cursor(payload, offset).take(2 * characters) if characters else b""


def _text(payload: bytes, fields: Cursor) -> str:
    return decode_utf16(_bytes(payload, fields))


def _unscramble(data: bytes) -> str:
    """Undo what hides a password from the eye: nibbles swapped, then XOR 0xA5."""
    plain = bytes(byte ^ 0xA5 for byte in data)
    return decode_utf16(bytes(((byte << 4) & 0xF0) | (byte >> 4) for byte in plain))


def _features(payload: bytes, offset: int) -> dict[int, bytes]:
    cursor = Cursor(payload, offset)
    features: dict[int, bytes] = {}
    for _ in range(_MAX_FEATURES):
        feature = cursor.u8()
        if feature == _END_OF_FEATURES:
            return features
        features[feature] = cursor.take(cursor.u32())
    raise ProtocolError(f"LOGIN7 offers more than {_MAX_FEATURES} features")
