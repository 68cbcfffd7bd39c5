"""Whether a backup file may be used at all, judged from its own header. Pure; one rule a function.

Which of the acceptable backups are restored, and in which order, is decided in `chain`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.backupset import BackupContent, BackupHeader, BackupType, MediaLabel
from shared.records import Refusal
from shared.targets import ServerHeader
from shared.vocabulary import InvalidReason

SYSTEM_DATABASES = frozenset({"master", "model", "msdb", "tempdb", "distribution", "resource"})

RELEASES = {
    8: "SQL Server 2000",
    9: "SQL Server 2005",
    10: "SQL Server 2008",
    11: "SQL Server 2012",
    12: "SQL Server 2014",
    13: "SQL Server 2016",
    14: "SQL Server 2017",
    15: "SQL Server 2019",
    16: "SQL Server 2022",
    17: "SQL Server 2025",
}


class Policy(NamedTuple):
    """What the deployment accepts, in internal database versions (655 is SQL Server 2008)."""

    oldest_database_version: int


Rule = Callable[[BackupHeader, MediaLabel, Policy], "Refusal | None"]


def judge(content: BackupContent, policy: Policy) -> Refusal | None:
    """Return why a file cannot be used, or None if it can. The first rule that objects counts."""
    if refusal := _refuse_wrong_count(content):
        return refusal
    header = content.sets[0][0]
    return next(
        (refusal for rule in RULES if (refusal := rule(header, content.label, policy))), None
    )


def judge_name(name: str) -> Refusal | None:
    """Return why a blob's name alone keeps it from being used, or None.

    Clients take `.` and `..` out of an address before they send it (RFC 3986, section 5.2.4), so
    such a name cannot be asked for: neither by this app nor by the target.
    """
    if not {".", ".."} & set(name.split("/")):
        return None
    return Refusal(
        code=InvalidReason.NAME_NOT_ALLOWED,
        reason=f"The name {name!r} has a part that is only dots; no client can address it.",
        action="Upload the file again under a name without such parts.",
    )


def _refuse_wrong_count(content: BackupContent) -> Refusal | None:
    if not content.sets:
        return Refusal(
            code=InvalidReason.NOT_A_BACKUP,
            reason="The file has a media header but no backup set: a backup was begun here and"
            " nothing was written.",
            action="Upload a finished backup; this file can be deleted.",
        )
    if len(content.sets) == 1:
        return None
    kinds = Counter(header.backup_type.label for header, _ in content.sets)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return Refusal(
        code=InvalidReason.APPENDED_BACKUPS,
        reason=f"The file holds {len(content.sets)} backup sets ({listed}), it must hold one.",
        action="Write each backup to a file of its own: WITH INIT, or a fresh file name.",
    )


def refuse_unsupported_type(
    header: BackupHeader, label: MediaLabel, policy: Policy
) -> Refusal | None:
    """Only whole databases and logs can be restored in sequence to a new server."""
    supported = (BackupType.DATABASE, BackupType.DIFFERENTIAL, BackupType.LOG)
    if header.is_snapshot:
        what = "a snapshot backup"
    elif label.mirror_count > 1:
        what = f"one of {label.mirror_count} mirrors of a media set"
    elif header.backup_type not in supported:
        what = f"a {header.backup_type.label} backup"
    else:
        return None
    return Refusal(
        code=InvalidReason.UNSUPPORTED_BACKUP_TYPE,
        reason=f"This is {what} of {header.database_name!r}; only full, differential and log"
        " backups of whole databases can be migrated.",
        action="Take a full backup with BACKUP DATABASE ... TO DISK (or URL), without MIRROR TO,"
        " FILE or FILEGROUP.",
    )


def refuse_damaged(header: BackupHeader, label: MediaLabel, policy: Policy) -> Refusal | None:
    """A backup taken of a damaged database WITH CONTINUE_AFTER_ERROR; a server raises 3182."""
    if not header.is_damaged:
        return None
    return Refusal(
        code=InvalidReason.BACKUP_DAMAGED,
        reason=f"The header says that {header.database_name!r} was damaged when this backup was"
        " taken (a restore would fail with error 3182).",
        action="Repair the source (DBCC CHECKDB) and take a new backup.",
    )


def refuse_reversed_range(
    header: BackupHeader, label: MediaLabel, policy: Policy
) -> Refusal | None:
    """Log is written forwards; a header that says otherwise is damaged or forged."""
    if header.first_lsn <= header.last_lsn:
        return None
    return Refusal(
        code=InvalidReason.HEADER_UNREADABLE,
        reason=f"The header contradicts itself: FirstLSN {header.first_lsn} lies behind LastLSN"
        f" {header.last_lsn}.",
        action="Compare the file with the one on the source; upload it again or take a new backup.",
    )


def refuse_system_database(
    header: BackupHeader, label: MediaLabel, policy: Policy
) -> Refusal | None:
    """System databases belong to their server; a server raises 3168."""
    if header.database_name.lower() not in SYSTEM_DATABASES:
        return None
    return Refusal(
        code=InvalidReason.SYSTEM_DATABASE,
        reason=f"{header.database_name!r} is a system database; it belongs to its server and"
        " cannot be migrated (a restore would fail with error 3168).",
        action="Migrate user databases; script logins, jobs and settings instead.",
    )


def refuse_old_version(header: BackupHeader, label: MediaLabel, policy: Policy) -> Refusal | None:
    """No supported target restores what is older than SQL Server 2008; a server raises 3169."""
    if header.database_version >= policy.oldest_database_version:
        return None
    release = RELEASES.get(header.software_version_major, f"{header.software_version_major}.x")
    return Refusal(
        code=InvalidReason.VERSION_NOT_SUPPORTED,
        reason=f"The backup comes from {release} (internal version {header.database_version});"
        f" the oldest that can be restored is {policy.oldest_database_version}.",
        action="Restore it on SQL Server 2008, 2012 or 2014 first, and take a new backup there.",
    )


def refuse_media_password(
    header: BackupHeader, label: MediaLabel, policy: Policy
) -> Refusal | None:
    """Media passwords were dropped from RESTORE in SQL Server 2012; a server raises 3279."""
    if not label.has_password:
        return None
    return Refusal(
        code=InvalidReason.MEDIA_PASSWORD,
        reason="The backup was taken WITH MEDIAPASSWORD, which no supported target can open.",
        action="Take the backup again without MEDIAPASSWORD; use backup encryption instead.",
    )


RULES: tuple[Rule, ...] = (
    refuse_unsupported_type,
    refuse_damaged,
    refuse_reversed_range,
    refuse_system_database,
    refuse_old_version,
    refuse_media_password,
)


class Disagreement(NamedTuple):
    """A column of the header that the target reads otherwise than we do."""

    column: str
    ours: object
    theirs: object


def disagreements(ours: BackupHeader, theirs: Sequence[ServerHeader]) -> list[Disagreement]:
    """Compare our reading of a header with the target's own RESTORE HEADERONLY.

    Anything but one set that agrees in every column means that one of the two read wrongly, so
    the backup must not be restored before somebody has looked.
    """
    if len(theirs) != 1:
        return [Disagreement("number of backup sets", 1, len(theirs))]
    return [
        Disagreement(name, getattr(ours, name), value)
        for name, value in theirs[0].model_dump().items()
        if getattr(ours, name) != value
    ]
