"""SQL Server as a target: the verbs of a migration as T-SQL, carried out over ODBC.

Nothing is remembered between calls but the connection. What the database is, and where its roll
forward goes on, is asked of the server each time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

from shared.backupset import BackupType
from shared.chain import DatabaseState, TargetPosition
from shared.errors import BackhaulError, TargetError, TargetUnavailable
from shared.targets import (
    RestoredSet,
    RestoreOrder,
    RestoreStopped,
    ServerFacts,
    ServerHeader,
    Watch,
    faults,
    rows,
    tsql,
)
from shared.targets.connection import Session, SqlServerConnection, TokenSource
from shared.targets.files import ListedFile, Move, place_files

_LOG = logging.getLogger(__name__)

_SUCCESS = 3014
_PERCENT_PROCESSED = 3211
_ALREADY_RECOVERED = 3153
# The server could not put a file where the source had it: a log or differential brings a new one.
_PATH_REFUSED = frozenset({1834, 3156, 3176, 3634, 5105, 5110, 5120, 5123, 5133, 5170})
_RECOVERABLE = frozenset({"RESTORING", "STANDBY"})
_OPENING = frozenset({"RESTORING", "RECOVERING"})
_DROPPABLE = frozenset({"RESTORING", "ABSENT"})
_CANCEL_AGAIN_S = 0.5

SAS_LIFETIME = timedelta(days=7)
"""How long a user delegation SAS lives at most."""


class SqlServerTarget:
    """A SQL Server that databases are restored to; see `shared.targets.Target` for the verbs.

    For one caller at a time. Connections open at the first verb that needs one. `token` is asked
    for an Entra token when the connection has no user. `sas_lifetime` is how long the secrets
    live that `ensure_credential` gets; they are renewed at half of it.
    """

    def __init__(
        self,
        connection: SqlServerConnection,
        *,
        token: TokenSource | None = None,
        sas_lifetime: timedelta = SAS_LIFETIME,
        watch_interval_s: float = 1.0,
    ) -> None:
        self._settings = connection
        self._token = token
        self._sas_lifetime = sas_lifetime
        self._watch_interval_s = watch_interval_s
        self._work: Session | None = None
        self._side: Session | None = None

    def read_server(self) -> ServerFacts:
        """Return product, version, edition and default folders."""
        found = self._session().query(tsql.SERVER, doing="reading the server's properties")
        return rows.server_facts(found[0])

    def read_position(self, database: str) -> TargetPosition:
        """Return the state of a database and where its roll forward goes on."""
        return rows.position(self._read_state(database))

    def read_restore_history(self, database: str, after: int) -> Sequence[RestoredSet]:
        """Return what was restored to a database, after that restore_history_id, oldest first."""
        found = self._session().query(
            tsql.HISTORY, database, after, doing=f"reading the restore history of {database!r}"
        )
        return [rows.restored_set(row) for row in found]

    def read_headers(self, urls: Sequence[str]) -> Sequence[ServerHeader]:
        """Return RESTORE HEADERONLY of the files of one set: one row per set on the media."""
        found = self._session().query(
            tsql.restore_headeronly(urls), doing=f"RESTORE HEADERONLY of {urls[0]!r}"
        )
        return [rows.server_header(row) for row in found]

    def ensure_credential(self, container_url: str, secret: Callable[[], str]) -> None:
        """Let the server read a container; `secret` makes a SAS (no `?`) when one is needed.

        A credential that is there stays as it is, unless it is a shared access signature past
        half its lifetime.
        """
        found = self._read_credential(container_url)
        if not found:
            self._create_credential(container_url, secret())
        elif rows.is_stale(found[0], self._sas_lifetime):
            self._session().run(
                tsql.alter_credential(container_url, secret()),
                doing=f"ALTER CREDENTIAL of {container_url!r}",
                holds_secret=True,
            )
            _LOG.info("renewed the credential of %s on %s", container_url, self._settings)

    def restore(self, order: RestoreOrder, watch: Watch) -> None:
        """Restore one set WITH NORECOVERY, never with REPLACE; returns when it is restored.

        Raises RestoreStopped when `watch` returned False, and TargetUnavailable when the
        connection was lost: the server then aborts the restore, so read the position first. A
        restore that ended just before it was stopped returns: what was restored is restored.
        """
        moves: Sequence[Move] = ()
        if order.backup_type is BackupType.DATABASE:
            self._refuse_database_in_use(order.database)
            moves = self._place(order.database, self._list_files(order.urls))
        try:
            self._restore(order, moves, watch)
        except TargetError as error:
            if moves or error.number not in _PATH_REFUSED:
                raise
            moves = self._place(order.database, self._list_new_files(order))
            if not moves:
                raise
            self._restore(order, moves, watch)

    def recover(self, database: str) -> None:
        """Open a restoring database. Returns also if it is open already."""
        found = self._read_state(database)
        if not found:
            raise TargetError(
                f"database {database!r} cannot be recovered: it is not on {self._settings}",
                action="Restore its full backup first.",
            )
        if rows.state_text(found) in _RECOVERABLE:
            try:
                self._session().run(
                    tsql.restore_with_recovery(database), doing=f"recovering {database!r}"
                )
            except TargetError as error:
                if error.number != _ALREADY_RECOVERED:
                    raise
            found = self._read_state(database)
        self._verify_online(database, rows.state_text(found))

    def drop(self, database: str) -> None:
        """Drop a restoring database; refuses one that is open. Returns also if it is absent."""
        self._refuse_to_drop(database)
        self._session().run(tsql.drop_database(database), doing=f"dropping {database!r}")
        self._refuse_to_drop(database)

    def close(self) -> None:
        """Give the connections back."""
        for session in (self._work, self._side):
            if session is not None:
                session.close()
        self._work = self._side = None

    def _session(self) -> Session:
        """Return the connection that statements run on; a lost one is replaced."""
        self._work = self._opened(self._work)
        return self._work

    def _opened(self, session: Session | None) -> Session:
        if session is not None and session.lost:
            session.close()
            session = None
        return session or Session(self._settings, self._token)

    def _read_state(self, database: str) -> list[rows.Row]:
        return self._session().query(
            tsql.POSITION, database, doing=f"reading the position of {database!r}"
        )

    def _read_credential(self, container_url: str) -> list[rows.Row]:
        return self._session().query(
            tsql.CREDENTIAL,
            tsql.credential_name(container_url),
            doing=f"reading the credential of {container_url!r}",
        )

    def _create_credential(self, container_url: str, secret: str) -> None:
        try:
            self._session().run(
                tsql.create_credential(container_url, secret),
                doing=f"CREATE CREDENTIAL for {container_url!r}",
                holds_secret=True,
            )
        except TargetError:
            # Another migration from the same container may have been faster.
            if not self._read_credential(container_url):
                raise
        else:
            _LOG.info("created the credential of %s on %s", container_url, self._settings)

    def _refuse_database_in_use(self, database: str) -> None:
        """Refuse to restore a full over a database that is not restoring.

        The server itself refuses most, but not a database of the same family in the simple
        recovery model, whose log has no tail to save.
        """
        found = self._read_state(database)
        if rows.position(found).state not in (DatabaseState.ABSENT, DatabaseState.RESTORING):
            raise TargetError(
                f"database {database!r} exists on {self._settings} and is "
                f"{rows.state_text(found)}; a full backup is restored to a new name only",
                action="Choose another name for the target, or remove that database yourself.",
            )

    def _refuse_to_drop(self, database: str) -> None:
        state = rows.state_text(self._read_state(database))
        if state not in _DROPPABLE:
            raise TargetError(
                f"database {database!r} on {self._settings} is {state}, not RESTORING, and was "
                "not dropped",
                action="Drop it yourself if nobody needs it.",
            )

    def _list_files(self, urls: Sequence[str]) -> list[ListedFile]:
        found = self._session().query(
            tsql.restore_filelistonly(urls), doing=f"RESTORE FILELISTONLY of {urls[0]!r}"
        )
        files = [rows.listed_file(row) for row in found]
        if not files:
            # Without MOVE the files would go where they were on the source.
            raise TargetError(
                f"the server lists no database files in {urls[0]!r}",
                action="Take a new full backup of the database.",
            )
        if any(file.type == "S" for file in files):
            self._refuse_containers()
        return files

    def _list_new_files(self, order: RestoreOrder) -> list[ListedFile]:
        """Return the files of a log or differential that the database does not have yet."""
        present = self._session().query(
            tsql.FILE_IDS, order.database, doing=f"reading the files of {order.database!r}"
        )
        known = {row["file_id"] for row in present}
        return [file for file in self._list_files(order.urls) if file.file_id not in known]

    def _refuse_containers(self) -> None:
        found = self._session().query(
            tsql.CONTAINER_SUPPORT, doing="reading whether the server takes FILESTREAM"
        )[0]
        if not found["filestream_level"] and not found["memory_optimised"]:
            raise TargetError(
                "the backup holds FILESTREAM or memory-optimised data, and "
                f"{self._settings} takes neither",
                action="Enable FILESTREAM on the server, or choose another target.",
            )

    def _place(self, database: str, files: Sequence[ListedFile]) -> tuple[Move, ...]:
        if not files:
            return ()
        server = self.read_server()
        return place_files(
            database, files, data_path=server.default_data_path, log_path=server.default_log_path
        )

    def _restore(self, order: RestoreOrder, moves: Sequence[Move], watch: Watch) -> None:
        statement = tsql.restore(
            order.database, order.backup_type, order.urls, checksum=order.checksum, moves=moves
        )
        doing = f"restoring the {order.backup_type.label} {order.urls[0]!r} to {order.database!r}"
        began = time.monotonic()
        self._run_watched(statement, doing, watch)
        _LOG.info("%s on %s took %.2f s", doing, self._settings, time.monotonic() - began)

    def _run_watched(self, statement: str, doing: str, watch: Watch) -> None:
        """Run a statement on a thread of its own, and the watch here, in the caller's."""
        session = self._session()
        session_id = session.read_session_id()
        messages = _Progress()
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
            return
        if stopped:
            raise RestoreStopped(f"{doing} was stopped")
        session.give_up()
        raise TargetUnavailable(
            f"{doing} ended without the message of success ({_SUCCESS}); the last one was: "
            f"{messages.last or 'none'}",
            action="The position of the database tells what was restored; it is read again.",
        )

    def _watch(
        self, running: Future[None], session_id: int, messages: _Progress, watch: Watch
    ) -> bool:
        """Call `watch` until the statement ends; returns False as soon as it does."""
        while not wait([running], timeout=self._watch_interval_s).done:
            percent = max(self._read_percent(session_id), messages.percent)
            if not running.done() and not watch(percent):
                return False
        return True

    def _read_percent(self, session_id: int) -> float:
        """Return how far the server says that a session's statement is, 0 if it does not say.

        It needs VIEW SERVER STATE. Whatever goes wrong here must not end the restore: the
        messages of the statement tell its progress as well, only more coarsely.
        """
        try:
            self._side = self._opened(self._side)
            found = self._side.query(
                tsql.PROGRESS, session_id, doing="reading the progress of the restore"
            )
        except BackhaulError as error:
            _LOG.warning("no progress of the restore on %s: %s", self._settings, error)
            return 0.0
        return float(str(found[0]["percent_complete"])) if found else 0.0

    def _verify_online(self, database: str, state: str) -> None:
        if state == DatabaseState.ONLINE.value:
            return
        message = f"database {database!r} is {state} after its recovery, expected ONLINE"
        if state in _OPENING:
            raise TargetUnavailable(message, action="It is asked again until it is ONLINE.")
        raise TargetError(message, action="Look for the reason in the server's error log.")


class _Progress:
    """What the messages of a restore tell of it; noted on the restore's thread."""

    def __init__(self) -> None:
        self.percent = 0.0
        self.succeeded = False
        self.last = ""

    def note(self, number: int, text: str) -> None:
        self.last = text
        if number == _PERCENT_PROCESSED:
            digits = text.split(" ", 1)[0]
            self.percent = float(digits) if digits.isdecimal() else self.percent
        elif number == _SUCCESS:
            self.succeeded = True
            _LOG.info("%s", text)
        elif faults.fault_of(number) is None:
            _LOG.info("message %d: %s", number, text)
