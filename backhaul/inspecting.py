"""The command `inspect`: what backup files say of themselves, and whether they can be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Exit

from backhaul import terminal
from backhaul.header_table import header_table
from backhaul.options import AsJson
from backhaul.reading import ReadFile, list_folder, name_of, read_file
from shared.backupset import BackupHeader, Columns
from shared.errors import BackhaulError


def inspect(
    files: Annotated[
        list[Path], Argument(metavar="FILE", help="Backup files, or folders of them.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show label, headers and file list of backup files, and whether each can be migrated.

    Reads the files themselves, without a server, and little of them however large they are.
    The exit status is 1 if any file cannot be used.
    """
    read = _read(files)
    if as_json:
        terminal.print_json({"files": [as_document(file) for file in read]})
    else:
        console = terminal.results()
        for file in read:
            console.print(header_table(terminal.for_display(file)), crop=False)
    raise Exit(int(any(file.verdict for file in read)))


def _read(given: Sequence[Path]) -> list[ReadFile]:
    """Read the files given, and those below the folders given."""
    paths: list[Path] = []
    unreadable: list[ReadFile] = []
    for path in given:
        if path.is_dir():
            below = list_folder(path)
            paths.extend(below.paths)
            unreadable.extend(
                ReadFile(name=name_of(folder), verdict=why) for folder, why in below.unreadable
            )
        else:
            paths.append(path)
    read = [read_file(path) for path in terminal.tracked(paths, "Reading backups")]
    if not read and not unreadable:
        raise BackhaulError(
            f"no file is below {', '.join(map(name_of, given))}",
            action="name a folder with backups",
        )
    return [*read, *unreadable]


def as_document(file: ReadFile) -> dict[str, Any]:
    """Return the JSON of a file: what the RESTORE statements would show of it, and the verdict."""
    document: dict[str, Any] = {"file": file.name}
    if file.size_bytes is not None:
        document["sizeBytes"] = file.size_bytes
    document["usable"] = file.verdict is None
    if file.verdict is not None:
        document["verdict"] = file.verdict.as_json()
    if file.content is not None:
        document["LABELONLY"] = _columns(file.content.label)
        document["sets"] = [
            {"HEADERONLY": _header(header), "FILELISTONLY": [_columns(row) for row in rows]}
            for header, rows in file.content.sets
        ]
    return document


def _columns(row: Columns) -> dict[str, Any]:
    return row.model_dump(mode="json", by_alias=True, exclude_none=True)


def _header(header: BackupHeader) -> dict[str, Any]:
    return {**_columns(header), "BackupTypeDescription": header.backup_type.description}
