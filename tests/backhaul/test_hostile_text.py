"""What others wrote (names of files, headers, answers) cannot steer a terminal nor crash us."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backhaul import terminal
from local.samples import SampleDatabase
from shared.aftermath import Aftermath
from shared.opened import OrphanedUser, OrphanedUsers
from shared.vocabulary import MigrationStatus
from tests.backhaul.answers import AFTERMATH, GAP, ID, Story
from tests.backhaul.app import App, Reply, refusal
from tests.backhaul.conftest import Run
from tests.backhaul.process import Terminal, backhaul

NASTY = {
    "markup": "[red]x[/red]",
    "open markup": "[/]",
    "link": "[link=http://x]y[/link]",
    "emoji code": ":warning: :smile:",
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "C1": "a\x9b31mb",
    "newline": "a\nError: b\r",
    "right to left": "\u202egnp.bak",
    "line separator": "a\u2028b",
    "format": "{0} %s %(x)s",
    "wide": "数据库 Продажи 🛢️",
    "long": "n" * 120,
}
STEERS = ("Cc", "Cf", "Zl", "Zp", "Cs")


def harmful(text: str) -> set[str]:
    """Return the characters that must not reach a terminal."""
    return {c for c in text if unicodedata.category(c) in STEERS and c != "\n"}


@pytest.mark.parametrize("name", NASTY)
def test_names_of_files_and_databases(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nasty = NASTY[name]
    backup = SampleDatabase(nasty, server=nasty[:20], media_name=nasty, data_bytes=64 * 1024)
    (data,) = backup.full(name=nasty).to_bytes()
    path = Path(f"{nasty}.bak")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.with_suffix(".txt").write_bytes(b"nothing")

    for args in (("inspect", "."), ("plan", "."), ("plan", ".", "--last-backup", nasty)):
        shown = run(*args)
        as_json = run(*args, "--json")

        assert not harmful(shown.out + shown.err + as_json.out)
        assert "\nError: b" not in shown.out
        json.loads(as_json.out)
    database = json.loads(run("plan", ".", "--json").out)["databases"][0]
    assert database["databaseName"] == nasty
    assert database["steps"][0]["files"] == [path.as_posix()]


def test_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    nasty = "[red]x[/red]"
    SampleDatabase(nasty, data_bytes=64 * 1024).full(name=nasty).write(tmp_path)
    (tmp_path / "[bold]y[").mkdir()
    (tmp_path / "[bold]y[" / "bold].txt").write_bytes(b"nothing")

    shown = Terminal("plan", ".", cwd=tmp_path)

    assert shown.end() == 0
    assert "[red]x[/red]" in shown.text
    assert "[bold]y[/bold].txt" in shown.text


def test_names_that_are_no_text(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    (data,) = SampleDatabase("Sales", seed=1, data_bytes=64 * 1024).full().to_bytes()
    Path(os.fsdecode(folder + b"/a\xff\xfe.bak")).write_bytes(data)

    by_folder = backhaul("plan", ".", cwd=tmp_path)
    by_name = backhaul("inspect", b"a\xff\xfe.bak", "--json", cwd=tmp_path)

    assert by_folder.status == by_name.status == 0
    assert "a\\xff\\xfe.bak" in by_folder.out
    assert json.loads(by_name.out)["files"][0]["file"] == "a\\xff\\xfe.bak"


def test_output_that_cannot_show_the_name(tmp_path: Path) -> None:
    SampleDatabase("Продажи", data_bytes=64 * 1024).full().write(tmp_path)

    shown = backhaul("plan", ".", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})

    assert shown.status == 0
    assert "\\u041f" in shown.out


def hostile_aftermath(nasty: str) -> Aftermath:
    """Return what is known of an open database whose names were chosen by others."""
    failed = AFTERMATH.steps[-2].model_copy(update={"message": nasty, "action": nasty})
    user = OrphanedUser(name=nasty, sid="0x01", kind="SQL_USER")
    assert AFTERMATH.facts is not None
    return AFTERMATH.model_copy(
        update={
            "steps": (*AFTERMATH.steps[:-2], failed),
            "orphans": OrphanedUsers(count=200, users=(user,) * 100),
            "facts": AFTERMATH.facts.model_copy(update={"owner": nasty}),
        }
    )


@pytest.mark.parametrize("name", NASTY)
def test_answers_of_the_app(name: str, run: Run) -> None:
    nasty = NASTY[name]
    story = Story(restored=3, name=nasty, folder=nasty, notes=nasty)
    gap = GAP.model_copy(update={"reason": nasty, "action": nasty})
    given: dict[str, Any] = {
        "name": nasty,
        "blocking": gap,
        "waiting_for": nasty,
        "complete_error": nasty,
        "current": story.restoring(3, 45),
        "offline": True,
        "last_backup_name": nasty,
        "aftermath": hostile_aftermath(nasty),
    }
    shown = story.show(MigrationStatus.IN_PROGRESS, **given)
    listed = {"value": [story.summarise(MigrationStatus.IN_PROGRESS, **given).as_json()]}
    route = f"/api/migrations/{ID}"
    replies = {
        f"GET {route}": [Reply(content=shown)],
        "GET /api/migrations": [Reply(content=listed)],
        f"POST {route}/cutover?validateOnly=true": [
            Reply(content=story.readiness(MigrationStatus.IN_PROGRESS, **given))
        ],
        f"POST {route}/cutover": [refusal(409, "No", nasty, nasty)],
        f"POST {route}/cancel": [Reply(202, shown)],
        "POST /api/migrations": [Reply(201, shown)],
    }
    with App(replies) as app:
        for args in (
            ("status",),
            ("status", ID),
            ("status", ID, "--json"),
            ("wait", ID, "--status", "InProgress"),
            ("cutover", ID),
            ("cutover", ID, "--validate-only"),
            ("cutover", ID, "--last-backup", nasty),
            ("cutover", ID, "--yes"),
            ("cancel", ID),
            ("create", "x", "--name", "y"),
        ):
            ended = run(*args, *app.options, typed="y\n")

            assert not harmful(ended.out + ended.err), args
            assert ended.status in (0, 1), args


@given(st.text(st.characters(exclude_categories=())))
def test_harmless_text_is_safe_and_plain_text_is_left_alone(text: str) -> None:
    safe = terminal.harmless(text)

    assert not harmful(safe)
    assert "\n" not in safe
    assert terminal.harmless(safe) == safe
    assert safe == text or harmful(text) or "\n" in text
