"""Translates between the JSON of chain cases, schema restore-chains/1, and the planner's models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from shared.backupset import BackupSet, BackupType, SetFile, merge_families
from shared.chain import (
    ABSENT,
    DatabaseState,
    Goal,
    MissingFamilies,
    MissingLog,
    Plan,
    TargetPosition,
)
from shared.differential_base import KnownFulls
from shared.lsn import Lsn
from shared.restore_rules import Reached, after

Json = dict[str, Any]
_LABELS = UUID("5b1c7a60-30c5-4d1c-9f57-6d0f1f0f6a11")
_PLANNED_TYPES = {
    "full": BackupType.DATABASE,
    "diff": BackupType.DIFFERENTIAL,
    "log": BackupType.LOG,
}
_TYPES = {**_PLANNED_TYPES, "file": BackupType.FILE}


def sets_of(backups: Iterable[Json]) -> tuple[BackupSet, ...]:
    """Return the backup sets that entries tell of, merged over their files.

    Where no entry of a set says how many families there are, there are as many as are listed.
    """
    entries = list(backups)
    listed: dict[UUID, set[int]] = {}
    told: dict[UUID, int] = {}
    for entry in entries:
        guid = set_guid(entry)
        listed.setdefault(guid, set()).update(file.get("family") or 1 for file in entry["files"])
        if entry.get("FamilyCount"):
            told[guid] = entry["FamilyCount"]
    return merge_families(
        _backup_set(entry, told.get(set_guid(entry)) or len(listed[set_guid(entry)]))
        for entry in entries
    )


def labels_of(backups: Iterable[Json]) -> dict[UUID, str]:
    """Map the GUIDs of sets to the ids that a case calls them by."""
    return {set_guid(entry): entry["id"] for entry in backups}


def set_guid(entry: Json) -> UUID:
    """Return the identity of an entry's set; an entry without one is a set of its own."""
    return _known_guid(entry.get("BackupSetGUID")) or uuid5(_LABELS, entry["id"])


def _backup_set(entry: Json, family_count: int) -> BackupSet:
    media = _known_guid(entry.get("MediaSetGUID"))
    number = entry.get("BackupType")
    return BackupSet(
        backup_set_guid=set_guid(entry),
        backup_type=BackupType(number) if number else _TYPES[entry["Type"]],
        database_name=entry["DatabaseName"],
        server_name=entry.get("server") or "",
        availability_group_name=entry.get("AvailabilityGroupName") or None,
        family_guid=_known_guid(entry.get("FamilyGUID")),
        first_lsn=_lsn(entry, "FirstLSN") or Lsn(0),
        last_lsn=_lsn(entry, "LastLSN") or Lsn(0),
        checkpoint_lsn=_lsn(entry, "CheckpointLSN") or Lsn(0),
        database_backup_lsn=_lsn(entry, "DatabaseBackupLSN") or Lsn(0),
        differential_base_lsn=_lsn(entry, "DifferentialBaseLSN"),
        differential_base_guid=_known_guid(entry.get("DifferentialBaseGUID")),
        first_recovery_fork_id=_known_guid(entry.get("FirstRecoveryForkID")),
        recovery_fork_id=_known_guid(entry.get("RecoveryForkID")),
        fork_point_lsn=_lsn(entry, "ForkPointLSN"),
        backup_start_date=_time(entry.get("start")),
        backup_finish_date=_time(entry.get("finish")),
        is_copy_only=bool(entry.get("IsCopyOnly")),
        has_bulk_logged_data=bool(entry.get("HasBulkLoggedData")),
        is_force_offline=bool(entry.get("IsForceOffline")),
        is_damaged=bool(entry.get("IsDamaged")),
        begins_log_chain=bool(entry.get("BeginsLogChain")),
        position=entry.get("Position") or 1,
        family_count=family_count,
        files=tuple(
            SetFile(
                name=file["name"],
                family_sequence_number=file.get("family") or 1,
                media_set_id=media,
            )
            for file in entry["files"]
        ),
    )


def _lsn(entry: Json, key: str) -> Lsn | None:
    text = entry.get(key)
    return None if text in (None, "") else Lsn.parse(str(text))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _known_guid(text: str | None) -> UUID | None:
    """Read a GUID, or a label such as fork-a in place of one; zeros are not known."""
    if not text:
        return None
    try:
        guid = UUID(text)
    except ValueError:
        return uuid5(_LABELS, text)
    return guid if guid.int else None


def goal_of(request: Json, database_name: str | None = None) -> Goal:
    """Return the goal that a request states."""
    return Goal(
        stop_at=_time(request.get("restore_time")),
        last_backup=request.get("last_backup"),
        use_differentials=not request.get("ignore_diffs"),
        use_logs=not request.get("ignore_logs"),
        database_name=database_name,
    )


def position_of(request: Json) -> TargetPosition:
    """Return the position that a request says the target is at."""
    told = request.get("continue_from")
    if told is None:
        return ABSENT
    state = str(told.get("State") or "RESTORING").upper()
    return TargetPosition(
        state=DatabaseState(state) if state in DatabaseState.__members__ else DatabaseState.OTHER,
        redo_start_lsn=_lsn(told, "RedoStartLSN"),
        redo_start_fork_guid=_known_guid(told.get("RecoveryForkID")),
        differential_base_lsn=_lsn(told, "DifferentialBaseLSN"),
        differential_base_guid=_known_guid(told.get("DifferentialBaseGUID")),
    )


def position_after(
    begin: TargetPosition, restored: Sequence[tuple[str, str | None]], backups: Sequence[Json]
) -> TargetPosition:
    """Return where a target stands after restores, each an id and the stop time it was given.

    A log that was stopped inside leaves the target somewhere in it, so still before its end.
    """
    if not restored:
        return begin
    guids = {entry["id"]: set_guid(entry) for entry in backups}
    sets = {s.backup_set_guid: s for s in sets_of(backups)}
    fulls = KnownFulls(sets.values())
    reached: Reached | None = begin.reached
    stopped_at = begin.stopped_at
    for label, stop in restored:
        stopped_at = _time(stop)
        if stop is None:
            reached = after(reached, sets[guids[label]], fulls)
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=reached.redo if reached else None,
        redo_start_fork_guid=reached.fork if reached else None,
        differential_base_lsn=reached.base_lsn if reached else None,
        differential_base_guid=reached.base_guid if reached else None,
        stopped_at=stopped_at,
    )


def in_words(made: Plan, labels: dict[UUID, str], request: Json) -> Json:
    """Say a plan in the words of the schema."""
    backups = [step.backup for step in made.steps]
    answer: Json = {
        "status": made.status.value,
        "plan": [labels[s.backup_set_guid] for s in backups],
        "counts": {
            word: sum(s.backup_type is kind for s in backups)
            for word, kind in _PLANNED_TYPES.items()
        },
        "plan_files": {labels[s.backup_set_guid]: [f.name for f in s.files] for s in backups},
        "servers": dict(Counter(s.server_name for s in backups)),
        "stop_at": {
            labels[step.backup.backup_set_guid]: request["restore_time"]
            for step in made.steps
            if step.stop_at is not None
        },
        "rejected": {
            labels[guid]: {"reason": r.reason.value}
            | ({} if r.error is None else {"error": r.error})
            for guid, r in made.rejected.items()
        },
        "restart_from": [labels[made.restart_from.backup_set_guid]] if made.restart_from else [],
    }
    if isinstance(made.waiting_for, MissingLog):
        answer["waiting_for"] = {"kind": "log", "lsn": str(made.waiting_for.lsn)}
    if isinstance(made.waiting_for, MissingFamilies):
        answer["waiting_for"] = {
            "kind": "stripe",
            "set": labels[made.waiting_for.backup.backup_set_guid],
            "families": list(made.waiting_for.families),
        }
    if made.error is not None:
        answer["error"] = made.error
    return answer
