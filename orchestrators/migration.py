"""One database's migration, from its first backup to the cutover.

A generation looks where the migration stands, works while there is work, then waits for `Wake`
and begins anew. All it knows is in the catalog, so an event that is lost between two generations
costs nothing: the next look sees what it announced. Its history stays short, however many backups
there are.

While the server works by itself, it is looked at between pauses, which `Wake` cuts short. An event
is waited for once in a generation: a second wait of its name would be given the first event again.
And the timer that it beats is canceled with a piece of work between that and the new generation:
right before, Azure would deliver the event for ever.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any, NamedTuple

import azure.durable_functions as df

from orchestrators.steps import (
    CLEAN_UP_TARGET,
    NOTE_QUEUED,
    RECOVER_DATABASE,
    RESTORE_BATCH,
    RESTORE_SLOTS,
    TAKE_TURN,
    WAKE,
    WAKE_MIGRATION,
    Steps,
)

_PIECES_OF_WORK = 5
_PAUSES = 20
_DELAYS_S = (2.0, 5.0, 12.0)
_ACTIVITIES = {
    "restore": RESTORE_BATCH,
    "standBy": RESTORE_BATCH,
    "recover": RECOVER_DATABASE,
    "cleanUp": CLEAN_UP_TARGET,
}


class _Worked(NamedTuple):
    """What a generation came to: its last turn, the slot that it keeps, whether it has paused."""

    turn: dict[str, Any]
    slot_of: str | None = None
    paused: bool = False


def migrate_database(context: df.DurableOrchestrationContext) -> Steps:
    """Bring one database to its target; the last status is the output."""
    given: dict[str, Any] = context.get_input()
    ref = {key: value for key, value in given.items() if key != "slotOf"}
    turn, slot_of, paused = yield from _work(context, ref, given.get("slotOf"))
    context.set_custom_status(turn["status"])
    if turn["action"] == "finish":
        return turn["status"]
    if turn["action"] == "wait" and not paused:
        yield context.wait_for_external_event(WAKE)
    context.continue_as_new({**ref, "slotOf": slot_of} if slot_of else ref)
    return None


def _work(
    context: df.DurableOrchestrationContext, ref: dict[str, Any], slot_of: str | None
) -> Generator[Any, Any, _Worked]:
    """Look and work until there is nothing to do, or enough was done for one generation."""
    pauses, pieces, wake, woken = 0, 0, None, False
    turn = yield from _do(context, TAKE_TURN, ref)
    runs_on = _runs_on(turn, slot_of is not None)
    while pieces < _PIECES_OF_WORK:
        context.set_custom_status(turn["status"])
        activity = _ACTIVITIES.get(turn["action"])
        if activity is None:
            break
        if activity == RESTORE_BATCH and slot_of is None:
            who = {"who": ref["migrationId"], "limit": turn["slots"], **turn["urgency"]}
            answer = yield from _try(context.call_entity(_slots(turn["target"]), "acquire", who))
            if place := answer.get("place"):
                queued = {**ref, "place": place}
                turn = yield from _do(context, NOTE_QUEUED, queued)
                return _Worked(turn, paused=wake is not None)
            if place is None:
                return _Worked(answer, paused=wake is not None)
            slot_of = turn["target"]
        if seconds := turn.get("pauseSeconds"):
            if slot_of is not None and activity == RECOVER_DATABASE:
                # What follows a recovery may take hours, and restores nothing.
                yield from _give_back(context, ref, slot_of)
                slot_of = None
            if woken or pauses == _PAUSES:
                break
            wake = wake or context.wait_for_external_event(WAKE)
            woken = yield from _pause(context, seconds, wake)
            pauses += 1
        else:
            pieces += 1
        turn = yield from _do(context, activity, ref)
        runs_on = _runs_on(turn, runs_on)
    if slot_of is not None and not runs_on:
        yield from _give_back(context, ref, slot_of)
        slot_of = None
    return _Worked(turn, slot_of, paused=wake is not None)


def _runs_on(turn: dict[str, Any], before: bool) -> bool:
    """Tell whether the server is at work, which keeps the slot; a failed look tells nothing new."""
    return bool(turn["pauseSeconds"]) if "pauseSeconds" in turn else before


def _do(context: df.DurableOrchestrationContext, activity: str, given: dict[str, Any]) -> Steps:
    """Call an activity, again after growing pauses while it fails; at last wait for a new look.

    The pauses differ from migration to migration, or all that lost one server would come back to
    it at once. The SDK's own retries know neither.
    """
    for delay_s in _DELAYS_S:
        try:
            return (yield context.call_activity(activity, given))
        except Exception:  # noqa: PERF203 a try for each call is the point
            chance = int(context.new_uuid()[:4], 16) / 0xFFFF
            until = context.current_utc_datetime + timedelta(seconds=delay_s * (0.5 + chance))
            yield context.create_timer(until)
    return (yield from _try(context.call_activity(activity, given)))


def _try(task: Any) -> Steps:
    """Wait for a task; if it fails, wait for the next look instead."""
    try:
        return (yield task)
    except Exception as error:
        return {
            "action": "wait",
            "status": {"waitingFor": "the next try", "lastError": str(error)[:1000]},
        }


def _pause(
    context: df.DurableOrchestrationContext, seconds: float, wake: Any
) -> Generator[Any, Any, bool]:
    """Let time pass; return whether `wake` came first."""
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    first = yield context.task_any([timer, wake])
    if first is not wake:
        return False
    timer.cancel()
    return True


def _slots(target: str) -> df.EntityId:
    return df.EntityId(RESTORE_SLOTS, target)


def _give_back(context: df.DurableOrchestrationContext, ref: dict[str, Any], slot_of: str) -> Steps:
    """Give the slot back and wake whoever is next; the periodic check does what fails here."""
    who = {"who": ref["migrationId"]}
    released = yield from _try(context.call_entity(_slots(slot_of), "release", who))
    if following := released.get("next"):
        ref = {"migrationId": following}
        yield from _do(context, WAKE_MIGRATION, ref)
