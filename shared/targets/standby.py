"""A database that can be read between two restores: brought there, and taken back.

A statement that goes on from there needs the database for itself (error 3101), so whoever reads it
is disconnected first. That is done by KILL: SINGLE_USER would leave the only place to whoever is
fastest, and might outlive the recovery.
"""

from __future__ import annotations

import logging
import time

from shared.errors import TargetError, TargetUnavailable
from shared.targets import tsql
from shared.targets.connection import LazySession

_LOG = logging.getLogger(__name__)

_IN_USE = frozenset({3101, 3702})
_SESSION_GONE = frozenset({6101, 6106, 6107})
# A pool of connections may be back at once, so that one try is not enough.
_PATIENCE_S = 10.0
_AGAIN_S = 0.1


def stand_by(work: LazySession, database: str, undo_file: str) -> None:
    """Let a restoring database be read; does nothing to one that is in another state by then."""
    work.open().run(
        tsql.restore_with_standby(database, undo_file),
        doing=f"letting {database!r} be read, with the undo file {undo_file!r}",
    )


def stop_standing_by(work: LazySession, database: str) -> None:
    """Take a database in standby back to restoring; does nothing to one in another state."""
    run_alone(
        work,
        database,
        tsql.restore_with_norecovery(database),
        doing=f"taking {database!r} from standby back to restoring",
    )


def run_alone(work: LazySession, database: str, statement: str, *, doing: str) -> None:
    """Run a statement that needs a database in standby for itself; its readers are disconnected.

    Raises TargetUnavailable if they are back each time, and TargetError if the login may not
    disconnect them.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        _disconnect_readers(work, database)
        try:
            work.open().run(statement, doing=doing)
        except TargetUnavailable as error:
            if error.number not in _IN_USE or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _disconnect_readers(work: LazySession, database: str) -> None:
    readers = work.open().query(
        tsql.READERS, database, doing=f"reading which sessions are in {database!r}"
    )
    for row in readers:
        session = int(str(row["session_id"]))
        try:
            work.open().run(
                tsql.kill(session), doing=f"ending session {session}, which reads {database!r}"
            )
        except TargetUnavailable:
            raise
        except TargetError as error:
            if error.number not in _SESSION_GONE:
                raise
        else:
            _LOG.info("ended session %d, which read %r", session, database)
