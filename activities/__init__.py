"""What touches the outside: thin, each one call into `shared`, each safe to run twice.

Activities raise only what a retry may cure; a refusal is a result. Their parameters are plain
`dict`: the Functions worker does not take generics.
"""

import azure.durable_functions as df

from activities.backups import check_backup, verify_backup
from activities.migrations import (
    clean_up_target,
    note_queued,
    recover_database,
    restore_batch,
    take_turn,
)
from activities.waking import wake_migration

blueprint = df.Blueprint()
for activity in (
    check_backup,
    verify_backup,
    take_turn,
    restore_batch,
    recover_database,
    clean_up_target,
    note_queued,
):
    blueprint.activity_trigger(input_name="request")(activity)
blueprint.durable_client_input(client_name="client")(
    blueprint.activity_trigger(input_name="request")(wake_migration)
)
