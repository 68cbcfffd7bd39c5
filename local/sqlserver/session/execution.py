"""What a statement is carried out with: its surroundings, its request, and where answers go."""

from __future__ import annotations

from dataclasses import dataclass

from local.sqlserver.catalog.context import Context
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import Request, Session
from local.sqlserver.results import Sink


@dataclass(frozen=True)
class Execution:
    """One batch in one session."""

    context: Context
    request: Request
    sink: Sink

    @property
    def instance(self) -> Instance:
        """The instance."""
        return self.context.instance

    @property
    def session(self) -> Session:
        """The session."""
        return self.context.session
