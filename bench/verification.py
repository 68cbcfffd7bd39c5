"""How fast damage is looked for: from memory beside md5, and from Azurite beside a download.

Rates are bytes of the file in a second. From memory, the time of the process counts; a plain read
and hashlib.md5 of the same bytes are measured in the same run.
"""

from __future__ import annotations

import hashlib
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

from azure.storage.blob import BlobServiceClient, ContainerClient

from bench.figures import Figure, Run, at_least, at_most
from local.azurite import Azurite
from local.samples import SampleDatabase
from shared.backupfile import ByteSource, BytesSource
from shared.storage import BlobSource, version_of
from shared.verification import advance, begin
from shared.verification.read_ahead import BLOCK, BLOCKS_AHEAD, ReadAhead
from shared.verification.sums import record_sums
from shared.vocabulary import VerificationLevel

_GIGA = 1e9
_BLOB = "large.bak"
_CHUNK = 4 * 2**20
_PAYLOADS = (4_000, 10_000, 25_000, 64_000)
"""Lengths of records; in the real backups at hand they are 10,000 bytes on average."""


def measure(run: Run) -> Iterator[Figure]:
    """Yield rates from memory and from Azurite, the share that structure reads, and the memory."""
    run.say("writing samples")
    megabytes = run.much(512, 2)
    files = {
        kind: SampleDatabase("Large", data_bytes=megabytes * 2**20, checksums=checksums)
        .full()
        .to_bytes()[0]
        for kind, checksums in (("with CHECKSUM", True), ("by page checksums", False))
    }
    for kind, data in files.items():
        run.say(kind)
        rates = _rates(run, len(data), partial(_verify, BytesSource(data)))
        yield Figure(f"data check {kind}", "GB/s", rates, at_least(3))
    data = files["with CHECKSUM"]
    yield from _records(run)
    yield Figure("beside it, md5", "GB/s", _rates(run, len(data), lambda: hashlib.md5(data)))  # noqa: S324 only its speed counts
    yield Figure("beside it, a plain read", "GB/s", _rates(run, len(data), lambda: _read(data)))
    counting = _Counting(data)
    _verify(counting, VerificationLevel.STRUCTURE)
    share = 100 * counting.count / len(data)
    yield Figure("structure of an uncompressed file reads", "%", [share], at_most(1))
    yield Figure("memory of a data check", "MiB", [_peak(data)], at_most(64))
    yield from _from_azurite(run)


class _Counting(BytesSource):
    """A source that counts what is read."""

    count = 0

    def read(self, offset: int, length: int) -> bytes:
        data = super().read(offset, length)
        self.count += len(data)
        return data


def _verify(source: ByteSource, level: VerificationLevel = VerificationLevel.DATA) -> None:
    check = begin(source, level)
    while not check.done:
        check = advance(source, check, 1 << 30)
    if check.findings:
        raise RuntimeError(f"a sound sample is damaged: {check.findings[0]}")


def _read(data: bytes) -> None:
    source = BytesSource(data)
    for at in range(0, len(data), BLOCK):
        source.read(at, BLOCK)


def _rates(run: Run, size: int, work: Callable[[], object]) -> list[float]:
    """Return gigabytes in a second of the process's time."""
    work()  # for warming up
    rates = []
    for _ in range(run.runs):
        begun = time.process_time()
        work()
        rates.append(size / max(time.process_time() - begun, 1e-9) / _GIGA)
    return rates


def _records(run: Run) -> Iterator[Figure]:
    """Yield the rates of record checksums, by the length of records."""
    noise = random.Random(1).randbytes(4 * 2**20)  # noqa: S311 any bytes, no secret
    data = memoryview(noise)
    for length in _PAYLOADS:
        places = [(start, length) for start in range(0, len(data) - length, length + 28)]
        times = run.much(20, 1)

        def work(places: list[tuple[int, int]] = places, times: int = times) -> None:
            for _ in range(times):
                record_sums(data, places)

        size = sum(length for _, length in places) * times
        target = at_least(1) if length >= 10_000 else None
        yield Figure(f"checksums of records of {length:,}", "GB/s", _rates(run, size, work), target)


def _peak(data: bytes) -> float:
    tracemalloc.start()
    try:
        _verify(BytesSource(data))
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def _from_azurite(run: Run) -> Iterator[Figure]:
    """Yield how fast a blob is verified, in percent of a plain parallel download of it."""
    run.say("uploading to Azurite")
    megabytes = run.much(256, 1)
    (data,) = SampleDatabase("Blob", data_bytes=megabytes * 2**20).full().to_bytes()
    with Azurite(run.folder / "verification") as azurite:
        service = BlobServiceClient.from_connection_string(
            azurite.connection_string, max_single_get_size=_CHUNK, max_chunk_get_size=_CHUNK
        )
        with service.create_container("bench") as container:
            container.upload_blob(_BLOB, data, max_concurrency=4)
            run.say("from Azurite")
            _download(container)  # for warming up
            plain, verified = [], []
            for _ in range(run.runs):
                plain.append(_rate_of(container, _download, len(data)))
                verified.append(_rate_of(container, _verify_blob, len(data)))
    yield Figure("a plain parallel download from Azurite", "GB/s", plain)
    yield Figure("data check from Azurite", "GB/s", verified)
    shares = [100 * mine / its for mine, its in zip(verified, plain, strict=True)]
    yield Figure("data check from Azurite, of that download", "%", shares, at_least(80))


def _rate_of(
    container: ContainerClient, work: Callable[[ContainerClient], None], size: int
) -> float:
    begun = time.perf_counter()
    work(container)
    return size / (time.perf_counter() - begun) / _GIGA


class _Nowhere(BytesIO):
    """Takes what is downloaded and forgets it."""

    def write(self, data: Any) -> int:
        return len(data)

    def seekable(self) -> bool:
        return True


def _download(container: ContainerClient) -> None:
    download = container.get_blob_client(_BLOB).download_blob(max_concurrency=BLOCKS_AHEAD)
    download.readinto(_Nowhere())


def _verify_blob(container: ContainerClient) -> None:
    properties = container.get_blob_client(_BLOB).get_blob_properties()
    with ReadAhead(BlobSource(container, version_of(properties))) as ahead:
        _verify(ahead)
