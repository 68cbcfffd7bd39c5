"""What a server offers to a migration, asked of it before anything is restored.

What the login may not see, or the version does not know, is left out, and then nothing is judged
by it: only the rights are asked of every server.

Source of the views: Microsoft Learn, the page of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.errors import TargetError, TargetUnavailable
from shared.paths import is_windows
from shared.targets import (
    Certificate,
    Conditions,
    ContainerCredential,
    Folder,
    Volume,
    rows,
    tsql,
)
from shared.targets.connection import LazySession
from shared.targets.rows import Row

RIGHTS = """\
SELECT SUSER_SNAME() AS login_name,
       HAS_PERMS_BY_NAME(NULL, NULL, N'CREATE ANY DATABASE') AS may_create,
       HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY CREDENTIAL') AS may_alter_credentials,
       HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY CONNECTION') AS may_end_sessions,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS may_see_all"""

READS_HISTORY = """\
SELECT TOP (1) h.restore_history_id
FROM msdb.dbo.restorehistory AS h
JOIN msdb.dbo.backupset AS s ON s.backup_set_id = h.backup_set_id"""

CERTIFICATES = """\
SELECT name, thumbprint, pvt_key_encryption_type FROM master.sys.certificates"""

ASYMMETRIC_KEYS = """\
SELECT name, thumbprint, pvt_key_encryption_type FROM master.sys.asymmetric_keys"""

FOLDER = "SELECT file_is_a_directory FROM sys.dm_os_file_exists(?)"

VOLUMES_BELOW = """\
SELECT v.volume_mount_point AS mount_point, MIN(v.available_bytes) AS available_bytes
FROM sys.master_files AS f
CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
WHERE LOWER(f.physical_name) LIKE ?
GROUP BY v.volume_mount_point"""

DRIVES = """\
SELECT fixed_drive_path AS mount_point, free_space_in_bytes AS available_bytes
FROM sys.dm_os_enumerate_fixed_drives"""

_NO_PRIVATE_KEY = "NA"
_NO_PERMISSION = frozenset({229, 230, 916})
_ANY = "%"
_WILD = re.compile(r"[\[%_]")
_MOST_FOLDERS = 64


def read_conditions(
    work: LazySession, container_url: str, folders: Sequence[str], why_no_agent: str | None
) -> Conditions:
    """Ask a server what it offers, of at most 64 folders too."""
    rights = _query(work, RIGHTS)[0]
    containers = _query(work, tsql.CONTAINER_SUPPORT)[0]
    return Conditions(
        login=str(rights["login_name"]),
        may_create_databases=bool(rights["may_create"]),
        may_read_history=_may_read_history(work),
        may_alter_credentials=bool(rights["may_alter_credentials"]),
        may_end_sessions=bool(rights["may_end_sessions"]),
        takes_containers=rows.takes_containers(containers),
        folders=_read_folders(work, folders[:_MOST_FOLDERS]),
        certificates=_read_certificates(work) if rights["may_see_all"] else None,
        credential=_read_credential(work, container_url),
        why_no_agent=why_no_agent,
    )


def fitting(path: str, volumes: Iterable[Volume]) -> Volume | None:
    """Return the volume that a folder lies on: that with the longest mount point above it."""
    above = [volume for volume in volumes if _whole(path).startswith(_whole(volume.mount_point))]
    return max(above, key=lambda volume: len(volume.mount_point), default=None)


def certificate(row: Row) -> Certificate:
    """Read a row of `CERTIFICATES` or `ASYMMETRIC_KEYS`."""
    thumbprint = row["thumbprint"]
    return Certificate(
        name=str(row["name"]),
        thumbprint=thumbprint if isinstance(thumbprint, bytes) else b"",
        has_private_key=str(row["pvt_key_encryption_type"]).strip() != _NO_PRIVATE_KEY,
    )


def credential(row: Row) -> ContainerCredential | None:
    """Read a row of `tsql.CREDENTIAL`."""
    changed, now = row["modify_date"], row["server_time"]
    if not isinstance(changed, datetime) or not isinstance(now, datetime):
        return None
    identity = str(row["credential_identity"]).strip()
    return ContainerCredential(
        identity=identity, is_signature=identity.upper() == tsql.SAS_IDENTITY, age=now - changed
    )


def _whole(folder: str) -> str:
    """Return a folder with one separator behind it, as Windows compares paths where it is one."""
    windows = is_windows(folder)
    separator = "\\" if windows else "/"
    return (folder.casefold() if windows else folder).rstrip("\\/") + separator


def _may_read_history(work: LazySession) -> bool:
    """Tell whether what was restored can be seen; asked by trying, for guests of msdb may, too."""
    try:
        _query(work, READS_HISTORY)
    except TargetUnavailable:
        raise
    except TargetError as error:
        return error.number not in _NO_PERMISSION
    return True


def _read_folders(work: LazySession, paths: Sequence[str]) -> tuple[Folder, ...]:
    folders = [_read_folder(work, path) for path in paths]
    if all(folder.is_certain for folder in folders):
        return tuple(folders)
    seen = [_volume(row) for row in (*_try(work, VOLUMES_BELOW, _ANY), *_try(work, DRIVES))]
    return tuple(
        folder
        if folder.is_certain
        else folder.model_copy(update={"volume": fitting(folder.path, seen)})
        for folder in folders
    )


def _read_folder(work: LazySession, path: str) -> Folder:
    """Look at a folder. If files lie in it, it is there, and on their volume."""
    # Not every server ignores case, and the path in the settings need not have that of the file.
    below = _WILD.sub(lambda wild: f"[{wild[0]}]", _whole(path).lower()) + _ANY
    volumes = [_volume(row) for row in _try(work, VOLUMES_BELOW, below)]
    # On Linux a mount point is not always told as a part of the path.
    volume = fitting(path, volumes) or (volumes[0] if len(volumes) == 1 else None)
    exists = True if volumes else _exists(work, path)
    return Folder(path=path, exists=exists, volume=volume, is_certain=volume is not None)


def _exists(work: LazySession, path: str) -> bool | None:
    plain = path if path.endswith((":\\", ":/")) else path.rstrip("\\/") or path
    found = _try(work, FOLDER, plain)
    return bool(found[0]["file_is_a_directory"]) if found else None


def _volume(row: Row) -> Volume:
    return Volume(
        mount_point=str(row["mount_point"]), available_bytes=int(str(row["available_bytes"]))
    )


def _read_certificates(work: LazySession) -> tuple[Certificate, ...]:
    found = [*_query(work, CERTIFICATES), *_try(work, ASYMMETRIC_KEYS)]
    return tuple(certificate(row) for row in found)


def _read_credential(work: LazySession, container_url: str) -> ContainerCredential | None:
    found = _try(work, tsql.CREDENTIAL, tsql.credential_name(container_url))
    return credential(found[0]) if found else None


def _query(work: LazySession, text: str, *parameters: object) -> list[Row]:
    return work.open().query(text, *parameters, doing="reading what the server offers")


def _try(work: LazySession, text: str, *parameters: object) -> list[Row]:
    """Ask what not every version knows, nor every login may see; nothing then."""
    try:
        return _query(work, text, *parameters)
    except TargetUnavailable:
        raise
    except TargetError:
        return []
