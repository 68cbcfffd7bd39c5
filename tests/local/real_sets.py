"""What the writer needs to write a real backup anew: all that its own header and blocks say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from local.samples.header import _COLLATIONS, Background, Provisional
from local.samples.sets import LogRange, SampleSet
from shared.backupfile import BytesSource, layout, read_backup
from shared.backupfile.codec import Region
from shared.backupset import BackupContent
from tests.backupfile.real_backups import RealBackup
from tests.backupfile.walk import Part, walk

Fields = dict[str, Any]


class Blocks(NamedTuple):
    """The parts of one set in a file of blocks."""

    data: bytes
    parts: list[Part]

    def fields(self, table: Any, tag: str) -> list[Fields]:
        """Return the fields of all blocks of that type."""
        return [
            table.unpack(Region(0, self.data), part.offset)
            for part in self.parts
            if part.tag == tag
        ]

    def text(self, tag: str, table: Any, name: str) -> str:
        """Return a text of the first block of that type."""
        start = next(part.offset for part in self.parts if part.tag == tag)
        size, offset = table.unpack(Region(0, self.data), start)[name]
        return self.data[start + offset : start + offset + size].decode("utf-16-le")

    def headers(self) -> list[tuple[Fields, list[Fields]]]:
        """Return SCIN and all SFIN of the head copy, and of the tail copy."""
        return [
            (
                next(fields for tag, fields in chunks(self.data, part) if tag == "SCIN"),
                [fields for tag, fields in chunks(self.data, part) if tag == "SFIN"],
            )
            for part in self.parts
            if part.tag == "MQCI"
        ]


_TABLES = {"SCIN": layout.SCIN, "SFGI": layout.SFGI, "SFIN": layout.SFIN}


def chunks(data: bytes, part: Part) -> Iterator[tuple[str, Fields]]:
    """Yield the chunks of an MQCI stream: their types and fields, and where they stand."""
    at = part.offset + layout.STREAM.size
    end = at + part.length
    while at < end:
        head = layout.CHUNK.unpack(Region(0, data), at)
        tag = head["tag"].decode()
        fields = _TABLES[tag].unpack(Region(0, data), at)
        yield tag, {**fields, "at": at, "length": head["size"]}
        at += head["size"]


def sets_of(data: bytes) -> Iterator[Blocks]:
    """Yield the parts of each set."""
    parts = list(walk(data))
    starts = [number for number, part in enumerate(parts) if part.tag == "SSET"]
    for start, end in pairwise([*starts, len(parts)]):
        yield Blocks(data, parts[start:end])


def as_samples(backup: RealBackup, data: bytes) -> tuple[BackupContent, list[SampleSet]]:
    """Return the content of a backup, and its sets in a form that can be written.

    `data` is the file, or what a compressed one expands to.
    """
    content = read_backup(BytesSource(backup.path.read_bytes()))
    samples = [
        _as_sample(content, number, blocks, backup.facts["sets"][number])
        for number, blocks in enumerate(sets_of(data))
    ]
    return content, samples


def _as_sample(content: BackupContent, number: int, blocks: Blocks, facts: Any) -> SampleSet:
    header, files = content.sets[number]
    if header.collation not in _COLLATIONS:
        header = header.model_copy(update={"collation": None})
    (head, head_files), (tail, _) = blocks.headers()
    before = [file for file in head_files if file["type"] == layout.SFIN_DATA]
    passes = [part.length - 2 for part in blocks.parts if part.tag == "MQDA" and part.length]
    passes += [0] * (2 - len(passes))
    transfer: int = tail["transfer_size"]

    def of_all_families(size: int) -> int:
        """Return a size that makes this family's share that one."""
        if not size:
            return 0
        label = content.label
        return (size - transfer) * label.family_count + label.family_sequence_number * transfer

    return SampleSet(
        header,
        files,
        Background(
            log_chain_origin=tail["log_chain_origin"],
            last_log_backup_lsn=tail["last_log_backup_lsn"],
            previous_fork_lsn=tail["previous_fork_lsn"],
            previous_fork_id=tail["previous_fork_id"],
            base_before_lsn=before[0]["differential_base_lsn"],
            base_before_guid=tail["base_before_guid"],
            provisional=Provisional(*(head[name] for name in Provisional._fields)),
            first_pass_sizes=tuple(file["backup_size_in_bytes"] for file in before),
            database_id=tail["database_id"],
            transfer_size=transfer,
        ),
        file_bytes=(of_all_families(passes[0]),),
        changed_bytes=of_all_families(passes[1]),
        log_ranges=tuple(
            LogRange(
                block["vlf_sequence"],
                block["vlf_offset"],
                block["vlf_length"],
                block["start"],
                block["end"],
                block["vlf_parity"],
                block["vlf_create_lsn"],
            )
            for block in blocks.fields(layout.MSTL, "MSTL")
        ),
        time_zone_quarters=facts["timeZoneOffsetMinutes"] // 15,
        device_name=blocks.text("VOLB", layout.VOLB, "device_name"),
        volume_name=blocks.text("VOLB", layout.VOLB, "volume_name"),
    )
