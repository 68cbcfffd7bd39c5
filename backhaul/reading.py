"""Reads backup files from disk and judges them, as the app does when they are uploaded.

Whatever is wrong with a file, or keeps it from being read, is a verdict and never an exception.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.acceptance import Policy, judge
from shared.backupfile import FileSource, read_backup
from shared.backupset import BackupContent
from shared.errors import BackupFileError
from shared.models import Json
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
    return Folder(paths, [(Path(error.filename), _refused(error)) for error in failures])


def name_of(path: Path | str) -> str:
    """Return a path as text; bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def read_file(path: Path, name: str | None = None) -> ReadFile:
    """Read and judge one file; `name` is what to call it."""
    name = name_of(path) if name is None else name
    size: int | None = None
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return ReadFile(name=name, verdict=_not_a_file())
        size = status.st_size
        content = read_backup(FileSource(path))
    except BackupFileError as error:
        verdict = Verdict(reason_code=error.reason_code, reason=error.message, action=error.action)
        return ReadFile(name=name, size_bytes=size, verdict=verdict)
    except OSError as error:
        return ReadFile(name=name, size_bytes=size, verdict=_refused(error))
    read = ReadFile(name=name, size_bytes=size, content=content)
    refusal = judge(content, _POLICY)
    if refusal is None:
        return read
    verdict = Verdict(reason_code=refusal.code.value, reason=refusal.reason, action=refusal.action)
    return read.model_copy(update={"verdict": verdict})


def _refused(error: OSError) -> Verdict:
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
