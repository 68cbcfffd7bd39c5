"""Folders of the container: which migration a blob belongs to, which database a folder holds. Pure.

A migration owns a folder and everything below it, up to the folders of other migrations. One
folder holds one database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.backupset import BackupSet, BackupType
from shared.lineage import DatabaseKey, group_by_database
from shared.records import SourceDatabase
from shared.restore_rules import flaw_of

# What Ola Hallengren's scripts and their like name the folders of one database.
_KINDS = frozenset({"full", "diff", "log", "full_copy_only", "log_copy_only"})
_ID_CHARACTERS = re.compile(r"[^A-Za-z0-9_.-]+")
_ID_LENGTH = 60
_REHEARSAL = "~rehearsal"


def folder_of(name: str) -> str:
    """Return the folder of a database that a blob lies in, without FULL, DIFF or LOG."""
    *folders, _ = name.split("/")
    if folders and folders[-1].lower() in _KINDS:
        folders.pop()
    return "/".join(folders)


def lies_in(name: str, folder: str) -> bool:
    """Tell whether a blob lies in a folder or below it; the root is the empty folder."""
    return folder == "" or name.startswith(folder + "/")


def below(name: str, folder: str) -> str:
    """Return the path of a blob below a folder."""
    return name.removeprefix(folder + "/") if folder else name


def owner_of(name: str, folders: Iterable[str]) -> str | None:
    """Return the longest of `folders` that a blob lies in, or None."""
    return max((f for f in folders if lies_in(name, f)), key=len, default=None)


def home_of(name: str, folders: Iterable[str]) -> str:
    """Return the folder that a blob is filed under: its owner's, else that of its database."""
    owner = owner_of(name, folders)
    return folder_of(name) if owner is None else owner


def migration_id(folder: str) -> str:
    """Return an id for the migration of a folder: readable, safe in addresses, one per folder."""
    readable = _ID_CHARACTERS.sub("-", folder).strip("-.")[:_ID_LENGTH] or "root"
    if readable == folder:
        return readable
    digest = hashlib.sha256(folder.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable}-{digest}"


def is_migration_id(text: str) -> bool:
    """Tell whether a text can be the id of a migration, or of a rehearsal, at all."""
    return re.fullmatch(rf"[A-Za-z0-9_.-]{{1,80}}(?:{_REHEARSAL})?", text) is not None


def rehearsal_id(migration: str) -> str:
    """Return the id of a migration's rehearsal, which no folder gives to a migration."""
    return migration + _REHEARSAL


def is_rehearsal_id(text: str) -> bool:
    """Tell whether an id is that of a rehearsal."""
    return text.endswith(_REHEARSAL)


class Contents(NamedTuple):
    """The sets of one database of a folder, and those of any others, which are not its own."""

    source: SourceDatabase | None
    own: tuple[BackupSet, ...]
    foreign: tuple[BackupSet, ...]


def sort_contents(
    sets: Sequence[BackupSet], source: SourceDatabase | None, wanted_name: str | None
) -> Contents:
    """Find the database that a folder holds among the sets in it.

    `source` is what an earlier look has settled. Before, the database with the wanted name
    counts, or else the one whose usable full backup was finished first. Without any full backup
    nothing is settled, and every set may be the folder's own.
    """
    groups = group_by_database(sets)
    if source is not None:
        own = next((group for key, group in groups.items() if _is(key, group, source)), ())
    elif (key := _choose(groups, wanted_name)) is not None:
        own = groups[key]
        source = SourceDatabase(
            database_name=key.database_name,
            server_name=key.home,
            family_guid=key.family_guid,
        )
    elif wanted_name is not None:
        own = tuple(s for s in sets if s.database_name == wanted_name)
    else:
        own = tuple(sets)
    mine = {s.backup_set_guid for s in own}
    return Contents(source, own, tuple(s for s in sets if s.backup_set_guid not in mine))


def _is(key: DatabaseKey, group: Sequence[BackupSet], source: SourceDatabase) -> bool:
    if source.family_guid is not None and key.family_guid is not None:
        return source.family_guid == key.family_guid
    return any(
        s.database_name == source.database_name and s.server_name == source.server_name
        for s in group
    )


def _choose(
    groups: dict[DatabaseKey, tuple[BackupSet, ...]], wanted_name: str | None
) -> DatabaseKey | None:
    first_fulls = [
        (min(finished), key)
        for key, group in groups.items()
        if wanted_name is None or any(s.database_name == wanted_name for s in group)
        if (finished := [_finished(s) for s in group if _can_begin(s)])
    ]
    return min(first_fulls)[1] if first_fulls else None


def _can_begin(backup: BackupSet) -> bool:
    flaw = flaw_of(backup)
    return backup.backup_type is BackupType.DATABASE and (
        flaw is None or bool(backup.missing_families)
    )


def _finished(backup: BackupSet) -> tuple[str, str]:
    finish = backup.backup_finish_date
    return finish.isoformat() if finish else "", str(backup.backup_set_guid)
