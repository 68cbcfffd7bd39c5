"""What may be restored next: SQL Server's rules for one backup set and one position. Pure.

Written from Microsoft Learn only ("Apply Transaction Log Backups", "Recovery Paths", "Restore and
Recovery Overview", "Differential Backups") and the errors list 3000-4999, not from the planner
that these rules judge. Where Learn is silent the stricter reading is taken:

* a log that ends exactly where the target stands brings nothing: 4326;
* an unknown recovery fork at the start of a set is the fork at its end.
"""

from __future__ import annotations

from collections.abc import Sequence

from local.sqlserver.engine.model import Position
from local.sqlserver.engine.stopping import StopPoint, reached_by
from local.sqlserver.errors import SqlError, refuse
from shared.backupset import BackupHeader, BackupType, DatabaseFile
from shared.lsn import Lsn

_KINDS = {BackupType.DATABASE: "D", BackupType.LOG: "L", BackupType.DIFFERENTIAL: "I"}


def restore_type(backup_type: BackupType) -> str:
    """Return restorehistory.restore_type, which is also backupset.type."""
    return _KINDS[backup_type]


def check_differential(position: Position, header: BackupHeader) -> None:
    """Raise 3136, 3120 or 4330 if a differential cannot be restored here."""
    if not _has_base(position, header):
        raise refuse(3136)
    if header.last_lsn <= position.redo_start_lsn:
        raise refuse(3120)
    if not _on_path(position, header):
        raise refuse(4330)


def check_log(position: Position, header: BackupHeader) -> None:
    """Raise 4326, 4305 or 4330 if a log cannot be applied here."""
    redo = position.redo_start_lsn
    if header.last_lsn <= redo:
        raise refuse(4326, header.last_lsn, redo)
    if header.first_lsn > redo:
        raise refuse(4305, header.first_lsn, redo)
    if not _on_path(position, header):
        raise refuse(4330)


def _has_base(position: Position, header: BackupHeader) -> bool:
    """The base's GUID decides where both sides know it, else its checkpoint LSN."""
    if position.differential_base_guid and header.differential_base_guid:
        return position.differential_base_guid == header.differential_base_guid
    named = header.differential_base_lsn
    return position.differential_base_lsn == (
        header.database_backup_lsn if named is None else named
    )


def _on_path(position: Position, header: BackupHeader) -> bool:
    """A set may begin on one recovery fork and end on another; the target must be on its way."""
    last = header.recovery_fork_id
    first = header.first_recovery_fork_id or last
    at = position.redo_start_fork_guid
    if first == last:
        return at == last
    point = header.fork_point_lsn
    if at == first:
        return point is None or position.redo_start_lsn <= point
    return at == last and (point is None or position.redo_start_lsn >= point)


def after_full(header: BackupHeader) -> Position:
    """Return the position that a full backup leads to; it is the differential base itself."""
    return Position(
        redo_start_lsn=header.last_lsn,
        reported_lsn=header.last_lsn,
        redo_start_fork_guid=header.recovery_fork_id,
        differential_base_lsn=header.checkpoint_lsn,
        differential_base_guid=header.backup_set_guid,
        differential_base_time=header.backup_finish_date,
        reached=reached_by(header),
    )


def after_differential(position: Position, header: BackupHeader) -> Position:
    """Return the position behind a differential; the base stays."""
    return position.model_copy(
        update={
            "redo_start_lsn": header.last_lsn,
            "reported_lsn": header.last_lsn,
            "redo_start_fork_guid": header.recovery_fork_id,
            "reached": reached_by(header),
        }
    )


def after_log(
    position: Position, header: BackupHeader, files: Sequence[DatabaseFile], slots_behind: int
) -> Position:
    """Return the position behind a log.

    Rolling through the checkpoint of a newer conventional full moves the differential base to
    it. A real server meets that full in the log records; here the log backup's own file list
    tells which base the data files had when it was taken, and where it does not, the header's
    DatabaseBackupLSN does, without a GUID.
    """
    update: dict[str, object] = {
        "redo_start_lsn": header.last_lsn,
        "reported_lsn": slots_below(header.last_lsn, slots_behind, header.first_lsn),
        "redo_start_fork_guid": header.recovery_fork_id,
        "reached": reached_by(header) or position.reached,
    }
    bases = [
        (file.differential_base_lsn, file.differential_base_guid)
        for file in files
        if file.type == "D" and file.differential_base_lsn
    ] or [(header.database_backup_lsn, None)]
    base_lsn, base_guid = min(bases, key=lambda base: base[0])
    if position.differential_base_lsn < base_lsn < header.last_lsn:
        update |= {
            "differential_base_lsn": base_lsn,
            "differential_base_guid": base_guid,
            "differential_base_time": None,
        }
    return position.model_copy(update=update)


def stopped(position: Position, header: BackupHeader, lsn: Lsn, point: StopPoint) -> Position:
    """Return the position of a roll forward that stopped inside a log; the base stays."""
    return position.model_copy(
        update={
            "redo_start_lsn": lsn,
            "reported_lsn": lsn,
            "redo_start_fork_guid": header.recovery_fork_id,
            "reached": point.time or position.reached,
        }
    )


def slots_below(lsn: Lsn, slots: int, floor: Lsn) -> Lsn:
    """Return the position a few log records before `lsn`, but not below `floor`."""
    vlf, block, slot = lsn.parts
    if slots == 0:
        return lsn
    if slot > slots:
        return max(floor, Lsn.of(vlf, block, slot - slots))
    return max(floor, Lsn.of(vlf, block - 1, 1) if block else lsn)


def check_version(
    header: BackupHeader, server: tuple[int, int, int], newest: int, oldest: int
) -> None:
    """Raise 3169 if the backup's internal version is above or below what the server restores."""
    if oldest <= header.database_version <= newest:
        return
    source = (
        header.software_version_major,
        header.software_version_minor,
        header.software_version_build,
    )
    raise refuse(3169, _dotted(source), _dotted(server))


def _dotted(version: tuple[int, int, int]) -> str:
    return "{:02d}.{:02d}.{:04d}".format(*version)


def check_replaceable(
    name: str, *, same_family: bool, same_name: bool, online: bool, recovery_model: str
) -> SqlError | None:
    """Return why a full backup may not go over an existing database without REPLACE, or None.

    A database that is restoring may be started over; one that is online and in the full or
    bulk-logged model has a tail of the log that nobody has saved, since nothing here takes
    backups.
    """
    if not same_family:
        return refuse(3154, name)
    if not online:
        return None
    if not same_name:
        return refuse(3141, name, name)
    return refuse(3159, name) if recovery_model != "SIMPLE" else None
