"""The command `inspect`: what backup files say of themselves, and whether they can be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer import Exit

from backhaul import terminal
from backhaul.header_table import header_table
from backhaul.options import AsJson, Files, Storage
from backhaul.reading import ReadFile, find_inputs, read_input
from shared.backupfile.certainty import likely_of_file, likely_of_header, likely_of_label
from shared.backupset import BackupContent, BackupHeader, Columns, DatabaseFile


def inspect(
    files: Files,
    *,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Show label, headers and file list of backup files, and whether each can be migrated.

    Reads the files themselves, without a server, and little of them however large they are.
    The exit status is 1 if any file cannot be used.
    """
    found, unreadable = find_inputs(files, storage)
    read = [read_input(file) for file in terminal.tracked(found, "Reading backups")]
    read += unreadable
    missing = missing_families(read)
    if as_json:
        documents = [as_document(file, missing.get(file.name, ())) for file in read]
        terminal.print_json({"files": documents})
    else:
        console = terminal.results()
        for file in read:
            shown = header_table(terminal.for_display(file), missing.get(file.name, ()))
            console.print(shown, crop=False)
    raise Exit(int(any(file.verdict for file in read)))


def missing_families(files: Sequence[ReadFile]) -> dict[str, tuple[int, ...]]:
    """Return, by file, the other families of its media set that are not among these files.

    A family counts if it holds the same backup sets: files are used again by later backups.
    """
    families: dict[object, set[int]] = {}
    for file in files:
        if file.content is not None:
            families.setdefault(_backup_of(file.content), set()).add(
                file.content.label.family_sequence_number
            )
    return {
        file.name: tuple(
            n
            for n in range(1, file.content.label.family_count + 1)
            if n not in families[_backup_of(file.content)]
        )
        for file in files
        if file.content is not None
    }


def _backup_of(content: BackupContent) -> object:
    sets = tuple(header.backup_set_guid for header, _ in content.sets)
    return content.label.media_set_id, sets


def as_document(file: ReadFile, missing: Sequence[int] = ()) -> dict[str, Any]:
    """Return the JSON of a file: what the RESTORE statements would show of it, and the verdict."""
    document: dict[str, Any] = {"file": file.name}
    if file.size_bytes is not None:
        document["sizeBytes"] = file.size_bytes
    document["usable"] = file.verdict is None
    if missing:
        document["missingFamilies"] = list(missing)
    if file.verdict is not None:
        document["verdict"] = file.verdict.as_json()
    if file.content is not None:
        document["LABELONLY"] = _columns(file.content.label)
        document["likely"] = likely_of_label(file.content.label)
        document["sets"] = [_set(header, rows) for header, rows in file.content.sets]
    return document


def _set(header: BackupHeader, rows: Sequence[DatabaseFile]) -> dict[str, Any]:
    files = dict.fromkeys(name for row in rows for name in likely_of_file(row, header))
    return {
        "HEADERONLY": {**_columns(header), "BackupTypeDescription": header.backup_type.description},
        "FILELISTONLY": [_columns(row) for row in rows],
        "likely": [*likely_of_header(header), *files],
    }


def _columns(row: Columns) -> dict[str, Any]:
    return row.model_dump(mode="json", by_alias=True, exclude_none=True)
