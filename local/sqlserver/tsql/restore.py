"""The grammar of RESTORE. Pure.

Source: Microsoft Learn, "RESTORE Statements (Transact-SQL)" and "RESTORE Statements - Arguments".
MOVE takes literals only; database, devices and FILE may be variables.
"""

from __future__ import annotations

from collections.abc import Callable

from local.sqlserver.errors import not_simulated, refuse
from local.sqlserver.sqltypes import INT
from local.sqlserver.tsql.ast import (
    DeviceName,
    Expression,
    Literal,
    Restore,
    RestoreVerb,
    StopClause,
    StopKind,
    Variable,
)
from local.sqlserver.tsql.lexer import TokenKind
from local.sqlserver.tsql.stream import TokenStream, text_literal

_DEFAULT_STATS = 10
_RESTORES = (RestoreVerb.DATABASE, RestoreVerb.LOG)
_MAX_DEVICES = 64

_WITHOUT_EFFECT = ("STOP_ON_ERROR", "NOUNLOAD", "UNLOAD", "NOREWIND", "REWIND", "NO_CHECKSUM")
_TRANSFER = ("MAXTRANSFERSIZE", "BUFFERCOUNT", "BLOCKSIZE")
_NOT_SIMULATED = (
    "CONTINUE_AFTER_ERROR",
    "PARTIAL",
    "RESTART",
    "RESTRICTED_USER",
    "KEEP_REPLICATION",
    "KEEP_CDC",
    "ENABLE_BROKER",
    "NEW_BROKER",
    "ERROR_BROKER_CONVERSATIONS",
    "FILESTREAM",
    "MEDIANAME",
    "MEDIAPASSWORD",
    "PASSWORD",
    "LOADHISTORY",
    "METADATA_ONLY",
    "RESTORE_OPTIONS",
)


def parse_restore(stream: TokenStream) -> Restore:
    """Read a RESTORE statement, behind the word RESTORE."""
    word = stream.accept_any("DATABASE", "LOG", "HEADERONLY", "FILELISTONLY", "LABELONLY")
    if word is None:
        stream.expect("VERIFYONLY")
        word = "VERIFYONLY"
    verb = RestoreVerb[word]
    database = _database(stream) if verb in _RESTORES else None
    devices: tuple[DeviceName, ...] = ()
    if stream.accept("FROM"):
        devices = _devices(stream)
    elif verb not in _RESTORES:
        raise stream.error()
    options = _Options(verb)
    if stream.accept("WITH"):
        options.read(stream)
    return Restore(
        verb,
        database,
        devices,
        recovery=options.recovery is not False and options.standby is None,
        replace=options.replace,
        checksum=options.checksum,
        stats=options.stats,
        file=options.file,
        moves=tuple(options.moves),
        standby=options.standby,
        stop=options.stop,
        transfer=tuple(options.transfer),
    )


def _database(stream: TokenStream) -> Expression:
    if stream.current.kind is TokenKind.VARIABLE:
        database: Expression = Variable(stream.advance().text)
    else:
        name = stream.identifier()
        database = text_literal(name)
    if stream.accept_any("FILE", "FILEGROUP", "PAGE"):
        raise not_simulated("file, filegroup and page restores")
    return database


def _devices(stream: TokenStream) -> tuple[DeviceName, ...]:
    devices = [_device(stream)]
    while stream.accept_symbol(","):
        devices.append(_device(stream))
    if len(devices) > _MAX_DEVICES:
        raise refuse(3205)
    return tuple(devices)


def _device(stream: TokenStream) -> DeviceName:
    kind = stream.accept_any("DISK", "URL")
    if kind is None:
        if stream.at("TAPE") or stream.at("DATABASE_SNAPSHOT"):
            raise not_simulated(f"RESTORE FROM {stream.current.text.upper()}")
        raise refuse(3206, stream.identifier())
    stream.expect_symbol("=")
    return DeviceName(kind, _string_or_variable(stream))


def _string_or_variable(stream: TokenStream) -> Expression:
    if stream.current.kind is TokenKind.VARIABLE:
        return Variable(stream.advance().text)
    text = stream.string()
    return text_literal(text)


class _Options:
    """What stands after WITH."""

    def __init__(self, verb: RestoreVerb) -> None:
        self._verb = verb
        self.recovery: bool | None = None
        self.replace = False
        self.checksum = False
        self.stats: int | None = None
        self.file: Expression | None = None
        self.moves: list[tuple[str, str]] = []
        self.standby: Expression | None = None
        self.stop: StopClause | None = None
        self.transfer: list[tuple[str, int]] = []

    def read(self, stream: TokenStream) -> None:
        """Read options until there is no comma."""
        self._option(stream)
        while stream.accept_symbol(","):
            self._option(stream)

    def _option(self, stream: TokenStream) -> None:
        readers: dict[str, Callable[[TokenStream], None]] = {
            "CHECKSUM": self._checksum,
            "STATS": self._stats,
            "FILE": self._file,
        }
        if self._verb in _RESTORES:
            readers |= {
                "RECOVERY": self._recovery,
                "NORECOVERY": self._norecovery,
                "REPLACE": self._replace,
                "STANDBY": self._standby,
                "STOPAT": self._stop_at,
                "STOPATMARK": self._stop_at_mark,
                "STOPBEFOREMARK": self._stop_before_mark,
            }
        if self._verb in _RESTORES or self._verb is RestoreVerb.VERIFYONLY:
            readers["MOVE"] = self._move
        word = stream.accept_any(*readers)
        if word is not None:
            readers[word](stream)
        elif stream.accept_any(*_WITHOUT_EFFECT):
            pass
        elif transfer := stream.accept_any(*_TRANSFER):
            stream.expect_symbol("=")
            self.transfer.append((transfer, stream.integer()))
        elif stream.at("CREDENTIAL"):
            raise refuse(3225)
        elif unknown := stream.accept_any(*_NOT_SIMULATED):
            raise not_simulated(f"RESTORE WITH {unknown}")
        else:
            raise stream.error()

    def _checksum(self, stream: TokenStream) -> None:
        del stream
        self.checksum = True

    def _stats(self, stream: TokenStream) -> None:
        self.stats = _DEFAULT_STATS
        if stream.accept_symbol("="):
            self.stats = min(max(stream.integer(), 1), 100)

    def _file(self, stream: TokenStream) -> None:
        stream.expect_symbol("=")
        if stream.current.kind is TokenKind.VARIABLE:
            self.file = Variable(stream.advance().text)
        else:
            self.file = Literal(INT, stream.integer())

    def _move(self, stream: TokenStream) -> None:
        logical = stream.string()
        stream.expect("TO")
        self.moves.append((logical, stream.string()))

    def _replace(self, stream: TokenStream) -> None:
        del stream
        self.replace = True

    def _recovery(self, stream: TokenStream) -> None:
        del stream
        self._settle(recovery=True)

    def _norecovery(self, stream: TokenStream) -> None:
        del stream
        self._settle(recovery=False)

    def _standby(self, stream: TokenStream) -> None:
        if self.recovery is not None:
            raise refuse(3031, "standby", "recovery" if self.recovery else "norecovery")
        stream.expect_symbol("=")
        self.standby = _string_or_variable(stream)

    def _stop_at(self, stream: TokenStream) -> None:
        self._stop(stream, StopKind.AT_TIME)

    def _stop_at_mark(self, stream: TokenStream) -> None:
        self._stop(stream, StopKind.AT_MARK)

    def _stop_before_mark(self, stream: TokenStream) -> None:
        self._stop(stream, StopKind.BEFORE_MARK)

    def _stop(self, stream: TokenStream, kind: StopKind) -> None:
        if self.stop is not None:
            raise refuse(3031, kind.value.lower(), self.stop.kind.value.lower())
        stream.expect_symbol("=")
        point, after = _string_or_variable(stream), None
        if kind is not StopKind.AT_TIME and stream.accept("AFTER"):
            after = _string_or_variable(stream)
        self.stop = StopClause(kind, point, after)

    def _settle(self, *, recovery: bool) -> None:
        if self.standby is not None:
            raise refuse(3031, "recovery" if recovery else "norecovery", "standby")
        if self.recovery not in (None, recovery):
            raise refuse(3031, "norecovery", "recovery")
        self.recovery = recovery
