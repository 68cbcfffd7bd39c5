"""Shows what a backup file says of itself, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from backhaul import wording
from backhaul.layout import facts, indented, path, table
from backhaul.reading import ReadFile
from shared.acceptance import RELEASES
from shared.backupset import BackupHeader, DatabaseFile, MediaLabel

_FILE_TYPES = {"D": "data", "L": "log", "F": "full-text", "S": "FILESTREAM"}


def header_table(file: ReadFile, missing: Sequence[int] = ()) -> Group:
    """Return a file's verdict, label, headers and file lists; its text must be harmless.

    `missing` are the families of its media set that are not at hand.
    """
    parts: list[RenderableType] = [path(file.name, "bold")]
    parts.append(facts(_of_file(file, missing)))
    sets = file.content.sets if file.content else ()
    for header, rows in sets:
        if len(sets) > 1:
            parts.append(Text(f"\n  Set {header.position} of {len(sets)}", "bold"))
        parts.append(facts(_of_header(header)))
        parts.extend(("", indented(_database_files(rows))))
    return Group(*parts, "")


def _of_file(file: ReadFile, missing: Sequence[int]) -> Iterator[tuple[str, RenderableType]]:
    if file.verdict is None:
        yield "Verdict", Text("usable", "green")
    else:
        yield "Verdict", Text.assemble((file.verdict.reason_code, "red"), ": ", file.verdict.reason)
        yield "Try", file.verdict.action
    if file.size_bytes is not None:
        yield "Size", _size(file.size_bytes)
    if file.content is not None:
        yield "Media", _media(file.content.label)
    if missing:
        yield "Missing", Text(f"file {', '.join(map(str, missing))} of the media set", "yellow")


def _size(count: int) -> str:
    words, exact = wording.size(count), f"{count:,} bytes"
    return words if words == exact else f"{words} ({exact})"


def _media(label: MediaLabel) -> str:
    family = f"file {label.family_sequence_number} of {label.family_count}"
    name = f" {label.media_name!r}" if label.media_name else ""
    mirrors = f", {label.mirror_count} mirrors" if label.mirror_count > 1 else ""
    compressed = ", compressed" if label.is_compressed else ""
    password = ", with a password" if label.has_password else ""
    return f"{family} of media set {label.media_set_id}{name}{mirrors}{compressed}{password}"


def _of_header(header: BackupHeader) -> Iterator[tuple[str, RenderableType]]:
    copy_only = "copy-only " if header.is_copy_only else ""
    yield "Backup", f"{copy_only}{header.backup_type.label} backup of {header.database_name}"
    if header.backup_name:
        yield "Name", header.backup_name
    if header.backup_description:
        yield "About", header.backup_description
    start, finish = header.backup_start_date, header.backup_finish_date
    yield "Taken", f"{wording.moment(start)} to {wording.moment(finish)} by {header.user_name}"
    yield "Source", _source(header)
    yield "Database", _database(header)
    yield "LSNs", f"{header.first_lsn} (first) to {header.last_lsn} (last)"
    yield "", f"checkpoint {header.checkpoint_lsn}"
    yield "", f"last full backup {header.database_backup_lsn}"
    if header.differential_base_lsn is not None:
        yield "Base", f"{header.differential_base_lsn}, backup set {header.differential_base_guid}"
    yield "Set", str(header.backup_set_guid)
    yield "Family", str(header.family_guid)
    yield "Fork", str(header.recovery_fork_id)
    if flags := _flags(header):
        yield "Flags", ", ".join(flags)


def _source(header: BackupHeader) -> str:
    version = (
        f"{header.software_version_major}.{header.software_version_minor}"
        f".{header.software_version_build}"
    )
    release = RELEASES.get(header.software_version_major, "SQL Server")
    return f"{header.server_name or 'unknown server'}, {release} ({version})"


def _database(header: BackupHeader) -> str:
    collation = f", {header.collation}" if header.collation else ""
    return (
        f"version {header.database_version}, compatibility level {header.compatibility_level},"
        f" recovery model {header.recovery_model}{collation}"
    )


def _flags(header: BackupHeader) -> list[str]:
    said = (
        (header.has_backup_checksums, "checksums"),
        (header.is_damaged, "damaged"),
        (header.is_snapshot, "snapshot"),
        (header.begins_log_chain, "begins the log chain"),
        (header.has_bulk_logged_data, "bulk-logged changes"),
        (header.is_tail_log, "tail of the log"),
        (header.has_incomplete_meta_data, "incomplete metadata"),
        (header.is_read_only, "read-only database"),
        (header.is_single_user, "single-user database"),
    )
    return [words for is_so, words in said if is_so]


def _database_files(rows: tuple[DatabaseFile, ...]) -> Table:
    listed = table("Type", "Logical name", "Size", "Physical name")
    listed.columns[2].justify = "right"
    for row in rows:
        kind = _FILE_TYPES.get(row.type or "", "-")
        listed.add_row(kind, row.logical_name, wording.size(row.size), row.physical_name)
    return listed
