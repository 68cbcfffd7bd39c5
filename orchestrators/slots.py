"""The entity that hands out the restore slots of one target; its key is the target's name."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df

from shared.slots import Slots, Waiting, acquire, release


def restore_slots(context: df.DurableEntityContext) -> None:
    """Carry out `acquire` {who, limit, priority, since} -> {place} or `release` {who} -> {next}."""
    state: dict[str, Any] = context.get_state(dict)
    slots = Slots(tuple(state.get("holders", ())), tuple(map(_waiting, state.get("queue", ()))))
    request: dict[str, Any] = context.get_input()
    if context.operation_name == "acquire":
        asks = Waiting(request["who"], request.get("priority", 0), request.get("since", ""))
        slots, place = acquire(slots, asks, request["limit"])
        answer: dict[str, Any] = {"place": place}
    else:
        slots, following = release(slots, request["who"])
        answer = {"next": following}
    context.set_state(
        {"holders": list(slots.holders), "queue": [waiting._asdict() for waiting in slots.queue]}
    )
    context.set_result(answer)


def _waiting(kept: dict[str, Any] | str) -> Waiting:
    # Before there were priorities, only the id was kept.
    return Waiting(kept) if isinstance(kept, str) else Waiting(**kept)


def who_asked(state: dict[str, Any]) -> set[str]:
    """Return who holds a slot or waits for one, by the state of the entity."""
    return {*state.get("holders", ()), *(_waiting(kept).who for kept in state.get("queue", ()))}
