"""The checksums of a backup over much data: in numpy, which is imported with this module only.

A sum rotates left by one bit for each unit, then takes the unit in by XOR; a unit is a sector of
512 bytes, folded to 32 bits, or, in a record, a word. See `shared.backupfile.sums`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SECTOR = 512
_WORD = 0xFFFFFFFF
_CYCLE = 32
_PAGE_SECTORS = 16

Words = npt.NDArray[np.uint32]


def fold_sectors(data: bytes | memoryview) -> Words:
    """Return the XOR of the words of each sector; zeros fill up the last one."""
    if len(data) % SECTOR:
        data = bytes(data).ljust(len(data) + -len(data) % SECTOR, b"\0")
    wide = np.bitwise_xor.reduce(np.frombuffer(data, "<u8").reshape(-1, SECTOR // 8), axis=1)
    folded: Words = (wide ^ wide >> np.uint64(32)).astype(np.uint32)
    return folded


def add_units(value: int, units: Words) -> int:
    """Return a sum after it has taken in more units."""
    count = len(units)
    value = _rotated(value, count % _CYCLE)
    first = count % _CYCLE
    # The last unit is rotated least: cycles are counted from the end.
    folded = np.bitwise_xor.reduce(units[first:].reshape(-1, _CYCLE), axis=0)
    folded[_CYCLE - first :] ^= units[:first]
    return value ^ int(_turned(folded.astype(np.uint64)[np.newaxis])[0])


def record_sums(data: memoryview, payloads: Sequence[tuple[int, int]]) -> list[int]:
    """Return the checksums of records, as `shared.backupfile.sums.record_sum` does of one.

    `payloads` are their starts in `data` and their lengths. All are turned at once, since most
    records are short.
    """
    folded = np.empty((len(payloads), _CYCLE), np.uint32)
    for row, (start, length) in zip(folded, payloads, strict=True):
        units = np.frombuffer(data, "<u4", length // 4, start)
        first = len(units) % _CYCLE
        np.bitwise_xor.reduce(units[first:].reshape(-1, _CYCLE), axis=0, out=row)
        if first:
            row[_CYCLE - first :] ^= units[:first]
    sums: list[int] = _turned(folded.astype(np.uint64)).tolist()
    for number, (start, length) in enumerate(payloads):
        if rest := length % 4:
            last = int.from_bytes(data[start + length - rest : start + length], "little")
            sums[number] = _rotated(sums[number], 1) ^ last
    return sums


def page_sums(sectors: Words, stored: Words) -> Words:
    """Return the checksums of pages from their sectors, 16 each, the stored ones taken as zero."""
    units = sectors.reshape(-1, _PAGE_SECTORS).astype(np.uint64)
    units[:, 0] ^= stored
    return _turned(units)


def _turned(units: npt.NDArray[np.uint64]) -> Words:
    """Return the sum of each row, whose last unit is not rotated, and the others by one more."""
    turns = np.arange(units.shape[1] - 1, -1, -1, dtype=np.uint64)
    turned = units << turns | units >> np.uint64(32) - turns
    sums: Words = np.bitwise_xor.reduce(turned, axis=1).astype(np.uint32)
    return sums


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _WORD
