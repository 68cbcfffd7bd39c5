"""Messages and the packets they travel in. Pure.

Source: [MS-TDS] 2.2.3.1, "Packet Header". A message is cut into packets of the negotiated size;
only the last one carries the end-of-message bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from local.sqlserver.wire.cursor import ProtocolError

HEADER = Struct(">BBHHBB")
MAX_MESSAGE = 64 * 1024 * 1024
"""Longest request that is put together; a batch of a client is far below it."""

MIN_PACKET, DEFAULT_PACKET, MAX_PACKET = 512, 4096, 32767

END_OF_MESSAGE = 0x01
IGNORE = 0x02
RESET_CONNECTION = 0x08


class PacketType(IntEnum):
    """What a message is."""

    BATCH = 0x01
    RPC = 0x03
    RESPONSE = 0x04
    ATTENTION = 0x06
    BULK = 0x07
    TRANSACTION_MANAGER = 0x0E
    LOGIN7 = 0x10
    PRELOGIN = 0x12


@dataclass(frozen=True)
class Message:
    """A whole message. `reset` asks for a fresh session first (connection pooling)."""

    type: int
    payload: bytes
    reset: bool = False


class MessageReader:
    """Puts messages together from bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._payload = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Add bytes; return the messages that they complete, oldest first."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= HEADER.size:
            kind, status, length, _, _, _ = HEADER.unpack_from(self._buffer)
            if length < HEADER.size:
                raise ProtocolError(f"a packet of {length} bytes is shorter than its header")
            if len(self._buffer) < length:
                break
            self._payload += self._buffer[HEADER.size : length]
            del self._buffer[:length]
            if len(self._payload) > MAX_MESSAGE:
                raise ProtocolError(f"a message is longer than {MAX_MESSAGE} bytes")
            if status & END_OF_MESSAGE:
                payload = bytes(self._payload)
                self._payload.clear()
                if not status & IGNORE:
                    messages.append(Message(kind, payload, bool(status & RESET_CONNECTION)))
        return messages


class PacketWriter:
    """Cuts the bytes of one response into packets, numbering them on.

    `flush` sends what there is without ending the message: a client sees the messages of a long
    restore as they come.
    """

    def __init__(self, size: int, kind: int = PacketType.RESPONSE) -> None:
        self._room = size - HEADER.size
        self._kind = kind
        self._number = 0
        self._pending = bytearray()

    def write(self, data: bytes) -> bytes:
        """Add bytes to the message; return the packets that are full."""
        self._pending += data
        full = bytearray()
        while len(self._pending) > self._room:
            full += self._packet(self._room, 0)
        return bytes(full)

    def flush(self) -> bytes:
        """Return what was written so far as a packet of its own, if there is any."""
        return self._packet(len(self._pending), 0) if self._pending else b""

    def finish(self) -> bytes:
        """Return the last packet of the message."""
        return self._packet(len(self._pending), END_OF_MESSAGE)

    def _packet(self, length: int, status: int) -> bytes:
        self._number += 1
        body = bytes(self._pending[:length])
        del self._pending[:length]
        header = HEADER.pack(self._kind, status, HEADER.size + length, 0, self._number % 256, 0)
        return header + body


def packetize(kind: int, payload: bytes, size: int = DEFAULT_PACKET) -> bytes:
    """Return a whole message as packets."""
    writer = PacketWriter(size, kind)
    return writer.write(payload) + writer.finish()
