"""Keeps on disk which versions of which blobs have raised their event, and what is undelivered.

A version and the deliveries of its event are written in one transaction, before the first attempt:
what was raised is delivered or dead-lettered, whenever the sender is killed. A power cut may take
the last moments; then blobs are found anew and events come twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LOG = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent
    (name TEXT, etag TEXT, PRIMARY KEY (name, etag)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    id TEXT PRIMARY KEY, blob TEXT NOT NULL, body BLOB NOT NULL, published REAL NOT NULL,
    due REAL NOT NULL, attempts INTEGER NOT NULL, attempted REAL, status INTEGER, outcome TEXT
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one webhook. Times are seconds since the epoch.

    `due` is the time of the next attempt; `attempted`, `status` and `outcome` are of the last one.
    """

    id: str
    blob: str
    body: bytes
    published: float
    due: float
    attempts: int = 0
    attempted: float | None = None
    status: int | None = None
    outcome: str | None = None


class Outbox:
    """The file. Use it from one thread.

    A lost or broken one costs duplicates of what is still in the container, so it is made anew
    without asking.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._open(file)
        except sqlite3.DatabaseError as error:
            _LOG.warning("%s is unreadable (%s); every blob's event is sent again", file, error)
            file.unlink()
            self._open(file)

    def __contains__(self, version: tuple[str, str]) -> bool:
        """Tell whether this (name, ETag) has raised its event."""
        return version in self._sent

    def put(self, name: str, etag: str, deliveries: Sequence[Delivery]) -> None:
        """Remember that a version has raised its event, and the deliveries of it."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute("INSERT OR IGNORE INTO sent VALUES (?, ?)", (name, etag))
            self._database.executemany(
                "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?,?)",
                map(dataclasses.astuple, deliveries),
            )
        self._sent.add((name, etag))

    def undelivered(self) -> list[Delivery]:
        """Return what is neither delivered nor dead-lettered, in the order in which it is due."""
        rows = self._database.execute("SELECT * FROM delivery ORDER BY due")
        return [Delivery(*row) for row in rows]

    def postpone(self, delivery: Delivery) -> None:
        """Remember how an attempt ended, and when the next one is due."""
        self._database.execute(
            "UPDATE delivery SET due = ?, attempts = ?, attempted = ?, status = ?, outcome = ?"
            " WHERE id = ?",
            (
                delivery.due,
                delivery.attempts,
                delivery.attempted,
                delivery.status,
                delivery.outcome,
                delivery.id,
            ),
        )

    def remove(self, delivery: Delivery) -> None:
        """Forget a delivery that has ended."""
        self._database.execute("DELETE FROM delivery WHERE id = ?", (delivery.id,))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _open(self, file: Path) -> None:
        with contextlib.ExitStack() as on_failure:
            self._database = sqlite3.connect(file, isolation_level=None)
            on_failure.callback(self._database.close)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
            self._sent = set(self._database.execute("SELECT name, etag FROM sent"))
            self.undelivered()  # a table of other columns is found now
            on_failure.pop_all()
