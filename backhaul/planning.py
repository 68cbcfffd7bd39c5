"""What would be restored from a folder of backups: the plan of every database in it.

Every file is accounted for: it is part of a step, waits for what is missing, is ignored, or
cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from backhaul.reading import ReadFile
from backhaul.wording import count
from shared.backupset import BackupSet, BackupType, merge_families
from shared.chain import ABSENT, Goal, Plan, PlanStatus, find_named, plan_restore
from shared.errors import BackhaulError
from shared.explain import (
    Explanation,
    explain_missing_full,
    explain_plan,
    explain_unreached_stop,
    name_of,
)
from shared.ignoring import IGNORED_BECAUSE, Used, ignore_reason
from shared.json_model import Json
from shared.lineage import DatabaseKey, group_by_database
from shared.lsn import Lsn
from shared.restore_rules import Reason, Rejection
from shared.vocabulary import BlockingReason, IgnoreReason, InvalidReason, Word

_HARMLESS = (InvalidReason.NOT_A_BACKUP, InvalidReason.SYSTEM_DATABASE)
"""Verdicts on files that belong to no database that could be migrated."""

_WAITS_BECAUSE = {
    Reason.GAP: (BlockingReason.CHAIN_GAP, "it lies behind what is missing"),
    Reason.INCOMPLETE_SET: (BlockingReason.STRIPES_MISSING, "files of it are missing"),
    Reason.BULK_LOGGED_STOP: (
        BlockingReason.STOP_POINT_NOT_REACHED,
        "the stop time cannot be reached with it",
    ),
}


class Wish(NamedTuple):
    """What the plan is asked for; None for what is left open. `stop_at` is local to the source."""

    last_backup: str | None = None
    stop_at: datetime | None = None
    database_name: str | None = None


class PlannedSet(Json):
    """A backup set to restore. `files` are paths below the folder, in order of their stripes."""

    backup_set_id: UUID
    backup_type: str
    files: list[str]
    family_count: int
    first_lsn: Lsn
    last_lsn: Lsn
    backup_start_date: datetime | None = None
    backup_finish_date: datetime | None = None
    stop_at: datetime | None = None


class LeftOutSet(PlannedSet):
    """A backup set, or copies of files of one, that is not restored now, and why."""

    reason_code: str
    reason: str
    sql_error_number: int | None = None


class Missing(Json):
    """What keeps a plan from its end, and what to do about it."""

    reason_code: BlockingReason
    reason: str
    action: str


class DatabasePlan(Json):
    """The plan of one database. `status` is that of docs/chains.md."""

    database_name: str
    server_name: str
    family_guid: UUID | None = Field(default=None, alias="familyGUID")
    status: PlanStatus
    steps: list[PlannedSet]
    waiting: list[LeftOutSet]
    ignored: list[LeftOutSet]
    missing: Missing | None = None


class UnusableFile(Json):
    """A file that cannot be used, and why."""

    file_name: str
    reason_code: str
    reason: str
    action: str
    database_name: str | None = None


class FolderPlan(Json):
    """The plans of all databases; `complete` if each has one and nothing is missing or broken."""

    complete: bool
    databases: list[DatabasePlan]
    unusable_files: list[UnusableFile]


def plan_folder(files: Sequence[ReadFile], wish: Wish) -> FolderPlan:
    """Plan the restore of every database that files belong to, or of the one that is wished for.

    `last_backup` ends the plan of a database that has a file of that name. Raises BackhaulError
    if there is no such database, or several and none has that file.
    """
    sets = merge_families(
        BackupSet.of(file.content.sets[0][0], file.content.label, file.name)
        for file in files
        if file.content is not None and file.verdict is None
    )
    groups = _wanted(group_by_database(sets), wish)
    unusable = list(_unusable(files, wish))
    plans = [
        _plan_database(key, group, _wish_of(group, groups, wish), unusable)
        for key, group in groups.items()
    ]
    return FolderPlan(
        complete=bool(plans)
        and all(plan.steps and plan.missing is None for plan in plans)
        and all(file.reason_code in _HARMLESS for file in unusable),
        databases=plans,
        unusable_files=unusable,
    )


Groups = dict[DatabaseKey, tuple[BackupSet, ...]]


def _wanted(groups: Groups, wish: Wish) -> Groups:
    name = wish.database_name
    if name is None:
        return groups
    found = {k: g for k, g in groups.items() if any(s.database_name == name for s in g)}
    if not found:
        known = ", ".join(repr(key.database_name) for key in groups) or "none"
        raise BackhaulError(
            f"no usable backup of database {name!r} is here; of these there are: {known}",
            action="give --database one of these names",
        )
    return found


def _wish_of(group: Sequence[BackupSet], groups: Groups, wish: Wish) -> Wish:
    """Return the wish for one of several databases: without the last backup of another one."""
    name = wish.last_backup
    if name is None or len(groups) == 1 or find_named(group, name):
        return wish
    if not any(find_named(other, name) for other in groups.values()):
        raise BackhaulError(
            f"no usable backup, or more than one of a database, is named {name!r}",
            action="give --last-backup a path below the folder, or choose one with --database",
        )
    return wish._replace(last_backup=None)


def _unusable(files: Sequence[ReadFile], wish: Wish) -> Iterator[UnusableFile]:
    """Yield the files that cannot be used, except those of another database than the wished one."""
    for file in files:
        if file.verdict is None:
            continue
        sets = file.content.sets if file.content else ()
        names = {header.database_name for header, _ in sets}
        if wish.database_name is None or not names or wish.database_name in names:
            yield UnusableFile(
                file_name=file.name,
                database_name=names.pop() if len(names) == 1 else None,
                **file.verdict.model_dump(),
            )


def _plan_database(
    key: DatabaseKey, sets: Sequence[BackupSet], wish: Wish, unusable: Sequence[UnusableFile]
) -> DatabasePlan:
    goal = Goal(
        last_backup=wish.last_backup, stop_at=wish.stop_at, database_name=wish.database_name
    )
    plan = plan_restore(sets, ABSENT, goal)
    missing = _missing(plan, sets, wish, unusable)
    waiting, ignored = _left_out(plan, sets, wish)
    return DatabasePlan(
        database_name=key.database_name,
        server_name=key.home,
        family_guid=key.family_guid,
        status=plan.status,
        steps=[
            PlannedSet(**_facts(step.backup, _names(step.backup)), stop_at=step.stop_at)
            for step in plan.steps
        ],
        waiting=waiting,
        ignored=ignored,
        missing=Missing(reason_code=missing.code, reason=missing.reason, action=missing.action)
        if missing
        else None,
    )


def _missing(
    plan: Plan, sets: Sequence[BackupSet], wish: Wish, unusable: Sequence[UnusableFile]
) -> Explanation | None:
    if why := explain_plan(plan, after=None):
        return why
    name = wish.last_backup
    if name is not None and find_named(sets, name) is None:
        return _without_last_backup(name, unusable)
    if plan.status is PlanStatus.NO_BASE:
        return _without_full(plan, sets)
    if wish.stop_at is not None and plan.status is PlanStatus.READY:
        return explain_unreached_stop(plan.steps[-1].backup, wish.stop_at)
    return None


def _without_full(plan: Plan, sets: Sequence[BackupSet]) -> Explanation:
    late = [
        s
        for s in sets
        if s.backup_type is BackupType.DATABASE
        and plan.rejected[s.backup_set_guid].reason is Reason.AFTER_TARGET
    ]
    if not late:
        return explain_missing_full()
    return Explanation(
        BlockingReason.FULL_BACKUP_MISSING,
        f"{count(len(late), 'full backup')} here, the first of them {name_of(late[0])} of"
        f" {late[0].backup_finish_date}: none was finished before the requested end.",
        "Choose a later end, or add an older full backup.",
    )


def _without_last_backup(name: str, unusable: Sequence[UnusableFile]) -> Explanation:
    broken = next((f for f in unusable if ("/" + f.file_name).endswith("/" + name)), None)
    if broken is not None:
        return Explanation(
            BlockingReason.FILE_INVALID,
            f"The last backup {name!r} cannot be used: {broken.reason}",
            "Put a usable backup in its place, or choose another last backup.",
        )
    return Explanation(
        BlockingReason.LAST_BACKUP_NOT_FOUND,
        f"No file, or more than one, is named {name!r}, which is to be the last backup.",
        "Put that backup into the folder, or check the name; a path below the folder is exact.",
    )


def _left_out(
    plan: Plan, sets: Sequence[BackupSet], wish: Wish
) -> tuple[list[LeftOutSet], list[LeftOutSet]]:
    """Return the sets that wait for what is missing, and those that are not needed."""
    used = Used.by(step.backup for step in plan.steps)
    planned = {step.backup.backup_set_guid for step in plan.steps}
    behind_end = (
        IgnoreReason.BEYOND_STOP_POINT
        if wish.last_backup is None
        else IgnoreReason.AFTER_LAST_BACKUP
    )
    waiting: list[LeftOutSet] = []
    ignored: list[LeftOutSet] = []
    for backup in sets:
        rejection = plan.rejected.get(backup.backup_set_guid, Rejection(Reason.SUPERSEDED))
        if backup.backup_set_guid in planned:
            pass
        elif because := _WAITS_BECAUSE.get(rejection.reason):
            waiting.append(_left_out_set(backup, rejection, *because))
        else:
            reason = ignore_reason(backup, rejection, used, behind_end=behind_end)
            ignored.append(_left_out_set(backup, rejection, reason, IGNORED_BECAUSE[reason]))
        if backup.copies:
            ignored.append(_copies(backup))
    return waiting, ignored


def _left_out_set(backup: BackupSet, rejection: Rejection, code: Word, reason: str) -> LeftOutSet:
    return LeftOutSet(
        **_facts(backup, _names(backup)),
        reason_code=code.value,
        reason=reason,
        sql_error_number=rejection.error,
    )


def _copies(backup: BackupSet) -> LeftOutSet:
    reason = IgnoreReason.ALREADY_RESTORED
    return LeftOutSet(
        **_facts(backup, [file.name for file in backup.copies]),
        reason_code=reason.value,
        reason=IGNORED_BECAUSE[reason],
    )


def _names(backup: BackupSet) -> list[str]:
    return [file.name for file in backup.files]


def _facts(backup: BackupSet, files: list[str]) -> dict[str, object]:
    return {
        "backup_set_id": backup.backup_set_guid,
        "backup_type": backup.backup_type.word,
        "files": files,
        "family_count": backup.family_count,
        "first_lsn": backup.first_lsn,
        "last_lsn": backup.last_lsn,
        "backup_start_date": backup.backup_start_date,
        "backup_finish_date": backup.backup_finish_date,
    }
