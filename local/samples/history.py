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
    NO_GUID,
    NO_LSN,
    Database,
    State,
    Taken,
    describe,
    file_list,
    file_sizes,
)
from local.samples.header import Background, Provisional
from local.samples.sets import SampleSet
from local.samples.transaction_log import BLOCK_BYTES, advance, log_bytes, log_ranges
from local.samples.versions import VERSIONS
from shared.backupfile import layout
from shared.backupset import BackupType, MediaLabel
from shared.lsn import Lsn

_EXTENT = 8 * layout.PAGE_SIZE
_WORDS = {BackupType.DATABASE: "FULL", BackupType.DIFFERENTIAL: "DIFF", BackupType.LOG: "LOG"}
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f"*/:<>?\\|]')


class SampleDatabase:
    """A database whose backups are taken one after the other.

    Every backup moves the log by a few KB and the clock by `interval`. `stripes` is the number of
    media families, `name` the backup's own name, `flags` are added to the header's column Flags
    (`layout.FLAG_...`). Methods raise ValueError for what SQL Server would refuse.
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
        checksums: bool = True,
        filemark_size: int = 512,
        media_name: str | None = None,
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
        )
        self._filemark_size = filemark_size
        self._media_name = media_name
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
        return self._back_up(BackupType.LOG, self._state.end, 1, name, 0)

    def tail_log(self, *, stripes: int = 1, name: str | None = None) -> SampleBackup:
        """Take the last log backup, WITH NORECOVERY; the database is offline afterwards."""
        flags = layout.FLAG_TAIL_LOG | layout.FLAG_NORECOVERY
        backup = self.log(stripes=stripes, name=name, flags=flags)
        self._state = replace(self._state, is_offline=True)
        return backup

    def fork(self, after: SampleBackup, *, blocks_before_end: int = 0) -> None:
        """Restore up to the end of a backup and open the database: a new recovery fork begins.

        With `blocks_before_end`, the restore stops that many log blocks (512 bytes) before the end
        of a log backup. Then the next log backup begins where that one began and crosses the fork
        point; otherwise it begins at the fork point.
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
        self, backup_type: BackupType, first: Lsn, stripes: int, name: str | None, flags: int
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
            name=name or f"{self._database.name[:120]} {word}",
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

    def _sample(self, state: State, taken: Taken) -> SampleSet:
        data_bytes, base = 0, (state.base_lsn, state.base_guid)
        if taken.backup_type is BackupType.DATABASE:
            data_bytes, base = self._database.data_bytes, (taken.checkpoint_lsn, taken.guid)
        elif taken.backup_type is BackupType.DIFFERENTIAL:
            data_bytes = max(_EXTENT, self._database.data_bytes // 10)
        log_size = log_bytes(taken.first_lsn, state.end)
        # From 2019 on the head of a data backup says what the checkpoint before it would have,
        # and sizes of the first pass; the tail has those of the second.
        is_provisional = bool(data_bytes) and self._database.version.has_provisional_head
        vlf, block, _ = taken.first_lsn.parts
        before = Lsn.of(vlf, max(1, block - 4), 1)
        log_end = state.log_start or taken.checkpoint_lsn
        provisional = Provisional(before, before, before, state.log_start or before)
        last_pass = _EXTENT if is_provisional else data_bytes
        return SampleSet(
            header=describe(self._database, state, taken),
            files=file_list(self._database, last_pass, log_size, *base),
            background=Background(
                log_chain_origin=state.log_chain_origin,
                last_log_backup_lsn=log_end,
                previous_fork_lsn=state.previous_fork_lsn,
                previous_fork_id=state.previous_fork_id,
                base_before_lsn=state.base_lsn,
                base_before_guid=state.base_guid,
                provisional=provisional if is_provisional else None,
                first_pass_sizes=(file_sizes(self._database, data_bytes) if is_provisional else ()),
            ),
            data_bytes=data_bytes,
            changed_bytes=_EXTENT,
            log_ranges=log_ranges(taken.first_lsn, state.end),
            seed=self._random.getrandbits(32),
        )

    def _labels(self, stripes: int) -> tuple[MediaLabel, ...]:
        media_set_id = self._guid()
        return tuple(
            MediaLabel(
                media_name=self._media_name,
                media_set_id=media_set_id,
                family_count=stripes,
                family_sequence_number=number,
                media_family_id=self._random.getrandbits(32),
                media_sequence_number=1,
                software_name=layout.SOFTWARE_NAME,
                software_vendor_id=layout.SOFTWARE_VENDOR_ID,
                media_date=self._clock,
                mirror_count=1,
                is_compressed=False,
                has_password=False,
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
