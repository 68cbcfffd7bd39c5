"""The work in pieces: begin, go on as far as a budget reaches, and again until it is done."""

from __future__ import annotations

from shared.backupfile.faults import empty
from shared.backupfile.source import ByteSource
from shared.errors import BackupFileError
from shared.verification.backup import Backup
from shared.verification.check import Check
from shared.verification.plain import advance_plain
from shared.verification.records import advance_records
from shared.vocabulary import VerificationLevel


def begin(source: ByteSource, level: VerificationLevel) -> Check:
    """Read the headers; the check is done if they are damaged, or all that is asked for.

    Raises what the source raises.
    """
    check = Check(level=level, size=source.size)
    backup = _open(source, check)
    if backup is None:
        return check
    check.compressed = backup.is_compressed
    check.has_checksums = all(header.has_backup_checksums for header, _ in backup.sets)
    check.done = level is VerificationLevel.HEADER
    return check


def advance(source: ByteSource, check: Check, budget: int) -> Check:
    """Go on for about `budget` bytes; return how far that is. `check` stays as it was.

    Raises what the source raises; the same call may then be made again.
    """
    check = check.model_copy(deep=True)
    backup = None if check.done else _open(source, check)
    if backup is None:
        return check
    step = advance_records if check.compressed else advance_plain
    limit = check.spent + budget
    while not check.done and check.spent < limit:
        step(backup, check)
    return check


def _open(source: ByteSource, check: Check) -> Backup | None:
    """Return the backup, or None with the damage of its headers among the findings."""
    try:
        if source.size == 0:
            raise empty()
        backup = Backup(source)
        backup.sets  # noqa: B018 reads them, which may fail
    except BackupFileError as error:
        check.find_error(error)
        check.done = True
        return None
    return backup
