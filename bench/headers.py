"""How many backup headers a core reads in a second, from memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.figures import Figure, Run, at_least
from local.samples import SampleDatabase, compressed
from shared.backupfile import BytesSource, read_backup

_FILES = 20
_DATA_BYTES = 200_000


def measure(run: Run) -> Iterator[Figure]:
    """Yield the rates for uncompressed and for compressed backups."""
    run.say("writing samples")
    database = SampleDatabase("Headers", data_bytes=_DATA_BYTES)
    backups = [database.full(), *(database.log() for _ in range(_FILES - 1))]
    plain = [backup.to_bytes()[0] for backup in backups]
    kinds = (("uncompressed", plain, 3000), ("compressed", [compressed(one) for one in plain], 500))
    for name, files, limit in kinds:
        run.say(name)
        _rate(files, 1)  # for warming up
        rates = [_rate(files, run.much(50, 1)) for _ in range(run.runs)]
        yield Figure(f"headers of {name} backups", "a second", rates, at_least(limit))


def _rate(files: Sequence[bytes], times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        for content in files:
            read_backup(BytesSource(content))
    return times * len(files) / (time.process_time() - begin)
