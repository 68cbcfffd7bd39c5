"""Checks database pages by the checksums in their headers (PAGE_VERIFY CHECKSUM).

Extents that are allocated hold space that was never formatted, and looks like anything: a page
counts as one only if its header makes sense. A page with a header that would make sense, and a
checksum that would be right, if a single bit were not turned, is a damaged one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.backupfile import layout
from shared.backupset import DatabaseFile
from shared.verification.sums import Words, page_sums

_HEADER_WORDS = 16
_VERSION = 1
_LAST_TYPE = 20
_CHECKSUM_FLAG = 0x0200
_FILE_IDS = 1 << 16
_TURNS_OF_FIRST_SECTOR = 15
_FIELDS = (0, 1, 8, 9)
"""The words of a page header by which it is judged: version and type, flags, page, file."""


class BadPage(NamedTuple):
    """A page of a run: its place there, and its name as its header has it."""

    place: int
    page_number: int
    file_id: int
    seen: int
    expected: int


class PageRun(NamedTuple):
    """What was found among pages that follow each other."""

    pages: int
    checked: int
    unsummed: int
    bad: tuple[BadPage, ...]


def page_limits(files: Iterable[DatabaseFile]) -> Words:
    """Return, by file id, how many pages the file has; no page of it has that number or more."""
    limits = np.zeros(_FILE_IDS, np.uint32)
    for file in files:
        if file.type == "D" and 0 < file.file_id < _FILE_IDS:
            limits[file.file_id] = min(file.size // layout.PAGE_SIZE, 0xFFFFFFFF)
    return limits


def check_pages(data: bytes | memoryview, sectors: Words, limits: Words) -> PageRun:
    """Check whole pages; `sectors` are those of `data`, folded."""
    headers = np.frombuffer(data, "<u4").reshape(-1, layout.PAGE_SIZE // 4)[:, :_HEADER_WORDS]
    stored = headers[:, 15]
    sums = page_sums(sectors, stored)
    formatted = _is_formatted(headers, limits)
    flagged = formatted & (headers[:, 1] & _CHECKSUM_FLAG != 0)
    wrong = sums != stored
    bad = [*np.flatnonzero(flagged & wrong), *_turned(headers, sums, wrong & ~flagged, limits)]
    return PageRun(
        len(headers),
        int(np.count_nonzero(flagged)),
        int(np.count_nonzero(formatted & ~flagged)),
        tuple(
            BadPage(
                int(index),
                int(headers[index, 8]),
                int(headers[index, 9] & 0xFFFF),
                int(sums[index]),
                int(stored[index]),
            )
            for index in sorted(bad)
        ),
    )


def _is_formatted(headers: Words, limits: Words) -> npt.NDArray[np.bool_]:
    kind = headers[:, 0] >> 8 & 0xFF
    answer: npt.NDArray[np.bool_] = (
        (headers[:, 0] & 0xFF == _VERSION)
        & (kind >= 1)
        & (kind <= _LAST_TYPE)
        & (headers[:, 8] < limits[headers[:, 9] & 0xFFFF])
    )
    return answer


def _turned(
    headers: Words, sums: Words, others: npt.NDArray[np.bool_], limits: Words
) -> Iterator[int]:
    """Yield pages that a single bit in the header hides from being recognised."""
    difference = sums ^ headers[:, 15]
    single = (difference & difference - np.uint32(1) == 0) & others & (headers[:, 15] != 0)
    for index in np.flatnonzero(single):
        turned = int(difference[index]).bit_length() - 1
        bit = np.uint32(1 << (turned - _TURNS_OF_FIRST_SECTOR) % 32)
        for field in _FIELDS:
            repaired = headers[index : index + 1].copy()
            repaired[0, field] ^= bit
            if _is_formatted(repaired, limits)[0] and repaired[0, 1] & _CHECKSUM_FLAG:
                yield int(index)
                break
