"""The benchmark runs, tells what it measured, and leaves nothing behind. Nothing is timed here."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench import durabletask_venv
from bench.figures import Figure, at_least, at_most
from bench.subjects import SUBJECTS
from local.folders import REPOSITORY
from shared.errors import ConfigurationError

BENCH = [sys.executable, "-m", "bench"]


def run_quickly(tmp_path: Path, *subjects: str) -> dict[str, Any]:
    out = tmp_path / "bench.json"
    done = subprocess.run(  # noqa: S603 our own program
        [*BENCH, *subjects, "--quick", "--json", "--out", str(out)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(out.read_text())
    assert json.loads(done.stdout) == document
    assert document["quick"]
    assert document["machine"]["cores"] >= 1
    assert list(document["subjects"]) == list(subjects)
    return document


def test_a_quick_run_has_figures_of_each_subject(tmp_path: Path) -> None:
    document = run_quickly(tmp_path, "hub", "steps", "cutover", "headers", "planner")
    for figures in document["subjects"].values():
        assert figures
        assert all(one["min"] <= one["median"] <= one["max"] for one in figures)


def test_the_host_runs_beside_durabletask(tmp_path: Path) -> None:
    try:
        durabletask_venv.environment()
    except ConfigurationError as error:
        pytest.skip(f"durabletask cannot be installed: {error}")
    figures = run_quickly(tmp_path, "engines")["subjects"]["engines"]
    assert {one["unit"] for one in figures} == {"activities/s", "signals/s", "times"}
    assert all(one["median"] > 0 for one in figures)


def test_an_interrupted_run_ends_what_it_started(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    with subprocess.Popen(  # noqa: S603 our own program
        [*BENCH, "steps", "--out", str(out)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not (children := _children(process.pid)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "Interrupted" in process.stderr.read()
        assert process.wait(60) == 130
    assert not out.exists()
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def _children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = subprocess.run(  # noqa: S603 only looks
        ["/bin/ps", "-o", "pid=", "--ppid", str(parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(word) for word in found.stdout.split()]


def test_help_names_every_subject() -> None:
    shown = subprocess.run(  # noqa: S603 our own program
        [*BENCH, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert "example:" in shown
    assert all(f"  {name} " in shown for name in SUBJECTS)


@pytest.mark.parametrize(
    "wrong", [["nonsense"], ["--runs", "0"], ["--runs", "many"], ["steps", "planer"]]
)
def test_wrong_usage_is_named(wrong: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 our own program
        [*BENCH, *wrong], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert repr(wrong[-1]) in done.stderr


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("told", "ms", [1.0]), None),
        (Figure("low", "ms", [9.0, 1.0, 2.0], at_most(2)), True),
        (Figure("not low", "ms", [3.0, 1.0, 3.0], at_most(2)), False),
        (Figure("high", "a second", [1.0, 5.0, 5.0], at_least(5)), True),
        (Figure("not high", "a second", [4.0], at_least(5)), False),
    ],
    ids=lambda value: value.name if isinstance(value, Figure) else None,
)
def test_the_median_is_held_against_the_target(figure: Figure, met: bool | None) -> None:
    assert figure.met is met
    assert figure.as_json()["met"] is met
