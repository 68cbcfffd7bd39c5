"""The judge agrees with the chain cases: it accepts every expected plan, and refuses the rest.

The cases of ../shared/restore-chains were made for the planner; here its rules are not used.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from local.samples import SampleDatabase
from local.sqlserver.engine import rules
from local.sqlserver.engine.model import Position
from local.sqlserver.errors import SqlError
from shared.backupset import BackupHeader, BackupType
from shared.lsn import Lsn

_JUDGED = {3120, 3136, 4305, 4326, 4330}


def _cases(folder: Path) -> list[dict[str, Any]]:
    cases = []
    for path in sorted(folder.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            if "backups_from" in case:
                source = json.loads((folder / case["backups_from"]).read_text())
                case["backups"] = source["backups"]
            if case["kind"] == "plan" and "plan" in case["expected"]:
                cases.append(case)
    return cases


_TEMPLATE = SampleDatabase("any").full().header


def _guid(text: str | None) -> UUID | None:
    """Read a GUID of a case; translated cases name some sets in words."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        return uuid5(UUID(int=0), text)


def _lsn(text: str | None) -> Lsn | None:
    return Lsn.parse(text) if text else None


def _header(backup: dict[str, Any]) -> BackupHeader:
    """Make a header of a case's fields; a fork that nobody knows is the zero GUID on all sides."""
    last = _guid(backup.get("RecoveryForkID") or backup.get("FirstRecoveryForkID")) or UUID(int=0)
    return _TEMPLATE.model_copy(
        update={
            "backup_type": BackupType(backup["BackupType"]),
            "first_lsn": _lsn(backup["FirstLSN"]),
            "last_lsn": _lsn(backup["LastLSN"]),
            "checkpoint_lsn": _lsn(backup["CheckpointLSN"]),
            "database_backup_lsn": _lsn(backup["DatabaseBackupLSN"]),
            "recovery_fork_id": last,
            "first_recovery_fork_id": _guid(backup.get("FirstRecoveryForkID")) or last,
            "fork_point_lsn": _lsn(backup.get("ForkPointLSN")),
            "differential_base_lsn": _lsn(backup.get("DifferentialBaseLSN")),
            "differential_base_guid": _guid(backup.get("DifferentialBaseGUID")),
            "backup_set_guid": _guid(backup["BackupSetGUID"]),
        }
    )


def _restore(position: Position | None, header: BackupHeader) -> Position:
    if header.backup_type is BackupType.DATABASE:
        return rules.after_full(header)
    assert position is not None
    if header.backup_type is BackupType.DIFFERENTIAL:
        rules.check_differential(position, header)
        return rules.after_differential(position, header)
    rules.check_log(position, header)
    return rules.after_log(position, header, (), slots_behind=0)


def _begin(request: dict[str, Any]) -> Position | None:
    """Return where a target stands that was begun before; unknown fields fit everything."""
    given = request.get("continue_from")
    if not given:
        return None
    redo = Lsn.parse(given["RedoStartLSN"])
    return Position(
        redo_start_lsn=redo,
        reported_lsn=redo,
        redo_start_fork_guid=_guid(given.get("RecoveryForkID")) or UUID(int=0),
        differential_base_lsn=Lsn.parse(given.get("DifferentialBaseLSN") or "0"),
        differential_base_guid=None,
        differential_base_time=None,
    )


def test_every_plan_is_accepted_and_every_refusal_has_its_number(shared_dir: Path) -> None:
    judged = 0
    for case in _cases(shared_dir / "restore-chains"):
        headers = {b["id"]: _header(b) for b in case["backups"]}
        position = _begin(case["request"])
        for name in case["expected"]["plan"]:
            position = _restore(position, headers[name])
        for name, rejection in (case["expected"].get("rejected") or {}).items():
            if rejection.get("error") in _JUDGED and position is not None:
                with pytest.raises(SqlError) as refusal:
                    _restore(position, headers[name])
                assert refusal.value.number == rejection["error"], (case["id"], name)
                judged += 1
    assert judged > 10
