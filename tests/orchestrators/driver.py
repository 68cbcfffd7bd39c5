"""Sends canned results into a plain generator and records the calls it makes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NamedTuple


class Call(NamedTuple):
    """What an orchestrator yields: the kind of task, its name, and what it is given."""

    kind: str
    name: str
    given: Any


class Timer:
    """A timer of so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.canceled = False

    def cancel(self) -> None:
        self.canceled = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timer) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # it changes


class Context:
    """The calls of a DurableOrchestrationContext that our orchestrators use."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self.statuses: list[Any] = []
        self.timers: list[Timer] = []
        self.next_input: Any = None

    def get_input(self) -> Any:
        return self._given

    def call_activity_with_retry(self, name: str, retry: Any, given: Any) -> Call:
        assert retry.max_number_of_attempts > 1
        return Call("activity", name, given)

    def call_activity(self, name: str, given: Any) -> Call:
        return Call("activity", name, given)

    def new_uuid(self) -> str:
        return "8000-of-no-interest"

    def call_entity(self, entity: Any, operation: str, given: Any) -> Call:
        return Call("entity", f"{entity.name}/{entity.key}.{operation}", given)

    def wait_for_external_event(self, name: str) -> Call:
        return Call("event", name, None)

    @property
    def current_utc_datetime(self) -> datetime:
        return datetime(2026, 3, 2, 8, tzinfo=timezone.utc)

    def create_timer(self, fire_at: datetime) -> Timer:
        timer = Timer((fire_at - self.current_utc_datetime).total_seconds())
        self.timers.append(timer)
        return timer

    def task_any(self, tasks: list[Any]) -> Call:
        return Call("any", "pause", tasks)

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
    timers: list[Timer]

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
                failed = call.name
                call = generator.throw(Exception(f"{failed}: {why}"))
                # It fails as often as it is tried again.
                while isinstance(call, Timer):
                    context.timers.remove(call)
                    assert generator.send(None).name == failed
                    call = generator.throw(Exception(f"{failed}: {why}"))
            else:
                call = generator.send(_answer(call, answers[call.name]))
    except StopIteration as end:
        return Run(calls, end.value, context.statuses, context.next_input, context.timers)


def _answer(call: Call, answers: Any) -> Any:
    """Return what a call gives: of a list, the next one; of a race, the task that is named."""
    answer = answers.pop(0) if isinstance(answers, list) else answers
    if call.kind != "any":
        return answer
    timer, event = call.given
    return {"timer": timer, "event": event}[answer]
