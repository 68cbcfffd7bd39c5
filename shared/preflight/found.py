"""What is known of a target when it is judged, and the three answers of a check. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.after_recovery import AfterRecovery
from shared.backupset import BackupHeader
from shared.errors import BackhaulError, TargetError
from shared.explain import Explanation
from shared.records import PreflightCheck
from shared.targets import Conditions, ServerFacts
from shared.targets.files import ListedFile
from shared.vocabulary import BlockingReason

NO_FULL = "No full backup is here yet to be checked against."
NOT_LISTED = "The target has not read the backup."


class Access(NamedTuple):
    """How the server gets access to the container: by whom, as what, and for how long."""

    is_managed: bool
    by_identity: bool
    lifetime: timedelta


class Found(NamedTuple):
    """What was found out about a target for one migration.

    `header` is that of the full backup which comes first, `files` are None while unknown. `room`
    is how many bytes go to each folder, `unplaced` why that cannot be told. `thumbprints` are
    those of the keys that the backup asks for, None if the server has not read it; `refused` tells
    why it could not, `no_credential` why it got no credential. `reserved` is what other migrations
    will still need, by mount point. `taken` tells why the database's name is not free,
    `is_allocated` that its files are there already. `owner_is_login` tells whether the owner that
    `after` names is a login of the server, None if there is none, or nobody can see it. `standby`
    asks that the database can be read between restores.
    """

    now: datetime
    server: ServerFacts
    conditions: Conditions
    access: Access
    restore_with: str
    header: BackupHeader | None = None
    files: tuple[ListedFile, ...] | None = None
    room: Mapping[str, int] = {}
    unplaced: TargetError | None = None
    thumbprints: tuple[bytes, ...] | None = None
    refused: BackhaulError | None = None
    no_credential: BackhaulError | None = None
    reserved: Mapping[str, int] = {}
    taken: Explanation | None = None
    is_allocated: bool = False
    after: AfterRecovery = AfterRecovery()
    owner_is_login: bool | None = None
    standby: bool = False

    @property
    def without_files(self) -> str:
        """Why the files of the backup are not known."""
        return NO_FULL if self.header is None else NOT_LISTED


def passed(name: str, message: str) -> PreflightCheck:
    """Return a check that found nothing wrong."""
    return PreflightCheck(name=name, state="pass", message=message, required=True)


def unknown(name: str, message: str) -> PreflightCheck:
    """Return a check that could not be made."""
    return PreflightCheck(name=name, state="unknown", message=message, required=True)


def failed(
    name: str, code: BlockingReason, message: str, action: str, *, required: bool = True
) -> PreflightCheck:
    """Return a check that found what keeps a restore from working."""
    return PreflightCheck(
        name=name, state="fail", message=message, action=action, required=required, code=code
    )


def number_of(error: BackhaulError | None) -> int | None:
    """Return SQL Server's number of an error, if it has one."""
    return error.number if isinstance(error, TargetError) else None


def in_bytes(size: int) -> str:
    """Return a size as it is shown."""
    return f"{size:,} bytes"


def quoted(name: str) -> str:
    """Return a name as it stands in T-SQL that is shown."""
    return "[" + name.replace("]", "]]") + "]"
