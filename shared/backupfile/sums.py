"""The checksum of records in a compressed backup, for the few that a header takes.

Both sums of a backup rotate left by one bit for each unit, then take the unit in by XOR. Rotation
distributes over XOR, so that units at a distance of 32 can be folded together first.
"""

from __future__ import annotations

_CYCLE = 32
_CYCLE_BYTES = 4 * _CYCLE
_WORD = 0xFFFFFFFF


def record_sum(payload: bytes) -> int:
    """Return the checksum of a record's payload, by its little-endian words of 32 bits.

    Zeros fill up the last word.
    """
    payload += bytes(-len(payload) % 4)
    cycles = -(-len(payload) // _CYCLE_BYTES)
    # The first words are the ones rotated most, so that zeros before them change nothing.
    folded = int.from_bytes(payload.rjust(cycles * _CYCLE_BYTES, b"\0"), "little")
    while cycles > 1:
        half = (cycles + 1) // 2
        bits = 8 * _CYCLE_BYTES * half
        folded = folded >> bits ^ folded & (1 << bits) - 1
        cycles = half
    value = 0
    for at in range(0, 32 * _CYCLE, 32):
        value = (value << 1 | value >> 31) & _WORD ^ folded >> at & _WORD
    return value
