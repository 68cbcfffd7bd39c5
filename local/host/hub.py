"""The task hub: one SQLite file that holds everything that must survive a kill.

Every method is one or a few statements; what belongs together is put in one `transaction` by the
writer, the only one to change it. Nothing here decides anything.

Tables
    instance       an orchestration: what it is, where it stands, who waits for its end
    history        the events of its current generation, in order
    inbox          events that no turn has consumed yet, in order of arrival; those with an
                   execution are for that generation only
    task           activities (due is null) and timers that were asked for and have no end in
                   history or inbox; `seq` finds the history event that asked for them
    entity         state of each entity that exists
    entity_inbox   operations that no batch has carried out yet
    schedule       last and next run of each function with a timer trigger
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from local.host.disk import make_folder, sync_names
from local.host.entities import Operation
from local.host.errors import HubError
from local.host.instance import Instance

SCHEMA_VERSION = 1
FILE_NAME = "hub.db"
_APPLICATION_ID = 0x44487562  # "DHub": tells a task hub from any other SQLite file
_SCHEMA = """
CREATE TABLE instance (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, execution TEXT NOT NULL, version TEXT,
    status TEXT NOT NULL, input TEXT, output TEXT, custom_status TEXT,
    created TEXT NOT NULL, updated TEXT NOT NULL,
    parent TEXT, parent_execution TEXT, parent_task INTEGER
);
CREATE INDEX instance_created ON instance (created, id);
CREATE INDEX instance_live ON instance (id) WHERE status IN ('Pending', 'Running', 'Suspended');
CREATE TABLE history (
    instance TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (instance, seq)
) WITHOUT ROWID;
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT,
    event TEXT NOT NULL
);
CREATE INDEX inbox_instance ON inbox (instance, seq);
CREATE TABLE task (
    instance TEXT NOT NULL, id INTEGER NOT NULL, due TEXT, seq INTEGER NOT NULL,
    PRIMARY KEY (instance, id)
) WITHOUT ROWID;
CREATE INDEX task_due ON task (due) WHERE due IS NOT NULL;
CREATE TABLE entity (
    name TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, updated TEXT NOT NULL,
    PRIMARY KEY (name, key)
);
CREATE TABLE entity_inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, key TEXT NOT NULL,
    operation TEXT NOT NULL, input TEXT, request TEXT, caller TEXT, caller_execution TEXT
);
CREATE INDEX entity_inbox_entity ON entity_inbox (name, key, seq);
CREATE TABLE schedule (
    function TEXT PRIMARY KEY, last TEXT NOT NULL, next TEXT NOT NULL, updated TEXT NOT NULL
);
"""


class State(NamedTuple):
    """What must be known of an instance to deliver something to it."""

    execution: str
    status: str


class DueTimer(NamedTuple):
    """A durable timer whose time has come."""

    instance: str
    execution: str
    id: int
    due: str


class Hub:
    """The open hub of this process. Use it from one thread at a time."""

    def __init__(self, directory: Path) -> None:
        """Open the hub in `directory`, or make it.

        Raises:
            HubError: another process uses it, its schema is of another version, it is no hub, or
                the folder cannot be written.
        """
        self.path = directory / FILE_NAME
        try:
            make_folder(directory)
            self._lock = _lock(directory / "hub.lock")
        except OSError as error:
            raise HubError(
                f"the task hub cannot be kept in {directory}: {error.strerror}",
                action="give the host a folder that it may write, with --data",
            ) from error
        try:
            self._db = _open(self.path)
        except BaseException:
            os.close(self._lock)
            raise
        sync_names(directory)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let other processes in."""
        self._db.execute("PRAGMA optimize")
        self._db.close()
        os.close(self._lock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on disk when the block is left without an error."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite has rolled back already after some errors
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def step(self) -> Iterator[None]:
        """A part of a transaction that can fail without undoing the rest."""
        self._db.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO step")
            self._db.execute("RELEASE step")
            raise
        self._db.execute("RELEASE step")

    # -- instances -----------------------------------------------------------------------------

    def instance(self, instance_id: str) -> Instance | None:
        """Return the instance, if there is one."""
        row = self._db.execute("SELECT * FROM instance WHERE id = ?", (instance_id,)).fetchone()
        return None if row is None else Instance._make(row)

    def state(self, instance_id: str) -> State | None:
        """Return generation and status of an instance, without its payloads."""
        row = self._db.execute(
            "SELECT execution, status FROM instance WHERE id = ?", (instance_id,)
        ).fetchone()
        return None if row is None else State._make(row)

    def put_instance(self, new: Instance) -> None:
        """Insert an instance, in place of everything that is known of its id."""
        self.delete_instance(new.id)
        self._db.execute("INSERT INTO instance VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", new)

    def delete_instance(self, instance_id: str) -> None:
        """Delete an instance and all that belongs to it."""
        self.delete_generation(instance_id)
        self._db.execute("DELETE FROM inbox WHERE instance = ?", (instance_id,))
        self._db.execute("DELETE FROM instance WHERE id = ?", (instance_id,))

    def delete_generation(self, instance_id: str) -> None:
        """Delete the history of an instance, and what it has under way."""
        self._db.execute("DELETE FROM history WHERE instance = ?", (instance_id,))
        self._db.execute("DELETE FROM task WHERE instance = ?", (instance_id,))

    def parent(self, instance_id: str) -> tuple[str, str, int] | None:
        """Return (instance, execution, task id) of who waits for the end of this instance."""
        row: tuple[str | None, str, int] | None = self._db.execute(
            "SELECT parent, parent_execution, parent_task FROM instance WHERE id = ?",
            (instance_id,),
        ).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1], row[2])

    def origin(self, instance_id: str) -> tuple[str, str]:
        """Return name and time of creation of an instance that exists."""
        row: tuple[str, str] = self._db.execute(
            "SELECT name, created FROM instance WHERE id = ?", (instance_id,)
        ).fetchone()
        return row

    def set_status(self, instance_id: str, status: str, now: str) -> None:
        """Change the status of an instance."""
        self._db.execute(
            "UPDATE instance SET status = ?, updated = ? WHERE id = ?", (status, now, instance_id)
        )

    def set_custom_status(self, instance_id: str, custom_status: str) -> None:
        """Change the custom status of an instance."""
        self._db.execute(
            "UPDATE instance SET custom_status = ? WHERE id = ?", (custom_status, instance_id)
        )

    def set_generation(self, instance_id: str, execution: str, input_text: str | None) -> None:
        """Begin another generation, with another input."""
        self._db.execute(
            "UPDATE instance SET execution = ?, input = ? WHERE id = ?",
            (execution, input_text, instance_id),
        )

    def finish(self, instance_id: str, status: str, output: str | None, now: str) -> None:
        """End an instance: nothing is under way any more, and nothing will be consumed."""
        self._db.execute(
            "UPDATE instance SET status = ?, output = ?, updated = ? WHERE id = ?",
            (status, output, now, instance_id),
        )
        self._db.execute("DELETE FROM task WHERE instance = ?", (instance_id,))
        self._db.execute("DELETE FROM inbox WHERE instance = ?", (instance_id,))

    def revive(self, instance_id: str, now: str) -> None:
        """Make a finished instance run again."""
        self._db.execute(
            "UPDATE instance SET status = 'Running', output = NULL, updated = ? WHERE id = ?",
            (now, instance_id),
        )

    def ready_instances(self) -> list[str]:
        """Return the live instances that have something to do: events, or a first turn."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT id FROM instance WHERE status IN ('Pending', 'Running', 'Suspended') "
                "AND status <> 'Suspended' AND ("
                "EXISTS (SELECT 1 FROM inbox WHERE inbox.instance = instance.id) OR NOT "
                "EXISTS (SELECT 1 FROM history WHERE history.instance = instance.id))"
            )
        ]

    def purgeable(
        self, created_from: str, created_to: str | None, statuses: Sequence[str]
    ) -> list[str]:
        """Return the instances in these (finished) states that were created in this time."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT id FROM instance WHERE created >= ? AND created <= ? "
                "AND status IN (SELECT value FROM json_each(?))",
                (created_from, created_to or "9999", json.dumps(statuses)),
            )
        ]

    # -- history and what is under way ------------------------------------------------------------

    def history(self, instance_id: str) -> list[str]:
        """Return the encoded events of the current generation, in order."""
        rows = self._db.execute(
            "SELECT event FROM history WHERE instance = ? ORDER BY seq", (instance_id,)
        )
        return [row[0] for row in rows]

    def append_history(self, instance_id: str, first: int, events: Iterable[str]) -> None:
        """Add events behind the `first` events that are already there."""
        self._db.executemany(
            "INSERT INTO history VALUES (?, ?, ?)",
            ((instance_id, seq, one) for seq, one in enumerate(events, first)),
        )

    def replace_history(self, instance_id: str, events: Iterable[str]) -> None:
        """Put other events in place of the history."""
        self._db.execute("DELETE FROM history WHERE instance = ?", (instance_id,))
        self.append_history(instance_id, 0, events)

    def add_tasks(self, instance_id: str, tasks: Iterable[tuple[int, str | None, int]]) -> None:
        """Note (id, due, seq of the history event) of what was asked for; due is for timers."""
        self._db.executemany(
            "INSERT INTO task VALUES (?, ?, ?, ?)", ((instance_id, *task) for task in tasks)
        )

    def task_status(self, instance_id: str, execution: str, task_id: int) -> str | None:
        """Return the instance's status if this activity or timer of it has no end yet."""
        row = self._db.execute(
            "SELECT instance.status FROM task JOIN instance ON instance.id = task.instance "
            "WHERE task.instance = ? AND task.id = ? AND instance.execution = ?",
            (instance_id, task_id, execution),
        ).fetchone()
        return None if row is None else str(row[0])

    def delete_tasks(self, tasks: Iterable[tuple[str, int]]) -> None:
        """Forget (instance, id): activities or timers that have ended or are not wanted."""
        self._db.executemany("DELETE FROM task WHERE instance = ? AND id = ?", tasks)

    def open_activities(self) -> list[tuple[str, str, str]]:
        """Return (instance, execution, encoded TaskScheduled) of every activity under way."""
        return self._db.execute(
            "SELECT task.instance, instance.execution, history.event FROM task "
            "JOIN instance ON instance.id = task.instance "
            "JOIN history ON history.instance = task.instance AND history.seq = task.seq "
            "WHERE task.due IS NULL"
        ).fetchall()

    def due_timers(self, now: str, limit: int) -> list[DueTimer]:
        """Return durable timers whose time has come, the earliest first."""
        rows = self._db.execute(
            "SELECT task.instance, instance.execution, task.id, task.due FROM task "
            "JOIN instance ON instance.id = task.instance "
            "WHERE task.due <= ? ORDER BY task.due LIMIT ?",
            (now, limit),
        )
        return [DueTimer._make(row) for row in rows]

    def next_due(self) -> str | None:
        """Return the time of the next durable timer."""
        row = self._db.execute(
            "SELECT due FROM task WHERE due IS NOT NULL ORDER BY due LIMIT 1"
        ).fetchone()
        return None if row is None else str(row[0])

    # -- inbox ------------------------------------------------------------------------------------

    def put_events(self, events: Iterable[tuple[str, str | None, str]]) -> None:
        """Put (instance, execution, encoded event) at the end of inboxes.

        Without an execution, an event is for whatever generation takes it.
        """
        self._db.executemany(
            "INSERT INTO inbox (instance, execution, event) VALUES (?, ?, ?)", events
        )

    def take_lasting_events(self, instance_id: str) -> list[str]:
        """Empty an inbox, and return the encoded events that were for any generation."""
        rows = self._db.execute(
            "SELECT event FROM inbox WHERE instance = ? AND execution IS NULL ORDER BY seq",
            (instance_id,),
        ).fetchall()
        self._db.execute("DELETE FROM inbox WHERE instance = ?", (instance_id,))
        return [row[0] for row in rows]

    def inbox(self, instance_id: str, limit: int) -> list[tuple[int, str]]:
        """Return (row, encoded event) of what waits for an instance, the oldest first."""
        return self._db.execute(
            "SELECT seq, event FROM inbox WHERE instance = ? ORDER BY seq LIMIT ?",
            (instance_id, limit),
        ).fetchall()

    def delete_events(self, rows: Iterable[int]) -> None:
        """Remove consumed events from an inbox."""
        self._db.executemany("DELETE FROM inbox WHERE seq = ?", ((row,) for row in rows))

    # -- entities -------------------------------------------------------------------------------

    def entity(self, name: str, key: str) -> str | None:
        """Return the state of an entity; None when it does not exist."""
        row = self._db.execute(
            "SELECT state FROM entity WHERE name = ? AND key = ?", (name, key)
        ).fetchone()
        return None if row is None else str(row[0])

    def put_entity(self, name: str, key: str, state: str | None, now: str) -> None:
        """Store the state of an entity; None deletes it."""
        if state is None:
            self._db.execute("DELETE FROM entity WHERE name = ? AND key = ?", (name, key))
        else:
            self._db.execute(
                "INSERT OR REPLACE INTO entity VALUES (?, ?, ?, ?)", (name, key, state, now)
            )

    def put_operations(self, requests: Iterable[tuple[tuple[str, str], Operation]]) -> None:
        """Put requests at the end of the inboxes of entities; the hub gives them their rows."""
        self._db.executemany(
            "INSERT INTO entity_inbox "
            "(name, key, operation, input, request, caller, caller_execution) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*entity, *operation[1:]) for entity, operation in requests),
        )

    def operations(self, name: str, key: str, limit: int) -> list[Operation]:
        """Return the requests that wait for an entity, the oldest first."""
        rows = self._db.execute(
            "SELECT seq, operation, input, request, caller, caller_execution FROM entity_inbox "
            "WHERE name = ? AND key = ? ORDER BY seq LIMIT ?",
            (name, key, limit),
        )
        return [Operation._make(row) for row in rows]

    def delete_operations(self, operations: Iterable[Operation]) -> None:
        """Remove requests that were carried out."""
        self._db.executemany(
            "DELETE FROM entity_inbox WHERE seq = ?", ((one.row,) for one in operations)
        )

    def ready_entities(self) -> list[tuple[str, str]]:
        """Return (name, key) of the entities that have requests."""
        return self._db.execute("SELECT DISTINCT name, key FROM entity_inbox").fetchall()

    # -- schedules of timer triggers --------------------------------------------------------------

    def put_schedule(self, function: str, last: str, following: str, now: str) -> None:
        """Note when a function with a timer trigger ran, and when it runs next."""
        self._db.execute(
            "INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?)", (function, last, following, now)
        )


def _lock(path: Path) -> int:
    """Take the lock that this process holds until it ends, however it ends."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 32).decode("ascii", "replace").strip() or "another process"
        os.close(lock)
        raise HubError(
            f"the task hub in {path.parent} is in use by process {holder}",
            action="stop that host, or give this one another folder with --data",
        ) from error
    os.truncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite keeps the mode that it finds
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        _prepare(db, path)
    except sqlite3.DatabaseError as error:
        db.close()
        raise HubError(
            f"{path} is not a usable task hub: {error}",
            action="give the host another folder with --data, or delete this file",
        ) from error
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file; refuse a file that is not of this version."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    application = db.execute("PRAGMA application_id").fetchone()[0]
    if not version and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        db.executescript(
            f"BEGIN; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID}; "
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    elif application != _APPLICATION_ID:
        raise HubError(
            f"{path} is a database of something else",
            action="give the host another folder with --data",
        )
    elif version != SCHEMA_VERSION:
        raise HubError(
            f"{path} has schema version {version}, this host knows version {SCHEMA_VERSION}",
            action="run the version of the host that made it, or start with another --data folder",
        )
