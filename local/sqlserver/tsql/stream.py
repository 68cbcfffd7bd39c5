"""A position in the tokens of a batch, and what every rule of the grammar needs there. Pure."""

from __future__ import annotations

from decimal import Decimal

from local.sqlserver.errors import SqlError, not_simulated, refuse
from local.sqlserver.sqltypes import (
    BINARIES,
    FLOAT,
    INT,
    NATIONAL,
    STRINGS,
    SYSNAME,
    Kind,
    SqlType,
    numeric,
    nvarchar,
    varbinary,
    varchar,
)
from local.sqlserver.tsql.ast import Literal
from local.sqlserver.tsql.lexer import Token, TokenKind

RESERVED = frozenset(
    """ALL ALTER AND ANY AS ASC BACKUP BEGIN BETWEEN BY CASE COMMIT CONVERT CREATE CROSS DATABASE
    DECLARE DEFAULT DELETE DESC DISTINCT DROP ELSE END ESCAPE EXEC EXECUTE EXISTS FILE FOR FROM
    FULL GROUP HAVING IF IN INNER INSERT INTO IS JOIN KILL LEFT LIKE NOT NULL OF OFF ON OPTION OR
    ORDER OUTER PRINT RESTORE RETURN RIGHT ROLLBACK SELECT SET TABLE THEN TO TOP TRAN TRANSACTION
    TRUNCATE UNION UPDATE USE VALUES WAITFOR WHEN WHERE WHILE WITH""".split()  # noqa: SIM905 a list of 75 quoted words reads worse
)
"""Words that are no identifiers unless quoted: they end an expression or begin a statement."""

_MAX_NAME = 128
_MAX_DEPTH = 100
_INT_MAX = 2**31 - 1
_TYPES = {kind.value: kind for kind in Kind} | {
    "decimal": Kind.NUMERIC,
    "integer": Kind.INT,
}
_NAMED = {
    "sysname": SYSNAME,
    # ODBC declares long parameters with the old types.
    "ntext": nvarchar(None),
    "text": varchar(None),
    "image": varbinary(None),
}


class TokenStream:
    """The tokens of a batch, read from left to right. Words compare without case."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0

    @property
    def current(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._index]

    def advance(self) -> Token:
        """Read a token, whatever it is."""
        token = self.current
        if token.kind is not TokenKind.END:
            self._index += 1
        return token

    def error(self) -> SqlError:
        """Return the syntax error at this place."""
        shown = self.current.text or (self._tokens[-2].text if len(self._tokens) > 1 else "")
        return refuse(102, shown[:128])

    def deeper(self) -> None:
        """Enter a nested expression or statement; a hostile batch must not exhaust the stack."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise not_simulated(f"a batch that nests deeper than {_MAX_DEPTH} levels")

    def shallower(self) -> None:
        """Leave what `deeper` entered."""
        self._depth -= 1

    def at(self, *words: str) -> bool:
        """Tell whether these unquoted words come next, in this order."""
        ahead = self._tokens[self._index : self._index + len(words)]
        return len(ahead) == len(words) and all(
            token.kind is TokenKind.WORD and token.text.upper() == word
            for token, word in zip(ahead, words, strict=True)
        )

    def accept(self, *words: str) -> bool:
        """Read these words if they come next."""
        if not self.at(*words):
            return False
        self._index += len(words)
        return True

    def accept_any(self, *words: str) -> str | None:
        """Read one of these words if one comes next; return it in upper case."""
        return next((word for word in words if self.accept(word)), None)

    def expect(self, *words: str) -> None:
        """Read these words; anything else is a syntax error."""
        if not self.accept(*words):
            raise self.error()

    def at_symbol(self, symbol: str) -> bool:
        """Tell whether this symbol comes next."""
        return self.current.kind is TokenKind.SYMBOL and self.current.text == symbol

    def accept_symbol(self, symbol: str) -> bool:
        """Read this symbol if it comes next."""
        if self.at_symbol(symbol):
            self._index += 1
            return True
        return False

    def expect_symbol(self, symbol: str) -> None:
        """Read this symbol; anything else is a syntax error."""
        if not self.accept_symbol(symbol):
            raise self.error()

    def at_identifier(self) -> bool:
        """Tell whether an identifier comes next: quoted, or a word that is not reserved."""
        kind, text = self.current
        return kind is TokenKind.QUOTED or (kind is TokenKind.WORD and text.upper() not in RESERVED)

    def at_qualified_star(self) -> bool:
        """Tell whether x.* comes next."""
        ahead = self._tokens[self._index + 1 : self._index + 3]
        return self.at_identifier() and [token.text for token in ahead] == [".", "*"]

    def identifier(self) -> str:
        """Read an identifier."""
        if not self.at_identifier():
            raise self.error()
        name = self.current.text
        if not name or len(name.encode("utf-16-le", "surrogatepass")) // 2 > _MAX_NAME:
            raise self.error()
        self._index += 1
        return name

    def dotted(self) -> tuple[str, ...]:
        """Read a name of several parts; a part may be left out, as in master..x."""
        parts = [self.identifier()]
        while self.accept_symbol("."):
            parts.append("dbo" if self.at_symbol(".") else self.identifier())
        return tuple(parts)

    def string(self) -> str:
        """Read a string literal, as the grammar wants it where no variable is allowed."""
        if self.current.kind is not TokenKind.STRING:
            raise self.error()
        return self.advance().text

    def integer(self) -> int:
        """Read a whole number."""
        if self.current.kind is not TokenKind.NUMBER or not self.current.text.isdigit():
            raise self.error()
        number = int(self.current.text[:20])
        if number > _INT_MAX:
            raise self.error()
        self._index += 1
        return number

    def constant(self) -> Literal | None:
        """Read a constant if one comes next."""
        kind, text = self.current
        if kind is TokenKind.STRING:
            literal = text_literal(text)
        elif kind is TokenKind.BINARY:
            data = bytes.fromhex(text[2:].rjust((len(text) - 1) // 2 * 2, "0"))
            literal = Literal(varbinary(max(len(data), 1)), data)
        elif kind is TokenKind.NUMBER:
            literal = _number(text)
        elif self.at("NULL"):
            literal = Literal(INT, None)
        else:
            return None
        self._index += 1
        return literal

    def type(self) -> SqlType:
        """Read a data type."""
        if self.accept_symbol("."):
            raise self.error()
        name = self.identifier().lower()
        if name in _NAMED:
            return _NAMED[name]
        kind = _TYPES.get(name)
        if kind is None:
            raise not_simulated(f"data type {name}")
        sizes: list[int | None] = []
        if self.accept_symbol("("):
            sizes.append(None if self.accept("MAX") else self.integer())
            while self.accept_symbol(","):
                sizes.append(self.integer())
            self.expect_symbol(")")
        return _sized(kind, sizes)


def text_literal(text: str) -> Literal:
    """Return a string constant: nvarchar of its length, (max) above 4000 characters."""
    return Literal(nvarchar(max(len(text), 1) if len(text) <= 4000 else None), text)


def _number(text: str) -> Literal:
    if "e" in text.lower():
        return Literal(FLOAT, float(text))
    if text.isdigit() and int(text) <= _INT_MAX:
        return Literal(INT, int(text))
    value = Decimal(text)
    digits, exponent = value.as_tuple()[1:]
    scale = -int(exponent)
    precision = max(len(digits), scale, 1)
    if precision > 38:
        raise refuse(8115, "numeric")
    return Literal(numeric(precision, scale), value)


def _sized(kind: Kind, sizes: list[int | None]) -> SqlType:
    if kind in STRINGS or kind in BINARIES:
        limit = 4000 if kind in NATIONAL else 8000
        length = sizes[0] if sizes else 1
        if length is not None and not 1 <= length <= limit:
            raise not_simulated(f"a {kind.value} of {length}")
        return SqlType(kind, length)
    if kind is Kind.NUMERIC:
        precision, scale = ([*sizes, *(18, 0)[len(sizes) :]])[:2]
        if precision is None or scale is None or not 0 <= scale <= precision <= 38:
            raise not_simulated("a numeric of that size")
        return numeric(precision, scale)
    if kind in (Kind.TIME, Kind.DATETIME2, Kind.DATETIMEOFFSET):
        return SqlType(kind, scale=(sizes[0] if sizes else 7) or 0)
    return SqlType(kind)
