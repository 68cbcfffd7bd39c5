"""One generation of a migration: which calls it makes, and that none of their failures ends it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrators.migration import migrate_database
from tests.orchestrators.driver import Run, run

REF = {"migrationId": "sales", "version": 1}
ACQUIRE, RELEASE = "restore_slots/sql-1.acquire", "restore_slots/sql-1.release"


def turn(action: str, **status: Any) -> dict[str, Any]:
    return {"action": action, "status": {"is": action, **status}, "target": "sql-1", "slots": 4}


ANSWERS = {
    "take_turn": turn("wait"),
    "restore_batch": turn("wait"),
    "recover_database": turn("finish"),
    "clean_up_target": turn("finish"),
    "note_queued": turn("wait"),
    "wake_migration": {},
    ACQUIRE: {"place": 0},
    RELEASE: {"next": None},
    "Wake": {},
}
STORIES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing to do": ({}, ["take_turn", "Wake"]),
    "over already": ({"take_turn": turn("finish")}, ["take_turn"]),
    "restore": (
        {"take_turn": turn("restore"), RELEASE: {"next": "hr"}},
        ["take_turn", ACQUIRE, "restore_batch", RELEASE, "wake_migration", "Wake"],
    ),
    "restore and recover": (
        {"take_turn": turn("restore"), "restore_batch": turn("recover")},
        ["take_turn", ACQUIRE, "restore_batch", "recover_database", RELEASE],
    ),
    "recover": ({"take_turn": turn("recover")}, ["take_turn", "recover_database"]),
    "cancel": ({"take_turn": turn("cleanUp")}, ["take_turn", "clean_up_target"]),
    "cancel in the middle": (
        {"take_turn": turn("restore"), "restore_batch": turn("cleanUp")},
        ["take_turn", ACQUIRE, "restore_batch", "clean_up_target", RELEASE],
    ),
    "more than one generation does": (
        {"take_turn": turn("restore"), "restore_batch": turn("restore")},
        ["take_turn", ACQUIRE, *["restore_batch"] * 5, RELEASE],
    ),
    "queued": (
        {"take_turn": turn("restore"), ACQUIRE: {"place": 3}, "note_queued": turn("wait", place=3)},
        ["take_turn", ACQUIRE, "note_queued", "Wake"],
    ),
}


def tell(story: str, *, fail_at: int | None = None) -> Run:
    return run(migrate_database, REF, {**ANSWERS, **STORIES[story][0]}, fail_at=fail_at)


@pytest.mark.parametrize("story", STORIES)
def test_which_calls_are_made(story: str) -> None:
    told = tell(story)
    assert told.names == STORIES[story][1]
    ended = told.names[-1] != "Wake" and story != "more than one generation does"
    assert told.next_input == (None if ended else REF)
    assert bool(told.result) is ended


@pytest.mark.parametrize("story", STORIES)
def test_the_same_history_gives_the_same_calls(story: str) -> None:
    assert tell(story) == tell(story)


@pytest.mark.parametrize("story", STORIES)
def test_the_history_stays_short(story: str) -> None:
    """Each call takes two or three events, and up to twelve if it is tried four times."""
    assert len(tell(story).calls) <= 12


@pytest.mark.parametrize("story", STORIES)
def test_the_last_status_is_the_one_that_shows(story: str) -> None:
    told = tell(story)
    assert told.statuses[-1]["is"] in ("wait", "finish", "restore")
    assert story != "queued" or told.statuses[-1]["place"] == 3


@pytest.mark.parametrize(
    ("story", "fail_at"),
    [(story, n) for story, (_, calls) in STORIES.items() for n in range(len(calls))],
)
def test_no_failure_ends_a_migration(story: str, fail_at: int) -> None:
    if STORIES[story][1][fail_at] == "Wake":
        return  # an event that is waited for does not fail
    told = tell(story, fail_at=fail_at)
    failed = told.names[fail_at]
    if failed in (RELEASE, "wake_migration"):
        # What was done is done: the migration goes on, or ends, as if nothing had been.
        assert (told.result, told.next_input) == (tell(story).result, tell(story).next_input)
        return
    assert told.names[-1] == "Wake"
    assert told.next_input == REF
    assert told.statuses[-1]["waitingFor"] == "the next try"
    assert failed in told.statuses[-1]["lastError"]
    held = ACQUIRE in told.names[:fail_at] and story != "queued"
    assert (RELEASE in told.names) is held, "a slot is given back whatever fails"


def test_a_long_error_does_not_make_a_long_status() -> None:
    told = run(migrate_database, REF, ANSWERS, fail_at=0, why="x" * 50_000)
    assert len(told.statuses[-1]["lastError"]) == 1000
