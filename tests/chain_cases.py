"""Runs chain cases: `python -m tests.chain_cases FILE...`, files of schema restore-chains/1.

Prints one JSON line a case, `{"id", "passed", "expected", "got"}`, with `got` in the words of the
schema (a list, one result a step, for cases of kind `events`). Exit status 1 if a case fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
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
    plan_restore,
)
from shared.lineage import DatabaseKey, group_by_database
from shared.lsn import Lsn
from shared.restore_rules import Reached, Reason, Rejection, after, flaw_of, refusal_at

Json = dict[str, Any]
_TYPE_WORDS = {BackupType.DATABASE: "full", BackupType.DIFFERENTIAL: "diff", BackupType.LOG: "log"}
_EXACT = (
    "counts",
    "servers",
    "stop_at",
    "waiting_for",
    "error",
    "restart_from",
    "single_target",
    "valid",
    "reason",
)
_LABELS = UUID("5b1c7a60-30c5-4d1c-9f57-6d0f1f0f6a11")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every case of the given files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    failed = 0
    for file in parser.parse_args(arguments).files:
        for case in load_cases(file):
            result = run_case(case)
            failed += not result["passed"]
            print(json.dumps(result))  # noqa: T201 the command's output
    return 1 if failed else 0


def load_cases(file: Path) -> list[Json]:
    """Return the cases of a file, with `backups_from` replaced by the backups it names."""
    cases: list[Json] = json.loads(file.read_text())["cases"]
    for case in cases:
        if source := case.pop("backups_from", None):
            case["backups"] = json.loads((file.parent / source).read_text())["backups"]
    return cases


def run_case(case: Json) -> Json:
    """Run one case and compare what the planner says with what is expected."""
    if case["kind"] == "events":
        expected: Any = [step.get("expected", {}) for step in case["events"]]
        got: Any = play_events(case)
        passed = all(matches(want, have) for want, have in zip(expected, got, strict=True))
    else:
        expected = case["expected"]
        run = verify if case["kind"] == "verify" else plan
        got = run(case["backups"], case.get("request", {}))
        passed = matches(expected, got)
    return {"id": case["id"], "passed": passed, "expected": expected, "got": got}


def plan(backups: list[Json], request: Json) -> Json:
    """Plan from headers and a request."""
    return _answer(backups, request, _position(request.get("continue_from")))


def play_events(case: Json) -> list[Json]:
    """Let the backups of a case become known step by step, planning after each."""
    arrived: set[str] = set()
    restored: list[str] = []
    request: Json = case.get("request", {})
    results = []
    for event in case["events"]:
        arrived.update(event.get("arrive", ()))
        restored.extend(event.get("restored", ()))
        request = event.get("request", request)
        known = [b for b in case["backups"] if any(f["name"] in arrived for f in b["files"])]
        position = _position(request.get("continue_from"))
        if restored:
            position = _position_after(known, restored)
        results.append(_answer(known, request, position))
    return results


def verify(backups: list[Json], request: Json) -> Json:
    """Say whether a chain chosen by somebody else can be restored from full to last log."""
    flaw = _first_flaw(backups, request)
    if flaw is None:
        return {"valid": True}
    answer: Json = {"valid": False, "reason": flaw.reason.value}
    return answer if flaw.error is None else {**answer, "error": flaw.error}


def _first_flaw(backups: list[Json], request: Json) -> Rejection | None:
    if request.get("missing_sets"):
        return Rejection(Reason.FILE_UNREADABLE, 3201)
    if request.get("target_exists") and not request.get("replace"):
        return Rejection(Reason.TARGET_EXISTS, 3159)
    sets = _sets(backups)
    if len(group_by_database(sets)) > 1:
        return Rejection(Reason.MIXED_DATABASES, 3154)
    return _first_refusal(sets)


def _first_refusal(sets: Sequence[BackupSet]) -> Rejection | None:
    for backup in sets:
        if flaw := flaw_of(backup):
            return flaw
    fulls = [s for s in sets if s.backup_type is BackupType.DATABASE]
    if not fulls:
        return Rejection(Reason.GAP, 3118)
    if len(fulls) > 1:
        return Rejection(Reason.SUPERSEDED)
    reached: Reached = after(None, fulls[0], fulls)
    for backup in sets:
        if backup is fulls[0] or backup.is_empty:
            continue
        if refusal := refusal_at(reached, backup):
            return refusal
        reached = after(reached, backup, fulls)
    return None


def _answer(backups: list[Json], request: Json, position: TargetPosition) -> Json:
    labels = {_guid(b["BackupSetGUID"]): b["id"] for b in backups}
    servers = request.get("servers")
    sets = [s for s in _sets(backups) if servers is None or s.server_name in servers]
    wanted = request.get("databases")
    groups = {
        key: group
        for key, group in group_by_database(sets).items()
        if wanted is None or any(s.database_name in wanted for s in group)
    }
    goal = _goal(request)
    if len(groups) < 2:
        group = next(iter(groups.values()), ())
        return _in_words(plan_restore(group, position, _named(goal, wanted, group)), labels)
    return {
        "databases": [
            {
                **_identity(key),
                **_in_words(plan_restore(group, position, _named(goal, wanted, group)), labels),
            }
            for key, group in groups.items()
        ],
        "single_target": Reason.AMBIGUOUS_DATABASE.value,
    }


def _named(goal: Goal, wanted: list[str] | None, group: Sequence[BackupSet]) -> Goal:
    names = [name for name in wanted or () if any(s.database_name == name for s in group)]
    return goal.model_copy(update={"database_name": names[0]}) if len(names) == 1 else goal


def _identity(key: DatabaseKey) -> Json:
    return {"DatabaseName": key.database_name, "server": key.home}


def _in_words(made: Plan, labels: dict[UUID, str]) -> Json:
    """Translate a plan into the words of the schema."""
    backups = [step.backup for step in made.steps]
    answer: Json = {
        "status": made.status.value,
        "plan": [labels[s.backup_set_guid] for s in backups],
        "counts": {
            word: sum(s.backup_type is kind for s in backups) for kind, word in _TYPE_WORDS.items()
        },
        "plan_files": {labels[s.backup_set_guid]: [f.name for f in s.files] for s in backups},
        "servers": dict(Counter(s.server_name for s in backups)),
        "stop_at": {
            labels[step.backup.backup_set_guid]: step.stop_at.isoformat()
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


def matches(expected: Json, got: Json) -> bool:
    """Compare as the schema says: only the named fields, each by its own rule."""
    optional = set(expected.get("optional", ()))
    plans = expected.get("plan_any_of", [expected["plan"]] if "plan" in expected else None)
    checks = [
        _status_fits(expected, got, optional),
        plans is None or any(_without(got["plan"], optional - set(p)) == p for p in plans),
        all(i not in got["plan"] for i in expected.get("not_contains", ())),
        all(
            _files_fit(w, got["plan_files"].get(i))
            for i, w in expected.get("plan_files", {}).items()
        ),
        all(
            _rejection_fits(w, got["rejected"].get(i))
            for i, w in expected.get("rejected", {}).items()
        ),
        _databases_fit(expected.get("databases"), got),
        "reason_any_of" not in expected or got.get("reason") in expected["reason_any_of"],
    ]
    checks.extend(got.get(key) == expected[key] for key in _EXACT if key in expected)
    return all(checks)


def _status_fits(expected: Json, got: Json, optional: set[str]) -> bool:
    if "status" not in expected or got["status"] == expected["status"]:
        return True
    only_optional = bool(got["plan"]) and set(got["plan"]) <= optional
    return only_optional and (expected["status"], got["status"]) == ("idle", "ready")


def _without(planned: list[str], optional: set[str]) -> list[str]:
    return [i for i in planned if i not in optional]


def _files_fit(expected: Any, got: list[str] | None) -> bool:
    if isinstance(expected, dict):
        return got is not None and len(got) == 1 and got[0] in expected["one_of"]
    return bool(got == expected)


def _rejection_fits(expected: Json, got: Json | None) -> bool:
    if got is None:
        return False
    reasons = expected.get("reason_any_of", [expected.get("reason")])
    return got["reason"] in reasons and got.get("error") == expected.get("error", got.get("error"))


def _databases_fit(expected: list[Json] | None, got: Json) -> bool:
    if expected is None:
        return True
    have = got.get("databases", [])
    return len(have) == len(expected) and all(
        any(
            all(one.get(key) == want[key] for key in ("DatabaseName", "server") if key in want)
            and matches({k: v for k, v in want.items() if k != "server"}, one)
            for one in have
        )
        for want in expected
    )


def _sets(backups: Iterable[Json]) -> tuple[BackupSet, ...]:
    entries = list(backups)
    families: dict[str, set[int]] = {}
    for entry in entries:
        families.setdefault(entry["BackupSetGUID"], set()).update(
            file["family"] for file in entry["files"]
        )
    return merge_families(
        _backup_set(entry, len(families[entry["BackupSetGUID"]])) for entry in entries
    )


def _backup_set(entry: Json, known_families: int) -> BackupSet:
    def lsn(key: str) -> Lsn | None:
        return None if entry.get(key) is None else Lsn.parse(entry[key])

    def when(key: str) -> datetime | None:
        return datetime.fromisoformat(entry[key]) if entry.get(key) else None

    media = entry.get("MediaSetGUID")
    return BackupSet(
        backup_set_guid=_guid(entry["BackupSetGUID"]),
        backup_type=BackupType(entry["BackupType"]),
        database_name=entry["DatabaseName"],
        server_name=entry.get("server") or "",
        availability_group_name=entry.get("AvailabilityGroupName"),
        family_guid=_optional_guid(entry.get("FamilyGUID")),
        first_lsn=lsn("FirstLSN") or Lsn(0),
        last_lsn=lsn("LastLSN") or Lsn(0),
        checkpoint_lsn=lsn("CheckpointLSN") or Lsn(0),
        database_backup_lsn=lsn("DatabaseBackupLSN") or Lsn(0),
        differential_base_lsn=lsn("DifferentialBaseLSN"),
        differential_base_guid=_optional_guid(entry.get("DifferentialBaseGUID")),
        first_recovery_fork_id=_optional_guid(entry.get("FirstRecoveryForkID")),
        recovery_fork_id=_optional_guid(entry.get("RecoveryForkID")),
        fork_point_lsn=lsn("ForkPointLSN"),
        backup_start_date=when("start"),
        backup_finish_date=when("finish"),
        is_copy_only=entry.get("IsCopyOnly", False),
        has_bulk_logged_data=entry.get("HasBulkLoggedData", False),
        is_force_offline=entry.get("IsForceOffline", False),
        is_damaged=entry.get("IsDamaged", False),
        begins_log_chain=entry.get("BeginsLogChain", False),
        position=entry.get("Position", 1),
        family_count=entry.get("FamilyCount", known_families),
        files=tuple(
            SetFile(
                name=file["name"],
                family_sequence_number=file["family"],
                media_set_id=_guid(media) if media else None,
            )
            for file in entry["files"]
        ),
    )


def _guid(text: str) -> UUID:
    """Read a GUID; the cases also use plain labels such as fork-a in place of one."""
    try:
        return UUID(text)
    except ValueError:
        return uuid5(_LABELS, text)


def _optional_guid(text: str | None) -> UUID | None:
    guid = _guid(text) if text else None
    return guid if guid != UUID(int=0) else None


def _goal(request: Json) -> Goal:
    stop = request.get("restore_time")
    return Goal(
        stop_at=datetime.fromisoformat(stop) if stop else None,
        last_backup=request.get("last_backup"),
        use_differentials=not request.get("ignore_diffs", False),
        use_logs=not request.get("ignore_logs", False),
    )


def _position(continue_from: Json | None) -> TargetPosition:
    if continue_from is None:
        return ABSENT
    redo, base = (continue_from.get(k) for k in ("RedoStartLSN", "DifferentialBaseLSN"))
    return TargetPosition(
        state=DatabaseState(continue_from.get("State", "RESTORING")),
        redo_start_lsn=Lsn.parse(redo) if redo else None,
        redo_start_fork_guid=_optional_guid(continue_from.get("RecoveryForkID")),
        differential_base_lsn=Lsn.parse(base) if base else None,
        differential_base_guid=_optional_guid(continue_from.get("DifferentialBaseGUID")),
    )


def _position_after(backups: list[Json], restored: Sequence[str]) -> TargetPosition:
    guids = {b["id"]: _guid(b["BackupSetGUID"]) for b in backups}
    sets = {s.backup_set_guid: s for s in _sets(backups)}
    fulls = [s for s in sets.values() if s.backup_type is BackupType.DATABASE]
    reached: Reached | None = None
    for label in restored:
        reached = after(reached, sets[guids[label]], fulls)
    assert reached is not None
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=reached.redo,
        redo_start_fork_guid=reached.fork,
        differential_base_lsn=reached.base_lsn,
        differential_base_guid=reached.base_guid,
    )


if __name__ == "__main__":
    sys.exit(main())
