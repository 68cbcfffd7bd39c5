"""Sends canned results into a plain generator and records the calls it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Call(NamedTuple):
    """What an orchestrator yields: the kind of task, its name, and what it is given."""

    kind: str
    name: str
    given: Any


class Context:
    """The calls of a DurableOrchestrationContext that our orchestrators use."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self.statuses: list[Any] = []
        self.next_input: Any = None

    def get_input(self) -> Any:
        return self._given

    def call_activity_with_retry(self, name: str, retry: Any, given: Any) -> Call:
        assert retry.max_number_of_attempts > 1
        return Call("activity", name, given)

    def call_entity(self, entity: Any, operation: str, given: Any) -> Call:
        return Call("entity", f"{entity.name}/{entity.key}.{operation}", given)

    def wait_for_external_event(self, name: str) -> Call:
        return Call("event", name, None)

    def set_custom_status(self, status: Any) -> None:
        self.statuses.append(status)

    def continue_as_new(self, given: Any) -> None:
        self.next_input = given


class Run(NamedTuple):
    """What one generation did: its calls, its result, the statuses, and the next one's input."""

    calls: list[Call]
    result: Any
    statuses: list[Any]
    next_input: Any

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]


def run(
    orchestrator: Callable[[Any], Any],
    given: Any,
    answers: dict[str, Any],
    *,
    fail_at: int | None = None,
    why: str = "it failed",
) -> Run:
    """Run one generation with answers by the name of the call; call number `fail_at` fails."""
    context, calls = Context(given), []
    generator = orchestrator(context)
    try:
        call = next(generator)
        while True:
            calls.append(call)
            if len(calls) - 1 == fail_at:
                call = generator.throw(Exception(f"{call.name}: {why}"))
            else:
                call = generator.send(answers[call.name])
    except StopIteration as end:
        return Run(calls, end.value, context.statuses, context.next_input)
