"""Changes the target: restores what the plan says, recovers, or takes a failed attempt away.

Every function may run again after a crash between any two lines, and first looks where the
database stands. Nothing is ever restored over a database that this migration did not create.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from shared.acceptance import Disagreement, disagreements
from shared.arrivals import check_blob
from shared.backupset import BackupHeader, BackupSet, BackupType
from shared.batches import find_set, is_beside_plan
from shared.catalog import StoredProgress
from shared.chain import DatabaseState
from shared.errors import (
    BackhaulError,
    ConfigurationError,
    StorageError,
    StorageUnavailable,
    TargetError,
    TargetUnavailable,
)
from shared.explain import Explanation
from shared.looking import Sight, look, read_migration, take_over_history, words_of
from shared.outlook import (
    NO_PLAN,
    Action,
    Known,
    Outlook,
    custom_status,
    held,
    look_ahead,
    position_of,
)
from shared.records import CurrentRestore, FileRecord, MigrationOrder, MigrationProgress, Refusal
from shared.targets import Batch, RestoreOrder, RestoreStopped, Target, Watch
from shared.targets.fault_table import Kind
from shared.targets.faults import fault_of, is_path_refused
from shared.vocabulary import (
    BlockingReason,
    InvalidReason,
    MigrationState,
    MigrationStatus,
    RestoreRunner,
    RestoreState,
)
from shared.workplace import Workplace

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 1.0

# Of a batch that the server works on by itself: how long it is waited for at its start, how long
# its sets are looked at before, and how many there are at most.
_PATIENCE_S = 1.0
_PREPARE_S = 20.0
_BATCH_SETS = 30

# Errors that tell of the backup itself: only another copy of it, or another backup, can help.
_OF_THE_BACKUP = frozenset(
    {3182, 3183, 3186, 3187, 3189, 3208, 3241, 3242, 3243, 3254, 3255, 3256, 3266, 3268, 3269}
    | {3279, 3284, 3287}
)
_BLOCKING_BY_ERROR = {
    33111: BlockingReason.CERTIFICATE_MISSING,
    3257: BlockingReason.TARGET_STORAGE_FULL,
    1105: BlockingReason.TARGET_STORAGE_FULL,
    3169: BlockingReason.VERSION_NOT_SUPPORTED,
}


class Turn(NamedTuple):
    """What the orchestration is told after a look or a piece of work.

    `pause_s` is how long it has time before it takes the action: the server is at work.
    """

    action: Action
    status: dict[str, object]
    target: str
    slots: int
    pause_s: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return the turn as plain JSON."""
        told = self._asdict()
        return {**told, "action": self.action.value, "pauseSeconds": told.pop("pause_s")}


class _PictureIsStale(Exception):
    """What is known turned out otherwise; it was corrected, and the plan must be made anew."""


class _Pinned(NamedTuple):
    """The files of a set as they were judged, which they still are, and the header they share."""

    records: list[FileRecord]
    header: BackupHeader


class _Prepared(NamedTuple):
    """What a batch is made of, and the set behind it that the target refuses to read, if any."""

    sets: list[BackupSet]
    orders: list[RestoreOrder]
    refused: tuple[BackupSet, _Pinned, TargetError] | None = None


def take_turn(place: Workplace, migration_id: str) -> Turn:
    """Look at a migration and say what comes next."""
    work = _Work.begin(place, migration_id)
    if work.progress.status.is_final or (work.order.cancel is not None and not work.progress.begun):
        position = position_of(work.progress)
        return work.turn(look_ahead(work.order, work.progress, position, Known(sets=())))
    return work.on_target(lambda target: work.look(target).outlook)


def restore_batch(place: Workplace, migration_id: str) -> Turn:
    """Restore what the plan says, or see how far the server is with it.

    Where the server works by itself this ends within seconds, and the turn says when to look
    again. Else it restores set by set, until the batch's time is over or all is done.
    """
    work = _Work.begin(place, migration_id)
    return work.on_target(work.restore)


def recover(place: Workplace, migration_id: str) -> Turn:
    """Open the database on the target: the end of a migration that succeeds."""
    work = _Work.begin(place, migration_id)
    return work.on_target(work.recover)


def clean_up(place: Workplace, migration_id: str) -> Turn:
    """Carry out a cancel: drop the half-restored database, unless it is to be kept or is open.

    Without a cancel it only looks: it may run again, late, when the migration was started anew.
    """
    work = _Work.begin(place, migration_id)
    if work.progress.status.is_final or work.order.cancel is None:
        return take_turn(place, migration_id)
    if not work.progress.begun:
        return work.turn(work.end(MigrationStatus.CANCELED))
    return work.on_target(work.clean_up)


def note_queued(place: Workplace, migration_id: str, number: int) -> Turn:
    """Show that a migration waits for a restore slot, and at which place."""
    return _Work.begin(place, migration_id).wait_in_queue(number)


class _Work:
    """One activity's work on one migration."""

    def __init__(self, place: Workplace, order: MigrationOrder, stored: StoredProgress) -> None:
        self._place = place
        self.order = order
        self._stored = stored

    @classmethod
    def begin(cls, place: Workplace, migration_id: str) -> _Work:
        return cls(place, *read_migration(place, migration_id))

    @property
    def progress(self) -> MigrationProgress:
        return self._stored.now

    def turn(self, outlook: Outlook) -> Turn:
        """Tell the orchestration what follows from an outlook."""
        settings = self._place.settings.targets.get(self.order.target)
        return Turn(
            outlook.action,
            custom_status(self.order, self.progress, outlook),
            self.order.target,
            settings.restore_slots if settings else 1,
            outlook.pause_s,
        )

    def on_target(self, do: Callable[[Target], Outlook]) -> Turn:
        """Do a piece of work on the target; what fails there is shown as what is waited for.

        A failure that may pass is raised, for the orchestration's retry, once it is written down.
        A target that stays out of reach is left to the periodic check: each try takes as long as
        a login may, and other migrations wait for the worker.
        """
        try:
            with self._place.target(self.order.target) as target:
                return self.turn(do(target))
        except TargetUnavailable as error:
            before, code = self.progress.blocking, BlockingReason.TARGET_NOT_READY
            outlook = self._hold(error, code)
            if before is None or before.code is not code:
                raise
            return self.turn(outlook)
        except StorageUnavailable:
            raise
        except StorageError as error:
            return self.turn(self._hold(error, BlockingReason.STORAGE_ACCESS_DENIED))
        except TargetError as error:
            code = _BLOCKING_BY_ERROR.get(error.number or 0, BlockingReason.TARGET_REFUSED)
            return self.turn(self._hold(error, code))
        except ConfigurationError as error:
            return self.turn(self._hold(error, BlockingReason.TARGET_REFUSED))

    def _hold(self, error: BackhaulError, code: BlockingReason) -> Outlook:
        why = Explanation(code, error.message, error.action)
        outlook = held(self.order, self.progress, why)
        completing = outlook.status is MigrationStatus.COMPLETING
        # A job goes on while its server is out of our reach, and keeps its slot.
        runs_on = (
            code is BlockingReason.TARGET_NOT_READY
            and self.progress.restores_with is RestoreRunner.AGENT
        )
        self._stored.update(
            **words_of(outlook, self.progress, self._place),
            current=self.progress.current if runs_on else None,
            complete_error=error.message if completing else self.progress.complete_error,
        )
        return outlook

    def look(self, target: Target) -> Sight:
        """Look where the migration stands now, with what was ordered in the meantime."""
        self.order, self._stored = read_migration(self._place, self.order.id)
        sight = look(self._place, self.order, self._stored, target)
        self.order = sight.order
        return sight

    def restore(self, target: Target) -> Outlook:
        """Restore the steps of one plan, or follow the batch that does; returns the outlook."""
        sight = self.look(target)
        if sight.outlook.action is not Action.RESTORE:
            return sight.outlook
        if sight.batch is not None:
            return self._follow(target, sight, sight.batch)
        self._place.let_target_read(target, self.order.target)
        if target.detaches():
            return self._detach(target, sight)
        return self._restore_here(target, sight)

    def _follow(self, target: Target, sight: Sight, batch: Batch) -> Outlook:
        """Let a batch go on, or take away one that is over or not wanted any more."""
        own, now = batch.operation_id == self.order.operation_id, self.progress
        known = (sight.known.sets, now.batch)
        if batch.running and not is_beside_plan(
            batch, sight.ahead, now.last_restored, chain.from_iterable(known)
        ):
            return sight.outlook
        target.end_batch(batch)
        backup = find_set(batch.failed, *known)
        if batch.error is None or backup is None or not own:
            return self.look(target).outlook
        _LOG.warning("a batch failed at %s: %s", batch.failed, batch.error.message)
        if not isinstance(batch.error, TargetError) or isinstance(batch.error, TargetUnavailable):
            raise batch.error
        if is_path_refused(batch.error) and now.brings_files != backup.backup_set_guid:
            self._stored.update(brings_files=backup.backup_set_guid)
            return self.look(target).outlook
        pinned = self._pin(backup)
        if pinned is None:
            return self.look(target).outlook
        return self._after_refusal(target, backup, pinned, batch.error)

    def _detach(self, target: Target, sight: Sight) -> Outlook:
        """Start a batch: a full or a differential alone, or the logs that follow each other.

        What is over within a moment is seen at once, so a short log costs no wait.
        """
        ready = self._prepare(target, sight)
        if not ready.orders:
            refused = ready.refused
            return self._after_refusal(target, *refused) if refused else self.look(target).outlook
        self._claim(target)
        self._stored.update(
            current=self._started(ready.sets[0]),
            batch=tuple(ready.sets),
            restores_with=RestoreRunner.AGENT,
        )
        target.start_batch(self.order.operation_id, ready.orders)
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            batch = target.find_batch(self.order.target_database)
            if batch is None or not batch.running:
                break
            time.sleep(_PATIENCE_S / 10)
        sight = self.look(target)
        return sight.outlook if sight.batch is None else self._follow(target, sight, sight.batch)

    def _prepare(self, target: Target, sight: Sight) -> _Prepared:
        """Make the orders for the next sets that one batch may restore."""
        deadline = time.monotonic() + _PREPARE_S
        steps = sight.outlook.plan.steps[: min(self._place.settings.batch_sets, _BATCH_SETS)]
        ready = _Prepared([], [])
        for backup in (step.backup for step in steps):
            is_log = backup.backup_type is BackupType.LOG
            if (ready.orders and not is_log) or time.monotonic() > deadline:
                break
            pinned = self._pin(backup)
            if pinned is None:
                break
            try:
                ready.orders.append(self._order_to_restore(target, backup, pinned))
            except _PictureIsStale:
                break
            except TargetUnavailable:
                raise
            except TargetError as error:
                return ready._replace(refused=(backup, pinned, error))
            ready.sets.append(backup)
            if not is_log:
                break
        return ready

    def _restore_here(self, target: Target, sight: Sight) -> Outlook:
        """Restore the steps of the plan on our own connection, until the time is over."""
        deadline = time.monotonic() + self._place.settings.batch_seconds
        for step in sight.outlook.plan.steps[: self._place.settings.batch_sets]:
            pinned = self._pin(step.backup)
            if pinned is None:
                break
            try:
                self._restore_one(target, step.backup, pinned, sight.known.sets)
            except (_PictureIsStale, RestoreStopped):
                break
            except TargetUnavailable:
                raise
            except TargetError as error:
                return self._after_refusal(target, step.backup, pinned, error)
            if time.monotonic() > deadline or self._has_new_orders():
                break
        return self.look(target).outlook

    def _has_new_orders(self) -> bool:
        return self._place.catalog.read_order(self.order.id) != self.order

    def _restore_one(
        self, target: Target, backup: BackupSet, pinned: _Pinned, sets: Sequence[BackupSet]
    ) -> None:
        order = self._order_to_restore(target, backup, pinned)
        self._claim(target)
        started = self._started(backup)
        self._stored.update(current=started, batch=(backup,), restores_with=RestoreRunner.INLINE)
        target.restore(order, self._watch(started))
        take_over_history(self._place, self.order, self._stored, target, sets)
        _LOG.info(
            "restored database=%s backup_set=%s last_lsn=%s seconds=%.1f",
            self.order.target_database,
            backup.backup_set_guid,
            backup.last_lsn,
            (self._place.now() - started.started_on).total_seconds(),
        )

    def _order_to_restore(self, target: Target, backup: BackupSet, pinned: _Pinned) -> RestoreOrder:
        """Return the order to restore a set, if the target reads its header as we do."""
        urls = tuple(self._place.blobs.url_of(file.name) for file in backup.files)
        if differences := disagreements(pinned.header, target.read_headers(urls)):
            self._refuse(pinned, _told_otherwise(differences))
            raise _PictureIsStale
        return RestoreOrder(
            database=self.order.target_database,
            backup_set_guid=backup.backup_set_guid,
            backup_type=backup.backup_type,
            urls=urls,
            checksum=backup.has_backup_checksums,
            brings_files=backup.backup_set_guid == self.progress.brings_files,
        )

    def _started(self, backup: BackupSet) -> CurrentRestore:
        return CurrentRestore(
            backup_set_guid=backup.backup_set_guid,
            backup_type=backup.backup_type,
            files=tuple(file.name for file in backup.files),
            started_on=self._place.now(),
        )

    def _pin(self, backup: BackupSet) -> _Pinned | None:
        """Return the files of a set if each is still what the plan was made with, else None.

        A blob that was replaced or removed is judged again, so that the next plan knows.
        """
        records: list[FileRecord] = []
        header: BackupHeader | None = None
        for file in backup.files:
            record = self._place.catalog.read_file(self.order.folder, file.name)
            blob = self._place.blobs.find(file.name)
            if record is None or blob is None or blob.etag != record.etag:
                judged, _ = check_blob(self._place, file.name)
                if judged == record:
                    raise StorageUnavailable(f"{file.name!r} is still being written")
                return None
            if record.backup is None or record.backup.backup_set_guid != backup.backup_set_guid:
                return None
            header = header or record.header
            records.append(record)
        return _Pinned(records, header) if header else None

    def _claim(self, target: Target) -> None:
        """Before the first restore, write down that from now on the database is ours.

        What the server restored under this name before was somebody else's.
        """
        if self.progress.begun:
            return
        past = target.read_restore_history(self.order.target_database, 0)
        baseline = past[-1].restore_history_id if past else 0
        self._stored.update(begun=True, history_id=baseline)

    def _watch(self, started: CurrentRestore) -> Watch:
        """Show the progress of a restore every few seconds, and stop it for a cancel."""
        shown = time.monotonic()

        def watch(percent: float) -> bool:
            nonlocal shown
            if time.monotonic() - shown < _WATCH_SECONDS:
                return True
            shown = time.monotonic()
            try:
                order = self._place.catalog.read_order(self.order.id)
                if order is None or order.cancel or order.operation_id != self.order.operation_id:
                    return False
                self._stored.update(current=started.model_copy(update={"percent": percent}))
            except StorageError as error:
                _LOG.warning("progress of %s is not shown: %s", self.order.id, error.message)
            return True

        return watch

    def _after_refusal(
        self, target: Target, backup: BackupSet, pinned: _Pinned, error: TargetError
    ) -> Outlook:
        """Find out what a refused restore means: a bad backup, a stale picture, or trouble."""
        number = error.number or 0
        if number in _OF_THE_BACKUP:
            self._refuse(
                pinned,
                Refusal(
                    code=InvalidReason.TARGET_REFUSED_BACKUP,
                    reason=f"The target refused this backup: {error.message}",
                    action=error.action,
                ),
            )
            return self.look(target).outlook
        fault = fault_of(number)
        if fault is None or fault.kind is not Kind.SIGNAL:
            raise error
        outlook = self.look(target).outlook
        steps = outlook.plan.steps
        if steps and steps[0].backup.backup_set_guid == backup.backup_set_guid:
            # The server's position says that the set fits, the server that it does not.
            raise error
        return outlook

    def _refuse(self, pinned: _Pinned, refusal: Refusal) -> None:
        """Take a set out of every plan until its files are replaced, or were already."""
        for record in pinned.records:
            refused = record.model_copy(update={"refusal": refusal})
            self._place.catalog.record_file(refused, over=record)

    def recover(self, target: Target) -> Outlook:
        """Recover the database if that is what comes next; returns the final outlook."""
        outlook = self.look(target).outlook
        if outlook.action is not Action.RECOVER:
            return outlook
        self._stored.update(recovering=True)
        target.recover(self.order.target_database)
        return self.end(MigrationStatus.SUCCEEDED)

    def clean_up(self, target: Target) -> Outlook:
        """Drop what this migration half restored; an open database is never dropped."""
        sight = self.look(target)
        if sight.batch is not None and sight.batch.operation_id == self.order.operation_id:
            target.end_batch(sight.batch)
            sight = self.look(target)
        if sight.outlook.action is not Action.CLEAN_UP or self.order.cancel is None:
            return sight.outlook
        stranger = take_over_history(
            self._place, self.order, self._stored, target, sight.known.sets
        )
        restoring = sight.position.state is DatabaseState.RESTORING
        if restoring and not self.order.cancel.keep_target and stranger is None:
            target.drop(self.order.target_database)
        return self.end(MigrationStatus.CANCELED)

    def wait_in_queue(self, number: int) -> Turn:
        """Write down that others restore to the same target first."""
        if self.progress.status.is_final:
            return take_turn(self._place, self.order.id)
        outlook = Outlook(
            Action.WAIT,
            self.progress.status,
            MigrationState.WAIT_FOR_RESTORE_SLOT,
            RestoreState.WAITING,
            NO_PLAN,
            waiting_for=f"a restore slot of target {self.order.target!r}; place {number} in the"
            " queue",
        )
        self._stored.update(state=outlook.state, waiting_for=outlook.waiting_for)
        return self.turn(outlook)

    def end(self, status: MigrationStatus) -> Outlook:
        """Write the final status down."""
        state, restore_state = _FINAL_WORDS[status]
        outlook = Outlook(Action.FINISH, status, state, restore_state, NO_PLAN)
        self._stored.update(
            **words_of(outlook, self.progress, self._place),
            current=None,
            complete_error=None
            if status is MigrationStatus.SUCCEEDED
            else self.progress.complete_error,
            ended_on=self._place.now(),
            pending_logs=0,
            pending_differentials=0,
        )
        return outlook


_FINAL_WORDS = {
    MigrationStatus.SUCCEEDED: (MigrationState.SUCCEEDED, RestoreState.COMPLETED),
    MigrationStatus.CANCELED: (MigrationState.CANCELED, RestoreState.CANCELLED),
}


def _told_otherwise(differences: Sequence[Disagreement]) -> Refusal:
    listed = "; ".join(
        f"{column}: {ours} in the file, {theirs} by the target"
        for column, ours, theirs in differences[:5]
    )
    return Refusal(
        code=InvalidReason.TARGET_DISAGREES,
        reason=f"The target's RESTORE HEADERONLY reads this backup otherwise than we do ({listed});"
        " it is held until that is settled.",
        action="Upload the backup again; if it stays, report it with the output of"
        " `backhaul inspect --json`.",
    )
