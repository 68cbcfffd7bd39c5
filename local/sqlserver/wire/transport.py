"""A client's socket: messages in, bytes out, encrypted or not."""

from __future__ import annotations

import asyncio
import ssl

from local.sqlserver.wire.cursor import ProtocolError
from local.sqlserver.wire.packets import Message, MessageReader, PacketType, packetize

_CHUNK = 64 * 1024
_TLS_HANDSHAKE = 0x16


class Transport:
    """The stream of one connection. Used by the event loop only.

    TLS runs over memory buffers, because in TDS 7.x its handshake travels inside PRELOGIN
    packets and may end right after the login.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._messages: list[Message] = []
        self._parser = MessageReader()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._first = b""

    async def starts_with_tls(self) -> bool:
        """Tell whether the client begins with TLS (Encrypt=strict), without reading past it."""
        self._first = await self._reader.read(_CHUNK)
        return self._first[:1] == bytes([_TLS_HANDSHAKE])

    async def receive(self) -> Message | None:
        """Return the next message; None when the client is gone."""
        while not self._messages:
            data = await self._read()
            if not data:
                return None
            if self._tls is not None:
                self._incoming.write(data)
                data = self._decrypted(self._tls)
            self._messages += self._parser.feed(data)
        return self._messages.pop(0)

    def send(self, data: bytes) -> None:
        """Send bytes, which are whole packets. Does nothing once the connection is closed."""
        if self._writer.is_closing() or not data:
            return
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        self._writer.write(data)

    async def start_tls(self, context: ssl.SSLContext, *, in_packets: bool) -> None:
        """Do the handshake, bare or inside PRELOGIN packets; from then on all is encrypted."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:  # noqa: PERF203 this is how it asks for bytes
                self._send_handshake(in_packets=in_packets)
                self._incoming.write(await self._handshake_bytes(in_packets=in_packets))
            else:
                break
        self._send_handshake(in_packets=in_packets)
        self._tls = tls
        # What follows the handshake may have come with its last bytes.
        self._messages += self._parser.feed(self._decrypted(tls))

    def stop_tls(self) -> None:
        """Go on in clear text: only the login was to be encrypted."""
        self._tls = None

    async def close(self) -> None:
        """Send what is buffered, then close the socket."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return

    def reset(self) -> None:
        """Close the socket at once."""
        self._writer.transport.abort()

    async def _read(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        try:
            return await self._reader.read(_CHUNK)
        except OSError:
            return b""

    def _decrypted(self, tls: ssl.SSLObject) -> bytes:
        data = bytearray()
        while True:
            try:
                piece = tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                break
            if not piece:
                break
            data += piece
        return bytes(data)

    def _send_handshake(self, *, in_packets: bool) -> None:
        data = self._outgoing.read()
        if data:
            self._writer.write(packetize(PacketType.PRELOGIN, data) if in_packets else data)

    async def _handshake_bytes(self, *, in_packets: bool) -> bytes:
        if not in_packets:
            data = await self._read()
        else:
            message = await self.receive()
            if message and message.type != PacketType.PRELOGIN:
                raise ProtocolError(f"a packet of type {message.type} during the TLS handshake")
            data = message.payload if message else b""
        if not data:
            raise ProtocolError("the client left during the TLS handshake")
        return data
