"""How the outside gets in: blob events, the HTTP API, the periodic check.

Triggers parse, start or wake, and answer; what anything means is decided in `shared`.
"""

import azure.durable_functions as df
import azure.functions as func

from triggers.api import (
    cancel_migration,
    create_migration,
    cutover_migration,
    delete_migration,
    list_migrations,
    rehearse_migration,
    restart_migration,
    retry_migration,
    show_migration,
)
from triggers.backup_events import backup_created
from triggers.sweep import sweep

blueprint = df.Blueprint()
with_client = blueprint.durable_client_input(client_name="client")

for handler, method, route in (
    (create_migration, "POST", "migrations"),
    (list_migrations, "GET", "migrations"),
    (show_migration, "GET", "migrations/{id}"),
    (cutover_migration, "POST", "migrations/{id}/cutover"),
    (cancel_migration, "POST", "migrations/{id}/cancel"),
    (retry_migration, "POST", "migrations/{id}/retry"),
    (restart_migration, "POST", "migrations/{id}/restart"),
    (rehearse_migration, "POST", "migrations/{id}/rehearse"),
    (delete_migration, "DELETE", "migrations/{id}"),
):
    with_client(
        blueprint.route(route=route, methods=[method], auth_level=func.AuthLevel.FUNCTION)(handler)
    )

with_client(blueprint.event_grid_trigger(arg_name="event")(backup_created))

# Losing every event costs a minute, never a backup.
with_client(
    blueprint.timer_trigger(arg_name="timer", schedule="0 * * * * *", run_on_startup=True)(sweep)
)
