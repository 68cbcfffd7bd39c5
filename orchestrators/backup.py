"""A blob was finished: check it, then tell its migration."""

from __future__ import annotations

from contextlib import suppress

import azure.durable_functions as df

from orchestrators.steps import CHECK_BACKUP, RETRY, WAKE_MIGRATION, Steps


def validate_backup(context: df.DurableOrchestrationContext) -> Steps:
    """Judge one blob; its verdict is the output."""
    blob = context.get_input()
    verdict = yield context.call_activity_with_retry(CHECK_BACKUP, RETRY, blob)
    context.set_custom_status(verdict)
    if verdict.get("migrationId"):
        ref = {"migrationId": verdict["migrationId"]}
        # The verdict is written down; whom nobody tells of it, the periodic check wakes.
        with suppress(Exception):
            yield context.call_activity_with_retry(WAKE_MIGRATION, RETRY, ref)
    return verdict
