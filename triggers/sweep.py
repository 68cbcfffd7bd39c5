"""The periodic check: whatever an event failed to say is found here, within a minute."""

import asyncio
import logging

import azure.durable_functions as df
import azure.functions as func

from activities.place import workplace
from orchestrators.starting import give_back, start_validation, wake_migration, who_asked
from shared.sweeping import survey

_LOG = logging.getLogger(__name__)


async def sweep(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
    """Check blobs that nobody announced, wake migrations with work, free slots of those without."""
    place = workplace()
    # Before the survey: whoever had asked by then and has no work now is done, or was ended.
    asked = {target: await who_asked(client, target) for target in place.settings.targets}
    found = await asyncio.to_thread(survey, place)
    for target, who in asked.items():
        await give_back(client, target, who - found.busy)
    for blob in found.unchecked:
        await start_validation(client, blob, again=True)
    for migration_id in found.restless:
        await wake_migration(client, migration_id)
    if found.unchecked or found.restless:
        _LOG.info(
            "periodic check: blobs=%d migrations=%d", len(found.unchecked), len(found.restless)
        )
