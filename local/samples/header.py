"""Puts a backup set header into bytes (stream MQCI): the way back of `shared.backupfile.header`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from local.samples.blocks import structure
from local.samples.versions import SQL_SERVER_2005, SQL_SERVER_2008, SQL_SERVER_2022
from shared.backupfile import layout
from shared.backupfile.codec import Layout
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
FULL_TYPES = {BackupType.DATABASE, BackupType.FILE, BackupType.PARTIAL}
_NO_GUID = UUID(int=0)
_NO_LSN = Lsn(0)
_UNLIMITED = 35184372080640


class Provisional(NamedTuple):
    """LSNs of the head copy of a header, from before the backup was over."""

    first_lsn: Lsn
    last_lsn: Lsn
    checkpoint_lsn: Lsn
    last_log_backup_lsn: Lsn
    log_chain_origin: Lsn


@dataclass(frozen=True)
class Background:
    """What a header holds of the database beyond the columns of HEADERONLY.

    `base_before` is the differential base when the backup began.
    """

    log_chain_origin: Lsn = _NO_LSN
    last_log_backup_lsn: Lsn = _NO_LSN
    previous_fork_lsn: Lsn = _NO_LSN
    previous_fork_id: UUID = _NO_GUID
    base_before_lsn: Lsn = _NO_LSN
    base_before_guid: UUID = _NO_GUID
    provisional: Provisional | None = None
    first_pass_sizes: tuple[int, ...] = ()
    """BackupSizeInBytes of the data files in the head copy; empty where the tail says the same."""
    database_id: int = 7
    page_checksums: bool = True
    transfer_size: int = 0x10000


def mqci(
    header: BackupHeader, files: Sequence[DatabaseFile], background: Background, *, final: bool
) -> bytes:
    """Return the stream's data: the tail copy if `final`, else the head copy."""
    copy = _Copy(header, background, final)
    chunks = [_chunk(b"SCIN", copy.scin(files))]
    data_files = list(copy.sized(file for file in files if file.type != "L"))
    groups = {file.file_group_id: file for file in reversed(data_files)}
    chunks += [_chunk(b"SFGI", copy.sfgi(groups[number])) for number in sorted(groups)]
    log_files = [file for file in files if file.type == "L"]
    chunks += [_chunk(b"SFIN", copy.sfin(file)) for file in (*data_files, *log_files)]
    return b"".join(chunks)


def _chunk(tag: bytes, body: bytearray) -> bytes:
    body[: layout.CHUNK.size] = layout.CHUNK.pack({"tag": tag, "size": len(body)})
    return bytes(body)


class _Copy:
    """One of the two copies of a header."""

    def __init__(self, header: BackupHeader, background: Background, final: bool) -> None:
        self._header = header
        self._background = background
        self._final = final
        self._major = header.software_version_major
        lsns = background.provisional
        if final or lsns is None:
            lsns = Provisional(
                header.first_lsn,
                header.last_lsn,
                header.checkpoint_lsn,
                background.last_log_backup_lsn,
                background.log_chain_origin,
            )
        self._lsns = {
            "first_lsn": lsns.first_lsn,
            "last_lsn": lsns.last_lsn,
            "checkpoint_lsn": lsns.checkpoint_lsn,
        }
        self._history = {
            "log_chain_origin": lsns.log_chain_origin,
            "last_log_backup_lsn": lsns.last_log_backup_lsn,
            "fork_list_lsn": lsns.last_lsn,
            "recovery_fork_id": header.recovery_fork_id,
            "previous_fork_lsn": background.previous_fork_lsn,
            "previous_fork_lsn_again": background.previous_fork_lsn,
            "previous_fork_id": background.previous_fork_id,
            "previous_fork_id_again": background.previous_fork_id,
        }

    def sized(self, data_files: Iterable[DatabaseFile]) -> Iterable[DatabaseFile]:
        """Return the data files with their sizes in this copy."""
        sizes = self._background.first_pass_sizes
        if self._final or not sizes:
            return data_files
        return (
            file.model_copy(update={"backup_size_in_bytes": size})
            for file, size in zip(data_files, sizes, strict=True)
        )

    def scin(self, files: Sequence[DatabaseFile]) -> bytearray:
        header, background = self._header, self._background
        texts = {"database_name": header.database_name, "server_name": header.server_name}
        log_files = sum(file.type == "L" for file in files)
        values = _columns(header, layout.SCIN, *texts) | self._lsns | self._history
        values.update(
            data_file_count=len(files) - log_files,
            log_file_count=log_files,
            unknown_28=0 if self._major <= SQL_SERVER_2005 else 9,
            type_letter=ord(_LETTERS[header.backup_type]),
            collation=_COLLATIONS[header.collation],
            status_bits=_STATUS[header.recovery_model]
            | (layout.STATUS_PAGE_CHECKSUM if background.page_checksums else 0),
            differential_base_guid=header.differential_base_guid or _NO_GUID,
            database_id=background.database_id,
            transfer_size=background.transfer_size,
            base_before_guid=background.base_before_guid,
        )
        if not self._final:
            values["backup_finish_date"] = None
        body = structure(
            layout.SCIN,
            values,
            texts,
            self._since(
                layout.SCIN_STRINGS_2005, layout.SCIN_STRINGS_2008, layout.SCIN_STRINGS_2012
            ),
        )
        size = header.compressed_backup_size
        if size is not None:
            # Before the data is compressed, nobody knows.
            size = size if self._final else header.backup_size
            _lay_over(body, layout.SCIN_2008, {"compressed_backup_size": size})
        if self._major >= SQL_SERVER_2022:
            _lay_over(body, layout.SCIN_2022, {})
        elif self._major > SQL_SERVER_2008:
            _lay_over(body, layout.SCIN_2012, {})
        return body

    def sfgi(self, file: DatabaseFile) -> bytearray:
        primary = file.file_group_id == 1
        values = {
            "flags": layout.SFGI_PRIMARY if primary else 0,
            "file_group_id": file.file_group_id,
            "file_group_guid": _NO_GUID if primary else file.unique_id,
        }
        strings = self._since(
            layout.SFGI_STRINGS_2005, layout.SFGI_STRINGS_2005, layout.SFGI_STRINGS_2012
        )
        body = structure(layout.SFGI, values, {"file_group_name": file.file_group_name}, strings)
        if primary and self._major > SQL_SERVER_2008:
            _lay_over(body, layout.SFGI_2012, self._lsns | self._history)
        return body

    def sfin(self, file: DatabaseFile) -> bytearray:
        is_log = file.type == "L"
        texts = {"logical_name": file.logical_name, "physical_name": file.physical_name}
        values = _columns(file, layout.SFIN, *texts) | self._lsns
        full = self._header.backup_type in FULL_TYPES
        size = file.backup_size_in_bytes if self._final or not is_log else 0
        values.update(
            flags=4 | (layout.SFIN_FULL_BACKUP if full and not is_log else 0),
            type=layout.SFIN_LOG if is_log else layout.SFIN_DATA,
            pages=size // layout.PAGE_SIZE & 0xFFFFFFFF,
            backup_size_in_bytes=size,
            growth=1024 * 1024,
            initial_size=file.size,
            max_size_again=_UNLIMITED,
            size_again=file.size,
            differential_base_guid=file.differential_base_guid or _NO_GUID,
        )
        if full and not is_log and not self._final:
            values["differential_base_lsn"] = self._background.base_before_lsn
            values["differential_base_guid"] = self._background.base_before_guid
        strings = self._since(
            layout.SFIN_STRINGS_2005, layout.SFIN_STRINGS_2008, layout.SFIN_STRINGS_2012
        )
        return structure(layout.SFIN, values, texts, strings)

    def _since(self, of_2005: int, of_2008: int, of_2012: int) -> int:
        """Return where strings begin in this version."""
        if self._major <= SQL_SERVER_2005:
            return of_2005
        return of_2008 if self._major == SQL_SERVER_2008 else of_2012


def _columns(model: BackupHeader | DatabaseFile, table: Layout, *but: str) -> dict[str, Any]:
    names = {field.name for field in table.fields} - set(but)
    return {name: getattr(model, name) for name in names & type(model).model_fields.keys()}


def _lay_over(body: bytearray, table: Layout, values: dict[str, Any]) -> None:
    """Put the fields of a later version into a structure."""
    start = table.fields[0].offset
    body[start : table.size] = table.pack(values)[start:]
