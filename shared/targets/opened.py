"""A database of a SQL Server that is open: the verbs of `shared.opened`, carried out over ODBC."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from shared.errors import TargetError
from shared.opened import Check, DatabaseFacts, OrphanedUsers
from shared.targets import RestoreStopped, upkeep
from shared.targets.agent import AgentRunner
from shared.targets.connection import LazySession
from shared.targets.inline import InlineRunner
from shared.vocabulary import DatabaseCheck

_PATIENCE_S = 20.0


class SqlServerDatabase:
    """One open database; for one caller at a time, as the target that it is of."""

    def __init__(
        self, name: str, session: LazySession, runner: InlineRunner, agent: AgentRunner
    ) -> None:
        self._name = name
        self._session = session
        self._runner = runner
        self._agent = agent

    def read_facts(self) -> DatabaseFacts | None:
        """Return what the server says of the database, None if it is not there any more."""
        found = self._session.open().query(
            upkeep.FACTS, self._name, doing=f"reading the properties of {self._name!r}"
        )
        return upkeep.facts(found[0]) if found else None

    def list_orphaned_users(self) -> OrphanedUsers | None:
        """Return the users without login; None if our own login does not see all logins."""
        session, doing = self._session.open(), f"reading the users of {self._name!r}"
        if not upkeep.sees_logins(session.query(upkeep.SEES_LOGINS, doing=doing)[0]):
            return None
        counted = session.query(upkeep.count_orphans(self._name), doing=doing)
        listed = session.query(upkeep.list_orphans(self._name), doing=doing)
        return OrphanedUsers(
            count=int(str(counted[0]["orphans"])), users=tuple(map(upkeep.orphan, listed))
        )

    def set_owner(self, login: str) -> None:
        """Give the database to a login. We may have no rights in it any more after that."""
        self._change(upkeep.set_owner(self._name, login), f"giving {self._name!r} to {login!r}")

    def set_compatibility_level(self, level: int) -> None:
        """Set the compatibility level, for instance 160."""
        self._change(
            upkeep.set_compatibility_level(self._name, level),
            f"setting the compatibility level of {self._name!r} to {level}",
        )

    def check(self, kind: DatabaseCheck, watch: Callable[[float], bool]) -> None:
        """Run DBCC CHECKDB to its end on our own connection; raises TargetError for damage."""
        statement = upkeep.check_database(self._name, kind, tells_end=True)
        self._runner.run(statement, f"checking {self._name!r}", watch, success=upkeep.CHECKED)

    def find_check(self, operation: UUID) -> Check | None:
        """Return the job that checks the database for an operation, until it is ended."""
        return self._agent.find_check(self._name, operation)

    def start_check(self, operation: UUID, kind: DatabaseCheck) -> None:
        """Start a job that runs DBCC CHECKDB."""
        statement = upkeep.check_database(self._name, kind, tells_end=False)
        self._agent.start_check(self._name, operation, statement)

    def end_check(self, check: Check) -> None:
        """Stop the job if it runs, and remove it. Returns also if it is gone."""
        self._agent.end_check(check)

    def _change(self, statement: str, doing: str) -> None:
        """Change the database, unless sessions that are in it by now block that for too long."""
        deadline = time.monotonic() + _PATIENCE_S
        try:
            self._runner.run(statement, doing, lambda _: time.monotonic() < deadline, success=None)
        except RestoreStopped as error:
            raise TargetError(
                f"{doing} was given up: other sessions blocked it for {_PATIENCE_S:g} s",
                action="Do it yourself when the database is less busy.",
            ) from error
