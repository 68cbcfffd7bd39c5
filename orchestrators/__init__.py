"""What happens in which order: deterministic generators, and the entity that hands out slots.

Plain functions are registered by call, so that they stay what they are for tests and types.
"""

import azure.durable_functions as df

from orchestrators.backup import validate_backup
from orchestrators.migration import migrate_database
from orchestrators.slots import restore_slots

blueprint = df.Blueprint()
blueprint.orchestration_trigger(context_name="context")(validate_backup)
blueprint.orchestration_trigger(context_name="context")(migrate_database)
blueprint.entity_trigger(context_name="context")(restore_slots)
