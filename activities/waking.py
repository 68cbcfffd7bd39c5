"""The activity that tells a migration to look again."""

import azure.durable_functions as df

from orchestrators import starting
from shared.models import MigrationRef


async def wake_migration(request: dict, client: df.DurableOrchestrationClient) -> dict:
    """Wake the orchestration of a migration, or start it."""
    ref = MigrationRef.model_validate(request)
    await starting.wake_migration(client, ref.migration_id)
    return {}
