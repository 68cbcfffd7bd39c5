"""One generation of a migration: which calls it makes, and that none of their failures ends it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from orchestrators.migration import migrate_database
from tests.orchestrators.driver import Run, run

REF = {"migrationId": "sales", "version": 1}
ACQUIRE, RELEASE = "restore_slots/sql-1.acquire", "restore_slots/sql-1.release"


def turn(action: str, pause: float = 0, **status: Any) -> dict[str, Any]:
    told = {"is": action, **status}
    return {
        "action": action,
        "status": told,
        "target": "sql-1",
        "slots": 4,
        "pauseSeconds": pause,
        "urgency": {"priority": 0, "since": ""},
    }


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
    "pause": "timer",
}
AT_WORK = turn("restore", pause=7)
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
    answers = copy.deepcopy({**ANSWERS, **STORIES[story][0]})
    return run(migrate_database, REF, answers, fail_at=fail_at)


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


def follow(given: dict[str, Any], **answers: Any) -> Run:
    return run(migrate_database, given, {**ANSWERS, **copy.deepcopy(answers)})


def test_a_batch_is_looked_at_between_pauses_and_the_slot_kept_until_it_is_over() -> None:
    told = follow(REF, take_turn=turn("restore"), restore_batch=[AT_WORK, AT_WORK, turn("wait")])
    assert told.names == [
        "take_turn",
        ACQUIRE,
        *("restore_batch", "pause", "restore_batch", "pause", "restore_batch"),
        RELEASE,
    ]
    assert [timer.seconds for timer in told.timers] == [7, 7]
    assert told.next_input == REF, "the next generation waits: this one has used the event's name"


def test_a_batch_that_outlasts_a_generation_keeps_its_slot() -> None:
    told = follow(REF, take_turn=turn("restore"), restore_batch=AT_WORK)
    assert told.names == ["take_turn", ACQUIRE, "restore_batch", *["pause", "restore_batch"] * 20]
    assert told.next_input == {**REF, "slotOf": "sql-1"}
    told = follow(told.next_input, take_turn=AT_WORK, restore_batch=turn("wait"))
    assert told.names == ["take_turn", "pause", "restore_batch", RELEASE]
    assert told.calls[0].given == REF


def test_a_wake_cuts_a_pause_short_and_is_waited_for_once() -> None:
    told = follow(REF, take_turn=AT_WORK, restore_batch=AT_WORK, pause=["timer", "event"])
    assert told.names[2:] == ["pause", "restore_batch", "pause", "restore_batch"]
    assert [timer.canceled for timer in told.timers] == [False, True]
    assert told.next_input == {**REF, "slotOf": "sql-1"}


def test_a_slot_is_kept_while_nobody_knows_and_given_back_once_the_batch_is_gone() -> None:
    holding = {**REF, "slotOf": "sql-1"}
    lost = run(migrate_database, holding, ANSWERS, fail_at=0)
    assert lost.names == ["take_turn", "Wake"]
    assert lost.next_input == holding
    told = follow(holding, take_turn=turn("wait"))
    assert told.names == ["take_turn", RELEASE, "Wake"]
    assert told.next_input == REF


def test_a_long_error_does_not_make_a_long_status() -> None:
    told = run(migrate_database, REF, ANSWERS, fail_at=0, why="x" * 50_000)
    assert len(told.statuses[-1]["lastError"]) == 1000


CHECKING = turn("recover", pause=9)


def test_what_follows_a_recovery_is_looked_at_between_pauses_and_holds_no_slot() -> None:
    told = follow(
        REF,
        take_turn=turn("restore"),
        restore_batch=turn("recover"),
        recover_database=[CHECKING, CHECKING, turn("finish")],
    )
    assert told.names == [
        *("take_turn", ACQUIRE, "restore_batch", "recover_database", RELEASE),
        *("pause", "recover_database", "pause", "recover_database"),
    ]
    assert told.result == {"is": "finish"}


@pytest.mark.parametrize("pauses", [["event"], ["timer"] * 20])
def test_a_slot_is_not_kept_for_the_next_generation_by_what_follows_a_recovery(
    pauses: list[str],
) -> None:
    holding = {**REF, "slotOf": "sql-1"}
    told = follow(holding, take_turn=turn("recover"), recover_database=CHECKING, pause=[*pauses])
    assert told.names[:4] == ["take_turn", "recover_database", RELEASE, "pause"]
    assert told.next_input == REF
