"""The restore history in msdb: what was restored, in order, and from which backup sets."""

from __future__ import annotations

import threading
from uuid import UUID

from local.sqlserver.engine.model import Database, RestoredBackup, RestoreRecord
from local.sqlserver.engine.store import Store
from shared.backupset import BackupHeader


class History:
    """Rows of backupset, restorehistory and restorefile; they are only ever added.

    restore_history_id rises by one with each restore that was completed, so the history of a
    database can be compared with a plan, set by set.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._backups = store.load(RestoredBackup)
        self._restores = store.load(RestoreRecord)
        self._ids = {b.header.backup_set_guid: b.backup_set_id for b in self._backups}

    def backups(self) -> list[RestoredBackup]:
        """Return the rows of backupset, oldest first."""
        with self._lock:
            return list(self._backups)

    def restores(self) -> list[RestoreRecord]:
        """Return the rows of restorehistory, oldest first."""
        with self._lock:
            return list(self._restores)

    def add(self, database: Database, header: BackupHeader, restore: RestoreRecord) -> None:
        """Write a finished restore and the state that it left its database in, all or nothing.

        The ids in `restore` are given here. A backup set that was restored before keeps its row.
        """
        with self._lock:
            restore = restore.model_copy(
                update={
                    "restore_history_id": len(self._restores) + 1,
                    "backup_set_id": self._backup_set_id(header.backup_set_guid),
                }
            )
            if restore.backup_set_id <= len(self._backups):
                self._store.save(database, restore)
            else:
                backup = RestoredBackup(
                    backup_set_id=restore.backup_set_id,
                    media_set_id=restore.backup_set_id,
                    header=header,
                )
                self._store.save(database, backup, restore)
                self._backups.append(backup)
                self._ids[header.backup_set_guid] = backup.backup_set_id
            self._restores.append(restore)

    def _backup_set_id(self, guid: UUID) -> int:
        return self._ids.get(guid, len(self._backups) + 1)
