"""One batch of operations on an entity: state and operations in, state and answers out.

As with `turns`, what comes back is true only when the writer has committed it. State is written
once a batch: an operation that raises does not undo what it has set, as in Azure.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_LOG = logging.getLogger(__name__)


class Operation(NamedTuple):
    """A request to an entity. `input` is JSON text; `request_id` is None for a signal.

    `caller` and `caller_execution` name the instance and generation that waits for the answer.
    """

    row: int
    name: str
    input: str | None
    request_id: str | None
    caller: str | None
    caller_execution: str | None


@dataclass(frozen=True)
class Batch:
    """What a batch starts from; `state` is JSON text, None when the entity does not exist."""

    entity: str
    key: str
    state: str | None
    operations: Sequence[Operation]


@dataclass(frozen=True)
class Answer:
    """What the caller of an operation gets, as the JSON text of the event that carries it."""

    caller: str
    caller_execution: str
    request_id: str
    text: str


@dataclass(frozen=True)
class BatchOutcome:
    """What a batch came to. A `state` of None deletes the entity."""

    state: str | None
    answers: list[Answer]


def run_batch(batch: Batch, entity: Callable[[str], str]) -> BatchOutcome:
    """Run the operations in order; never raises. If the batch as a whole fails, all of it does."""
    try:
        state, results = _call(batch, entity)
    except BaseException as error:  # even sys.exit() only fails the operations
        _LOG.exception("entity=%s key=%s the batch failed", batch.entity, batch.key)
        state = batch.state
        results = [{"isError": True, "result": json.dumps(str(error))}] * len(batch.operations)
    answers = []
    for operation, one in zip(batch.operations, results, strict=True):
        if one["isError"]:
            _LOG.warning(
                "entity=%s key=%s operation=%s failed: %s",
                batch.entity,
                batch.key,
                operation.name,
                one["result"],
            )
        answers.extend(_answer(operation, one))
    return BatchOutcome(state, answers)


def _call(batch: Batch, entity: Callable[[str], str]) -> tuple[str | None, list[dict[str, Any]]]:
    result = json.loads(entity(_context(batch)))
    results = result["results"]
    if len(results) != len(batch.operations):
        raise ValueError(f"{len(results)} results for {len(batch.operations)} operations")
    return result["entityState"] if result["entityExists"] else None, results


def _context(batch: Batch) -> str:
    return json.dumps(
        {
            "self": {"name": batch.entity, "key": batch.key},
            "exists": batch.state is not None,
            "state": batch.state,
            "batch": [
                {"name": one.name, "input": one.input, "isSignal": one.request_id is None}
                for one in batch.operations
            ],
        }
    )


def _answer(operation: Operation, result: dict[str, Any]) -> list[Answer]:
    if not (operation.request_id and operation.caller and operation.caller_execution):
        return []
    payload: dict[str, Any] = {"result": result["result"]}
    if result["isError"]:
        payload["exceptionType"] = "Error"
    text = json.dumps(payload)
    return [Answer(operation.caller, operation.caller_execution, operation.request_id, text)]
