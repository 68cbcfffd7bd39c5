"""Compresses by LZXPRESS Huffman: the other way of `shared.backupfile.xpress`.

Source: MS-XCA, "LZ77+Huffman Compression Algorithm Details".
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

LONGEST_INPUT = 65536
"""Bytes of one code table; a match cannot reach further back either."""
_SYMBOLS = 512
_LITERALS = 256
_END = 256
"""Ends a stream; otherwise a match of three bytes, one back. In every record that was seen."""
_LONGEST_CODE = 15
_SHORTEST_MATCH = 3
_KEY_BYTES = 4
"""Matches are looked for by so many bytes; shorter ones save next to nothing."""
_LONGEST_CODED = 15
_STEP = 64

Token = tuple[int, int, bytes]
"""A symbol, the offset bits behind its code, and the bytes that spell the rest of a length."""


def compress(data: bytes) -> bytes:
    """Return a payload that expands to `data`, which has `LONGEST_INPUT` bytes at most."""
    tokens = [*_tokens(data), (_END, 0, b"")]
    lengths = _code_lengths(Counter(symbol for symbol, _, _ in tokens))
    table = bytes(lengths.get(at, 0) | lengths.get(at + 1, 0) << 4 for at in range(0, _SYMBOLS, 2))
    return table + _bit_stream(tokens, lengths)


def _tokens(data: bytes) -> list[Token]:
    """Return literals and matches: each match with the latest place that begins alike."""
    tokens: list[Token] = []
    latest: dict[bytes, int] = {}
    at, end = 0, len(data)
    while at < end:
        key = data[at : at + _KEY_BYTES]
        place = latest.get(key)
        latest[key] = at
        if place is None or len(key) < _KEY_BYTES:
            tokens.append((key[0], 0, b""))
            at += 1
            continue
        size = _common(data, place, at, end)
        tokens.append(_match(at - place, size))
        at += size
    return tokens


def _common(data: bytes, place: int, at: int, end: int) -> int:
    """Return how many bytes are the same from two places on; the first 4 are."""
    size = _KEY_BYTES
    while at + size + _STEP <= end and (
        data[place + size : place + size + _STEP] == data[at + size : at + size + _STEP]
    ):
        size += _STEP
    while at + size < end and data[place + size] == data[at + size]:
        size += 1
    return size


def _match(back: int, size: int) -> Token:
    width = back.bit_length() - 1
    symbol = _LITERALS + 16 * width
    rest = back - (1 << width)
    coded = size - _SHORTEST_MATCH
    if coded < _LONGEST_CODED:
        return symbol + coded, rest, b""
    if coded < _LONGEST_CODED + 255:
        return symbol + _LONGEST_CODED, rest, bytes([coded - _LONGEST_CODED])
    return symbol + _LONGEST_CODED, rest, b"\xff" + coded.to_bytes(2, "little")


def _code_lengths(counts: Counter[int]) -> dict[int, int]:
    """Return Huffman code lengths of at most 15 bits; rare symbols are made less rare for that."""
    counts.setdefault(0, 1)  # a prefix code has two symbols at least
    while True:
        heap: list[tuple[int, int, tuple[int, ...]]]
        heap = [(count, symbol, (symbol,)) for symbol, count in counts.items()]
        heapq.heapify(heap)
        lengths = dict.fromkeys(counts, 0)
        while len(heap) > 1:
            less, first, few = heapq.heappop(heap)
            more, _, many = heapq.heappop(heap)
            for symbol in few + many:
                lengths[symbol] += 1
            heapq.heappush(heap, (less + more, first, few + many))
        if max(lengths.values()) <= _LONGEST_CODE:
            return lengths
        counts = Counter({symbol: count // 2 + 1 for symbol, count in counts.items()})


def _codes(lengths: dict[int, int]) -> dict[int, int]:
    codes, code, width = {}, 0, 0
    for size, symbol in sorted((size, symbol) for symbol, size in lengths.items()):
        code <<= size - width
        codes[symbol], code, width = code, code + 1, size
    return codes


def _bit_stream(tokens: Iterable[Token], lengths: dict[int, int]) -> bytes:
    """Return the codes, in words of 16 bits, and the bytes beside them.

    A decoder is always 16 to 32 bits ahead, and takes bytes from where it is then; so room for a
    word is left as soon as the decoder would read it, and filled when its bits are known.
    """
    codes = _codes(lengths)
    out = bytearray(4)
    places, words = [0, 2], []
    value = count = 0
    spare = 16
    for symbol, rest, beside in tokens:
        parts = [(codes[symbol], lengths[symbol])]
        if symbol >= _LITERALS:
            parts.append((rest, symbol - _LITERALS >> 4))
        for bits, width in parts:
            value = value << width | bits
            count += width
            spare -= width
            if spare < 0:
                spare += 16
                places.append(len(out))
                out += b"\0\0"
            if count >= 16:
                count -= 16
                words.append(value >> count)
                value &= (1 << count) - 1
            out += beside  # stands between the code and the offset
            beside = b""
    if count:
        words.append(value << 16 - count)
    for place, word in zip(places, words, strict=False):
        out[place] = word & 0xFF
        out[place + 1] = word >> 8
    return bytes(out)
