"""The blocks of one backup set: its start, its header at the head, its data and log, its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, repeat

from local.samples import payload
from local.samples.blocks import Bulk, SetBlocks, structure
from local.samples.header import Background, mqci
from local.samples.pages import PageContent, extent
from local.samples.versions import SQL_SERVER_2005, SQL_SERVER_2008, SQL_SERVER_2019
from shared.backupfile import layout
from shared.backupfile.codec import Pair
from shared.backupset import BackupHeader, BackupType, DatabaseFile, MediaLabel
from shared.lsn import Lsn


@dataclass(frozen=True)
class LogRange:
    """The part of one virtual log file that a set holds, in bytes of the log file."""

    vlf_sequence: int
    vlf_offset: int
    vlf_length: int
    start: int
    end: int
    vlf_parity: int = 0x40
    vlf_create_lsn: Lsn | None = None


@dataclass(frozen=True)
class SampleSet:
    """One backup set to write. Its data and its log are those of all media families.

    `file_bytes` has one size per data file, whole extents; their sum is rounded up to the transfer
    size. From 2019 on so many `changed_bytes` of the first file are written a second time. The
    pages of a `blank` set were never formatted: zeros, which are written as holes. With `encrypted`
    they are noise, as under transparent data encryption.
    """

    header: BackupHeader
    files: tuple[DatabaseFile, ...]
    background: Background = field(default_factory=Background)
    file_bytes: tuple[int, ...] = ()
    changed_bytes: int = 0
    log_ranges: tuple[LogRange, ...] = ()
    seed: int = 0
    blank: bool = False
    encrypted: bool = False
    time_zone_quarters: int = 0
    device_name: str = "C:"
    volume_name: str = ""

    @property
    def attributes(self) -> int:
        """Attributes of the SSET."""
        if self.header.backup_type is BackupType.DIFFERENTIAL:
            return layout.SSET_DIFFERENTIAL
        return layout.SSET_COPY_ONLY if self.header.is_copy_only else layout.SSET_NORMAL

    @property
    def passes(self) -> tuple[tuple[int, ...], ...]:
        """The bytes of each data file in each pass over the data."""
        if self.header.software_version_major < SQL_SERVER_2019:
            return (self.file_bytes,)
        return (self.file_bytes, (self.changed_bytes,))


def set_blocks(sample: SampleSet, label: MediaLabel, filemark_size: int, start: int) -> SetBlocks:
    """Return the blocks of a set up to its MSLS, which is not among them."""
    blocks = SetBlocks(filemark_size)
    blocks.open(b"SSET", _sset(sample, start), with_strings=True)
    blocks.close()
    blocks.open(b"VOLB", _volb(sample), with_strings=True)
    blocks.close()
    header_block(blocks, b"MSCI", sample, final=False)
    if sample.header.backup_type is not BackupType.LOG:
        _data_blocks(blocks, sample, label)
    _log_blocks(blocks, sample, label)
    return blocks


def header_block(blocks: SetBlocks, tag: bytes, sample: SampleSet, *, final: bool) -> None:
    """Add the header's head copy (MSCI) or, if `final`, its tail copy (MSLS)."""
    blocks.open(tag, bytearray(layout.MQCI_FIRST_STREAM), with_strings=True)
    data = mqci(sample.header, sample.files, sample.background, final=final)
    blocks.small(b"MQCI", data)
    blocks.close(blocks.unit if final else layout.BLOCK_UNIT)


def _data_blocks(blocks: SetBlocks, sample: SampleSet, label: MediaLabel) -> None:
    """Add the pages of this family; from 2019 on also those that changed meanwhile."""
    transfer = sample.background.transfer_size
    for number, sizes in enumerate(sample.passes, start=1):
        body = layout.MSDA.pack({}) + bytes(layout.MSDA_FIRST_STREAM - layout.MSDA.size)
        blocks.open(b"MSDA", body)
        transfers = payload.shares(-(-sum(sizes) // transfer), label.family_count)
        count = transfers[label.family_sequence_number - 1] * transfer // payload.EXTENT
        if count:
            checkpoint = sample.header.checkpoint_lsn
            if number < len(sample.passes) and sample.background.provisional:
                checkpoint = sample.background.provisional.checkpoint_lsn
            make = partial(_extents, sample, label, sizes, checkpoint)
            attributes = layout.STREAM_VARIABLE | _checksummed(sample)
            blocks.bulk(Bulk(b"MQDA", attributes, count, None if sample.blank else make))
        blocks.small(b"MQDA", b"", layout.STREAM_VARIABLE | layout.STREAM_LAST_PIECE)
        blocks.close()


def _extents(
    sample: SampleSet, label: MediaLabel, sizes: Sequence[int], checkpoint: Lsn
) -> Iterator[bytes]:
    """Yield this family's part of a pass: transfers are dealt out to the families in turn."""
    content = PageContent(
        seed=sample.seed,
        lsn=checkpoint,
        boot=_boot(sample, checkpoint),
        checksums=sample.background.page_checksums,
        encrypted=sample.encrypted,
    )
    file_ids = [file.file_id for file in sample.files if file.type != "L"]
    places: Iterator[tuple[int, int] | None] = (
        (file_id, number)
        for file_id, size in zip(file_ids, sizes)  # noqa: B905 the second pass has one file
        for number in range(size // payload.EXTENT)
    )
    transfer = sample.background.transfer_size // payload.EXTENT
    spare = -sum(sizes) // payload.EXTENT % transfer
    for index, place in enumerate(chain(places, repeat(None, spare))):
        if index // transfer % label.family_count == label.family_sequence_number - 1:
            yield bytes(payload.EXTENT) if place is None else extent(content, *place)


def _boot(sample: SampleSet, checkpoint: Lsn) -> bytes:
    """Return the boot page behind its header: it says what the header says of the database."""
    header, background = sample.header, sample.background
    page = layout.BOOT.pack(
        {
            "database_version": header.database_version,
            "database_version_when_created": header.database_version,
            "database_name": header.database_name.encode("utf-16-le")[:256].ljust(256),
            "database_id": background.database_id,
            "differential_base_lsn": background.base_before_lsn,
            "checkpoint_lsn": checkpoint,
            "family_guid": header.family_guid,
            "recovery_fork_id": header.recovery_fork_id,
            "differential_base_guid": background.base_before_guid,
            "log_chain_origin": background.log_chain_origin,
        }
    )
    return bytes(page[layout.PAGE_HEADER_BYTES :])


def _log_blocks(blocks: SetBlocks, sample: SampleSet, label: MediaLabel) -> None:
    """Add one MSTL per range; all families name the ranges, the first one holds the log."""
    major = sample.header.software_version_major
    first_stream, release = layout.MSTL_FIRST_STREAM_2012, 5
    if major <= SQL_SERVER_2008:
        first_stream, release = layout.MSTL_FIRST_STREAM_2008, 4
    if major == SQL_SERVER_2005:
        first_stream, release = layout.MSTL_FIRST_STREAM_2005, 2
    for part in sample.log_ranges:
        values = {
            "start": part.start,
            "end": part.end,
            "log_file": Pair(first_stream - layout.MSTL_LOG_FILE, layout.MSTL_LOG_FILE),
            "vlf_sequence": part.vlf_sequence,
            "vlf_length": part.vlf_length,
            "vlf_offset": part.vlf_offset,
            "vlf_parity": part.vlf_parity,
            "vlf_create_lsn": part.vlf_create_lsn,
            "unknown_126": release,
        }
        body = layout.MSTL.pack(values)
        blocks.open(b"MSTL", body + bytes(first_stream - len(body)))
        extents = -(-(part.end - part.start) // payload.EXTENT)
        if extents and label.family_sequence_number == 1:
            make = partial(payload.log, extents, sample.seed)
            blocks.bulk(Bulk(b"MQTL", _checksummed(sample), extents, make))
        blocks.close()


def _checksummed(sample: SampleSet) -> int:
    return layout.STREAM_CHECKSUMMED if sample.header.has_backup_checksums else 0


def _sset(sample: SampleSet, start: int) -> bytearray:
    header = sample.header
    values = {
        "attributes": sample.attributes,
        "software_vendor_id": header.software_vendor_id,
        "position": header.position,
        "physical_address": start,
        "backup_start_date": header.backup_start_date,
        "software_version_major": header.software_version_major,
        "software_version_minor": header.software_version_minor,
        "time_zone": sample.time_zone_quarters,
        "backup_set_guid": header.backup_set_guid,
    }
    texts = {
        "backup_name": header.backup_name,
        "backup_description": header.backup_description,
        "user_name": header.user_name,
    }
    return structure(layout.SSET, values, texts, layout.SSET_STRINGS)


def _volb(sample: SampleSet) -> bytearray:
    texts = {
        "device_name": sample.device_name,
        "volume_name": sample.volume_name,
        "machine_name": sample.header.machine_name,
    }
    values = {"media_write_date": sample.header.backup_start_date}
    return structure(layout.VOLB, values, texts, layout.VOLB.size)
