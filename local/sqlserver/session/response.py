"""Builds the answer to one request, token by token, and sends it as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from local.sqlserver.errors import Diagnostic, diagnostic
from local.sqlserver.results import Column
from local.sqlserver.sqltypes import SqlType
from local.sqlserver.wire import tokens
from local.sqlserver.wire.packets import PacketWriter
from local.sqlserver.wire.tokens import Done, DoneToken


class Response:
    """A sink for one request's answers.

    Every completion but the last has the MORE bit, so a completion is held back until it is known
    whether something follows. Messages of a running statement are separated where `separated`
    says so: each is followed by a completion at once, and a client meets it as a result of its
    own.
    """

    def __init__(
        self, send: Callable[[bytes], None], *, packet_size: int, server: str, separated: bool
    ) -> None:
        self._send = send
        self._writer = PacketWriter(packet_size)
        self._server = server
        self._separated = separated
        self._held: tuple[DoneToken, Done, int] | None = None
        self._statement = DoneToken.DONE

    def rows(self, columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
        """Answer with a result set."""
        self._write(tokens.column_metadata(columns))
        count = 0
        for row in rows:
            self._write(tokens.row(columns, row))
            count += 1
        self._held = (self._statement, Done.COUNT, count)

    def message(self, information: Diagnostic) -> None:
        """Answer with information, at once; never an error."""
        self._write(self._message(information))
        if self._separated:
            self._write(tokens.done(self._statement, Done.MORE))
        self._send(self._writer.flush())

    def database(self, new: str, old: str) -> None:
        """Tell that the session's database has changed."""
        self._write(tokens.change_database(new, old) + self._message(diagnostic(5701, new)))

    def transaction(self, descriptor: bytes, action: str) -> None:
        """Tell that a transaction began, or ended by COMMIT or ROLLBACK."""
        if action == "BEGIN":
            self._write(tokens.begin_transaction(descriptor))
        else:
            self._write(tokens.end_transaction(descriptor, committed=action == "COMMIT"))

    def errors(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Answer with the errors that ended a statement."""
        for error in diagnostics:
            self._write(self._message(error))
        self._held = (self._statement, Done.ERROR, 0)

    def completed(self) -> None:
        """Tell that a statement without rows is done."""
        if self._held is None:
            self._held = (self._statement, Done.FINAL, 0)

    def begin_procedure(self) -> None:
        """Go on with the statements of a procedure."""
        self._statement = DoneToken.DONE_IN_PROCEDURE

    def end_procedure(
        self, status: int, outputs: Sequence[tuple[int, str, SqlType, object]]
    ) -> None:
        """End a procedure with its return status and output parameters."""
        self._write(tokens.return_status(status))
        for ordinal, name, sql_type, value in outputs:
            self._write(tokens.return_value(ordinal, name, sql_type, value))
        self._held = (DoneToken.DONE_PROCEDURE, Done.ERROR if status else Done.FINAL, 0)
        self._statement = DoneToken.DONE

    def finish(self) -> None:
        """Send what is left and end the message."""
        token, status, count = self._held or (DoneToken.DONE, Done.FINAL, 0)
        self._held = None
        self._write(tokens.done(token, status, count))
        self._send(self._writer.finish())

    def finish_attention(self) -> None:
        """End the message as the answer to an attention.

        ODBC Driver 18 reports a cancelled execute as done without an error, unless some
        completion stands before the one that acknowledges the attention.
        """
        self._held = self._held or (self._statement, Done.ERROR, 0)
        self._write(tokens.done(DoneToken.DONE, Done.ATTENTION))
        self._send(self._writer.finish())

    def _write(self, data: bytes) -> None:
        if self._held:
            token, status, count = self._held
            self._held = None
            data = tokens.done(token, status | Done.MORE, count) + data
        full = self._writer.write(data)
        if full:
            self._send(full)

    def _message(self, told: Diagnostic) -> bytes:
        return tokens.message(told.number, told.severity, told.text, self._server, state=told.state)
