"""The entity that hands out the restore slots of one target; its key is the target's name."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from shared.slots import Slots, acquire, release


def restore_slots(context: df.DurableEntityContext) -> None:
    """Carry out `acquire` {who, limit} -> {place} or `release` {who} -> {next}."""
    state: dict[str, Any] = context.get_state(dict)
    slots = Slots(tuple(state.get("holders", ())), tuple(state.get("queue", ())))
    request: dict[str, Any] = context.get_input()
    if context.operation_name == "acquire":
        slots, place = acquire(slots, request["who"], request["limit"])
        answer: dict[str, Any] = {"place": place}
    else:
        slots, following = release(slots, request["who"])
        answer = {"next": following}
    context.set_state({"holders": list(slots.holders), "queue": list(slots.queue)})
    context.set_result(answer)
