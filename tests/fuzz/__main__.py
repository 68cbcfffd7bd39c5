"""`python -m tests.fuzz ENTRY [SECONDS]`: feed one entry point with what atheris thinks of.

Needs the PyPI package atheris, which no other part of the project does, in a virtual environment
that has requirements-dev.txt too; it has no wheels for every version of Python. Ends with a status
other than 0 at the first input that raises anything but the reader's own error, takes longer than
100 ms, or more than 64 MiB; the input is left in the present folder.
"""

from __future__ import annotations

import re
import struct
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris  # type: ignore[import-untyped, unused-ignore] # ships no types, if it is here

with atheris.instrument_imports(include=["shared.backupfile", "shared.verification"]):
    from shared.backupfile import BytesSource, read_backup
    from shared.backupfile.sums import record_sum
    from shared.backupfile.xpress import expand
    from shared.verification import advance, begin
from local.samples import SampleDatabase, appended, compressed
from shared.errors import BackupFileError
from shared.vocabulary import VerificationLevel
from tests.backupfile.walk import walk, words_xor

_TIME_LIMIT_S = 0.1
_MEMORY_LIMIT = 64 * 2**20
_MEMORY_LOOKED_AT = 50
"""Memory is looked at in one case of so many, since that slows it down."""


def _header(data: bytes) -> None:
    with suppress(BackupFileError):
        read_backup(BytesSource(data))


def _verification(level: VerificationLevel) -> Callable[[bytes], None]:
    def verify(data: bytes) -> None:
        source = BytesSource(data)
        check = begin(source, level)
        while not check.done:
            check = advance(source, check, 1 << 20)

    return verify


def _xpress(data: bytes) -> None:
    with suppress(ValueError):
        expand(data[1:], 512 * data[0] if data else 0)


_BLOCKS = re.compile(rb"TAPE|SFMB|SSET|VOLB|MSCI|MSDA|MSTL|MSLS|ESET")
_STREAMS = re.compile(rb"RAID|SPAD|APAD|MQCI|MQDA|MQTL|CSUM|OTCP|TSMP")


def _repaired(data: bytes) -> bytes:
    """Return the file with right checksums in its headers, so that lies in them are believed."""
    out = bytearray(data)
    for tags, covered in ((_BLOCKS, 50), (_STREAMS, 20)):
        for found in tags.finditer(data):
            end = found.start() + covered
            if end + 2 <= len(out):
                words = words_xor(bytes(out[found.start() : end]))
                out[end : end + 2] = words.to_bytes(2, "little")
    with suppress(KeyError, IndexError, struct.error):
        for part in walk(out) if out[:8] == b"MSSQLBAK" else ():
            if part.tag == "DATA":
                payload = bytes(out[part.offset + 28 : part.offset + 28 + part.length])
                out[part.offset + 24 : part.offset + 28] = record_sum(payload).to_bytes(4, "little")
    return bytes(out)


ENTRIES = {
    "header": _header,
    "structure": _verification(VerificationLevel.STRUCTURE),
    "data": _verification(VerificationLevel.DATA),
    "xpress": _xpress,
}


def _seeds() -> list[bytes]:
    """Return small files of all styles; a record's payload is a seed for the decoder."""
    files = []
    for version in ("2005", "2008R2", "2022"):
        database = SampleDatabase("Sales", version=version, data_bytes=8192)
        full, log = database.full(), database.log(size=512)
        files += [full.to_bytes()[0], log.to_bytes()[0], appended(log, log).to_bytes()[0]]
    packed = [compressed(file) for file in files]
    odd = [file + b"\0" for file in files + packed]
    return [*files, *packed, *odd, *(b"\x02" + file[0x1E0 + 28 :] for file in packed)]


def main(arguments: list[str]) -> None:
    """Run one entry point for some seconds."""
    entry = ENTRIES[arguments[0]]
    seconds = arguments[1] if len(arguments) > 1 else "300"
    cases = 0

    def case(data: bytes) -> None:
        nonlocal cases
        cases += 1
        if entry is not _xpress and len(data) % 2:
            data = _repaired(data)
        looked_at = cases % _MEMORY_LOOKED_AT == 0
        if looked_at:
            tracemalloc.start()
        begun = time.process_time()
        entry(data)
        taken = time.process_time() - begun
        if looked_at:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            if peak > _MEMORY_LIMIT:
                raise MemoryError(f"{peak} bytes for a case of {len(data)}")
        elif taken > _TIME_LIMIT_S:
            raise TimeoutError(f"{taken:.3f} s for a case of {len(data)} bytes")

    with tempfile.TemporaryDirectory(prefix="backhaul-fuzz-") as folder:
        for number, seed in enumerate(_seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        options = [f"-max_total_time={seconds}", "-max_len=300000", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, folder], case)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
