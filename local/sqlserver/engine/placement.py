"""Where the files of a restored database go: MOVE, and what stands in the way. Pure.

Files are names only. A folder exists if it is one of those that the instance was set up with.
"""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Iterable, Mapping, Sequence

from local.sqlserver.engine.model import PhysicalFile
from local.sqlserver.errors import Diagnostic, SqlError, diagnostic, refuse
from shared.backupset import DatabaseFile


def comparable(path: str) -> str:
    """Return a path in the form in which two names of one file are equal.

    Windows paths compare without case; a trailing separator of a folder does not count.
    """
    if _is_windows(path):
        return ntpath.normcase(ntpath.normpath(path))
    return posixpath.normpath(path)


def folder_of(path: str) -> str:
    """Return the folder that a path lies in."""
    return ntpath.dirname(path) if _is_windows(path) else posixpath.dirname(path)


def check_moves(
    moves: Sequence[tuple[str, str]], database: str, files: Iterable[DatabaseFile]
) -> dict[str, str]:
    """Return MOVE as a map by casefolded logical name; raises 4353 or 3234."""
    known = {file.logical_name.casefold() for file in files}
    targets: dict[str, str] = {}
    for logical, physical in moves:
        key = logical.casefold()
        if key in targets:
            raise refuse(4353, logical)
        if key not in known:
            raise refuse(3234, logical, database)
        targets[key] = physical
    return targets


def place(
    files: Sequence[DatabaseFile],
    targets: Mapping[str, str],
    directories: Iterable[str],
    taken: Mapping[str, str],
) -> tuple[PhysicalFile, ...]:
    """Return the files where they will lie, or raise every problem of the plan, ending in 3119.

    `taken` maps the comparable paths of other databases' files to the database's name.
    """
    placed = tuple(
        PhysicalFile(
            file_id=file.file_id,
            type=file.type,
            logical_name=file.logical_name,
            physical_name=targets.get(file.logical_name.casefold(), file.physical_name),
            size=file.size,
            max_size=file.max_size,
            data_space_id=file.file_group_id,
            unique_id=file.unique_id,
            create_lsn=file.create_lsn,
            is_read_only=bool(file.is_read_only),
        )
        for file in files
    )
    existing = {comparable(directory) for directory in directories}
    problems: list[Diagnostic] = []
    claimed: dict[str, PhysicalFile] = {}
    for file in placed:
        key = comparable(file.physical_name)
        cause = _obstacle(file.physical_name, existing, taken)
        if cause:
            problems += [cause, diagnostic(3156, file.logical_name, file.physical_name)]
        elif other := claimed.get(key):
            problems.append(
                diagnostic(
                    3176,
                    file.physical_name,
                    file.logical_name,
                    file.file_id,
                    other.logical_name,
                    other.file_id,
                )
            )
        claimed.setdefault(key, file)
    if problems:
        raise SqlError(*problems, diagnostic(3119))
    return placed


def _obstacle(path: str, directories: set[str], taken: Mapping[str, str]) -> Diagnostic | None:
    module = ntpath if _is_windows(path) else posixpath
    folder, name = module.split(path)
    if not module.isabs(path) or not name or len(path) > 260:
        return diagnostic(5105, path)
    if comparable(folder) not in directories:
        return diagnostic(5133, path)
    owner = taken.get(comparable(path))
    return diagnostic(1834, path, owner) if owner is not None else None


def _is_windows(path: str) -> bool:
    return path[1:2] == ":" or path.startswith("\\\\")
