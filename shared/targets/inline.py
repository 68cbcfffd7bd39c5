"""Runs a RESTORE, or what else is long, on a connection that is held, and watches its progress.

The restore lives and dies with the connection, so this is for restores that end within the time
that the caller has.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait

from shared.errors import BackhaulError, TargetError, TargetUnavailable
from shared.targets import RestoreStopped, Watch, faults, tsql
from shared.targets.connection import LazySession

_LOG = logging.getLogger(__name__)

_SUCCESS = 3014
_PERCENT_PROCESSED = 3211
_CANCEL_AGAIN_S = 0.5


class InlineRunner:
    """Runs one statement at a time on `work`; its progress is read on `side`.

    `side` is opened only for a statement that lasts longer than `interval_s`.
    """

    def __init__(self, work: LazySession, side: LazySession, interval_s: float) -> None:
        self._work = work
        self._side = side
        self._interval_s = interval_s

    def run(
        self, statement: str, doing: str, watch: Watch, *, success: int | None = _SUCCESS
    ) -> frozenset[int]:
        """Run a RESTORE to its end on a thread of its own, and the watch in the caller's.

        Raises RestoreStopped when the watch stopped it, TargetError or TargetUnavailable when it
        failed. Returning means that the server has reported success: by the message of that
        number, or, for a statement that has none, by no error, which is no proof. The numbers of
        all messages are returned.
        """
        session = self._work.open()
        session_id = session.read_session_id()
        messages = _Messages(success)
        with ThreadPoolExecutor(1, thread_name_prefix="restore") as pool:
            running = pool.submit(session.run, statement, doing=doing, on_message=messages.note)
            stopped = True
            try:
                stopped = not self._watch(running, session_id, messages, watch)
            finally:
                # Also when `watch` raised. Again and again, because a request to cancel that
                # comes between two results of the statement is lost.
                while stopped and not running.done():
                    session.cancel()
                    wait([running], timeout=_CANCEL_AGAIN_S)
        try:
            running.result()
        except TargetUnavailable:
            raise
        except TargetError as error:
            if stopped:
                raise RestoreStopped(f"{doing} was stopped") from error
            raise
        # Neither a cancel nor a shutdown of the server always ends a statement with an error, so
        # only the message of success tells that a set is restored.
        if messages.succeeded:
            return frozenset(messages.numbers)
        if stopped:
            raise RestoreStopped(f"{doing} was stopped")
        if success is None:
            return frozenset(messages.numbers)
        session.give_up()
        raise TargetUnavailable(
            f"{doing} ended without the message of success ({success}); the last one was: "
            f"{messages.last or 'none'}",
            action="The position of the database tells what was restored; it is read again.",
        )

    def _watch(
        self, running: Future[None], session_id: int, messages: _Messages, watch: Watch
    ) -> bool:
        """Call `watch` until the statement ends; returns False as soon as it does."""
        percent = 0.0
        while not wait([running], timeout=self._interval_s).done:
            # A request that is just ending is not listed any more; progress must not go back.
            percent = max(percent, self._read_percent(session_id), messages.percent)
            if not running.done() and not watch(percent):
                return False
        return True

    def _read_percent(self, session_id: int) -> float:
        """Return how far the server says that a session's statement is, 0 if it does not say.

        It needs VIEW SERVER STATE. Whatever goes wrong here must not end the restore: the
        messages of the statement tell its progress as well, only more coarsely.
        """
        try:
            found = self._side.open().query(
                tsql.PROGRESS, session_id, doing="reading the progress of the restore"
            )
        except BackhaulError as error:
            _LOG.warning("%s", error)
            return 0.0
        return float(str(found[0]["percent_complete"])) if found else 0.0


class _Messages:
    """What the messages of a restore tell of it; noted on the restore's thread."""

    def __init__(self, success: int | None) -> None:
        self._success = success
        self.percent = 0.0
        self.succeeded = False
        self.last = ""
        self.numbers: set[int] = set()

    def note(self, number: int, text: str) -> None:
        self.last = text
        self.numbers.add(number)
        if number == _PERCENT_PROCESSED:
            digits = text.split(" ", 1)[0]
            self.percent = float(digits) if digits.isdecimal() else self.percent
        elif number == self._success:
            self.succeeded = True
            _LOG.info("%s", text)
        elif faults.fault_of(number) is None:
            _LOG.info("message %d: %s", number, text)
