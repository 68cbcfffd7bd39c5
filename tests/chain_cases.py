"""Runs chain cases: `python -m tests.chain_cases FILE...`, files of schema restore-chains/1.

Prints one JSON line a case, `{"id", "passed", "expected", "got"}`, with `got` in the words of the
schema (a list, one result a step, for cases of kind `events`). Exit status 1 if a case fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.backupset import BackupSet, BackupType
from shared.chain import TargetPosition, plan_restore
from shared.differential_base import KnownFulls
from shared.lineage import group_by_database
from shared.restore_candidates import appended_files
from shared.restore_rules import Reached, Reason, Rejection, after, flaw_of, refusal_at
from tests.chain.compare import COUNTED, matches
from tests.chain.schema import (
    Json,
    goal_of,
    in_words,
    labels_of,
    position_after,
    position_of,
    sets_of,
)


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
    cases: list[Json] = json.loads(file.read_text(encoding="utf-8"))["cases"]
    for case in cases:
        if source := case.pop("backups_from", None):
            data = json.loads((file.parent / source).read_text(encoding="utf-8"))
            case["backups"] = data["backups"]
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
        got = run(case["backups"], case.get("request") or {})
        passed = matches(expected, got)
    return {"id": case["id"], "passed": passed, "expected": expected, "got": got}


def plan(backups: list[Json], request: Json) -> Json:
    """Plan from headers and a request."""
    return _answer(backups, request, position_of(request))


def play_events(case: Json) -> list[Json]:
    """Let the backups of a case become known step by step, planning after each.

    The target's position follows from everything restored so far, known to the planner or not; a
    log that the plan before gave the stop time was restored with it.
    """
    arrived: set[str] = set()
    restored: list[tuple[str, str | None]] = []
    request: Json = case.get("request") or {}
    begin = position_of(request)
    results: list[Json] = []
    for event in case["events"]:
        arrived.update(event.get("arrive") or ())
        stops = results[-1].get("stop_at", {}) if results else {}
        restored.extend((label, stops.get(label)) for label in event.get("restored") or ())
        if event.get("request") is not None:
            request = event["request"]
            if "continue_from" in request:
                begin, restored = position_of(request), []
        known = [b for b in case["backups"] if any(f["name"] in arrived for f in b["files"])]
        position = position_after(begin, restored, case["backups"])
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
    missing = request.get("missing_sets") or ()
    if missing == "all" or {b["id"] for b in backups} & set(missing):
        return Rejection(Reason.FILE_UNREADABLE, 3201)
    if request.get("target_exists") and not request.get("replace"):
        return Rejection(Reason.TARGET_EXISTS, 3159)
    sets = sets_of(backups)
    if len(group_by_database(sets)) > 1:
        return Rejection(Reason.MIXED_DATABASES, 3154)
    if appended_files(sets):
        return Rejection(Reason.APPENDED_MEDIA)
    return next((flaw for s in sets if (flaw := flaw_of(s))), None) or _first_refusal(sets)


def _first_refusal(sets: Sequence[BackupSet]) -> Rejection | None:
    """Restore sets in order of LastLSN; a log that ends where the target stands does no harm."""
    fulls = [s for s in sets if s.backup_type is BackupType.DATABASE]
    if not fulls:
        return Rejection(Reason.GAP, 3118)
    if len(fulls) > 1:
        return Rejection(Reason.SUPERSEDED)
    known = KnownFulls(sets)
    reached: Reached = after(None, fulls[0], known)
    for backup in sets:
        is_log = backup.backup_type is BackupType.LOG
        if backup is fulls[0] or (is_log and backup.last_lsn == reached.redo) or backup.is_empty:
            continue
        if refusal := refusal_at(reached, backup):
            return refusal
        reached = after(reached, backup, known)
    return None


def _answer(backups: list[Json], request: Json, position: TargetPosition) -> Json:
    """Plan each database that the request wants; several of them cannot have one target."""
    labels = labels_of(backups)
    servers, wanted = request.get("servers"), request.get("databases")
    sets = [
        s
        for s in sets_of(backups)
        if servers is None or {s.server_name, s.availability_group_name} & set(servers)
    ]
    results: list[Json] = []
    for key, group in group_by_database(sets).items():
        names = sorted({s.database_name for s in group}.intersection(wanted or ()))
        if wanted is not None and not names:
            continue
        # Several wanted names in one family are a database and its copies, or only a rename.
        plans: list[Json] = []
        for name in names or (None,):
            made = plan_restore(group, position, goal_of(request, name))
            identity = {"DatabaseName": name or key.database_name, **_home_of(group)}
            answer = identity | in_words(made, labels, request)
            if all(answer["plan"] != other["plan"] for other in plans):
                plans.append(answer)
        results.extend(plans)
    if not results:
        return in_words(plan_restore((), position, goal_of(request)), labels, request)
    if len(results) == 1:
        return results[0]
    totals = {key: sum((Counter(r[key]) for r in results), Counter[str]()) for key in COUNTED}
    return {
        "databases": results,
        "single_target": Reason.AMBIGUOUS_DATABASE.value,
        **{key: dict(total) for key, total in totals.items()},
    }


def _home_of(group: Sequence[BackupSet]) -> Json:
    """Return what else than its name tells a database from others."""
    homes: dict[str, set[str | None]] = {
        "server": {s.server_name for s in group},
        "AvailabilityGroupName": {s.availability_group_name for s in group},
        "FamilyGUID": {str(s.family_guid) if s.family_guid else None for s in group},
    }
    return {key: found.pop() for key, found in homes.items() if len(found) == 1 and any(found)}


if __name__ == "__main__":
    sys.exit(main())
