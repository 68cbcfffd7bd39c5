"""The transaction log of a sample database: four virtual log files, used in turn.

A log block is 512 bytes; the first 16 of a virtual log file are its header. Source: MSTL blocks of
real backups of databases with an 8 MB log.
"""

from __future__ import annotations

from local.samples.sets import LogRange
from shared.lsn import Lsn

BLOCK_BYTES = 512
_FIRST_BLOCK = 16
_BLOCKS = 3968
_VLF_BYTES = _BLOCKS * BLOCK_BYTES
_FIRST_VLF_OFFSET = 0x2000
_VLF_COUNT = 4


def advance(lsn: Lsn, blocks: int) -> Lsn:
    """Return the LSN that many log blocks on, at the first record of its block."""
    vlf, block, _ = lsn.parts
    files, used = divmod(block - _FIRST_BLOCK + blocks, _BLOCKS - _FIRST_BLOCK)
    return Lsn.of(vlf + files, used + _FIRST_BLOCK, 1)


def log_ranges(first: Lsn, last: Lsn) -> tuple[LogRange, ...]:
    """Return what a set from `first` to `last` holds of each virtual log file, the used first.

    Raises ValueError when that is more than the log file has room for.
    """
    (first_vlf, first_block, _), (last_vlf, last_block, _) = first.parts, last.parts
    if last_vlf - first_vlf >= _VLF_COUNT:
        raise ValueError(
            f"{last_vlf - first_vlf + 1} virtual log files in one backup, the log file has "
            f"{_VLF_COUNT}: take log backups more often, or less log between them"
        )
    used = [
        LogRange(
            vlf_sequence=vlf,
            vlf_offset=_offset(vlf),
            vlf_length=_VLF_BYTES,
            start=_offset(vlf) + BLOCK_BYTES * (first_block if vlf == first_vlf else _FIRST_BLOCK),
            end=_offset(vlf) + BLOCK_BYTES * (last_block if vlf == last_vlf else _BLOCKS),
        )
        for vlf in range(first_vlf, last_vlf + 1)
    ]
    unused = [
        LogRange(0, vlf_offset=_offset(vlf), vlf_length=_VLF_BYTES, start=0, end=0, vlf_parity=0)
        for vlf in range(last_vlf + 1, first_vlf + _VLF_COUNT)
    ]
    return tuple(used + unused)


def log_bytes(first: Lsn, last: Lsn) -> int:
    """Return how much log lies between two LSNs."""
    return sum(part.end - part.start for part in log_ranges(first, last))


def _offset(vlf: int) -> int:
    return _FIRST_VLF_OFFSET + vlf % _VLF_COUNT * _VLF_BYTES
