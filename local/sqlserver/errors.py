"""The errors that statements end in, made from the messages that SQL Server sends. Pure.

50000 is the range for messages that are not SQL Server's own:
everything the simulation does not know is refused loudly with it, never answered with success.
"""

from __future__ import annotations

from typing import NamedTuple

from local.sqlserver.messages import MESSAGES


class Diagnostic(NamedTuple):
    """One ERROR or INFO record. Severity up to 10 is information."""

    number: int
    severity: int
    text: str
    state: int = 1


class SqlError(Exception):
    """A statement was refused: the diagnostics in the order in which the client gets them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.number}: {d.text}" for d in diagnostics))
        self.diagnostics = diagnostics

    @property
    def number(self) -> int:
        """The number of the first diagnostic, the cause."""
        return self.diagnostics[0].number

    def then(self, number: int, *values: object) -> SqlError:
        """Stack another message behind the cause, as SQL Server does with 3013."""
        return SqlError(*self.diagnostics, diagnostic(number, *values))


class Aborted(Exception):
    """The running request was stopped: by an attention, a KILL, a lost connection, a shutdown."""


def diagnostic(number: int, *values: object) -> Diagnostic:
    """Return a message of the table with its placeholders filled in."""
    severity, template = MESSAGES[number]
    return Diagnostic(number, severity, template.format(*values))


def refuse(number: int, *values: object) -> SqlError:
    """Return the error to raise for one message of the table."""
    return SqlError(diagnostic(number, *values))


def not_simulated(what: str) -> SqlError:
    """Return the error for anything a real server may know but this simulation does not."""
    return SqlError(Diagnostic(50000, 16, f"not simulated: {what}"))
