"""Expands LZXPRESS Huffman, which backups are compressed with, to a length that is known.

General decoders fail on backups: they go on until the input ends, or expect a new code table
after each 64 KB of output. A record of a backup has one table and says its expanded length.
Source: MS-XCA, "LZ77+Huffman Decompression Algorithm Details".
"""

from __future__ import annotations

TABLE_BYTES = 256
"""Code lengths of 512 symbols, four bits each, the even symbol in the low half."""
_FIRST_BITS = 4
_WORD = 0xFFFFFFFF
_LITERALS = 256
_SYMBOL_BITS = 9
_LONGEST_CODED = 15
"""A match length from here on is spelled in bytes beside the bits."""
_SHORTEST_MATCH = 3


def expand(payload: bytes, length: int) -> bytes:
    """Return exactly `length` bytes.

    Raises ValueError when the payload does not say so many.
    """
    if len(payload) < TABLE_BYTES + _FIRST_BITS:
        raise ValueError(f"{len(payload)} bytes are too few for a code table and a symbol")
    symbols, width = _decoding_table(payload[:TABLE_BYTES])
    shift = 32 - width
    out = bytearray()
    # 32 bits are looked at, from the highest on; `spare` of them lie beyond the next 16.
    at = TABLE_BYTES + _FIRST_BITS
    bits = payload[256] << 16 | payload[257] << 24 | payload[258] | payload[259] << 8
    spare = 16
    while len(out) < length:
        entry = symbols[bits >> shift]
        used = entry >> _SYMBOL_BITS
        bits = bits << used & _WORD
        spare -= used
        if spare < 0:
            bits |= int.from_bytes(payload[at : at + 2], "little") << -spare
            at += 2
            spare += 16
        symbol = entry & 0x1FF
        if symbol < _LITERALS:
            out.append(symbol)
            continue
        size = symbol & 15
        if size == _LONGEST_CODED:
            size, at = _long_size(payload, at)
        size += _SHORTEST_MATCH
        used = symbol - _LITERALS >> 4
        back = 1 << used | bits >> 32 - used
        bits = bits << used & _WORD
        spare -= used
        if spare < 0:
            bits |= int.from_bytes(payload[at : at + 2], "little") << -spare
            at += 2
            spare += 16
        _copy(out, size, back, length)
    if at > len(payload):
        raise ValueError(f"the bits end after {len(payload)} bytes, before the expanded data")
    return bytes(out)


def _copy(out: bytearray, size: int, back: int, length: int) -> None:
    """Append what stands `back` bytes before the end; a match may reach into itself."""
    start = len(out) - back
    if start < 0:
        raise ValueError(f"a match reaches back {back} bytes of {len(out)}")
    if len(out) + size > length:
        raise ValueError(f"a match of {size} bytes reaches past the end at {length}")
    if size <= back:
        out += out[start : start + size]
    else:
        out += (out[start:] * (size // back + 1))[:size]


def _long_size(payload: bytes, at: int) -> tuple[int, int]:
    """Return a match length that does not fit its symbol, and where the input goes on."""
    size = int.from_bytes(payload[at : at + 1], "little")
    if size < 0xFF:
        return size + _LONGEST_CODED, at + 1
    size = int.from_bytes(payload[at + 1 : at + 3], "little")
    if size:
        at += 3
    else:
        size = int.from_bytes(payload[at + 3 : at + 7], "little")
        at += 7
    if size < _LONGEST_CODED:
        raise ValueError(f"a match length of {size} is spelled too long")
    return size, at


def _decoding_table(lengths: bytes) -> tuple[list[int], int]:
    """Return symbols by their code, and the width of the longest code, which indexes the list.

    An entry is a symbol below its code's length. Raises ValueError for lengths of no prefix code.
    """
    coded = [(size & 15, 2 * at) for at, size in enumerate(lengths) if size & 15]
    coded += [(size >> 4, 2 * at + 1) for at, size in enumerate(lengths) if size >> 4]
    coded.sort()
    width = coded[-1][0] if coded else 0
    if sum(1 << width - size for size, _ in coded) != 1 << width or not coded:
        raise ValueError("the code lengths make no prefix code")
    table: list[int] = []
    for size, symbol in coded:
        table += [size << _SYMBOL_BITS | symbol] * (1 << width - size)
    return table, width
