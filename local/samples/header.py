"""Puts a backup set header into bytes (stream MQCI): the way back of `shared.backupfile.header`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from local.samples.blocks import structure
from shared.backupfile import layout
from shared.backupset import BackupHeader, BackupType, DatabaseFile
from shared.lsn import Lsn

_LETTERS = {number: letter for letter, number in layout.TYPE_LETTERS.items()}
_COLLATIONS = {
    None: bytes(5),
    "SQL_Latin1_General_CP1_CI_AS": bytes.fromhex("0904D00034"),
    "Latin1_General_CI_AS": bytes.fromhex("0904D00000"),
}
_STATUS = {
    "SIMPLE": layout.STATUS_TRUNCATE_LOG,
    "BULK-LOGGED": layout.STATUS_SELECT_INTO,
    "FULL": 0,
}
_NO_GUID = UUID(int=0)
_NO_LSN = Lsn(0)


@dataclass(frozen=True)
class Background:
    """What a header holds of the database beyond the columns of HEADERONLY."""

    log_chain_origin: Lsn = _NO_LSN
    last_log_backup_lsn: Lsn = _NO_LSN
    previous_fork_lsn: Lsn = _NO_LSN
    previous_fork_id: UUID = _NO_GUID
    base_before_guid: UUID = _NO_GUID
    provisional_lsn: Lsn | None = None
    """FirstLSN, LastLSN and CheckpointLSN of the head copy, where they are not the final ones."""


def mqci(
    header: BackupHeader, files: Sequence[DatabaseFile], background: Background, *, final: bool
) -> bytes:
    """Return the stream's data: the tail copy if `final`, else the head copy."""
    major = header.software_version_major
    chunks = [_chunk(b"SCIN", _scin(header, files, background, final))]
    data_files = [file for file in files if file.type != "L"]
    groups: dict[int, list[DatabaseFile]] = {}
    for file in data_files:
        groups.setdefault(file.file_group_id, []).append(file)
    for members in groups.values():
        chunks.append(_chunk(b"SFGI", _sfgi(members[0], major)))
        chunks += [_chunk(b"SFIN", _sfin(file, header)) for file in members]
    chunks += [_chunk(b"SFIN", _sfin(file, header)) for file in files if file.type == "L"]
    return b"".join(chunks)


def _chunk(tag: bytes, body: bytearray) -> bytes:
    body[: layout.CHUNK.size] = layout.CHUNK.pack({"tag": tag, "size": len(body)})
    return bytes(body)


def _columns(model: BackupHeader | DatabaseFile, *but: str) -> dict[str, Any]:
    table = layout.SCIN if isinstance(model, BackupHeader) else layout.SFIN
    names = {field.name for field in table.fields} - set(but)
    return {name: getattr(model, name) for name in names & type(model).model_fields.keys()}


def _scin(
    header: BackupHeader, files: Sequence[DatabaseFile], background: Background, final: bool
) -> bytearray:
    texts = {"database_name": header.database_name, "server_name": header.server_name}
    values = _columns(header, *texts)
    log_files = sum(file.type == "L" for file in files)
    values.update(
        data_file_count=len(files) - log_files,
        log_file_count=log_files,
        type_letter=ord(_LETTERS[header.backup_type]),
        collation=_COLLATIONS[header.collation],
        status_bits=_STATUS[header.recovery_model] | layout.STATUS_PAGE_CHECKSUM,
        differential_base_guid=header.differential_base_guid or _NO_GUID,
        fork_list_lsn=header.last_lsn,
        database_id=7,
        log_chain_origin=background.log_chain_origin,
        last_log_backup_lsn=background.last_log_backup_lsn,
        previous_fork_lsn=background.previous_fork_lsn,
        previous_fork_lsn_again=background.previous_fork_lsn,
        previous_fork_id=background.previous_fork_id,
        previous_fork_id_again=background.previous_fork_id,
        base_before_guid=background.base_before_guid,
    )
    if not final:
        values.update(backup_finish_date=None, backup_size=0)
        if background.provisional_lsn is not None:
            values.update(
                dict.fromkeys(
                    ("first_lsn", "last_lsn", "checkpoint_lsn"), background.provisional_lsn
                )
            )
    body = structure(layout.SCIN, values, texts, _scin_strings(header.software_version_major))
    size = header.compressed_backup_size
    if size is not None:
        extension = layout.SCIN_2008.pack({"compressed_backup_size": size if final else 0})
        start = layout.SCIN_2008.offset_of("compressed_backup_size")
        body[start : layout.SCIN_2008.size] = extension[start:]
    return body


def _scin_strings(major: int) -> int:
    if major < 10:
        return layout.SCIN_STRINGS_2005
    return layout.SCIN_STRINGS_2008 if major == 10 else layout.SCIN_STRINGS_2012


def _sfgi(file: DatabaseFile, major: int) -> bytearray:
    primary = file.file_group_id == 1
    values: Mapping[str, Any] = {
        "flags": layout.SFGI_PRIMARY if primary else 0,
        "file_group_id": file.file_group_id,
        "file_group_guid": _NO_GUID if primary else file.unique_id,
    }
    strings = layout.SFGI_STRINGS_2012 if major > 10 else layout.SFGI_STRINGS_2005
    return structure(layout.SFGI, values, {"file_group_name": file.file_group_name}, strings)


def _sfin(file: DatabaseFile, header: BackupHeader) -> bytearray:
    is_log = file.type == "L"
    texts = {"logical_name": file.logical_name, "physical_name": file.physical_name}
    values = _columns(file, *texts)
    full = header.backup_type is BackupType.DATABASE
    values.update(
        flags=4 | (layout.SFIN_FULL_BACKUP if full and not is_log else 0),
        type=layout.SFIN_LOG if is_log else layout.SFIN_DATA,
        pages=0 if is_log else file.backup_size_in_bytes // layout.PAGE_SIZE,
        growth=1024 * 1024,
        initial_size=file.size,
        max_size_again=file.max_size,
        size_again=file.size,
        first_lsn=header.first_lsn,
        last_lsn=header.last_lsn,
        checkpoint_lsn=header.checkpoint_lsn,
        differential_base_guid=file.differential_base_guid or _NO_GUID,
    )
    return structure(layout.SFIN, values, texts, _sfin_strings(header.software_version_major))


def _sfin_strings(major: int) -> int:
    if major < 10:
        return layout.SFIN_STRINGS_2005
    return layout.SFIN_STRINGS_2008 if major == 10 else layout.SFIN_STRINGS_2012
