"""The command `plan`: golden files, the contract of its JSON, its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.samples import SampleDatabase
from shared.backupfile import layout
from tests.backhaul import golden
from tests.backhaul.backups import write_broken, write_logs_with_gap, write_sales
from tests.backhaul.conftest import Run
from tests.backhaul.process import Terminal

Write = Callable[[Path], None]


def write_two(folder: Path) -> None:
    write_sales(folder / "sales")
    write_logs_with_gap(folder / "hr", 4)


@pytest.mark.parametrize(
    ("name", "write", "status"), [("sales", write_sales, 0), ("gap", write_two, 1)]
)
def test_plan_is_shown(
    name: str, write: Write, status: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "backups")
    monkeypatch.chdir(tmp_path)

    shown = run("plan", "backups")
    as_json = run("plan", "backups", "--json")

    assert shown.err == as_json.err == ""
    assert shown.status == as_json.status == status
    golden.check(f"plan-{name}.txt", shown.out)
    golden.check(f"plan-{name}.json", as_json.out)


def test_unusable_files_are_shown(run: Run, tmp_path: Path) -> None:
    write_broken(tmp_path)

    shown = run("plan", str(tmp_path))

    assert shown.status == 1
    golden.check("plan-broken.txt", shown.out)


@pytest.mark.parametrize("write", [write_sales, write_broken, write_two])
def test_every_file_is_accounted_for_once(write: Write, run: Run, tmp_path: Path) -> None:
    write(tmp_path)

    plan = json.loads(run("plan", str(tmp_path), "--json").out)

    told: list[str] = [file["fileName"] for file in plan["unusableFiles"]]
    for database in plan["databases"]:
        for part in ("steps", "waiting", "ignored"):
            told.extend(name for backup in database[part] for name in backup["files"])
    present = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(told) == sorted(present)


class Goal(NamedTuple):
    """Options, the last file of the plan, and what else the plan must say."""

    options: tuple[str, ...]
    last: str
    says: dict[str, object]


LAST_LOG = "sales/LOG/Sales_LOG_20260301_040000.trn"
LOG_BEFORE = "sales/LOG/Sales_LOG_20260301_034500.trn"
GOALS = {
    "open end": Goal((), LAST_LOG, {"complete": True}),
    "last backup": Goal(
        ("--last-backup", "LOG/Sales_LOG_20260301_034500.trn"),
        LOG_BEFORE,
        {"complete": True, "ignored": (LAST_LOG, "AfterLastBackup")},
    ),
    "stop at": Goal(
        ("--stop-at", "2026-03-01 03:40"),
        LOG_BEFORE,
        {"complete": True, "stop_at": "2026-03-01T03:40:00"},
    ),
    "stop after all": Goal(
        ("--stop-at", "2026-03-02T00:00:00"), LAST_LOG, {"missing": "StopPointNotReached"}
    ),
    "stop before all": Goal(
        ("--stop-at", "2026-03-01 00:00"), "", {"missing": "FullBackupMissing"}
    ),
    "last backup unusable": Goal(
        ("--last-backup", "notes.txt"), LAST_LOG, {"missing": "FileInvalid"}
    ),
    "last backup absent": Goal(
        ("--last-backup", "tail.trn"), LAST_LOG, {"missing": "LastBackupNotFound"}
    ),
}


@pytest.mark.parametrize("name", GOALS)
def test_plan_ends_where_the_options_say(name: str, run: Run, tmp_path: Path) -> None:
    write_two(tmp_path)
    goal = GOALS[name]

    ended = run("plan", str(tmp_path), "--database", "Sales", *goal.options, "--json")

    plan = json.loads(ended.out)
    (database,) = plan["databases"]
    steps: list[dict[str, Any]] = database["steps"]
    said = {
        "complete": plan["complete"],
        "missing": database.get("missing", {}).get("reasonCode"),
        "stop_at": steps[-1].get("stopAt") if steps else None,
        "ignored": next(((s["files"][0], s["reasonCode"]) for s in database["ignored"][-1:]), None),
    }
    assert (steps[-1]["files"][-1] if steps else "") == goal.last
    assert {key: said[key] for key in goal.says} == goal.says
    assert ended.status == (0 if plan["complete"] else 1)


def test_last_backup_of_one_database_leaves_the_other_alone(run: Run, tmp_path: Path) -> None:
    write_two(tmp_path)

    ended = run("plan", str(tmp_path), "--last-backup", "HR_LOG_20260301_024500.trn", "--json")

    hr, sales = json.loads(ended.out)["databases"]
    assert hr["status"] == "complete"
    assert hr["steps"][-1]["files"] == ["hr/HR_LOG_20260301_024500.trn"]
    assert sales["steps"][-1]["files"] == [LAST_LOG]
    assert ended.status == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--last-backup", "tail.trn"), "no usable backup, or more than one of a database"),
        (("--database", "Salse"), "no usable backup of database 'Salse' is here"),
    ],
)
def test_a_wish_that_nothing_meets_is_an_error(
    options: tuple[str, ...], words: str, run: Run, tmp_path: Path
) -> None:
    write_two(tmp_path)

    ended = run("plan", str(tmp_path), *options)

    assert ended.status == 1
    assert ended.out == ""
    assert words in ended.err
    assert "\nTry:   " in ended.err


def test_a_stop_time_in_bulk_logged_changes_cannot_be_reached(run: Run, tmp_path: Path) -> None:
    bulk = SampleDatabase("Bulk", recovery_model="BULK-LOGGED", data_bytes=64 * 1024)
    bulk.full().write(tmp_path)
    bulk.log(flags=layout.FLAG_BULK_LOGGED).write(tmp_path)

    plan = json.loads(run("plan", str(tmp_path), "--stop-at", "2026-03-01 02:20", "--json").out)

    assert plan["databases"][0]["missing"]["reasonCode"] == "StopPointNotReached"


def test_plan_is_folded_on_a_terminal_unless_all_is_wanted(tmp_path: Path) -> None:
    write_logs_with_gap(tmp_path, 30)

    folded = Terminal("plan", ".", cwd=tmp_path)
    unfolded = Terminal("plan", ".", "--all", cwd=tmp_path)

    assert folded.end() == unfolded.end() == 1
    assert "22 more log backups" in folded.text
    assert folded.text.count(".trn") < 12
    assert unfolded.text.count("HR_LOG_") > 30
    assert "\x1b[" in folded.text


@pytest.mark.parametrize("what", ["nothing", "a file"])
def test_what_is_no_folder_is_wrong_usage(what: str, run: Run, tmp_path: Path) -> None:
    if what == "a file":
        (tmp_path / "x").write_bytes(b"")

    ended = run("plan", str(tmp_path / "x"))

    assert ended.status == 2
    assert ended.out == ""
    assert "x is no folder" in ended.err


def test_empty_folder_has_no_plan(run: Run, tmp_path: Path) -> None:
    ended = run("plan", str(tmp_path))

    assert ended.status == 1
    assert "no file is below" in ended.err
