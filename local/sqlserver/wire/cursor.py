"""Reads little-endian fields from a message that a client sent. Every length is checked."""

from __future__ import annotations


class ProtocolError(Exception):
    """The client sent what [MS-TDS] does not allow, or what this server cannot read."""


class Cursor:
    """A position in a message. Reading past the end is a ProtocolError."""

    def __init__(self, data: bytes, offset: int = 0) -> None:
        self._data = data
        self.offset = offset

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self.offset >= len(self._data)

    def take(self, length: int) -> bytes:
        """Read `length` bytes."""
        end = self.offset + length
        if length < 0 or end > len(self._data):
            raise ProtocolError(
                f"{length} bytes wanted at {self.offset}, the message has {len(self._data)}"
            )
        piece = self._data[self.offset : end]
        self.offset = end
        return piece

    def u8(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Read an unsigned 16-bit number."""
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        """Read an unsigned 32-bit number."""
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        """Read an unsigned 64-bit number."""
        return int.from_bytes(self.take(8), "little")

    def text(self, characters: int) -> str:
        """Read UTF-16 text of that many code units."""
        return decode_utf16(self.take(2 * characters))

    def b_varchar(self) -> str:
        """Read text with a one-byte length."""
        return self.text(self.u8())


def decode_utf16(data: bytes) -> str:
    """Decode UTF-16LE, keeping lone surrogates as SQL Server does."""
    if len(data) % 2:
        raise ProtocolError(f"text of {len(data)} bytes is not UTF-16")
    return data.decode("utf-16-le", "surrogatepass")


def encode_utf16(text: str) -> bytes:
    """Encode as UTF-16LE, lone surrogates included."""
    return text.encode("utf-16-le", "surrogatepass")
