"""What an ODBC error means. Pure: from the exception's values to the project's errors.

pyodbc keeps the first diagnostic record only, which is the cause; severity and state are lost, so
the number decides (`fault_table`). Errors that the server did not send (no number) are judged by
their SQLSTATE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from shared.errors import BackhaulError, ConfigurationError, TargetError, TargetUnavailable
from shared.targets.fault_table import (
    FAULTS,
    HTTP_TRANSIENT,
    OS_ACTIONS,
    OS_TRANSIENT,
    Fault,
    Kind,
)

_BY_NUMBER = {number: fault for fault in FAULTS for number in fault.numbers}

_TEXT_LENGTH = 2000
_PREFIX = re.compile(r"^(?:\[[^\[\]]*\] ?){1,4}")
_RECORD_END = re.compile(r" ?\((-?\d{1,10})\) \(SQL\w+\)")
_MESSAGE_NUMBER = re.compile(r"\((-?\d{1,10})\)")
_OS_ERROR = re.compile(r"(?:[Oo]perating system (?:returned the )?error|failed:)[: \"']*(\d{1,5})")
_HTTP_STATUS = re.compile(r"(?:error: \(|HTTP[a-zA-Z ]*[: ]+|status code:? )([45]\d\d)\b")

_PATH_REFUSED = frozenset({1834, 3156, 3176, 3634, 5105, 5110, 5120, 5123, 5133, 5170})
_CANCELLED = frozenset({"HY008", "HY010"})
_TIMED_OUT = frozenset({"HYT00", "HYT01"})
_NO_DRIVER = ("IM", "01000")
_LOST = "08"


class Diagnostic(NamedTuple):
    """One ODBC diagnostic record.

    `number` is SQL Server's, None when the driver itself raised the error. `os_error` and
    `http_status` are what the server quotes in its text of the device's failure.
    """

    sqlstate: str
    number: int | None
    text: str
    os_error: int | None = None
    http_status: int | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the statement ended because the client cancelled it."""
        return self.sqlstate in _CANCELLED

    @property
    def connection_lost(self) -> bool:
        """Whether the connection is of no use any more."""
        return self.sqlstate.startswith(_LOST)


def parse(args: Sequence[object]) -> Diagnostic:
    """Read the `args` of a pyodbc.Error: SQLSTATE and text.

    The text ends in `(number) (ODBC function)`; the last such pair counts, since names in the
    text may look like one.
    """
    sqlstate = str(args[0])[:5] if args else ""
    whole = str(args[1] if len(args) > 1 else " ".join(map(str, args)))[: 4 * _TEXT_LENGTH]
    ends = list(_RECORD_END.finditer(whole))
    body = whole[: ends[-1].start()] if ends else whole
    number = int(ends[-1][1]) if ends and "[SQL Server]" in whole else 0
    return diagnostic(sqlstate, number, _PREFIX.sub("", body).strip())


def diagnostic(sqlstate: str, number: int, text: str) -> Diagnostic:
    """Return the record of an error that the server told; number 0 is for none of its own."""
    text = text[:_TEXT_LENGTH]
    return Diagnostic(
        sqlstate,
        number if number > 0 else None,
        text,
        _last_number(_OS_ERROR, text),
        _last_number(_HTTP_STATUS, text),
    )


def parse_message(record: tuple[str, object]) -> tuple[int, str]:
    """Read one of `cursor.messages`: the number, and the text without the driver's prefix."""
    where, text = record
    number = _MESSAGE_NUMBER.search(where)
    return int(number[1]) if number else 0, _PREFIX.sub("", str(text))[:_TEXT_LENGTH]


def fault_of(number: int | None) -> Fault | None:
    """Return what is known of an error number, None for one that is not in the table."""
    return None if number is None else _BY_NUMBER.get(number)


STOP_LIES_FURTHER_ON = frozenset({4322, 4329})
"""The messages by which a RESTORE tells that it has not reached its stop point."""


def is_path_refused(error: TargetError) -> bool:
    """Tell whether the server could not put a database file where the statement said."""
    return error.number in _PATH_REFUSED


def kind_of(diagnostic: Diagnostic) -> Kind:
    """Return what an error asks for; never DEPENDS. Unknown numbers are final."""
    if fault := fault_of(diagnostic.number):
        return _decide(fault, diagnostic)
    if diagnostic.connection_lost or diagnostic.sqlstate in _TIMED_OUT:
        return Kind.TRANSIENT
    return Kind.SIGNAL if diagnostic.cancelled else Kind.FINAL


def to_error(diagnostic: Diagnostic, doing: str) -> BackhaulError:
    """Return the error to raise for a statement or connection that failed while `doing` this.

    TargetUnavailable when the same may work later, ConfigurationError when driver or TLS are set
    up wrongly, else TargetError with the server's number.
    """
    number, text = diagnostic.number, diagnostic.text
    if number is None and (error := _configuration_error(diagnostic, doing)):
        return error
    # The connection goes first: a RESTORE that lost its connection may be tried again whatever
    # the last words of the server were.
    passes = diagnostic.connection_lost or kind_of(diagnostic) is Kind.TRANSIENT
    source = f"SQL Server error {number}" if number else f"SQLSTATE {diagnostic.sqlstate}"
    return (TargetUnavailable if passes else TargetError)(
        f"{doing} failed: {text} ({source})",
        number=number,
        sqlstate=diagnostic.sqlstate,
        action=_action(diagnostic),
    )


def withhold_text(diagnostic: Diagnostic) -> Diagnostic:
    """Return the record without the server's words, for a statement that holds a secret.

    A syntax error quotes what stands near it, and that may be part of the secret.
    """
    fault = fault_of(diagnostic.number)
    meaning = fault.meaning if fault else "the server's text is withheld, it may quote the secret"
    return Diagnostic(diagnostic.sqlstate, diagnostic.number, meaning)


def _decide(fault: Fault, diagnostic: Diagnostic) -> Kind:
    if fault.kind is not Kind.DEPENDS:
        return fault.kind
    if diagnostic.http_status is not None:
        return Kind.TRANSIENT if diagnostic.http_status in HTTP_TRANSIENT else Kind.FINAL
    if diagnostic.os_error is not None:
        return Kind.TRANSIENT if diagnostic.os_error in OS_TRANSIENT else Kind.FINAL
    return fault.unread


def _action(diagnostic: Diagnostic) -> str:
    if fault := fault_of(diagnostic.number):
        special = OS_ACTIONS.get(diagnostic.os_error or 0) if fault.kind is Kind.DEPENDS else None
        return special or fault.action
    if diagnostic.connection_lost or diagnostic.sqlstate in _TIMED_OUT:
        return (
            "Check that the server runs, its name and port, and that the network lets the app "
            "reach it."
        )
    if diagnostic.number is None:
        return "Look at the text: it is of the ODBC driver, not of SQL Server."
    return "Look up the number in SQL Server's list of errors."


def _configuration_error(diagnostic: Diagnostic, doing: str) -> ConfigurationError | None:
    if diagnostic.sqlstate.startswith(_NO_DRIVER):
        return ConfigurationError(
            f"{doing} failed: {diagnostic.text} (SQLSTATE {diagnostic.sqlstate})",
            action="Check the ODBC driver that is configured: its name or path, and that all "
            "libraries it needs are installed.",
        )
    if diagnostic.sqlstate == "08001" and "certificate" in diagnostic.text.lower():
        return ConfigurationError(
            f"{doing} failed: {diagnostic.text}",
            action="Give the server a certificate that the app trusts and that bears its name, "
            "or set trust_server_certificate where the network is trusted.",
        )
    return None


def _last_number(pattern: re.Pattern[str], text: str) -> int | None:
    # The last: names of blobs stand before it, and may hold such words.
    found = pattern.findall(text)
    return int(found[-1]) if found else None
