"""Runs batches on an instance without a network, and keeps what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from local.sqlserver.catalog.context import Context
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import Request, Session
from local.sqlserver.errors import Diagnostic
from local.sqlserver.results import Column
from local.sqlserver.session.batch import Batch


@dataclass
class Answer:
    """What a batch answered: a sink like the response on the wire."""

    columns: list[Column] = field(default_factory=list)
    table: list[tuple[object, ...]] = field(default_factory=list)
    told: list[Diagnostic] = field(default_factory=list)
    failed: list[Diagnostic] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Numbers of the errors, in order."""
        return [diagnostic.number for diagnostic in self.failed]

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        self.columns = list(columns)
        self.table = [tuple(row) for row in rows]

    def message(self, information: Diagnostic) -> None:
        self.told.append(information)

    def errors(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.failed += diagnostics

    def database(self, new: str, old: str) -> None:
        del new, old

    def transaction(self, descriptor: bytes, action: str) -> None:
        del descriptor, action

    def completed(self) -> None:
        """A statement without rows is done."""


class Console:
    """One session."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.session = self._open()

    def _open(self) -> Session:
        return self.instance.sessions.open(
            login="sa",
            host="here",
            application="tests",
            now=self.instance.clock.now(),
            disconnect=lambda: None,
        )

    def another(self) -> Console:
        """Return another session of the same instance."""
        return Console(self.instance)

    def run(self, text: str, request: Request | None = None) -> Answer:
        """Run a batch."""
        answer = Answer()
        request = request or self.instance.new_request(self.session)
        Batch(Context(self.instance, self.session), request, answer).run(text)
        return answer

    def must(self, text: str) -> Answer:
        """Run a batch that has to succeed."""
        answer = self.run(text)
        assert not answer.failed, answer.failed
        return answer
