"""Real backups written anew: the same bytes at the same places, but for those named here."""

from __future__ import annotations

import io
from collections.abc import Iterator

from local.samples.writer import write_backup
from tests.backupfile.real_backups import RealBackup, each
from tests.backupfile.walk import walk
from tests.local.real_sets import as_samples, chunks

_SAMPLE_DATA = "pages and log are made up"
_UNSET = "never initialised"
_NOT_ASKED = "no column of RESTORE FILELISTONLY shows it"

EXPLAINED: dict[str, dict[tuple[int, int | None], str]] = {
    "TAPE": {(94, 110): "what the server makes of a media password"},
    "MQDA": {(24, None): _SAMPLE_DATA},
    "MQTL": {(24, None): _SAMPLE_DATA},
    "CSUM": {(22, 26): _SAMPLE_DATA},
    "MSTL": {(115, 116): _UNSET},
    "MSCI/SCIN": {(96, 104): "an estimate", (344, 352): "an estimate"},
    "SCIN": {
        (20, 24): _UNSET + " before 2012",
        (140, 144): _UNSET,
        (216, 221): "the writer knows two collations",
        (244, 248): "old status bits, of which three are read",
        (376, 378): "not known; set in one file of 2022",
        (304, 314): "as 172, but for two sets of one file",
    },
    "SFGI": {
        (24, 40): "a filegroup's own GUID; PRIMARY has none",
        (184, 194): "as 156, but for two sets of one file",
    },
    "SFIN": {
        (8, 12): _NOT_ASKED + ": growth in percent",
        (94, 102): _NOT_ASKED + ": growth",
        (102, 114): "not known; an LSN in one file",
        (114, 122): _NOT_ASKED + ": initial size",
        (262, 270): "a time of the data file",
        (1026, 1028): _UNSET,
    },
}
"""Bytes from and to, from the start of a block, stream or chunk, that may differ, and why."""


class Structure:
    """A block, stream or chunk: what it is, and where its bytes begin and end."""

    def __init__(self, names: list[str], start: int, end: int) -> None:
        self.names = names
        self.start = start
        self.end = end


def structures(data: bytes) -> Iterator[Structure]:
    parts = list(walk(data))
    ends = [part.offset for part in parts[1:]] + [len(data)]
    block = ""
    for part, end in zip(parts, ends, strict=True):
        block = part.tag if part.is_block else block
        if part.tag != "MQCI":
            yield Structure([part.tag], part.offset, end)
            continue
        yield Structure([part.tag], part.offset, part.offset + 22)
        for tag, fields in chunks(data, part):
            start = fields["at"]
            yield Structure([tag, f"{block}/{tag}"], start, start + fields["length"])


def masked(data: bytes) -> list[tuple[str, int, bytes]]:
    """Return all structures, with zeros in the place of what may differ."""
    found = []
    for structure in structures(data):
        raw = bytearray(data[structure.start : structure.end])
        for name in structure.names:
            for start, end in EXPLAINED.get(name, {}):
                stop = len(raw) if end is None else min(end, len(raw))
                raw[start:stop] = bytes(max(0, stop - start))
        found.append((structure.names[-1], structure.start, bytes(raw)))
    return found


@each(compressed=False)
def test_real_backup_written_anew_is_the_same(backup: RealBackup) -> None:
    data = backup.path.read_bytes()
    content, samples = as_samples(backup, data)
    out = io.BytesIO()

    write_backup(out, content.label, samples, filemark_size=512 * data[64])

    assert masked(out.getvalue()) == masked(data)
