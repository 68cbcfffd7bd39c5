"""In what pieces the server reads a backup: MAXTRANSFERSIZE, BUFFERCOUNT, BLOCKSIZE. Pure.

A server that is left to choose reads in small pieces. From a container each piece is a request, so
that a large backup is restored faster in the largest ones; a small one is over before that counts.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.restore_options import LARGEST_TRANSFER, RestoreOptions

LARGE_BYTES = 256 * 1024**2
"""From this size on, all files together, a backup is read in the largest pieces."""

_BUFFERS_EACH = 8
_MOST_BUFFERS = 64


class Transfer(NamedTuple):
    """The three options of a RESTORE; None leaves it to the server."""

    max_transfer_size: int | None = None
    buffer_count: int | None = None
    block_size: int | None = None

    def options(self) -> list[str]:
        """Return them as a RESTORE takes them."""
        named = (
            ("MAXTRANSFERSIZE", self.max_transfer_size),
            ("BUFFERCOUNT", self.buffer_count),
            ("BLOCKSIZE", self.block_size),
        )
        return [f"{name} = {value:d}" for name, value in named if value is not None]


AS_THE_SERVER_CHOOSES = Transfer()


def transfer_of(options: RestoreOptions, size_bytes: int, stripes: int) -> Transfer:
    """Return how a backup of that size in so many files is read; what was asked for goes first.

    A large one gets eight buffers for each file and eight to write from, but at most 64: 4 MiB
    each, they take 64 MiB of the server's memory for one file, and 256 MiB for seven and more.
    The block size is that of the media, which the server reads from the backup by itself.
    """
    size, count = options.max_transfer_size, options.buffer_count
    if size_bytes >= LARGE_BYTES:
        size = size or LARGEST_TRANSFER
        count = count or min(_BUFFERS_EACH * (stripes + 1), _MOST_BUFFERS)
    return Transfer(size, count, options.block_size)
