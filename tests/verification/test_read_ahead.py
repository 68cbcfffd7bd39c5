"""Reading ahead gives the bytes of the source, few of them more than asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.backupfile import BytesSource
from shared.verification import read_ahead
from shared.verification.read_ahead import ReadAhead
from tests.backupfile.sources import CountingSource

DATA = bytes(range(256)) * 1000


@pytest.fixture(autouse=True, scope="module")
def _small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_ahead, "BLOCK", 4096)
        patch.setattr(read_ahead, "_SEQUENTIAL", 2048)
        yield


@settings(deadline=2000, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, len(DATA) + 10), st.integers(0, 9000)), max_size=12))
def test_any_reads_give_the_bytes_of_the_source(reads: list[tuple[int, int]]) -> None:
    with ReadAhead(BytesSource(DATA)) as ahead:
        for offset, length in reads:
            assert ahead.read(offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize("step", [4096, 5000, 16384])
def test_reads_in_order_fetch_each_block_once(step: int) -> None:
    source = CountingSource(DATA)

    with ReadAhead(source) as ahead:
        read = b"".join(ahead.read(at, step) for at in range(0, len(DATA), step))

    assert read == DATA
    assert source.bytes_read <= len(DATA) + 4096


def test_short_reads_pass_through() -> None:
    source = CountingSource(DATA)

    with ReadAhead(source) as ahead:
        ahead.read(100, 50)

    assert source.reads == [(100, 50)]


def test_error_of_the_source_passes_and_the_threads_end() -> None:
    class Broken(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            raise OSError("the network is down")

    with (
        pytest.raises(OSError, match="the network is down"),
        ReadAhead(Broken(DATA)) as ahead,
    ):
        ahead.read(0, 9000)

    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]
