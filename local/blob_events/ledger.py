"""Remembers on disk which versions of which blobs were sent."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

_LOG = logging.getLogger(__name__)


class Ledger:
    """The blob versions, by name and ETag, whose events need not be sent again.

    A lost or broken file costs duplicates, nothing else, so it is made anew without asking.
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
        return version in self._sent

    def add(self, name: str, etag: str) -> None:
        """Remember that the event of this version was sent."""
        self._sent.add((name, etag))
        self._database.execute("INSERT OR IGNORE INTO sent VALUES (?, ?)", (name, etag))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _open(self, file: Path) -> None:
        with contextlib.ExitStack() as on_failure:
            self._database = sqlite3.connect(file, isolation_level=None)
            on_failure.callback(self._database.close)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS sent"
                " (name TEXT, etag TEXT, PRIMARY KEY (name, etag)) WITHOUT ROWID"
            )
            self._sent = set(self._database.execute("SELECT name, etag FROM sent"))
            on_failure.pop_all()
