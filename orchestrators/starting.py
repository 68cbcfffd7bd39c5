"""Starts and wakes orchestrations through the durable client. For triggers and activities.

Both may be repeated, and neither is relied on: what it announces is in the catalog already, and
the periodic check finds whoever was not told.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

import azure.durable_functions as df

from orchestrators import slots
from orchestrators.steps import RESTORE_SLOTS, WAKE
from shared.blob_event import FinishedBlob, validation_id
from shared.models import ArrivedBlob, MigrationRef

_LOG = logging.getLogger(__name__)

_LIVE = frozenset(
    {
        df.OrchestrationRuntimeStatus.Pending,
        df.OrchestrationRuntimeStatus.Running,
        df.OrchestrationRuntimeStatus.ContinuedAsNew,
        df.OrchestrationRuntimeStatus.Suspended,
    }
)


async def start_validation(
    client: df.DurableOrchestrationClient, blob: FinishedBlob, *, again: bool = False
) -> None:
    """Start checking a version of a blob, unless that was started before and did not fail.

    With `again` also if it was checked: the catalog does not know it all the same, for instance
    because its folder belongs to another migration by now.
    """
    instance = validation_id(blob)
    status = (await client.get_status(instance)).runtime_status
    checked = status is df.OrchestrationRuntimeStatus.Completed
    if status in _LIVE or (checked and not again):
        return
    await _start(client, "validate_backup", instance, ArrivedBlob(name=blob.name))


async def wake_migration(client: df.DurableOrchestrationClient, migration_id: str) -> None:
    """Make a migration look again; start its orchestration if it does not run."""
    status = (await client.get_status(migration_id)).runtime_status
    if status not in _LIVE:
        await _start(
            client, "migrate_database", migration_id, MigrationRef(migration_id=migration_id)
        )
        return
    try:
        await client.raise_event(migration_id, WAKE, {})
    except Exception as error:
        # It ended just now, or the event cannot be taken: the next look makes up for it.
        _LOG.info("migration %s was not woken: %s", migration_id, error)


async def _start(
    client: df.DurableOrchestrationClient,
    orchestrator: str,
    instance: str,
    given: ArrivedBlob | MigrationRef,
) -> None:
    try:
        await client.start_new(orchestrator, instance, given.as_json())
    except Exception:
        # Somebody else may have started it at the same moment.
        if (await client.get_status(instance)).runtime_status is None:
            raise


async def who_asked(client: df.DurableOrchestrationClient, target: str) -> set[str]:
    """Return the ids of the migrations that hold a restore slot of a target, or wait for one."""
    state = (await client.read_entity_state(df.EntityId(RESTORE_SLOTS, target))).entity_state or {}
    return slots.who_asked(state)


async def give_back(
    client: df.DurableOrchestrationClient, target: str, who: Collection[str]
) -> None:
    """Give back the slots, and the places in the queue, of migrations that have no use for them."""
    for migration_id in who:
        await client.signal_entity(
            df.EntityId(RESTORE_SLOTS, target), "release", {"who": migration_id}
        )
