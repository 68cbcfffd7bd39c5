"""RESTORE: what it checks, in which order, what it copies, and what is left when it ends.

Before a data backup is copied the database is marked as interrupted, on disk; the mark goes with
the same write that moves the position on. So whatever ends a RESTORE early - an error on the
device, a cancel, a lost connection, the server's own end - leaves the state that a real one
leaves: a database whose full or differential must be repeated (4319), or that can take the same
log again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import uuid4

from local.sqlserver.engine import rules
from local.sqlserver.engine.instance import Instance, same_name
from local.sqlserver.engine.model import (
    Database,
    DatabaseState,
    DatabaseUser,
    Interruption,
    PhysicalFile,
    RestoreRecord,
)
from local.sqlserver.engine.placement import check_moves, comparable, folder_of, place
from local.sqlserver.engine.sessions import Request, Session
from local.sqlserver.engine.stopping import StopPoint, check_data, stop_in_log
from local.sqlserver.engine.strikes import RestoreFaults
from local.sqlserver.errors import diagnostic, not_simulated, refuse
from local.sqlserver.media.mediaset import MediaSet
from local.sqlserver.results import Sink
from local.sqlserver.settings import OLDEST_RESTORABLE
from shared.backupset import BackupHeader, BackupType, DatabaseFile

_PAGE = 8192
_CHUNK_LIMITS = (4 * 1024, 4 * 1024 * 1024)
_CHUNKS_PER_SECOND = 20
_FIRST_USER = 5
_OLDEST_LEVEL = 100
_SUPPORTED = (BackupType.DATABASE, BackupType.DIFFERENTIAL, BackupType.LOG)


@dataclass(frozen=True)
class RestoreOrder:
    """A RESTORE DATABASE, RESTORE LOG or RESTORE VERIFYONLY with its variables put in.

    `verb` is how messages call the statement. No devices means RESTORE ... WITH RECOVERY alone.
    `standby` is an undo file: the database is read-only until the next restore.
    """

    verb: str
    is_log: bool
    database: str
    devices: tuple[tuple[str, str], ...]
    recovery: bool = True
    replace: bool = False
    checksum: bool = False
    stats: int | None = None
    position: int = 1
    moves: tuple[tuple[str, str], ...] = ()
    standby: str | None = None
    stop: StopPoint | None = None


def restore(
    instance: Instance, order: RestoreOrder, session: Session, request: Request, sink: Sink
) -> None:
    """Carry out RESTORE DATABASE or RESTORE LOG; raises SqlError or Aborted.

    Progress goes to `request`, messages to `sink`.
    """
    if session.in_transaction:
        raise refuse(3021)
    existing = instance.find(order.database)
    if existing and existing.is_system:
        if existing.name == "tempdb":
            raise refuse(3147, existing.name)
        raise not_simulated(f"RESTORE of the system database {existing.name}")
    if existing and not instance.is_owner(session, existing):
        raise refuse(3110, existing.name)
    if not existing:
        require_create(instance, session)
    with instance.exclusive(order.database, session):
        if not order.devices:
            _recover(instance, order, request, sink)
            return
        faults = RestoreFaults(instance, session, request, order.database, order.devices[0][1])
        faults.begin()
        with MediaSet(order.devices, instance.open_device) as media:
            _Restore(instance, order, media, session, request, sink, faults).run()


def require_create(instance: Instance, session: Session) -> None:
    """Raise 262 unless a session may create databases, which reading a backup asks for, too."""
    instance.require(session, "CREATE ANY DATABASE", refuse(262, "CREATE DATABASE", "master"))


def verify(
    instance: Instance, order: RestoreOrder, session: Session, request: Request, sink: Sink
) -> None:
    """Carry out RESTORE VERIFYONLY: everything is read, nothing is changed."""
    if session.in_transaction:
        raise refuse(3021)
    require_create(instance, session)
    with MediaSet(order.devices, instance.open_device) as media:
        header, files = _usable_set(instance, order, media)
        check_moves(order.moves, header.database_name, files)
        _Copy(instance, media, request).run(_progress(order.stats, sink))
        sink.message(diagnostic(3262, order.position))


def _recover(instance: Instance, order: RestoreOrder, request: Request, sink: Sink) -> None:
    database = instance.find(order.database)
    if database is None:
        raise refuse(3118, order.database)
    in_standby = database.is_in_standby
    if not (order.recovery or order.standby or in_standby):
        raise refuse(3031, "norecovery", "a RESTORE without FROM")
    if database.state is DatabaseState.ONLINE and not in_standby:
        raise refuse(3153)
    _check_standby_file(database)
    if database.position is None:
        raise refuse(4333)
    if database.interruption:
        raise refuse(4319, database.files[0].logical_name)
    if order.standby is not None:
        _check_standby(instance, order.standby, database.database_version)
    if order.recovery and order.standby is None:
        request.checkpoint(instance.settings.recovery_s)
    instance.save(_ended(database, order))
    sink.message(diagnostic(3014, order.verb, 0, 0.001, 0.0))


def _check_standby_file(database: Database) -> None:
    """Raise 3441 if the undo file of a database in standby is gone."""
    if database.is_in_standby and database.standby_is_lost:
        missing = "2(The system cannot find the file specified.)"
        raise refuse(3441, database.name, database.database_id, database.standby_file, missing)


def _check_standby(instance: Instance, path: str, version: int) -> None:
    """Raise 3180 if a database of that version is to be upgraded first, 5123 without a folder."""
    if 0 < version < instance.settings.product.database_version:
        raise refuse(3180)
    folders = {comparable(folder) for folder in instance.directories}
    if comparable(folder_of(path)) not in folders:
        raise refuse(5123, "3(The system cannot find the path specified.)", path)


def _ended(database: Database, order: RestoreOrder) -> Database:
    """Return a database as the options of a RESTORE leave it."""
    if order.standby is not None:
        return database.model_copy(
            update={"state": DatabaseState.ONLINE, "standby_file": order.standby}
        )
    if order.recovery:
        return _opened(database)
    return database.model_copy(
        update={"state": DatabaseState.RESTORING, "standby_file": None, "standby_is_lost": False}
    )


def _opened(database: Database) -> Database:
    """Return a database after recovery: online, on a recovery fork of its own."""
    return database.model_copy(
        update={
            "state": DatabaseState.ONLINE,
            "position": None,
            "standby_file": None,
            "standby_is_lost": False,
            "database_guid": uuid4(),
            "recovery_fork_guid": uuid4(),
            "compatibility_level": max(database.compatibility_level, _OLDEST_LEVEL),
        }
    )


def _usable_set(
    instance: Instance, order: RestoreOrder, media: MediaSet
) -> tuple[BackupHeader, tuple[DatabaseFile, ...]]:
    """Return the set that is asked for, if the server could restore it to some database."""
    header, files = media.backup_set(order.position)
    media.require_all_families()
    if header.backup_type not in _SUPPORTED:
        raise not_simulated(f"{header.backup_type.description} backups")
    if header.is_damaged:
        raise refuse(3182)
    if order.checksum and not header.has_backup_checksums:
        raise refuse(3187)
    for thumbprint in instance.settings.thumbprints_of(header.database_name):
        instance.certificates.require(thumbprint)
    product = instance.settings.product
    rules.check_version(header, product.parts, product.database_version, OLDEST_RESTORABLE)
    return header, files


class _Restore:
    """One RESTORE that reads devices, from its checks to the row in the history."""

    def __init__(
        self,
        instance: Instance,
        order: RestoreOrder,
        media: MediaSet,
        session: Session,
        request: Request,
        sink: Sink,
        faults: RestoreFaults,
    ) -> None:
        self._faults = faults
        self._instance = instance
        self._order = order
        self._media = media
        self._session = session
        self._request = request
        self._sink = sink
        self._header, self._files = _usable_set(instance, order, media)
        self._is_short = order.stop is not None
        self._moves = check_moves(order.moves, order.database, self._files)

    def run(self) -> None:
        """Check, copy, keep the result."""
        began = self._instance.clock.seconds()
        is_log = self._header.backup_type is BackupType.LOG
        self._check_options()
        if is_log is not self._order.is_log:
            created_by = "BACKUP LOG" if is_log else "BACKUP DATABASE"
            raise refuse(3135, self._media.devices[0].name, created_by)
        plans: dict[BackupType, Callable[[], Database]] = {
            BackupType.DATABASE: self._plan_full,
            BackupType.DIFFERENTIAL: self._plan_differential,
            BackupType.LOG: self._plan_log,
        }
        with self._instance.lock:
            restored = plans[self._header.backup_type]()
            self._begin(restored)
        self._copy()
        self._finish(restored, self._instance.clock.seconds() - began)

    def _check_options(self) -> None:
        """Raise 3180 or 5123 for a STANDBY that cannot be, and what forbids the stop point."""
        order, header, settings = self._order, self._header, self._instance.settings
        if order.standby is not None:
            _check_standby(self._instance, order.standby, header.database_version)
        if order.stop and header.backup_type is not BackupType.LOG:
            check_data(order.stop, header, settings.mark_lsns)

    def _plan_full(self) -> Database:
        order, header = self._order, self._header
        existing = self._instance.find(order.database)
        if existing and not order.replace:
            refusal = rules.check_replaceable(
                existing.name,
                same_family=existing.family_guid == header.family_guid,
                same_name=same_name(existing.name, header.database_name),
                online=existing.state is DatabaseState.ONLINE and not existing.is_in_standby,
                recovery_model=existing.recovery_model,
            )
            if refusal:
                raise refusal
        return Database(
            database_id=(existing.database_id if existing else self._instance.next_database_id()),
            name=existing.name if existing else order.database,
            state=DatabaseState.RESTORING,
            create_date=self._instance.clock.now(),
            owner=self._session.login,
            recovery_model=header.recovery_model,
            compatibility_level=header.compatibility_level,
            collation=header.collation or "",
            family_guid=header.family_guid,
            database_guid=header.binding_id,
            recovery_fork_guid=header.recovery_fork_id,
            files=self._place(self._files),
            users=_users(self._instance.settings.database_users),
            database_version=header.database_version,
            is_encrypted=bool(self._instance.settings.thumbprints_of(header.database_name)),
            position=rules.after_full(header),
        )

    def _plan_differential(self) -> Database:
        existing = self._restoring()
        if existing.position is None:
            raise refuse(4319, existing.files[0].logical_name)
        rules.check_differential(existing.position, self._header)
        return self._rolled(existing, rules.after_differential(existing.position, self._header))

    def _plan_log(self) -> Database:
        existing = self._restoring()
        if existing.position is None:
            raise refuse(4319, existing.files[0].logical_name)
        rules.check_log(existing.position, self._header)
        settings = self._instance.settings
        position = rules.after_log(
            existing.position, self._header, self._files, settings.redo_slots_behind
        )
        if self._order.stop:
            marks = settings.mark_lsns
            stop = stop_in_log(self._order.stop, existing.position, self._header, marks)
            self._is_short = stop is None
            if stop is not None:
                position = rules.stopped(existing.position, self._header, stop, self._order.stop)
        return self._rolled(existing, position)

    def _restoring(self) -> Database:
        """Return the database that a differential or log goes to."""
        existing = self._instance.find(self._order.database)
        if existing is None:
            raise refuse(3118, self._order.database)
        if existing.state is DatabaseState.ONLINE and not existing.is_in_standby:
            raise refuse(3117)
        _check_standby_file(existing)
        if existing.family_guid != self._header.family_guid:
            raise refuse(3154, existing.name)
        interrupted = existing.interruption
        if interrupted and interrupted.backup_set_guid != self._header.backup_set_guid:
            raise refuse(4319, existing.files[0].logical_name)
        return existing

    def _rolled(self, existing: Database, position: object) -> Database:
        known = {file.file_id for file in existing.files}
        added = [file for file in self._files if file.file_id not in known]
        return existing.model_copy(
            update={
                "position": position,
                "recovery_fork_guid": self._header.recovery_fork_id,
                "recovery_model": self._header.recovery_model,
                "interruption": None,
                "files": existing.files + self._place(added),
            }
        )

    def _place(
        self, files: list[DatabaseFile] | tuple[DatabaseFile, ...]
    ) -> tuple[PhysicalFile, ...]:
        instance = self._instance
        taken = instance.taken_paths(self._order.database)
        placed = place(files, self._moves, instance.directories, taken)
        limit = instance.settings.max_database_bytes
        if limit and sum(file.size for file in placed if file.type == "D") > limit:
            raise refuse(1827, limit // 2**20, "database").then(3119)
        lacking = instance.volumes.lacking(
            [(file.physical_name, file.size) for file in placed],
            instance.file_sizes(but=self._order.database),
        )
        if lacking:
            volume, needed = lacking[0]
            told = (volume.mount_point, needed, volume.available_bytes)
            raise refuse(3257, *told).then(3119)
        return placed

    def _begin(self, restored: Database) -> None:
        """Keep the state that counts as long as the copying has not come to its end.

        A full gives up whatever was there; a differential leaves its database where it was; a
        log that is cut off can be applied again, so it leaves no mark.
        """
        header = self._header
        mark = Interruption(backup_set_guid=header.backup_set_guid, backup_type=header.backup_type)
        if header.backup_type is BackupType.DATABASE:
            update: dict[str, object] = {"position": None, "interruption": mark}
            self._instance.save(restored.model_copy(update=update))
            return
        # A database in standby is none any more as soon as the next restore begins.
        update = {"state": DatabaseState.RESTORING, "standby_file": None}
        existing = self._restoring()
        if header.backup_type is BackupType.DIFFERENTIAL:
            self._instance.save(existing.model_copy(update=update | {"interruption": mark}))
        elif existing.is_in_standby:
            self._instance.save(existing.model_copy(update=update))

    def _copy(self) -> None:
        self._request.checkpoint(self._instance.settings.restore_delay_s)
        copy = _Copy(self._instance, self._media, self._request, self._faults)
        copy.run(_progress(self._order.stats, self._sink))

    def _finish(self, restored: Database, seconds: float) -> None:
        order = self._order
        if self._is_short:
            # The point to stop at was not reached: the database goes on waiting for logs.
            order = replace(order, recovery=False, standby=None)
        final = _ended(restored, order)
        self._instance.record(
            final,
            self._header,
            RestoreRecord(
                restore_history_id=0,
                restore_date=self._instance.clock.now(),
                destination_database_name=final.name,
                user_name=self._session.login,
                backup_set_id=0,
                restore_type=rules.restore_type(self._header.backup_type),
                replace=order.replace,
                recovery=order.recovery,
                device_count=len(order.devices),
                stop_at=order.stop.time if order.stop else None,
                stop_at_mark_name=order.stop.mark if order.stop else None,
                stop_before=bool(order.stop and order.stop.before),
                physical_names=tuple((f.file_id, f.physical_name) for f in final.files),
            ),
        )
        self._tell(final, seconds)

    def _tell(self, final: Database, seconds: float) -> None:
        order, header = self._order, self._header
        pages = 0
        for file in self._files:
            count = file.backup_size_in_bytes // _PAGE
            pages += count
            self._sink.message(
                diagnostic(4035, count, final.name, file.logical_name, order.position)
            )
        newest = self._instance.settings.product.database_version
        if order.recovery and header.database_version < newest:
            self._sink.message(diagnostic(951, final.name, header.database_version, newest))
        if self._is_short and order.stop:
            self._sink.message(diagnostic(4322 if order.stop.time else 4329))
        rate = self._media.size / 1_000_000 / max(seconds, 0.001)
        self._sink.message(diagnostic(3014, order.verb, pages, seconds, rate))


def _users(names: Iterable[str]) -> tuple[DatabaseUser, ...]:
    """Return the users that a restored database brings: the same sid in every database."""
    return tuple(
        DatabaseUser(principal_id=number, name=name, sid=sha256(name.encode()).digest()[:16])
        for number, name in enumerate(names, start=_FIRST_USER)
    )


class _Copy:
    """Reads every byte of the devices once, in order, at the speed of the simulated disk."""

    def __init__(
        self,
        instance: Instance,
        media: MediaSet,
        request: Request,
        faults: RestoreFaults | None = None,
    ) -> None:
        self._instance = instance
        self._media = media
        self._request = request
        self._faults = faults

    def run(self, progress: Callable[[float], None]) -> None:
        """Read on; `progress` gets the percentage. Raises SqlError 3203 and such, or Aborted."""
        total, done = self._media.size, 0
        clock = self._instance.clock
        due = clock.seconds()
        for device in self._media.devices:
            offset = 0
            while offset < device.size:
                self._request.checkpoint()
                if self._faults:
                    self._faults.reached(self._request.percent)
                speed = self._speed()
                data = device.read(offset, min(self._chunk(speed), device.size - offset))
                offset += len(data)
                done += len(data)
                if speed:
                    due += len(data) / speed
                    self._request.checkpoint(due - clock.seconds())
                self._request.percent = 100.0 * done / total
                progress(self._request.percent)
        if self._faults:
            self._faults.reached(self._request.percent)

    def _speed(self) -> float | None:
        """Return bytes per second of the server's clock; None is as fast as the device."""
        slowed = self._faults.speed if self._faults else None
        speed = slowed or self._instance.settings.restore_speed
        return speed * 1_000_000 if speed else None

    def _chunk(self, speed: float | None) -> int:
        smallest, largest = _CHUNK_LIMITS
        if speed is None:
            return largest
        wanted = speed * self._instance.clock.factor / _CHUNKS_PER_SECOND
        return int(min(max(wanted, smallest), largest))


def _progress(stats: int | None, sink: Sink) -> Callable[[float], None]:
    """Return what tells of each `stats` percent that are done; nothing without STATS."""
    if stats is None:
        return lambda percent: None
    told = 0

    def tell(percent: float) -> None:
        nonlocal told
        while (step := min(told + stats, 100)) <= percent and told < 100:
            told = step
            sink.message(diagnostic(3211, step))

    return tell
