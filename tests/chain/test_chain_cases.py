"""Chain cases: ours in tests/data/chains, and those of ../shared/restore-chains where they are."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.chain.compare import matches
from tests.chain.schema import Json
from tests.chain_cases import load_cases, main, run_case

ROOT = Path(__file__).parents[2]
OURS = ROOT / "tests" / "data" / "chains"
SHARED = ROOT.parent / "shared" / "restore-chains"
SEEDS = range(4)


def every_case(folder: Path) -> list[ParameterSet]:
    return [
        pytest.param(case, id=case["id"])
        for file in sorted(folder.glob("*.json"))
        for case in load_cases(file)
    ]


def in_another_order(case: Json, seed: int) -> Json:
    """Return a case with its backups, and what arrives at one time, in another order."""
    case = copy.deepcopy(case)
    order = random.Random(seed)  # noqa: S311 a shuffle, not a secret
    order.shuffle(case["backups"])
    for event in case.get("events", ()):
        order.shuffle(event.get("arrive") or [])
    return case


def check(case: Json) -> None:
    for tried in (case, *(in_another_order(case, seed) for seed in SEEDS)):
        result = run_case(tried)
        assert result["passed"], json.dumps(result, indent=1)


@pytest.mark.parametrize("case", every_case(OURS))
def test_our_cases(case: Json) -> None:
    check(case)


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/restore-chains is not there")
@pytest.mark.parametrize("case", every_case(SHARED))
def test_shared_cases(case: Json) -> None:
    check(case)


def test_the_command_prints_a_line_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    file = OURS / "gaps.json"
    assert main([str(file)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == [case["id"] for case in load_cases(file)]
    assert all(line.keys() == {"id", "passed", "expected", "got"} for line in lines)


def test_a_wrong_expectation_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads((OURS / "gaps.json").read_text(encoding="utf-8"))
    case = next(c for c in content["cases"] if c["id"] == "gap-first-log")
    case["expected"]["plan"].reverse()
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({**content, "cases": [case]}), encoding="utf-8")
    assert main([str(file)]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


GOT: Json = {
    "status": "ready",
    "plan": ["full", "empty", "log"],
    "counts": {"full": 1, "diff": 0, "log": 2},
    "servers": {"SQL-1": 3},
    "plan_files": {"full": ["a", "b"], "log": ["c"]},
    "stop_at": {},
    "rejected": {"old": {"reason": "gap", "error": 4305}},
    "restart_from": [],
}


@pytest.mark.parametrize(
    ("expected", "fits"),
    [
        ({"plan": ["full", "empty", "log"]}, True),
        ({"plan": ["full", "log"]}, False),
        ({"plan": ["full", "log"], "optional": ["empty"]}, True),
        ({"plan_any_of": [["full"], ["full", "empty", "log"]]}, True),
        ({"not_contains": ["log"]}, False),
        ({"status": "idle"}, False),
        ({"counts": {"full": 1, "log": 2}}, True),
        ({"counts": {"full": 1}}, False),
        ({"servers": {"SQL-1": 2, "SQL-2": 1}}, False),
        ({"plan_files": {"full": ["a", "b"]}}, True),
        ({"plan_files": {"full": ["b", "a"]}}, False),
        ({"plan_files": {"log": {"one_of": ["c", "d"]}}}, True),
        ({"plan_files": {"full": [{"one_of": ["a", "x"]}, "b"]}}, True),
        ({"plan_files": {"gone": ["c"]}}, False),
        ({"rejected": {"old": {"reason": "gap"}}}, True),
        ({"rejected": {"old": {"reason_any_of": ["wrong_fork", "gap"], "error": 4305}}}, True),
        ({"rejected": {"old": {"reason": "gap", "error": 4326}}}, False),
        ({"rejected": {"new": {"reason": "gap"}}}, False),
        ({"stop_at": {"log": "2026-05-04T08:00:00"}}, False),
        ({"waiting_for": {"kind": "log", "lsn": "1"}}, False),
        ({"restart_from": ["full"]}, False),
        ({"error": 4305}, False),
    ],
)
def test_only_what_is_expected_is_compared(expected: Json, fits: bool) -> None:
    assert matches(expected, GOT) is fits


def test_idle_may_be_ready_for_what_is_optional_only() -> None:
    got = {**GOT, "plan": ["empty"]}
    assert matches({"status": "idle", "plan": [], "optional": ["empty"]}, got)
    assert not matches({"status": "idle", "plan": []}, got)
