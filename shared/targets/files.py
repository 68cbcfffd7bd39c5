"""Where the files of a restored database go on the target. Pure.

Names come from the target database alone: paths of the source mean nothing here, and are never
taken apart, since they follow the rules of another machine.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from shared.errors import TargetError

_PRIMARY_FILE_ID = 1
_LOG_FILE_ID = 2
_STEM_UTF16_UNITS = 100
# Linux takes 255 bytes in a name; the rest is left for the hash, file id and extension.
_STEM_UTF8_BYTES = 200
_HASH_LENGTH = 8
_PATH_UTF16_UNITS = 259

_DRIVE = re.compile(r"[A-Za-z]:")
_WINDOWS_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(?:\..*)?", re.IGNORECASE)


class ListedFile(NamedTuple):
    """What RESTORE FILELISTONLY says of a file, as far as its new place depends on it.

    `type` is D data, L log, F full-text, S FILESTREAM or memory-optimised container. `size` is what
    it takes on disk, in bytes.
    """

    logical_name: str
    type: str
    file_id: int
    size: int = 0


class Move(NamedTuple):
    """One MOVE: the file's logical name and its path on the target."""

    logical_name: str
    path: str


def place_files(
    database: str, files: Iterable[ListedFile], *, data_path: str, log_path: str
) -> tuple[Move, ...]:
    """Return where each file goes: logs to `log_path`, everything else to `data_path`.

    The two are the server's default folders, with or without a separator at the end. Two
    databases never share a path, nor do two files of one database.
    """
    stem = file_stem(database)
    return tuple(
        Move(
            file.logical_name,
            _join(log_path if file.type == "L" else data_path, stem + _suffix(file)),
        )
        for file in files
    )


def undo_file(database: str, folder: str) -> str:
    """Return where STANDBY undoes to what is not committed: a file of the database's own."""
    return _join(folder, f"{file_stem(database)}.undo")


def file_stem(database: str) -> str:
    """Return a file name for a database, without extension, legal on Windows and on Linux.

    Letters and digits of any script, blank, dot, dash and underscore stay. If anything had to
    change, a hash of the whole name keeps `a:b` and `a?b` apart.
    """
    kept = "".join(character if _is_plain(character) else "_" for character in database)
    stem = _cut(kept.strip(" .")).rstrip(" .")
    if _WINDOWS_DEVICE.fullmatch(stem):
        stem = f"_{stem}"
    if stem == database:
        return stem
    digest = hashlib.sha256(database.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{stem}_{digest[:_HASH_LENGTH]}" if stem else digest[:_HASH_LENGTH]


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    return character in " .-_" or category[0] in "LM" or category == "Nd"


def _cut(text: str) -> str:
    units = size_bytes = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        size_bytes += len(character.encode("utf-8", "surrogatepass"))
        if units > _STEM_UTF16_UNITS or size_bytes > _STEM_UTF8_BYTES:
            return text[:index]
    return text


def _suffix(file: ListedFile) -> str:
    """Return what sets a file apart from the others of its database.

    Every suffix can be told from the end of a name, so `x` + suffix and `x_3` + suffix differ.
    """
    if file.type == "L":
        return "_log.ldf" if file.file_id == _LOG_FILE_ID else f"_log_{file.file_id}.ldf"
    if file.type == "D":
        return ".mdf" if file.file_id == _PRIMARY_FILE_ID else f"_{file.file_id}.ndf"
    if file.type in ("F", "S"):
        return f"_{file.file_id}.{'ft' if file.type == 'F' else 'fs'}"
    raise TargetError(
        f"file {file.file_id} of the backup is of type {file.type[:8]!r}, not D, L, F or S",
        action="Report this backup: its kind of file is not known.",
    )


def _join(folder: str, name: str) -> str:
    if not folder:
        raise TargetError(
            "the server names no default folder for database files",
            action="Set the default data and log folders in the server's properties.",
        )
    separator = "\\" if "\\" in folder or _DRIVE.match(folder) else "/"
    path = folder.rstrip("\\/") + separator + name
    units = len(path.encode("utf-16-le", "surrogatepass")) // 2
    if units > _PATH_UTF16_UNITS:
        raise TargetError(
            f"the path of a database file has {units} UTF-16 code units, at most "
            f"{_PATH_UTF16_UNITS} are possible: {path!r}",
            action="Choose a shorter default folder on the server, or a shorter database name.",
        )
    return path
