"""One database's migration, from its first backup to the cutover.

A generation looks where the migration stands, works while there is work, then waits for `Wake`
and begins anew. All it knows is in the catalog, so an event that is lost between two generations
costs nothing: the next look sees what it announced. Its history stays short, however many backups
there are.
"""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from orchestrators.steps import (
    CLEAN_UP_TARGET,
    NOTE_QUEUED,
    RECOVER_DATABASE,
    RESTORE_BATCH,
    RESTORE_SLOTS,
    RETRY,
    TAKE_TURN,
    WAKE,
    WAKE_MIGRATION,
    Steps,
)

_PIECES_OF_WORK = 5
_ACTIVITIES = {
    "restore": RESTORE_BATCH,
    "recover": RECOVER_DATABASE,
    "cleanUp": CLEAN_UP_TARGET,
}


def migrate_database(context: df.DurableOrchestrationContext) -> Steps:
    """Bring one database to its target; the last status is the output."""
    ref: dict[str, Any] = context.get_input()
    turn = yield from _work(context, ref)
    context.set_custom_status(turn["status"])
    if turn["action"] == "finish":
        return turn["status"]
    if turn["action"] == "wait":
        yield context.wait_for_external_event(WAKE)
    context.continue_as_new(ref)
    return None


def _work(context: df.DurableOrchestrationContext, ref: dict[str, Any]) -> Steps:
    """Look and work until there is nothing to do, or enough was done for one generation."""
    slots: df.EntityId | None = None
    turn = yield from _try(context.call_activity_with_retry(TAKE_TURN, RETRY, ref))
    for _ in range(_PIECES_OF_WORK):
        context.set_custom_status(turn["status"])
        activity = _ACTIVITIES.get(turn["action"])
        if activity is None:
            break
        if activity == RESTORE_BATCH and slots is None:
            slots = df.EntityId(RESTORE_SLOTS, turn["target"])
            who = {"who": ref["migrationId"], "limit": turn["slots"]}
            answer = yield from _try(context.call_entity(slots, "acquire", who))
            if place := answer.get("place"):
                queued = {**ref, "place": place}
                return (
                    yield from _try(context.call_activity_with_retry(NOTE_QUEUED, RETRY, queued))
                )
            if place is None:
                return answer
        turn = yield from _try(context.call_activity_with_retry(activity, RETRY, ref))
    if slots is not None:
        yield from _give_back(context, ref, slots)
    return turn


def _try(task: Any) -> Steps:
    """Wait for a task; if it fails in spite of its retries, wait for the next look instead."""
    try:
        return (yield task)
    except Exception as error:
        return {
            "action": "wait",
            "status": {"waitingFor": "the next try", "lastError": str(error)[:1000]},
        }


def _give_back(
    context: df.DurableOrchestrationContext, ref: dict[str, Any], slots: df.EntityId
) -> Steps:
    """Give the slot back and wake whoever is next; the periodic check does what fails here."""
    who = {"who": ref["migrationId"]}
    released = yield from _try(context.call_entity(slots, "release", who))
    if following := released.get("next"):
        ref = {"migrationId": following}
        yield from _try(context.call_activity_with_retry(WAKE_MIGRATION, RETRY, ref))
