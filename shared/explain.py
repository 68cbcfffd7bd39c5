"""Says in words what a migration waits for: which file, which LSNs, what to do. Pure.

The same sentences are shown by the API, the durable status, the command line and the dashboard.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shared.backupset import BackupSet
from shared.chain import MissingFamilies, MissingLog, Plan, PlanStatus
from shared.lsn import Lsn
from shared.vocabulary import BlockingReason

_NAMES = 5  # of a set of up to 64 files are told


class Explanation(NamedTuple):
    """Why nothing goes on: a code for programs, a sentence and a next step for people."""

    code: BlockingReason
    reason: str
    action: str


def explain_plan(plan: Plan, *, after: str | None) -> Explanation | None:
    """Explain what a plan waits for; None if nothing that is known is missing.

    `after` is the file that was restored last, None if none was.
    """
    if isinstance(plan.waiting_for, MissingFamilies):
        return _missing_families(plan.waiting_for)
    if isinstance(plan.waiting_for, MissingLog):
        last = plan.steps[-1].backup.files[0].name if plan.steps else after
        return _missing_log(plan.waiting_for, last)
    if plan.status is PlanStatus.NEEDS_RESTART:
        return _needs_restart(plan, after)
    if plan.status is PlanStatus.IMPOSSIBLE:
        return _bulk_logged_stop()
    return None


def clipped(text: str, length: int) -> str:
    """Return a text that is at most so long; names and errors come from outside."""
    return text if len(text) <= length else text[: length - 1] + "…"


def name_of(backup: BackupSet) -> str:
    """Return what to call a set: its first file, with the number of the others."""
    others = len(backup.files) - 1
    return backup.files[0].name + (f" (and {others} more)" if others else "")


def span_of(backup: BackupSet) -> str:
    """Return the LSN range of a set in words."""
    return f"LSN {backup.first_lsn} to {backup.last_lsn}"


def _missing_families(missing: MissingFamilies) -> Explanation:
    backup, numbers = missing
    listed = " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))
    which = f"file {listed} is" if len(numbers) == 1 else f"files {listed} are"
    names = [file.name for file in backup.files]
    here = ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" * (len(names) > _NAMES))
    return Explanation(
        BlockingReason.STRIPES_MISSING,
        f"The {backup.backup_type.label} backup in {here} was written to {backup.family_count}"
        f" files; {which} missing ({span_of(backup)}).",
        f"Upload {which.rsplit(' ', 1)[0]} of {backup.family_count} to the migration's folder.",
    )


def _missing_log(missing: MissingLog, last: str | None) -> Explanation:
    reached = f"after {last} the target ends" if last else "the target ends"
    if missing.before is None:
        return Explanation(
            BlockingReason.CHAIN_GAP,
            f"A log backup that contains LSN {missing.lsn} is missing: {reached} there.",
            "Upload the log backup that contains this LSN.",
        )
    before = missing.before
    taken = f", before {before.backup_start_date}" if before.backup_start_date else ""
    return Explanation(
        BlockingReason.CHAIN_GAP,
        f"Log {name_of(before)} starts at LSN {before.first_lsn}, but {reached} at"
        f" {missing.lsn}. A log backup between them is missing.",
        f"Upload the log backup that contains LSN {missing.lsn}{taken} (it may have been taken by"
        " another tool), or take a new differential backup, which jumps over the gap.",
    )


def _needs_restart(plan: Plan, after: str | None) -> Explanation:
    restart = (
        f" A new migration could begin with {name_of(plan.restart_from)}."
        if plan.restart_from
        else ""
    )
    position = _position_of(plan.reached.redo if plan.reached else None, after)
    if plan.error == 4330:
        return Explanation(
            BlockingReason.OTHER_RECOVERY_FORK,
            "The source was restored to an earlier time and went on from there; the target"
            f" ({position}) holds what came after that time, so its newer logs cannot be applied"
            " (error 4330).",
            f"Cancel this migration and start it again.{restart}",
        )
    if plan.error == 4335:
        return Explanation(
            BlockingReason.STOP_POINT_NOT_REACHED,
            f"The target ({position}) already holds what was done after the stop time (error"
            " 4335).",
            f"Choose a later stop time, or cancel this migration and start it again.{restart}",
        )
    if plan.error is None:
        return Explanation(
            BlockingReason.LAST_BACKUP_NOT_FOUND,
            "The last backup is to be a full one, but the target was begun with another"
            f" ({position}); what is restored on top of that cannot end with it.",
            f"Name a log or differential backup, or cancel and start again.{restart}",
        )
    return Explanation(
        BlockingReason.CHAIN_BROKEN_AT_SOURCE,
        "The log chain was broken at the source (recovery model SIMPLE and back, or a new chain);"
        f" no log backup can continue from the target ({position}, error 4305).",
        "Take a new differential backup based on the restored full backup, or cancel and start"
        f" again from a newer full backup.{restart}",
    )


def _bulk_logged_stop() -> Explanation:
    return Explanation(
        BlockingReason.STOP_POINT_NOT_REACHED,
        "The stop time lies in a log backup with bulk-logged changes; such a log can only be"
        " restored to its end (error 4341).",
        "Choose a stop time before that log backup begins, or after it ends.",
    )


def explain_unreached_stop(last: BackupSet, stop_at: datetime) -> Explanation:
    """Explain that the backups end before the stop time; `last` is the last one of the plan."""
    return Explanation(
        BlockingReason.STOP_POINT_NOT_REACHED,
        f"No backup here reaches the stop time {stop_at}: the last one that fits,"
        f" {name_of(last)}, was finished at {last.backup_finish_date}.",
        "Upload the log backups up to that time, or choose an earlier stop time.",
    )


def _position_of(redo: Lsn | None, after: str | None) -> str:
    words = [f"restored up to {after}" if after else "", f"LSN {redo}" if redo else ""]
    return ", ".join(word for word in words if word) or "nothing restored"


def explain_missing_full() -> Explanation:
    """Explain that logs and differentials alone cannot begin a restore."""
    return Explanation(
        BlockingReason.FULL_BACKUP_MISSING,
        "Differential or log backups are here, but no full backup that the restore could begin"
        " with.",
        "Upload a full backup of the database to this folder.",
    )
