"""The checksums in numpy against the same ones a unit at a time."""

from __future__ import annotations

import random
import struct
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from local.folders import REPOSITORY
from shared.backupfile import layout
from shared.backupfile.codec import Region
from shared.backupfile.sums import record_sum
from shared.verification.records import _RECORD, _SHORT_RECORD
from shared.verification.sums import add_units, fold_sectors, page_sums, record_sums


def noise(length: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(length)  # noqa: S311 any bytes, no secret


def slow_sum(data: bytes) -> int:
    """Return the sum of whole sectors as the format is told: a word at a time."""
    value = 0
    for at in range(0, len(data), 512):
        value = (value << 1 | value >> 31) & 0xFFFFFFFF
        for (word,) in struct.iter_unpack("<I", data[at : at + 512]):
            value ^= word
    return value


@settings(deadline=2000)
@given(st.integers(0, 70), st.integers(0, 70), st.integers(0, 1 << 32))
def test_stream_sum_is_that_of_the_sectors_in_turn(first: int, second: int, seed: int) -> None:
    parts = [noise(512 * count, seed) for count in (first, second)]
    value = 0
    for part in parts:
        value = add_units(value, fold_sectors(part))

    assert value == slow_sum(b"".join(parts))


@given(st.lists(st.binary(max_size=700), max_size=6), st.integers(0, 3))
def test_record_sums_are_those_of_each_record(payloads: list[bytes], gap: int) -> None:
    data, places = bytearray(gap), []
    for payload in payloads:
        places.append((len(data), len(payload)))
        data += payload + bytes(gap)

    assert record_sums(memoryview(data), places) == [record_sum(payload) for payload in payloads]


@given(st.integers(0, 1 << 32))
def test_page_sum_takes_the_stored_one_for_zero(seed: int) -> None:
    page = bytearray(noise(layout.PAGE_SIZE, seed))
    sectors = fold_sectors(bytes(page))
    stored = sectors[:1].copy()
    stored[0] = int.from_bytes(page[60:64], "little")
    page[60:64] = bytes(4)

    assert page_sums(sectors, stored).tolist() == [slow_sum(bytes(page))]


@given(st.binary(min_size=28, max_size=28))
def test_quick_structs_read_what_the_layouts_say(header: bytes) -> None:
    fields = layout.DATA_RECORD.unpack(Region(0, header))

    assert _RECORD.unpack(header) == tuple(fields.values())
    assert _SHORT_RECORD.unpack(header[: struct.calcsize("<BBH")]) == tuple(
        layout.RECORD.unpack(Region(0, header)).values()
    )


def test_numpy_is_imported_by_the_data_check_only() -> None:
    program = "import sys, shared.verification; sys.exit('numpy' in sys.modules)"

    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY)  # noqa: S603 ours
