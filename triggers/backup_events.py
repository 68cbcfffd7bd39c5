"""A blob was finished: start the orchestration that checks it."""

import logging
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from activities.place import workplace
from orchestrators.starting import start_validation
from shared.blob_event import Ignored, read_event

_LOG = logging.getLogger(__name__)


async def backup_created(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
    """Take a BlobCreated event in either schema; raises only what a later delivery may cure."""
    # CloudEvents arrive as another class than the annotation says, with other names.
    received: Any = event
    event_type = received.type if isinstance(received, func.CloudEvent) else received.event_type
    data = received.get_json()
    blob = read_event(
        event_type or "",
        received.subject or "",
        data if isinstance(data, dict) else {},
        workplace().settings.container,
    )
    if isinstance(blob, Ignored):
        _LOG.info("event %s ignored: %s", received.id, blob.reason)
        return
    await start_validation(client, blob)
