"""One activity's work on one migration: what every piece of it needs, however it restores.

It reads order and progress, looks at the target, holds files against what was judged, and writes
down how a piece of work ended, whatever went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from shared.acceptance import Disagreement, disagreements
from shared.arrivals import check_blob
from shared.backupset import BackupHeader, BackupSet, BackupType
from shared.catalog import StoredProgress
from shared.delaying import held_until
from shared.errors import (
    BackhaulError,
    ConfigurationError,
    StorageError,
    StorageUnavailable,
    TargetError,
    TargetUnavailable,
)
from shared.explain import Explanation
from shared.fates import Fate, fate_of
from shared.looking import Sight, look, read_migration, words_of
from shared.outlook import (
    NO_PLAN,
    Action,
    Outlook,
    custom_status,
    held,
    said,
    status_by_order,
    winding_up,
)
from shared.preflight import out_of_reach
from shared.records import (
    CurrentRestore,
    Failure,
    FileRecord,
    MigrationOrder,
    MigrationProgress,
    Refusal,
    StopTrial,
)
from shared.rehearsal import ends_for, failure_of, failure_to_go_on, overtaken, winds_up
from shared.stopping import stop_of, trial_of_refusal
from shared.storage import BlobVersion
from shared.targets import RestoreOrder, Target
from shared.vocabulary import (
    BlockingReason,
    FailureCode,
    InvalidReason,
    MigrationState,
    MigrationStatus,
    RestoreRunner,
    RestoreState,
)
from shared.workplace import Workplace


class Turn(NamedTuple):
    """What the orchestration is told after a look or a piece of work.

    `pause_s` is how long it has time before it takes the action: the server is at work. `since` is
    the ISO time in UTC from which on the target lags: when the backup arrived that is next.
    """

    action: Action
    status: dict[str, object]
    target: str
    slots: int
    pause_s: float = 0.0
    priority: int = 0
    since: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the turn as plain JSON."""
        return {
            "action": self.action.value,
            "status": self.status,
            "target": self.target,
            "slots": self.slots,
            "pauseSeconds": self.pause_s,
            "urgency": {"priority": self.priority, "since": self.since},
        }


class PictureIsStale(Exception):
    """What is known turned out otherwise; it was corrected, and the plan must be made anew."""


class Pinned(NamedTuple):
    """The files of a set as they were judged, which they still are, and the header they share."""

    records: list[FileRecord]
    header: BackupHeader


class Work:
    """One activity's work on one migration."""

    def __init__(self, place: Workplace, order: MigrationOrder, stored: StoredProgress) -> None:
        self.place = place
        self.order = order
        self.stored = stored

    @classmethod
    def begin(cls, place: Workplace, migration_id: str) -> Work:
        """Read a migration to work on; raises RequestError for an unknown one."""
        return cls(place, *_read(place, migration_id))

    def read_order(self) -> MigrationOrder | None:
        """Return what is ordered by now, None if the migration is gone."""
        order = self.place.catalog.read_order(self.order.id)
        return _as_it_counts(self.place, order) if order else None

    @property
    def progress(self) -> MigrationProgress:
        """Where the migration stands, as it was written down last."""
        return self.stored.now

    def turn(self, outlook: Outlook) -> Turn:
        """Tell the orchestration what follows from an outlook."""
        settings = self.place.settings.targets.get(self.order.target)
        return Turn(
            outlook.action,
            custom_status(self.order, self.progress, outlook),
            self.order.target,
            settings.restore_slots if settings else 1,
            outlook.pause_s,
            self.order.priority,
            self._lags_since(outlook),
        )

    def _lags_since(self, outlook: Outlook) -> str:
        steps, last = outlook.plan.steps, self.progress.last_restored
        if outlook.action is Action.STAND_BY and last is not None:
            return last.restored_on.isoformat()
        if outlook.action is not Action.RESTORE or not steps:
            return ""
        file = self.place.catalog.read_file(self.order.folder, steps[0].backup.files[0].name)
        return file.arrived_on.isoformat() if file else ""

    def on_target(self, do: Callable[[Target], Outlook]) -> Turn:
        """Do a piece of work on the target; what fails there is shown as what is waited for.

        A failure that may pass is raised, for the orchestration's retry, once it is written down.
        A target that stays out of reach is left to the periodic check: each try takes as long as
        a login may, and other migrations wait for the worker.
        """
        try:
            with self.place.target(self.order.target) as target:
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
            fate, reason = fate_of(error)
            if fate is Fate.FAIL:
                return self.turn(self._fail(error))
            return self.turn(self._hold(error, reason))
        except ConfigurationError as error:
            return self.turn(self._hold(error, BlockingReason.TARGET_REFUSED))

    def _hold(self, error: BackhaulError, code: BlockingReason) -> Outlook:
        why = Explanation(code, error.message, error.action)
        outlook = held(self.order, self.progress, why)
        given_up = self._gives_up(code)
        if self.order.rehearsal is not None:
            given_up = given_up and not self.progress.is_winding_up
            if given_up or ends_for(self.order, self.progress, code):
                number = error.number if isinstance(error, TargetError) else None
                why_not = failure_of(error.message, error.action, code, number)
                return self.end(MigrationStatus.FAILED, why_not)
        elif given_up:
            outlook = outlook._replace(
                status=MigrationStatus.RETRIABLE,
                waiting_for=f"your retry, since this has not passed by itself: {why.reason}",
            )
            self.stored.update(retriable_since=self.place.now())
        unseen = None if self.progress.begun else out_of_reach(error, self.place.now())
        completing = outlook.status is MigrationStatus.COMPLETING
        # A job goes on while its server is out of our reach, and keeps its slot.
        runs_on = (
            code is BlockingReason.TARGET_NOT_READY
            and self.progress.restores_with is RestoreRunner.AGENT
        )
        self.stored.update(
            **words_of(outlook, self.progress, self.place),
            current=self.progress.current if runs_on else None,
            access_denied=code is BlockingReason.STORAGE_ACCESS_DENIED,
            preflight=unseen or self.progress.preflight,
            complete_error=error.message if completing else self.progress.complete_error,
        )
        return outlook

    def _gives_up(self, code: BlockingReason) -> bool:
        """Tell whether the target has been of no use for too long to go on trying."""
        if code is not BlockingReason.TARGET_NOT_READY:
            return False
        since = self.progress.failing_since or self.place.now()
        self.stored.update(failing_since=since)
        patience = timedelta(minutes=self.place.settings.retry_minutes)
        ordered = status_by_order(self.order, self.progress)
        return ordered is None and self.place.now() - since > patience

    def rest(self) -> Outlook | None:
        """Return the outlook of a migration that has given up and was not asked to go on.

        A cancel and a retry make it go on; without one it is canceled after a time, and what it
        restored stays on the target, which may be out of reach still.
        """
        if self.progress.status is not MigrationStatus.RETRIABLE or self.order.cancel is not None:
            return None
        if self.order.retries > self.progress.retries:
            self.stored.update(
                status=MigrationStatus.IN_PROGRESS,
                blocking=None,
                retriable_since=None,
                failing_since=None,
                retries=self.order.retries,
            )
            return None
        since, hours = self.progress.retriable_since, self.place.settings.retriable_hours
        if since is None or self.place.now() - since <= timedelta(hours=hours):
            return said(Action.WAIT, self.progress)
        failure = Failure(
            code=FailureCode.TIMEOUT_WAITING_FOR_RETRY,
            message=f"Nobody asked for a retry within {hours:g} hours; the migration was canceled.",
            action="Restart it; the half-restored database is still on the target.",
        )
        return self.end(MigrationStatus.CANCELED, failure)

    def _fail(self, error: TargetError) -> Outlook:
        if self.progress.is_winding_up:
            return self._hold(error, BlockingReason.TARGET_REFUSED)
        current = self.progress.current
        return self.end(
            MigrationStatus.FAILED,
            Failure(
                code=FailureCode.RESTORE_FAILED,
                message=error.message,
                action=error.action,
                sql_error_number=error.number,
                file=current.files[0] if current else None,
            ),
        )

    def look(self, target: Target) -> Sight:
        """Look where the migration stands now, with what was ordered in the meantime."""
        self.order, self.stored = _read(self.place, self.order.id)
        sight = look(self.place, self.order, self.stored, target)
        self.order = sight.order
        if self.order.rehearsal is not None and sight.outlook.action is Action.WAIT:
            ended = self.end(MigrationStatus.FAILED, failure_to_go_on(sight.outlook))
            return replace(sight, outlook=ended)
        return sight

    def claim(self, target: Target) -> None:
        """Before the first restore, write down that from now on the database is ours.

        What the server restored under this name before was somebody else's.
        """
        if self.progress.begun:
            return
        past = target.read_restore_history(self.order.target_database, 0)
        baseline = past[-1].restore_history_id if past else 0
        self.stored.update(begun=True, history_id=baseline)

    def pin(self, backup: BackupSet) -> Pinned | None:
        """Return the files of a set if each is still what the plan was made with, else None.

        A blob that was replaced or removed is judged again, so that the next plan knows.
        """
        pinned = self._pin(backup)
        last, stop = self.progress.last_restored, stop_of(self.order)
        again = last is not None and last.backup_set_guid == backup.backup_set_guid
        if pinned is None and stop is not None and again:
            # It cannot be restored again to learn how it ended: the next log is to tell.
            unknown = StopTrial(backup_set_guid=backup.backup_set_guid, point=stop, reached=False)
            self.stored.update(stop_trial=unknown)
        return pinned

    def _pin(self, backup: BackupSet) -> Pinned | None:
        records: list[FileRecord] = []
        header: BackupHeader | None = None
        for file in backup.files:
            record = self.place.catalog.read_file(self.order.folder, file.name)
            blob = self.place.blobs.find(file.name)
            if record is None or blob is None or not self._is_judged(record, blob):
                judged, _ = check_blob(self.place, file.name)
                if judged == record:
                    raise StorageUnavailable(f"{file.name!r} is still being written")
                return None
            if record.backup is None or record.backup.backup_set_guid != backup.backup_set_guid:
                return None
            header = header or record.header
            records.append(record)
        return Pinned(records, header) if header else None

    def note_stops(self, stops: Mapping[UUID, bool]) -> bool:
        """Write down whether the last of these logs reached the stop point; return whether it did.

        What was not restored under the present stop point tells nothing of it.
        """
        stop, asked = stop_of(self.order), [s.backup_set_guid for s in self.progress.batch]
        known = [guid for guid in asked if guid in stops]
        if stop is None or not known or self.progress.batch_stop != stop:
            return False
        trial = StopTrial(backup_set_guid=known[-1], point=stop, reached=stops[known[-1]])
        self.stored.update(stop_trial=trial)
        return stops[known[-1]]

    def is_held(self, backup: BackupSet, pinned: Pinned) -> bool:
        """Tell whether a set is not old enough to be restored."""
        until = held_until(self.order, backup, pinned.records)
        return until is not None and until > self.place.now()

    def _is_judged(self, record: FileRecord, blob: BlobVersion) -> bool:
        """Tell whether a file is the version that was judged, and as much was read as is asked."""
        read = record.backup is None or record.verified.covers(self.order.verify)
        return read and blob.etag == record.etag

    def order_to_restore(self, target: Target, backup: BackupSet, pinned: Pinned) -> RestoreOrder:
        """Return the order to restore a set, if the target reads its header as we do."""
        urls = tuple(self.place.blobs.url_of(file.name) for file in backup.files)
        if differences := disagreements(pinned.header, target.read_headers(urls)):
            self._refuse(pinned, _told_otherwise(differences))
            raise PictureIsStale
        return RestoreOrder(
            database=self.order.target_database,
            backup_set_guid=backup.backup_set_guid,
            backup_type=backup.backup_type,
            urls=urls,
            checksum=backup.has_backup_checksums,
            brings_files=backup.backup_set_guid == self.progress.brings_files,
            options=self.order.restore_options,
            size_bytes=sum(record.size for record in pinned.records),
            stop=stop_of(self.order) if backup.backup_type is BackupType.LOG else None,
        )

    def started(self, backup: BackupSet) -> CurrentRestore:
        """Return how a restore is shown that begins now."""
        return CurrentRestore(
            backup_set_guid=backup.backup_set_guid,
            backup_type=backup.backup_type,
            files=tuple(file.name for file in backup.files),
            started_on=self.place.now(),
        )

    def after_refusal(
        self, target: Target, backup: BackupSet, pinned: Pinned, error: TargetError
    ) -> Outlook:
        """Find out what a refused restore means: a bad backup, a stale picture, or trouble."""
        if (trial := trial_of_refusal(self.order, self.progress, backup, error.number)) is not None:
            self.stored.update(stop_trial=trial)
            return self.look(target).outlook
        fate = fate_of(error).fate
        if fate is Fate.REFUSE:
            self._refuse(
                pinned,
                Refusal(
                    code=InvalidReason.TARGET_REFUSED_BACKUP,
                    reason=f"The target refused this backup: {error.message}",
                    action=error.action,
                ),
            )
            return self.look(target).outlook
        if fate is not Fate.REPLAN:
            raise error
        outlook = self.look(target).outlook
        steps = outlook.plan.steps
        if steps and steps[0].backup.backup_set_guid == backup.backup_set_guid:
            # The server's position says that the set fits, the server that it does not.
            raise error
        return outlook

    def _refuse(self, pinned: Pinned, refusal: Refusal) -> None:
        """Take a set out of every plan until its files are replaced, or were already.

        Not for a rehearsal, which only tells: the migration may have restored them.
        """
        if self.order.rehearsal is not None:
            self.end(MigrationStatus.FAILED, failure_of(refusal.reason, refusal.action))
            return
        for record in pinned.records:
            refused = record.model_copy(update={"refusal": refusal})
            self.place.catalog.record_file(refused, over=record)

    def end(self, status: MigrationStatus, failure: Failure | None = None) -> Outlook:
        """Write the final status down; of a rehearsal, first what it ends with once it is gone."""
        if (ending := winds_up(self.order, self.progress, status, failure)) is not None:
            self.stored.update(rehearsal=ending, current=None)
            outlook = winding_up(self.progress)
            self.stored.update(**words_of(outlook, self.progress, self.place))
            return outlook
        state, restore_state = _FINAL_WORDS[status]
        outlook = Outlook(Action.FINISH, status, state, restore_state, NO_PLAN)
        self.stored.update(
            **words_of(outlook, self.progress, self.place),
            current=None,
            complete_error=None
            if status is MigrationStatus.SUCCEEDED
            else self.progress.complete_error,
            ended_on=self.place.now(),
            failure=failure,
            pending_logs=0,
            pending_differentials=0,
        )
        return outlook


_FINAL_WORDS = {
    MigrationStatus.SUCCEEDED: (MigrationState.SUCCEEDED, RestoreState.COMPLETED),
    MigrationStatus.CANCELED: (MigrationState.CANCELED, RestoreState.CANCELLED),
    MigrationStatus.FAILED: (MigrationState.FAILED, RestoreState.FAILED),
}


def _read(place: Workplace, migration_id: str) -> tuple[MigrationOrder, StoredProgress]:
    """Read a migration; a rehearsal counts as canceled once its migration comes to its end."""
    order, stored = read_migration(place, migration_id)
    return _as_it_counts(place, order), stored


def _as_it_counts(place: Workplace, order: MigrationOrder) -> MigrationOrder:
    if order.rehearsal is None:
        return order
    found = place.catalog.read_migration(order.rehearsal.migration_id)
    return overtaken(order, (found[0], found[1].now) if found else None)


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
