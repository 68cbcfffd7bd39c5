"""The command line inside the test process, for what needs no process of its own."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from backhaul.cli import main
from tests.backhaul.process import ENVIRONMENT, Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in the present folder, without a terminal."""
    for name in ("FORCE_COLOR", "BACKHAUL_URL", "BACKHAUL_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def run(*args: str, typed: str = "") -> Outcome:
        monkeypatch.setattr("sys.argv", ["backhaul", *args])
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            raise SystemExit(main())
        return Outcome(int(ended.value.code or 0), *capsys.readouterr())

    return run
