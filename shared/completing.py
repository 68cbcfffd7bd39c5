"""What follows a recovery: the database is open and ours, and no step of this can fail it.

Each step may run again after a crash between any two lines, so it looks before it changes
something, and is written down once it is done. Whoever gives the database away may have no rights
in it after that: the owner comes last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from shared.aftermath import Aftermath, Source, StepRecord
from shared.batches import pause_s
from shared.errors import StorageError, TargetError, TargetUnavailable
from shared.looking import words_of
from shared.opened import Check, DatabaseFacts, Outcome
from shared.outlook import Outlook, verifying_target
from shared.targets import RestoreStopped, Target, Watch
from shared.vocabulary import AfterStep, DatabaseCheck, MigrationStatus, StepState
from shared.work import Work

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 1.0

# How long a check is waited for at its start, and how often one is started that was interrupted.
_PATIENCE_S = 1.0
_ATTEMPTS = 3

# What to do about what the table of faults knows in another connection only.
_ACTIONS = {
    15048: "Set one that the target has, or keep the one that the database has.",
    15110: "The login is a user of the database already: drop that user, or name another login.",
    15151: "Create the login on the target, or name another that the app's may impersonate.",
}
_DAMAGE = frozenset({823, 824, 2508, 2511, 2512, 2570, 2575, 2576, 2577, 2579})
_DAMAGE |= {*range(2533, 2540), *range(8900, 9000)}


def complete(work: Work, target: Target) -> Outlook:
    """Do what is left of what follows the recovery, or see how far the server is with it."""
    aftermath = work.progress.aftermath
    if aftermath is None:
        now = work.place.now()
        online = _done(AfterStep.ONLINE, "The database was read back ONLINE.")
        online = online.model_copy(update={"ended_on": now})
        aftermath = Aftermath(opened_on=now, steps=(online,))
        work.stored.update(aftermath=aftermath)
    ending = _Ending(work, target, aftermath)
    for name, do in ending.steps.items():
        if ending.aftermath.step(name) is not None:
            continue
        done = ending.attempt(name, do)
        if isinstance(done, Outlook):
            return done
        ending.record(done)
    ending.take_stock()
    return work.end(MigrationStatus.SUCCEEDED)


Step = Callable[[], "StepRecord | Outlook"]


class _Ending:
    """The steps on one open database. `aftermath` may be ahead of what is written down."""

    def __init__(self, work: Work, target: Target, aftermath: Aftermath) -> None:
        self.aftermath = aftermath
        self._work = work
        self._target = target
        self._database = target.opened(work.order.target_database)
        self._wanted = work.order.after_recovery
        self.steps: dict[AfterStep, Step] = {
            AfterStep.COMPATIBILITY_LEVEL: self._set_level,
            AfterStep.ORPHANED_USERS: self._list_users,
            AfterStep.CHECK_DATABASE: self._check,
            AfterStep.OWNER: self._set_owner,
        }

    def attempt(self, name: AfterStep, do: Step) -> StepRecord | Outlook:
        """Do a step; what the server refuses is told, what may pass is raised."""
        try:
            return do()
        except TargetUnavailable:
            raise
        except TargetError as error:
            action = _ACTIONS.get(error.number or 0, error.action)
            return _failed(name, _sentence(error.message), action, error.number)

    def record(self, done: StepRecord) -> None:
        """Write down how a step ended; that nothing was done can wait for the next that was."""
        ended = done.model_copy(update={"ended_on": self._work.place.now()})
        self._note(steps=(*self.aftermath.steps, ended))
        if done.state is not StepState.SKIPPED:
            self._save()
        _LOG.info(
            "recovered database=%s step=%s state=%s: %s",
            self._work.order.target_database,
            done.name,
            done.state,
            done.message,
        )

    def take_stock(self) -> None:
        """Write down what the database is like in the end, and leave no job behind."""
        if self._wanted.check_database is not DatabaseCheck.NONE:
            self._remove_check()
        try:
            facts = self._database.read_facts()
        except TargetUnavailable:
            raise
        except TargetError as error:
            _LOG.warning("%s", error.message)
            facts = None
        self._note(facts=facts, source=self._source())
        self._save()

    def _remove_check(self) -> None:
        try:
            if check := self._find_check():
                self._database.end_check(check)
        except TargetUnavailable:
            raise
        except TargetError as error:
            _LOG.warning("the job of a check stays behind: %s", error.message)

    def _source(self) -> Source | None:
        last = self._work.progress.last_restored
        if last is None:
            return None
        file = self._work.place.catalog.read_file(self._work.order.folder, last.files[0])
        if file is None or file.header is None:
            return None
        header = file.header
        return Source(
            compatibility_level=header.compatibility_level,
            major_version=header.software_version_major,
        )

    def _note(self, **changes: object) -> None:
        self.aftermath = self.aftermath.model_copy(update=changes)

    def _save(self) -> None:
        self._work.stored.update(aftermath=self.aftermath)

    def _show(self, waiting_for: str, pause_s: float = 0.0) -> Outlook:
        """Write down what is being done, and return it as what comes next."""
        outlook = verifying_target(self._work.order, self._work.progress)
        outlook = outlook._replace(waiting_for=waiting_for, pause_s=pause_s)
        self._work.stored.update(**words_of(outlook, self._work.progress, self._work.place))
        return outlook

    def _set_level(self) -> StepRecord | Outlook:
        name, wanted = AfterStep.COMPATIBILITY_LEVEL, self._wanted.compatibility_level
        if wanted is None:
            return _skipped(name, "It is kept as it was at the source.")
        if self._work.order.cancel:
            return _canceled(name)
        self._show(f"the compatibility level of the database to be set to {wanted}")
        before = self._read_facts().compatibility_level
        if before == wanted:
            return _done(name, f"The compatibility level was {wanted} already.")
        self._database.set_compatibility_level(wanted)
        now = self._read_facts().compatibility_level
        return _done(name, f"The compatibility level was {before} and is {now}.")

    def _list_users(self) -> StepRecord | Outlook:
        name = AfterStep.ORPHANED_USERS
        self._read_facts()
        found = self._database.list_orphaned_users()
        if found is None:
            return _skipped(
                name,
                "The app's login does not see all logins of the target, so it cannot tell which"
                " users are without one.",
                "Grant it VIEW ANY DEFINITION for the next migration; list them yourself now.",
            )
        self._note(orphans=found)
        if not found.count:
            return _done(name, "Every user of the database has its login on the target.")
        number = "One user has" if found.count == 1 else f"{found.count} users have"
        return _done(name, f"{number} no login on the target.")

    def _set_owner(self) -> StepRecord | Outlook:
        name, wanted = AfterStep.OWNER, self._wanted.owner
        if wanted is None:
            return _skipped(name, "It belongs to the login that has restored it.")
        if self._work.order.cancel:
            return _canceled(name)
        self._show(f"the database to be given to its owner {wanted!r}")
        before = self._read_facts().owner or ""
        try:
            # Also to an owner that it has: the SID in the database itself is still the source's.
            self._database.set_owner(wanted)
        except TargetUnavailable:
            raise
        except TargetError:
            if before.casefold() != wanted.casefold():
                raise
        self._read_facts()
        return _done(name, f"The database belongs to {wanted!r}.")

    def _read_facts(self) -> DatabaseFacts:
        """Read what the database is like, also to be sure of what was set.

        A server that shuts down ends a statement without an error; what it is asked next fails.
        """
        facts, database = self._database.read_facts(), self._work.order.target_database
        if facts is not None and facts.state == "RECOVERING":
            raise TargetUnavailable(
                f"the database {database!r} is recovering, as after a restart of its server",
                action="It is asked again until it is ONLINE.",
            )
        if facts is None or facts.state != "ONLINE":
            state = f"is {facts.state}" if facts else "is gone"
            raise TargetError(
                f"the database {database!r} on the target {state}; it was ONLINE when recovered",
                action="Find out who changed that, and do this yourself.",
            )
        return facts

    def _check(self) -> StepRecord | Outlook:
        name, kind = AfterStep.CHECK_DATABASE, self._wanted.check_database
        if kind is DatabaseCheck.NONE:
            return _skipped(name, "DBCC CHECKDB was not asked for.")
        check = self._find_check()
        if self._work.order.cancel:
            self._remove_check()
            return _canceled(name)
        while check is None or _is_to_be_repeated(check):
            if check is not None:
                self._database.end_check(check)
            if self.aftermath.check_attempts == _ATTEMPTS:
                message = f"DBCC CHECKDB was interrupted {_ATTEMPTS} times on the target."
                return _failed(name, message, "Run it yourself.", None)
            self._read_facts()
            detaches = self._target.detaches()
            self._note(check_attempts=self.aftermath.check_attempts + 1)
            self._save()
            if not detaches:
                return self._check_here(kind)
            self._show(_checking(kind))
            check = self._start_check(kind)
        if check.outcome is Outcome.RUNNING:
            return self._show(_checking(kind, check.percent), pause_s(check.elapsed_s))
        return _told(check, kind)

    def _find_check(self) -> Check | None:
        return self._database.find_check(self._work.order.operation_id)

    def _start_check(self, kind: DatabaseCheck) -> Check | None:
        """Start a check as a job; what is over within a moment is seen at once."""
        self._database.start_check(self._work.order.operation_id, kind)
        deadline = time.monotonic() + _PATIENCE_S
        check = self._find_check()
        while check and check.outcome is Outcome.RUNNING and time.monotonic() < deadline:
            time.sleep(_PATIENCE_S / 10)
            check = self._find_check()
        return check

    def _check_here(self, kind: DatabaseCheck) -> StepRecord:
        name = AfterStep.CHECK_DATABASE
        self._show(_checking(kind))
        try:
            self._database.check(kind, self._watch(kind))
        except RestoreStopped:
            return _canceled(name)
        except TargetUnavailable:
            raise
        except TargetError as error:
            return _damaged(error)
        return _done(name, f"{_STATEMENT[kind]} found no errors.")

    def _watch(self, kind: DatabaseCheck) -> Watch:
        """Show the progress of a check every few seconds, and stop it for a cancel."""
        shown = time.monotonic()

        def watch(percent: float) -> bool:
            nonlocal shown
            if time.monotonic() - shown < _WATCH_SECONDS:
                return True
            shown = time.monotonic()
            try:
                order = self._work.read_order()
                self._work.order = order or self._work.order
                if order is None or order.cancel is not None:
                    return False
                self._show(_checking(kind, percent))
            except StorageError as error:
                _LOG.warning("a check's progress is not shown: %s", error.message)
            return True

        return watch


_STATEMENT = {
    DatabaseCheck.PHYSICAL: "DBCC CHECKDB (PHYSICAL_ONLY)",
    DatabaseCheck.FULL: "DBCC CHECKDB",
}


def _checking(kind: DatabaseCheck, percent: float = 0.0) -> str:
    return f"the end of {_STATEMENT[kind]}, {percent:.0f} % done; the database is open"


def _is_to_be_repeated(check: Check) -> bool:
    return check.outcome is Outcome.LOST or isinstance(check.error, TargetUnavailable)


def _told(check: Check, kind: DatabaseCheck) -> StepRecord:
    name = AfterStep.CHECK_DATABASE
    if check.outcome is Outcome.GOOD:
        return _done(name, f"{_STATEMENT[kind]} found no errors.")
    if check.error is not None:
        return _damaged(check.error)
    return _failed(name, "Somebody stopped DBCC CHECKDB on the target.", "Run it yourself.", None)


def _damaged(error: TargetError) -> StepRecord:
    """Tell of a check that failed: the database is damaged, or nobody knows."""
    name = AfterStep.CHECK_DATABASE
    if error.number in _DAMAGE:
        return _failed(
            name,
            _sentence(f"DBCC CHECKDB found damage in the database: {error.message}"),
            "Keep the source. Run DBCC CHECKDB on source and target to see all of it, and migrate"
            " again from a backup taken of a good database.",
            error.number,
        )
    message = f"DBCC CHECKDB did not come to its end: {error.message}"
    return _failed(name, _sentence(message), error.action or "Run it yourself.", error.number)


def _sentence(message: str) -> str:
    """Return an error's message as it stands beside other sentences."""
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")


def _done(name: AfterStep, message: str) -> StepRecord:
    return StepRecord(name=name, state=StepState.DONE, message=message)


def _skipped(name: AfterStep, message: str, action: str | None = None) -> StepRecord:
    return StepRecord(name=name, state=StepState.SKIPPED, message=message, action=action)


def _canceled(name: AfterStep) -> StepRecord:
    message = "The migration was canceled before this."
    return _skipped(name, message, "Do it yourself if it is still wanted.")


def _failed(name: AfterStep, message: str, action: str, number: int | None) -> StepRecord:
    return StepRecord(
        name=name,
        state=StepState.FAILED,
        message=message,
        action=action,
        sql_error_number=number,
    )
