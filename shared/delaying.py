"""Holds logs and differentials back until they have been here long enough: `restoreDelayMinutes`.

A mistake on the source can then still be stopped before it reaches the target. What counts is
when a file arrived, since the dates inside a backup have no zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.backupset import BackupSet, BackupType
from shared.chain import TargetPosition, plan_restore
from shared.outlook import Known, goal_of
from shared.records import FileRecord, MigrationOrder
from shared.workplace import Workplace


def held_until(
    order: MigrationOrder, backup: BackupSet, files: Sequence[FileRecord]
) -> datetime | None:
    """Return when a set of these files is old enough to be restored; None if nothing delays it.

    A full is never delayed, and an accepted cutover lifts the delay.
    """
    is_full = backup.backup_type is BackupType.DATABASE
    if is_full or not files or not order.restore_delay_minutes or order.cutover is not None:
        return None
    arrived = max(file.arrived_on for file in files)
    return arrived + timedelta(minutes=order.restore_delay_minutes)


def hold_back(
    place: Workplace, order: MigrationOrder, position: TargetPosition, known: Known
) -> Known:
    """Note the sets that would come next and are too young still.

    A differential that is held does not hold up the logs that lead the same way. Only what comes
    next is looked up, so the work does not grow with what waits behind it.
    """
    held: dict[UUID, datetime] = {}
    while order.restore_delay_minutes:
        steps = plan_restore(known.sets, position, goal_of(order, without=held)).steps
        if not steps or steps[0].backup.backup_set_guid in held:
            break
        following = steps[0].backup
        files = [place.catalog.read_file(order.folder, file.name) for file in following.files]
        until = held_until(order, following, [file for file in files if file is not None])
        if until is None or until <= place.now():
            break
        held[following.backup_set_guid] = until
        if following.backup_type is BackupType.LOG:
            break
    return known._replace(held=held)
