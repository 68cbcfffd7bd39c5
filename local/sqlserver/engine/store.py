"""Keeps the instance's state on disk: SQLite, one transaction for each change.

A server that is killed at any moment finds on its next start the state of the last change that
was complete. One server at a time may use a folder.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from local.sqlserver.engine.model import Record
from shared.errors import ConfigurationError

_Kind = TypeVar("_Kind", bound=Record)


class Store:
    """The state of one instance in a folder. Not safe for threads: the instance holds a lock."""

    def __init__(self, folder: Path) -> None:
        """Open or create the state; raises ConfigurationError if another server uses it."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise ConfigurationError(
                f"another simulated SQL Server is using {folder}",
                action="stop it, or give this one a folder of its own",
            ) from None
        path = folder / "instance.sqlite3"
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def load(self, kind: type[_Kind]) -> list[_Kind]:
        """Return all records of a kind in order of their ids; raises ConfigurationError.

        A kind is loaded before its first record is saved.
        """
        table, key = kind.table, kind.key
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {table} ({key} PRIMARY KEY, body TEXT)"
        )
        rows = self._connection.execute(f"SELECT body FROM {table} ORDER BY {key}")  # noqa: S608 names of our own classes
        try:
            return [kind.model_validate_json(body) for (body,) in rows]
        except ValidationError as exc:
            raise ConfigurationError(
                f"the state of the simulated SQL Server in {self._folder} is of another version: "
                f"{table} does not read as {kind.__name__}",
                action="delete that folder; it holds no data, only what was restored",
            ) from exc

    def save(self, *records: Record) -> None:
        """Write records, all or none of them."""
        self.change(records, ())

    def delete(self, record: Record) -> None:
        """Remove a record."""
        self.change((), (record,))

    def close(self) -> None:
        """Give the folder free."""
        self._connection.close()
        self._lock.close()

    def change(self, saved: Iterable[Record], deleted: Iterable[Record]) -> None:
        """Write and remove records, all of it or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for record in saved:
                table, key = record.table, record.key
                self._connection.execute(
                    f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",  # noqa: S608 as in load
                    (_key(record, key), record.model_dump_json()),
                )
            for record in deleted:
                table, key = record.table, record.key
                self._connection.execute(
                    f"DELETE FROM {table} WHERE {key} = ?",  # noqa: S608 as in load
                    (_key(record, key),),
                )
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _key(record: Record, name: str) -> int | str:
    value = getattr(record, name)
    return value if isinstance(value, int) else str(value)
