"""Compresses by LZXPRESS Huffman, as far as runs of one byte go: the other way of the reader's.

Plain, and far from the ratio of BACKUP; what matters is that any decoder of the format reads it.
Source: MS-XCA, "LZ77+Huffman Compression Algorithm Details".
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator

_SYMBOLS = 512
_LONGEST_CODE = 15
_SHORTEST_RUN = 3
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)
_BACK_ONE = 256
"""The first of the symbols for a match one byte back; the next 15 are longer ones."""


def compress(data: bytes) -> bytes:
    """Return the payload of a record that expands to `data`."""
    tokens = list(_tokens(data))
    lengths = _code_lengths(Counter(symbol for symbol, _ in tokens))
    codes = _codes(lengths)
    out = bytearray(
        lengths.get(at, 0) | lengths.get(at + 1, 0) << 4 for at in range(0, _SYMBOLS, 2)
    )
    bits = _Bits(out)
    for symbol, rest in tokens:
        bits.put(codes[symbol], lengths[symbol])
        out += rest
    bits.end()
    return bytes(out)


def _tokens(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield symbols, each with the bytes that spell the rest of a long match."""
    at = 0
    for run in _RUN.finditer(data):
        yield from ((byte, b"") for byte in data[at : run.start() + 1])
        yield _match(run.end() - run.start() - 1)
        at = run.end()
    yield from ((byte, b"") for byte in data[at:])


def _match(length: int) -> tuple[int, bytes]:
    coded = length - _SHORTEST_RUN
    if coded < 15:
        return _BACK_ONE + coded, b""
    if coded < 15 + 255:
        return _BACK_ONE + 15, bytes([coded - 15])
    return _BACK_ONE + 15, b"\xff" + coded.to_bytes(2, "little")


def _code_lengths(counts: Counter[int]) -> dict[int, int]:
    """Return Huffman code lengths of at most 15 bits; rare symbols are made less rare for that."""
    for spare in range(2):
        counts.setdefault(spare, 1)  # a prefix code has two symbols at least
    while True:
        heap: list[tuple[int, int, tuple[int, ...]]] = [
            (count, symbol, (symbol,)) for symbol, count in counts.items()
        ]
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


class _Bits:
    """Bits in words of 16, each of which stands where a decoder will look for it.

    A decoder is always 16 to 32 bits ahead, and takes bytes beside the bits from where it is.
    """

    def __init__(self, out: bytearray) -> None:
        self._out = out
        self._places: list[int] = []
        self._value = self._count = 0
        self._spare = 16
        self._reserve()
        self._reserve()

    def _reserve(self) -> None:
        self._places.append(len(self._out))
        self._out += bytes(2)

    def put(self, code: int, size: int) -> None:
        """Add the bits of a code, highest first."""
        self._value = self._value << size | code
        self._count += size
        while self._count >= 16:
            self._count -= 16
            self._store(self._value >> self._count)
            self._value &= (1 << self._count) - 1
        self._spare -= size
        if self._spare < 0:
            self._reserve()
            self._spare += 16

    def _store(self, word: int) -> None:
        place = self._places.pop(0)
        self._out[place : place + 2] = word.to_bytes(2, "little")

    def end(self) -> None:
        """Fill the last word."""
        if self._count:
            self._store(self._value << 16 - self._count)
