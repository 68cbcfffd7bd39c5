"""The backup set header (stream MQCI of MSLS): RESTORE HEADERONLY and FILELISTONLY from bytes.

The stream is a chain of chunks {four letters, u32 size}: one SCIN for the set, one SFGI per
filegroup, one SFIN per file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from shared.backupfile import faults, layout
from shared.backupfile.blocks import DESCRIPTION_LIMIT, NAME_LIMIT, Block
from shared.backupfile.codec import Pair, Region, letters, text
from shared.backupfile.collation import collation_name
from shared.backupset import BackupHeader, BackupType, DatabaseFile

PATH_LIMIT = 1024
"""UTF-16 units of a physical name; SQL Server allows 260."""

CHUNK_LIMIT = 32768
"""The most chunks of one header; SQL Server allows 32,767 files in a database."""

_DIFFERENTIALS = {
    BackupType.DIFFERENTIAL,
    BackupType.DIFFERENTIAL_FILE,
    BackupType.DIFFERENTIAL_PARTIAL,
}
_FILE_TYPES = {layout.SFIN_DATA: "D", layout.SFIN_LOG: "L"}
_NO_GUID = UUID(int=0)


class Chunk(NamedTuple):
    """One chunk of the chain, with where it begins in the file."""

    tag: bytes
    body: Region


def parse_header(
    mqci: Region, sset: Block, machine_name: str | None, *, compressed: bool
) -> tuple[BackupHeader, tuple[DatabaseFile, ...]]:
    """Return the header and the file list of a set from its MQCI stream and its SSET."""
    chunks = list(_chunks(mqci))
    if not chunks or chunks[0].tag != b"SCIN":
        seen = letters(chunks[0].tag) if chunks else "no chunk"
        raise faults.damaged(
            "first chunk of the backup set header", mqci.start, seen, letters(b"SCIN")
        )
    groups: dict[int, str | None] = {}
    files: list[DatabaseFile] = []
    for chunk in chunks:
        if chunk.tag == b"SFGI":
            group = layout.SFGI.unpack(chunk.body)
            groups[group["file_group_id"]] = text(
                chunk.body, 0, group["file_group_name"], NAME_LIMIT, "filegroup name"
            )
        elif chunk.tag == b"SFIN":
            files.append(_database_file(chunk.body, groups))
    header = _backup_header(chunks[0].body, sset, machine_name, compressed=compressed)
    return header, tuple(files)


def _chunks(mqci: Region) -> Iterator[Chunk]:
    at, end = 0, len(mqci.data)
    for _ in range(CHUNK_LIMIT):
        if at == end:
            return
        head = layout.CHUNK.unpack(mqci, at)
        size = head["size"]
        if not layout.CHUNK.size < size <= end - at:
            raise faults.damaged(
                f"size of chunk {letters(head['tag'])}",
                mqci.start + at,
                size,
                f"more than {layout.CHUNK.size}, at most {end - at}",
            )
        yield Chunk(head["tag"], Region(mqci.start + at, mqci.data[at : at + size]))
        at += size
    raise faults.damaged(
        "chunks of the backup set header", mqci.start, "more", f"at most {CHUNK_LIMIT}"
    )


def _backup_header(
    scin: Region, sset: Block, machine_name: str | None, *, compressed: bool
) -> BackupHeader:
    fields = layout.SCIN.unpack(scin)
    first = sset.fields(layout.SSET)
    backup_type = _backup_type(scin, chr(fields["type_letter"]))
    database_name = text(scin, 0, fields["database_name"], NAME_LIMIT, "database name")
    if database_name is None:
        raise faults.damaged("database name", scin.start, "no name", "one")
    columns = {name: fields[name] for name in fields.keys() & BackupHeader.model_fields.keys()}
    differential = backup_type in _DIFFERENTIALS
    columns.update(
        backup_name=sset.text(first["backup_name"], "backup name"),
        backup_description=sset.text(
            first["backup_description"], "backup description", DESCRIPTION_LIMIT
        ),
        backup_type=backup_type,
        compressed=compressed,
        position=first["position"],
        user_name=sset.text(first["user_name"], "user name"),
        server_name=text(scin, 0, fields["server_name"], NAME_LIMIT, "server name"),
        machine_name=machine_name,
        database_name=database_name,
        software_vendor_id=first["software_vendor_id"],
        backup_set_guid=first["backup_set_guid"],
        collation=collation_name(fields["collation"]),
        begins_log_chain=(
            backup_type is BackupType.LOG and fields["first_lsn"] == fields["log_chain_origin"]
        ),
        recovery_model=_recovery_model(fields["status_bits"]),
        # A differential with several bases names none here: zero, which is NULL.
        differential_base_lsn=(fields["differential_base_lsn"] or None) if differential else None,
        differential_base_guid=_guid(fields["differential_base_guid"]) if differential else None,
        compressed_backup_size=_compressed_size(scin, fields),
        **{column: bool(fields["flags"] & bit) for column, bit in layout.FLAG_COLUMNS.items()},
        **_forks(fields, backup_type),
    )
    if first["attributes"] & layout.SSET_COPY_ONLY:
        columns["is_copy_only"] = True
    return BackupHeader(**columns)


def _backup_type(scin: Region, letter: str) -> BackupType:
    if letter in layout.TYPE_LETTERS:
        return BackupType(layout.TYPE_LETTERS[letter])
    offset = scin.start + layout.SCIN.offset_of("type_letter")
    raise faults.unsupported(
        f"the header names a backup type that is not known: {letter!a} at offset {offset}, "
        f"expected one of {', '.join(layout.TYPE_LETTERS)}",
        "Take a full, differential or log backup.",
        offset,
    )


def _compressed_size(scin: Region, fields: Mapping[str, Any]) -> int | None:
    """Return CompressedBackupSize, which SQL Server 2005 does not have: strings stand there."""
    if fields["database_name"].offset < layout.SCIN_2008.size:
        return None
    size: int = layout.SCIN_2008.unpack(scin)["compressed_backup_size"]
    return size


def _recovery_model(status: int) -> str:
    """Return RecoveryModel from the legacy status bits (sysdatabases.status)."""
    if status & layout.STATUS_TRUNCATE_LOG:
        return "SIMPLE"
    return "BULK-LOGGED" if status & layout.STATUS_SELECT_INTO else "FULL"


def _forks(fields: Mapping[str, Any], backup_type: BackupType) -> dict[str, Any]:
    """Return the fork at the start of the set, and where it changes.

    The header names the present fork, the one before it, and the LSN where the present one left
    it; a set whose range lies on one side of that LSN knows one fork only. (Microsoft Learn,
    RESTORE HEADERONLY, FirstRecoveryForkID and ForkPointLSN.) The first log of a fork begins right
    at that LSN, and leads there from the old fork as well, or no log could follow what the source
    was restored from. A range that ends before the fork point contradicts this, so then nothing is
    claimed.
    """
    point, first, last = fields["previous_fork_lsn"], fields["first_lsn"], fields["last_lsn"]
    begins_there = point == first and backup_type is BackupType.LOG
    if point <= first and not begins_there:
        return {"first_recovery_fork_id": fields["recovery_fork_id"], "fork_point_lsn": None}
    if point < last:
        return {
            "first_recovery_fork_id": _guid(fields["previous_fork_id"]),
            "fork_point_lsn": point,
        }
    return {}


def _guid(guid: UUID) -> UUID | None:
    return None if guid == _NO_GUID else guid


def _database_file(sfin: Region, groups: Mapping[int, str | None]) -> DatabaseFile:
    fields = layout.SFIN.unpack(sfin)
    columns = {name: fields[name] for name in fields.keys() & DatabaseFile.model_fields.keys()}
    columns.update(
        logical_name=_required(sfin, fields["logical_name"], NAME_LIMIT, "logical file name"),
        physical_name=_required(sfin, fields["physical_name"], PATH_LIMIT, "physical file name"),
        type=_FILE_TYPES.get(fields["type"]),
        file_group_name=groups.get(fields["file_group_id"]),
        differential_base_guid=_guid(fields["differential_base_guid"]),
    )
    return DatabaseFile(**columns)


def _required(region: Region, pair: Pair, limit: int, what: str) -> str:
    value = text(region, 0, pair, limit, what)
    if value is None:
        raise faults.damaged(what, region.start, "no name", "one")
    return value
