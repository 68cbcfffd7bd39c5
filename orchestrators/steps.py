"""The calls that orchestrators make, by name, and how often a failing one is tried again."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

CHECK_BACKUP = "check_backup"
VERIFY_BACKUP = "verify_backup"
WAKE_MIGRATION = "wake_migration"
TAKE_TURN = "take_turn"
RESTORE_BATCH = "restore_batch"
RECOVER_DATABASE = "recover_database"
CLEAN_UP_TARGET = "clean_up_target"
NOTE_QUEUED = "note_queued"
RESTORE_SLOTS = "restore_slots"

WAKE = "Wake"

# The interval is constant, the SDK knows no back-off. What outlives these tries is shown in the
# status and tried again by the periodic check.
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=5_000, max_number_of_attempts=4)

Steps = Generator[Any, Any, Any]
