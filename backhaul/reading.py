"""Reads backup files and judges them, as the app does when they are uploaded.

Whatever is wrong with a file, or keeps it from being read, is a verdict and never an exception.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from shared.acceptance import Policy, judge
from shared.backupfile import ByteSource, FileSource, read_backup
from shared.backupset import BackupContent
from shared.errors import BackhaulError, BackupFileError, StorageError
from shared.json_model import Json
from shared.settings import Settings

NOT_READABLE = "FileNotReadable"
"""Reason code for what the operating system refuses; the others are those of the status."""

_POLICY = Policy(Settings.model_fields["oldest_database_version"].default)


class Verdict(Json):
    """Why a file cannot be used, and what to do about it."""

    reason_code: str
    reason: str
    action: str


class ReadFile(BaseModel):
    """One file: what it says of itself, and the verdict, None if it can be used.

    `name` is the path with bytes that are no text as escapes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_bytes: int | None = None
    content: BackupContent | None = None
    verdict: Verdict | None = None


class Folder(NamedTuple):
    """The files below a folder, and the folders that cannot be listed, each with the verdict."""

    paths: list[Path]
    unreadable: list[tuple[Path, Verdict]]


def list_folder(folder: Path) -> Folder:
    """List the files below a folder, at any depth, by name; links to folders are not followed."""
    paths: list[Path] = []
    failures: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=failures.append):
        folders.sort()
        paths.extend(Path(parent, name) for name in sorted(names))
    return Folder(paths, [(Path(error.filename), refused(error)) for error in failures])


def name_of(path: Path | str) -> str:
    """Return a path as text; bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Input(Protocol):
    """Something that may be a backup. `name` is what to call it."""

    @property
    def name(self) -> str:
        """A path or an address."""
        ...

    def open(self) -> ByteSource:
        """Return its bytes; raises OSError or StorageError."""
        ...


class _NoRegularFile(OSError):
    """A device, a pipe, a socket: what cannot be read at any place."""


class FileInput(NamedTuple):
    """A file on disk."""

    name: str
    path: Path

    def open(self) -> ByteSource:
        """Return its bytes; raises OSError."""
        if not stat.S_ISREG(self.path.stat().st_mode):
            raise _NoRegularFile(self.name)
        return FileSource(self.path)


def read_file(path: Path, name: str | None = None) -> ReadFile:
    """Read and judge one file; `name` is what to call it."""
    return read_input(FileInput(name_of(path) if name is None else name, path))


def read_input(given: Input) -> ReadFile:
    """Read and judge what may be a backup."""
    name, size = given.name, None
    try:
        source = given.open()
        size = source.size
        content = read_backup(source)
    except BackupFileError as error:
        verdict = Verdict(reason_code=error.reason_code, reason=error.message, action=error.action)
        return ReadFile(name=name, size_bytes=size, verdict=verdict)
    except (OSError, StorageError) as error:
        return ReadFile(name=name, size_bytes=size, verdict=refused(error))
    read = ReadFile(name=name, size_bytes=size, content=content)
    refusal = judge(content, _POLICY)
    if refusal is None:
        return read
    verdict = Verdict(reason_code=refusal.code.value, reason=refusal.reason, action=refusal.action)
    return read.model_copy(update={"verdict": verdict})


def find_inputs(
    given: Sequence[str], connection_string: str | None
) -> tuple[list[Input], list[ReadFile]]:
    """Return what the paths and addresses name, and what of it cannot be listed.

    Folders and containers are walked at any depth. Raises BackhaulError if they hold nothing.
    """
    found: list[Input] = []
    unreadable: list[ReadFile] = []
    for text in given:
        if is_address(text):
            _find_blobs(text, connection_string, found, unreadable)
        elif (path := Path(text)).is_dir():
            below = list_folder(path)
            found.extend(FileInput(name_of(file), file) for file in below.paths)
            unreadable.extend(ReadFile(name=name_of(f), verdict=why) for f, why in below.unreadable)
        else:
            found.append(FileInput(name_of(path), path))
    if not found and not unreadable:
        raise BackhaulError(
            f"no file is below {', '.join(map(name_of, given))}",
            action="name a folder with backups",
        )
    return found, unreadable


def _find_blobs(
    text: str, connection_string: str | None, found: list[Input], unreadable: list[ReadFile]
) -> None:
    # Here and not at the top: Azure's packages take half a second, and files do without.
    from backhaul.blobs import list_blobs, parse_address

    address = parse_address(text)
    try:
        found.extend(list_blobs(address, connection_string))
    except StorageError as error:
        unreadable.append(ReadFile(name=str(address), verdict=refused(error)))


def is_address(text: str) -> bool:
    """Tell the address of a blob from a path."""
    return text.lower().startswith(("https://", "http://"))


def refused(error: OSError | StorageError) -> Verdict:
    """Return the verdict on what the system or storage does not let us read."""
    if isinstance(error, _NoRegularFile):
        return _not_a_file()
    if isinstance(error, StorageError):
        return Verdict(
            reason_code=NOT_READABLE,
            reason=f"{error.message}.",
            action=error.action or "Try again.",
        )
    return Verdict(
        reason_code=NOT_READABLE,
        reason=f"It cannot be read: {error.strerror or error}.",
        action="Check the path and the permissions.",
    )


def _not_a_file() -> Verdict:
    return Verdict(
        reason_code=NOT_READABLE,
        reason="It is no regular file but a device, a pipe or a socket.",
        action="Name a backup file or a folder of them.",
    )
