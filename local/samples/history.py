"""Plays a database forward and takes its backups: every LSN, GUID, fork and date fits the others.

    database = SampleDatabase("Sales", seed=7)
    full = database.full(stripes=2)
    logs = [database.log() for _ in range(5)]
    full.write(folder)

The rules are those of SQL Server: a full or differential does not break the log chain, a copy-only
backup moves nothing, opening a restored database begins a new recovery fork. The same seed and the
same calls give the same bytes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from local.samples.backup import SampleBackup, make_backup
from local.samples.database import (
    DIFFERENTIAL_TYPES,
    NO_GUID,
    NO_LSN,
    Database,
    State,
    Taken,
    describe,
    file_list,
    file_sizes,
)
from local.samples.header import FULL_TYPES, Background, Provisional
from local.samples.payload import EXTENT
from local.samples.sets import SampleSet
from local.samples.transaction_log import BLOCK_BYTES, advance, log_bytes, log_ranges
from local.samples.versions import VERSIONS
from shared.backupfile import layout
from shared.backupset import BackupType, MediaLabel
from shared.lsn import Lsn

_CHANGED_BYTES = 2 * EXTENT
"""At least so much of a database has changed at any time: the boot page lies within."""
_WORDS = {
    BackupType.DATABASE: "FULL",
    BackupType.DIFFERENTIAL: "DIFF",
    BackupType.LOG: "LOG",
    BackupType.FILE: "FILE",
    BackupType.DIFFERENTIAL_FILE: "FILE_DIFF",
    BackupType.PARTIAL: "PARTIAL",
    BackupType.DIFFERENTIAL_PARTIAL: "PARTIAL_DIFF",
}
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f"*/:<>?\\|]')


class SampleDatabase:
    """A database whose backups are taken one after the other.

    Every backup moves the log by a few KB and the clock by `interval`. `stripes` is the number of
    media families, `name` the backup's own name, `flags` are added to the header's column Flags
    (`layout.FLAG_...`). Methods raise ValueError for what SQL Server would refuse.

    Backups are taken WITH what the options from `compressed` on say; `compressed` may be changed
    between two backups. The pages have checksums of their own unless `page_checksums` is off; those
    of a `blank` database were never formatted, so that its backups are mostly holes, whatever their
    size; those of an `encrypted` one are noise behind their headers.
    """

    def __init__(
        self,
        name: str,
        *,
        seed: int = 0,
        server: str = "SQL01",
        version: str = "2019",
        recovery_model: str = "FULL",
        data_bytes: int = 1024 * 1024,
        filegroups: Sequence[str] = ("PRIMARY",),
        files_per_filegroup: int = 1,
        page_checksums: bool = True,
        blank: bool = False,
        encrypted: bool = False,
        compressed: bool = False,
        checksums: bool = True,
        filemark_size: int = 512,
        transfer_size: int = EXTENT,
        description: str | None = None,
        media_name: str | None = None,
        media_description: str | None = None,
        media_password: bool = False,
        mirrors: int = 1,
        clock: datetime = datetime(2026, 3, 1, 2),  # noqa: DTZ001 the source's local time
        interval: timedelta = timedelta(minutes=15),
    ) -> None:
        self._random = random.Random(f"{seed}/{server}/{name}")  # noqa: S311 samples, no secret
        self._database = Database(
            name=name,
            server=server,
            version=VERSIONS[version],
            family_guid=self._guid(),
            data_bytes=data_bytes,
            filegroups=tuple(filegroups),
            files_per_filegroup=files_per_filegroup,
            checksums=checksums,
            page_checksums=page_checksums,
            blank=blank,
            encrypted=encrypted,
        )
        self.compressed = compressed
        self._filemark_size = filemark_size
        self._transfer_size = transfer_size
        self._description = description
        self._label = MediaLabel(
            media_name=media_name,
            media_set_id=NO_GUID,
            family_count=1,
            family_sequence_number=1,
            media_family_id=0,
            media_sequence_number=1,
            media_description=media_description,
            software_name=layout.SOFTWARE_NAME,
            software_vendor_id=layout.SOFTWARE_VENDOR_ID,
            mirror_count=mirrors,
            is_compressed=compressed,
            has_password=media_password,
        )
        self._clock = clock
        self._interval = interval
        end = Lsn.of(self._random.randint(20, 60), self._random.randint(16, 400), 1)
        self._state = State(
            end=end,
            checkpoint=end,
            recovery_model=recovery_model,
            binding_id=self._guid(),
            fork=self._database.family_guid,
            created=clock,
        )
        self._states: dict[UUID, State] = {}

    def full(
        self, *, stripes: int = 1, copy_only: bool = False, name: str | None = None, flags: int = 0
    ) -> SampleBackup:
        """Take a full backup; it becomes the differential base unless it is copy-only."""
        first = self._run_checkpoint()
        flags |= layout.FLAG_COPY_ONLY if copy_only else 0
        return self._back_up(BackupType.DATABASE, first, stripes, name, flags)

    def differential(
        self, *, stripes: int = 1, name: str | None = None, flags: int = 0
    ) -> SampleBackup:
        """Take a differential backup on the latest full backup that was not copy-only."""
        if self._state.base_guid == NO_GUID:
            raise ValueError(f"a differential of {self._database.name} needs a full backup first")
        return self._back_up(BackupType.DIFFERENTIAL, self._run_checkpoint(), stripes, name, flags)

    def file_backup(self, *filegroups: str, differential: bool = False) -> SampleBackup:
        """Take a backup of the files of some filegroups only."""
        kind = BackupType.DIFFERENTIAL_FILE if differential else BackupType.FILE
        return self._back_up(kind, self._run_checkpoint(), filegroups=filegroups)

    def partial(self, *, differential: bool = False) -> SampleBackup:
        """Take a backup WITH READ_WRITE_FILEGROUPS, of a database that has no others."""
        kind = BackupType.DIFFERENTIAL_PARTIAL if differential else BackupType.PARTIAL
        return self._back_up(kind, self._run_checkpoint())

    def log(
        self,
        *,
        stripes: int = 1,
        size: int | None = None,
        copy_only: bool = False,
        name: str | None = None,
        flags: int = 0,
    ) -> SampleBackup:
        """Take a log backup. `size` is the bytes of log written just before it."""
        blocks = self._random.randint(8, 60) if size is None else max(1, size // BLOCK_BYTES)
        self._state = replace(self._state, end=advance(self._state.end, blocks))
        flags |= layout.FLAG_COPY_ONLY if copy_only else 0
        return self._back_up(BackupType.LOG, self._next_log_start(), stripes, name, flags)

    def empty_log(self, *, name: str | None = None) -> SampleBackup:
        """Take a log backup right after another one: it holds not one log record."""
        if self._next_log_start() != self._state.end:
            raise ValueError(f"there is log of {self._database.name} since its last log backup")
        return self._back_up(BackupType.LOG, self._state.end, name=name)

    def tail_log(self, *, stripes: int = 1, name: str | None = None) -> SampleBackup:
        """Take the last log backup, WITH NORECOVERY; the database is offline afterwards."""
        flags = layout.FLAG_TAIL_LOG | layout.FLAG_NORECOVERY
        backup = self.log(stripes=stripes, name=name, flags=flags)
        self._state = replace(self._state, is_offline=True)
        return backup

    def fork(self, after: SampleBackup, *, blocks_before_end: int = 0) -> None:
        """Restore up to the end of a backup and open the database: a new recovery fork begins.

        With `blocks_before_end`, the restore stops that many log blocks (512 bytes) before the end
        of a log backup. Then the next log backup begins where that one began, otherwise at the fork
        point; it crosses that in either case.
        """
        header = after.header
        state = self._states[header.backup_set_guid]
        point = log_start = header.last_lsn
        if blocks_before_end:
            vlf, block, _ = point.parts
            point, log_start = Lsn.of(vlf, max(0, block - blocks_before_end), 1), header.first_lsn
            if header.backup_type is not BackupType.LOG or point <= log_start:
                raise ValueError(f"{after.stem} is no log of more than {blocks_before_end} blocks")
        self._state = replace(
            state,
            end=point,
            log_start=None if state.log_start is None else log_start,
            previous_fork_lsn=point,
            previous_fork_id=state.fork,
            fork=self._guid(),
            binding_id=self._guid(),
            created=self._clock,
            is_offline=False,
        )

    def set_recovery_model(self, recovery_model: str) -> None:
        """ALTER DATABASE ... SET RECOVERY. SIMPLE ends the log chain; a data backup begins one."""
        self._state = replace(self._state, recovery_model=recovery_model)
        if recovery_model == "SIMPLE":
            self._state = replace(self._state, log_start=None, log_chain_origin=NO_LSN)

    def _next_log_start(self) -> Lsn:
        if self._state.log_start is None:
            raise ValueError(
                f"a log backup of {self._database.name} needs the full or bulk-logged recovery "
                "model and a full backup first"
            )
        return self._state.log_start

    def _run_checkpoint(self) -> Lsn:
        """Move the log as a data backup does; return its FirstLSN.

        That is the checkpoint, or before it when a transaction was open.
        """
        state = self._state
        vlf, block, _ = advance(state.end, self._random.randint(8, 60)).parts
        checkpoint = Lsn.of(vlf, block, self._random.randint(2, 190))
        first = state.end if self._random.random() < 1 / 3 else checkpoint
        end = advance(checkpoint, self._random.randint(2, 40))
        self._state = replace(state, checkpoint=checkpoint, end=end)
        if state.recovery_model != "SIMPLE" and state.log_start is None:
            self._state = replace(self._state, log_start=first, log_chain_origin=first)
        return first

    def _back_up(
        self,
        backup_type: BackupType,
        first: Lsn,
        stripes: int = 1,
        name: str | None = None,
        flags: int = 0,
        filegroups: Sequence[str] | None = None,
    ) -> SampleBackup:
        """Take a backup of the database as it stands, and move on to how it stands then."""
        state = self._state
        if state.is_offline:
            raise ValueError(f"{self._database.name} is offline since its tail-log backup")
        self._clock += self._interval
        word = _WORDS[backup_type]
        taken = Taken(
            backup_type=backup_type,
            guid=self._guid(),
            first_lsn=first,
            checkpoint_lsn=state.checkpoint,
            flags=flags,
            started=self._clock,
            finished=self._clock + timedelta(seconds=self._random.randint(1, 30)),
            name=name or f"{self._database.name[:110]} {word}",
            description=self._description,
            filegroups=tuple(filegroups or self._database.filegroups),
        )
        safe_name = _NOT_IN_FILE_NAMES.sub("_", self._database.name)
        backup = make_backup(
            f"{safe_name}_{word}_{self._clock:%Y%m%d_%H%M%S}",
            self._labels(stripes),
            [self._sample(state, taken)],
            self._filemark_size,
        )
        if not flags & layout.FLAG_COPY_ONLY:
            self._state = _after(state, taken)
        self._states[taken.guid] = self._state
        return backup

    def _held(self, taken: Taken) -> tuple[int, ...]:
        """Return how much of each data file a backup holds."""
        database = self._database
        if taken.backup_type is BackupType.LOG:
            return (0,) * len(file_sizes(database, 0))
        size = database.data_bytes
        if taken.backup_type in DIFFERENTIAL_TYPES:
            size = max(_CHANGED_BYTES, size // 10)
        groups = (g for g in database.filegroups for _ in range(database.files_per_filegroup))
        return tuple(
            held if group in taken.filegroups else 0
            for group, held in zip(groups, file_sizes(database, size), strict=True)
        )

    def _sample(self, state: State, taken: Taken) -> SampleSet:
        """Return the set that a BACKUP statement makes.

        From 2019 on the head of a data backup has LSNs from before the last checkpoint and sizes
        of the first pass over the data; the tail has those of the second.
        """
        database = self._database
        held = self._held(taken)
        base = (state.base_lsn, state.base_guid)
        if taken.backup_type in FULL_TYPES:
            base = (taken.checkpoint_lsn, taken.guid)
        twice = any(held) and database.version.writes_data_twice
        again = (_CHANGED_BYTES, *(0 for _ in held[1:])) if twice else held
        vlf, block, _ = taken.first_lsn.parts
        before = Lsn.of(vlf, max(1, block - 4), 1)
        return SampleSet(
            header=describe(database, state, taken),
            files=file_list(database, again, log_bytes(taken.first_lsn, state.end), *base),
            background=Background(
                log_chain_origin=state.log_chain_origin,
                last_log_backup_lsn=state.log_start or taken.checkpoint_lsn,
                previous_fork_lsn=state.previous_fork_lsn,
                previous_fork_id=state.previous_fork_id,
                base_before_lsn=state.base_lsn,
                base_before_guid=state.base_guid,
                provisional=Provisional(
                    before, before, before, state.log_start or before, state.log_chain_origin
                )
                if twice
                else None,
                first_pass_sizes=held if twice else (),
                page_checksums=database.page_checksums,
                transfer_size=self._transfer_size,
            ),
            file_bytes=held,
            blank=database.blank,
            encrypted=database.encrypted,
            changed_bytes=_CHANGED_BYTES,
            log_ranges=log_ranges(taken.first_lsn, state.end),
            seed=self._random.getrandbits(32),
        )

    def _labels(self, stripes: int) -> tuple[MediaLabel, ...]:
        update = {
            "media_set_id": self._guid(),
            "family_count": stripes,
            "media_date": self._clock,
            "is_compressed": self.compressed,
        }
        return tuple(
            self._label.model_copy(
                update=update
                | {
                    "family_sequence_number": number,
                    "media_family_id": self._random.getrandbits(32),
                }
            )
            for number in range(1, stripes + 1)
        )

    def _guid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


def _after(state: State, taken: Taken) -> State:
    """Return how a database stands after a backup that was not copy-only."""
    if taken.backup_type is BackupType.DATABASE:
        return replace(state, base_lsn=taken.checkpoint_lsn, base_guid=taken.guid)
    if taken.backup_type is BackupType.LOG:
        return replace(state, log_start=state.end)
    return state
