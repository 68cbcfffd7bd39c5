"""Giving memory back to the system after large payloads."""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE_BYTES = 256 * 1024


def return_large_blocks() -> bool:
    """Have blocks from 256 KiB on returned as soon as they are free; False if that is unknown here.

    The C library of Linux keeps ever larger blocks for itself once large ones were freed: after a
    few payloads of 10 MB an idle host would hold on to 300 MiB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_MMAP_THRESHOLD, _LARGE_BYTES))
