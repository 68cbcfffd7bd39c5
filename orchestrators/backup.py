"""A blob was finished: check it, read as much of it as its migration asks for, tell the migration.

How far the reading has come is in the catalog. A generation reads a part, so that the history of a
backup of terabytes stays short, and whatever is lost is begun again by the periodic check.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import azure.durable_functions as df

from orchestrators.steps import CHECK_BACKUP, RETRY, VERIFY_BACKUP, WAKE_MIGRATION, Steps

_PARTS = 20


def validate_backup(context: df.DurableOrchestrationContext) -> Steps:
    """Judge one blob; its verdict is the output."""
    blob = context.get_input()
    verdict = yield context.call_activity_with_retry(CHECK_BACKUP, RETRY, blob)
    context.set_custom_status(verdict)
    if _is_open(verdict):
        yield from _tell(context, verdict)
        for _ in range(_PARTS):
            verdict = yield context.call_activity_with_retry(VERIFY_BACKUP, RETRY, blob)
            context.set_custom_status(verdict)
            if not _is_open(verdict):
                break
        else:
            context.continue_as_new(blob)
            return None
    yield from _tell(context, verdict)
    return verdict


def _is_open(verdict: dict[str, Any]) -> bool:
    return bool(verdict["verdict"] == "Verifying")


def _tell(
    context: df.DurableOrchestrationContext, verdict: dict[str, Any]
) -> Generator[Any, Any, None]:
    """Wake the migration of a blob; whom nobody tells, the periodic check wakes."""
    if verdict.get("migrationId"):
        ref = {"migrationId": verdict["migrationId"]}
        with suppress(Exception):
            yield context.call_activity_with_retry(WAKE_MIGRATION, RETRY, ref)
