"""SQL Server as a target: the verbs of a migration as T-SQL, carried out over ODBC.

Nothing is remembered between calls but the connection. What the database is, and where its roll
forward goes on, is asked of the server each time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from shared.backupset import BackupType
from shared.chain import DatabaseState, TargetPosition
from shared.errors import TargetError, TargetUnavailable
from shared.targets import (
    Batch,
    Conditions,
    Contents,
    RestoredSet,
    RestoreOrder,
    ServerFacts,
    ServerHeader,
    Watch,
    conditions,
    faults,
    rows,
    standby,
    tsql,
    upkeep,
)
from shared.targets.agent import AgentRunner
from shared.targets.connection import LazySession, SqlServerConnection, TokenSource
from shared.targets.faults import is_path_refused
from shared.targets.files import ListedFile, Move, undo_file
from shared.targets.inline import InlineRunner
from shared.targets.jobs import Task
from shared.targets.opened import SqlServerDatabase
from shared.targets.placing import moves_for
from shared.targets.transfer import transfer_of

_LOG = logging.getLogger(__name__)

_ALREADY_RECOVERED = 3153
# A database is encrypted with one, and its backup with one more; a forged file list is long.
_MOST_KEYS = 8
_OPENING = frozenset({"RESTORING", "RECOVERING"})
_STANDBY = "STANDBY"
_RECOVERABLE = frozenset({"RESTORING", _STANDBY})
_DROPPABLE = frozenset({"RESTORING", _STANDBY, "ABSENT"})

RestoreWith = Literal["auto", "agent", "inline"]
"""What carries restores out: jobs of SQL Server Agent, which go on without us, or a connection
that is held until the end; auto takes the Agent where it runs and the login may use it."""

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
        restore_with: RestoreWith = "auto",
    ) -> None:
        self._settings = connection
        self._sas_lifetime = sas_lifetime
        self._work = LazySession(connection, token)
        self._side = LazySession(connection, token)
        self._runner = InlineRunner(self._work, self._side, watch_interval_s)
        self._agent = AgentRunner(self._work)
        self._restore_with = restore_with

    def read_server(self) -> ServerFacts:
        """Return product, version, edition and default folders."""
        found = self._work.open().query(tsql.SERVER, doing="reading the server's properties")
        return rows.server_facts(found[0])

    def read_position(self, database: str) -> TargetPosition:
        """Return the state of a database and where its roll forward goes on."""
        return rows.position(self._read_state(database))

    def read_restore_history(self, database: str, after: int) -> Sequence[RestoredSet]:
        """Return what was restored to a database, after that restore_history_id, oldest first."""
        found = self._work.open().query(
            tsql.HISTORY, database, after, doing=f"reading the restore history of {database!r}"
        )
        return [rows.restored_set(row) for row in found]

    def read_headers(self, urls: Sequence[str]) -> Sequence[ServerHeader]:
        """Return RESTORE HEADERONLY of the files of one set: one row per set on the media."""
        found = self._work.open().query(
            tsql.restore_headeronly(urls), doing=f"RESTORE HEADERONLY of {urls[0]!r}"
        )
        return [rows.server_header(row) for row in found]

    def read_contents(self, urls: Sequence[str]) -> Contents:
        """Return the files of a backup set with their sizes, and the keys that it asks for."""
        headers = self._work.open().query(
            tsql.restore_headeronly(urls), doing=f"RESTORE HEADERONLY of {urls[0]!r}"
        )
        found = self._query_files(urls)
        keys = [row["tdethumbprint"] for row in found]
        keys += [row.get("encryptorthumbprint") for row in headers]
        return Contents(
            files=tuple(rows.listed_file(row) for row in found),
            thumbprints=tuple(dict.fromkeys(key for key in keys if isinstance(key, bytes) and key))[
                :_MOST_KEYS
            ],
        )

    def read_conditions(self, container_url: str, folders: Sequence[str]) -> Conditions:
        """Return what the server offers: rights, folders, keys, the container's credential."""
        return conditions.read_conditions(self._work, container_url, folders, self._agent.why_not())

    def read_paths(self, but: str) -> Mapping[str, str]:
        """Return who has which file: names of databases, but one, by `shared.paths.comparable`."""
        found = self._work.open().query(
            tsql.OTHERS_FILES, but, doing="reading where files of other databases lie"
        )
        return rows.owners(found)

    def ensure_credential(
        self, container_url: str, secret: Callable[[], str] | None, *, renew: bool = False
    ) -> None:
        """Let the server read a container; `secret` makes a SAS (no `?`) when one is needed.

        A credential that is there stays as it is, unless it is a shared access signature past
        half its lifetime, or one that was refused (`renew`). Without `secret` the server's managed
        identity takes the place of any signature, if it is new enough: one that it cannot use
        would stay in the way of any other credential.
        """
        if secret is None and not self.read_server().reads_by_identity:
            raise TargetError(
                f"{self._settings} is to read the container by its managed identity, which needs"
                " SQL Server 2022 CU17 (16.0.4175) or later",
                action="Update the server, or set container_access of this target to sas.",
            )
        found = self._read_credential(container_url)
        if not found:
            self._create_credential(container_url, secret and secret())
        elif rows.is_stale(found[0], self._sas_lifetime if secret and not renew else timedelta.min):
            self._work.open().run(
                tsql.alter_credential(container_url, secret and secret()),
                doing=f"ALTER CREDENTIAL of {container_url!r}",
                holds_secret=True,
            )
            _LOG.info("renewed the credential of %s on %s", container_url, self._settings)

    def restore(self, order: RestoreOrder, watch: Watch) -> bool:
        """Restore one set WITH NORECOVERY, never with REPLACE; returns when it is restored.

        Raises RestoreStopped when `watch` returned False, and TargetUnavailable when the
        connection was lost: the server then aborts the restore, so read the position first. A
        restore that ended just before it was stopped returns: what was restored is restored.
        What is returned tells whether the order's stop point was reached.
        """
        try:
            return self._restore(order, watch)
        except TargetError as error:
            if order.brings_files or not is_path_refused(error) or not self._list_new_files(order):
                raise
            return self._restore(order.model_copy(update={"brings_files": True}), watch)

    def detaches(self) -> bool:
        """Tell whether restores run as jobs of SQL Server Agent; see `RestoreWith`."""
        if self._restore_with == "inline":
            return False
        why_not = self._agent.why_not()
        if why_not and self._restore_with == "agent":
            raise TargetUnavailable(
                f"restores on {self._settings} are to run as jobs, and {why_not}",
                action="Start SQL Server Agent and let the login use it, or set restore_with of "
                "this target to auto or inline.",
            )
        return why_not is None

    def find_batch(self, database: str) -> Batch | None:
        """Return the job that restores a database, or last did, until it is removed."""
        return self._agent.find(database)

    def start_batch(self, operation: UUID, orders: Sequence[RestoreOrder]) -> None:
        """Start a job that restores sets to one database, up to the first that fails."""
        tasks = [
            Task(order.backup_set_guid, self._statement(order, stats=False)) for order in orders
        ]
        self._agent.start(orders[0].database, operation, tasks)

    def end_batch(self, batch: Batch) -> None:
        """Stop a job if it runs, and remove it. Returns also if it is gone."""
        self._agent.end(batch)

    def stand_by(self, database: str, folder: str | None) -> None:
        """Let a restoring database be read; returns also if it can be already."""
        undo = undo_file(database, folder or self.read_server().default_log_path)
        standby.stand_by(self._work, database, undo)

    def stop_standing_by(self, database: str) -> None:
        """Take a database back to restoring that can be read; its readers are disconnected."""
        standby.stop_standing_by(self._work, database)

    def recover(self, database: str) -> None:
        """Open a restoring database. Returns also if it is open already."""
        found = self._read_state(database)
        if not found:
            raise TargetError(
                f"database {database!r} cannot be recovered: it is not on {self._settings}",
                action="Restore its full backup first.",
            )
        if (state := rows.state_text(found)) in _RECOVERABLE:
            try:
                self._run(state, database, tsql.restore_with_recovery(database), "recovering")
            except TargetError as error:
                if error.number != _ALREADY_RECOVERED:
                    raise
            found = self._read_state(database)
        self._verify_online(database, rows.state_text(found))

    def has_login(self, name: str) -> bool | None:
        """Tell whether somebody can log in by a name; None if our login does not see all."""
        session, doing = self._work.open(), f"looking for the login {name!r}"
        if session.query(upkeep.LOGIN, name, doing=doing):
            return True
        sees_all = upkeep.sees_logins(session.query(upkeep.SEES_LOGINS, doing=doing)[0])
        return False if sees_all else None

    def opened(self, database: str) -> SqlServerDatabase:
        """Return what may be done to a database once it is open."""
        return SqlServerDatabase(database, self._work, self._runner, self._agent)

    def drop(self, database: str) -> None:
        """Drop a database that is restoring or in standby; refuses one that is open."""
        state = self._refuse_to_drop(database)
        self._run(state, database, tsql.drop_database(database), "dropping")
        self._refuse_to_drop(database)

    def drop_scratch(self, database: str, history_id: int) -> None:
        """Drop a database of our own, unless anything was restored to it after that row."""
        state = rows.state_text(self._read_state(database))
        if state == "RECOVERING":
            raise TargetUnavailable(
                f"database {database!r} on {self._settings} is {state} and cannot be dropped yet",
                action="It is tried again until it is open.",
            )
        for statement in tsql.drop_scratch(database, history_id):
            self._work.open().run(statement, doing=f"dropping {database!r}")

    def close(self) -> None:
        """Give the connections back."""
        self._work.close()
        self._side.close()

    def _read_state(self, database: str) -> list[rows.Row]:
        return self._work.open().query(
            tsql.POSITION, database, doing=f"reading the position of {database!r}"
        )

    def _read_credential(self, container_url: str) -> list[rows.Row]:
        return self._work.open().query(
            tsql.CREDENTIAL,
            tsql.credential_name(container_url),
            doing=f"reading the credential of {container_url!r}",
        )

    def _create_credential(self, container_url: str, secret: str | None) -> None:
        try:
            self._work.open().run(
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

    def _run(self, state: str, database: str, statement: str, doing: str) -> None:
        """Run a statement that ends the restoring of a database, whoever reads it meanwhile."""
        doing = f"{doing} {database!r}"
        if state == _STANDBY:
            standby.run_alone(self._work, database, statement, doing=doing)
        else:
            self._work.open().run(statement, doing=doing)

    def _refuse_to_drop(self, database: str) -> str:
        state = rows.state_text(self._read_state(database))
        if state not in _DROPPABLE:
            raise TargetError(
                f"database {database!r} on {self._settings} is {state}, not RESTORING, and was "
                "not dropped",
                action="Drop it yourself if nobody needs it.",
            )
        return state

    def _query_files(self, urls: Sequence[str]) -> list[rows.Row]:
        return self._work.open().query(
            tsql.restore_filelistonly(urls), doing=f"RESTORE FILELISTONLY of {urls[0]!r}"
        )

    def _list_files(self, urls: Sequence[str]) -> list[ListedFile]:
        files = [rows.listed_file(row) for row in self._query_files(urls)]
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
        present = self._work.open().query(
            tsql.FILE_IDS, order.database, doing=f"reading the files of {order.database!r}"
        )
        known = {row["file_id"] for row in present}
        return [file for file in self._list_files(order.urls) if file.file_id not in known]

    def _refuse_containers(self) -> None:
        found = self._work.open().query(
            tsql.CONTAINER_SUPPORT, doing="reading whether the server takes FILESTREAM"
        )
        if not rows.takes_containers(found[0]):
            raise TargetError(
                "the backup holds FILESTREAM or memory-optimised data, and "
                f"{self._settings} takes neither",
                action="Enable FILESTREAM on the server, or choose another target.",
            )

    def _place(self, order: RestoreOrder, files: Sequence[ListedFile]) -> tuple[Move, ...]:
        if not files:
            return ()
        server = self.read_server()
        return moves_for(
            order.database,
            files,
            order.options,
            data_path=server.default_data_path,
            log_path=server.default_log_path,
            taken=self.read_paths(order.database),
            is_whole=order.backup_type is BackupType.DATABASE,
        )

    def _statement(self, order: RestoreOrder, *, stats: bool) -> str:
        """Return the statement that restores a set; for a full, once it is sure to be allowed."""
        is_full = order.backup_type is BackupType.DATABASE
        files: Sequence[ListedFile] = ()
        if is_full:
            self._refuse_database_in_use(order.database)
            files = self._list_files(order.urls)
        elif order.backup_type is BackupType.DIFFERENTIAL or order.brings_files:
            files = self._list_new_files(order)
        statement = tsql.restore(
            order.database,
            order.backup_type,
            order.urls,
            checksum=order.checksum,
            moves=self._place(order, files),
            transfer=transfer_of(order.options, order.size_bytes, len(order.urls)),
            stats=stats,
            stop=order.stop,
        )
        return tsql.unless_restored(order.database, statement) if is_full else statement

    def _restore(self, order: RestoreOrder, watch: Watch) -> bool:
        statement = self._statement(order, stats=True)
        doing = f"restoring the {order.backup_type.label} {order.urls[0]!r} to {order.database!r}"
        began = time.monotonic()
        said = self._runner.run(statement, doing, watch)
        _LOG.info("%s on %s took %.2f s", doing, self._settings, time.monotonic() - began)
        return order.stop is not None and faults.STOP_LIES_FURTHER_ON.isdisjoint(said)

    def _verify_online(self, database: str, state: str) -> None:
        if state == DatabaseState.ONLINE.value:
            return
        message = f"database {database!r} is {state} after its recovery, expected ONLINE"
        if state in _OPENING:
            raise TargetUnavailable(message, action="It is asked again until it is ONLINE.")
        raise TargetError(message, action="Look for the reason in the server's error log.")
