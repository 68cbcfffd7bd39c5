"""The periodic check: whatever an event failed to say is found here, within a minute."""

import asyncio
import logging

import azure.durable_functions as df
import azure.functions as func

from activities.place import workplace
from orchestrators.starting import free_dead_slots, start_validation, wake_migration
from shared.sweeping import survey

_LOG = logging.getLogger(__name__)


async def sweep(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Check blobs that nobody announced, and wake migrations that have something to do."""
    found = await asyncio.to_thread(survey, workplace())
    for blob, folder in found.unchecked:
        await start_validation(client, blob, folder)
    for migration_id in found.restless:
        await wake_migration(client, migration_id)
    for target in found.targets:
        await free_dead_slots(client, target, found.active)
    if found.unchecked or found.restless:
        _LOG.info(
            "periodic check: blobs=%d migrations=%d", len(found.unchecked), len(found.restless)
        )
