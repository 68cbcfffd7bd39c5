"""Activities on one migration; each returns what the orchestration does next."""

from activities.place import workplace
from shared import restoring
from shared.models import MigrationRef, QueuedMigration


def take_turn(request: dict) -> dict:
    """Look where a migration stands."""
    ref = MigrationRef.model_validate(request)
    return restoring.take_turn(workplace(), ref.migration_id).as_json()


def restore_batch(request: dict) -> dict:
    """Restore what comes next."""
    ref = MigrationRef.model_validate(request)
    return restoring.restore_batch(workplace(), ref.migration_id).as_json()


def recover_database(request: dict) -> dict:
    """Open the database on the target."""
    ref = MigrationRef.model_validate(request)
    return restoring.recover(workplace(), ref.migration_id).as_json()


def clean_up_target(request: dict) -> dict:
    """Carry out a cancel."""
    ref = MigrationRef.model_validate(request)
    return restoring.clean_up(workplace(), ref.migration_id).as_json()


def note_queued(request: dict) -> dict:
    """Show that a migration waits for a restore slot."""
    ref = QueuedMigration.model_validate(request)
    return restoring.note_queued(workplace(), ref.migration_id, ref.place).as_json()
