"""Cuts a batch into tokens. Pure."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from local.sqlserver.errors import refuse


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted identifier"
    STRING = "string"
    NUMBER = "number"
    BINARY = "binary"
    VARIABLE = "variable"
    SYMBOL = "symbol"
    END = "end"


class Token(NamedTuple):
    """A token. `text` is the value: unquoted, unescaped."""

    kind: TokenKind
    text: str


_PLAIN = re.compile(
    r"""
    (?P<binary>0[xX][0-9a-fA-F]*)
  | (?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)
  | (?P<variable>@@?[\w$#@]+)
  | (?P<word>[^\W\d][\w$#@]*|\#\#?\w+)
  | (?P<symbol><>|!=|<=|>=|!<|!>|\|\||[-+*/%=<>(),.;&|^~?:])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"[\s\ufeff]+")
_CLOSING = {"'": "'", '"': '"', "[": "]"}


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a batch, ended by an END token.

    Double quotes make identifiers (QUOTED_IDENTIFIER is ON for ODBC clients). A backslash before
    a line break continues a literal on the next line, as SQL Server has it.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if space := _SPACE.match(text, position):
            position = space.end()
        elif text.startswith("--", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text.startswith("/*", position):
            position = _end_of_comment(text, position)
        else:
            kind, value, position = _token(text, position)
            tokens.append(Token(kind, value))
    tokens.append(Token(TokenKind.END, ""))
    return tokens


def _end_of_comment(text: str, position: int) -> int:
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise refuse(113)


def _token(text: str, position: int) -> tuple[TokenKind, str, int]:
    character = text[position]
    if character in "Nn" and text.startswith("'", position + 1):
        value, end = _quoted(text, position + 1)
        return TokenKind.STRING, _join_lines(value), end
    if character in _CLOSING:
        value, end = _quoted(text, position)
        if character == "'":
            return TokenKind.STRING, _join_lines(value), end
        return TokenKind.QUOTED, value, end
    match = _PLAIN.match(text, position)
    if not match:
        raise refuse(102, character)
    return TokenKind[str(match.lastgroup).upper()], match[0], match.end()


def _join_lines(literal: str) -> str:
    return literal.replace("\\\r\n", "").replace("\\\n", "")


def _quoted(text: str, position: int) -> tuple[str, int]:
    closing = _CLOSING[text[position]]
    start = position + 1
    parts = []
    while (end := text.find(closing, start)) >= 0:
        if not text.startswith(closing, end + 1):
            parts.append(text[start:end])
            return "".join(parts), end + 1
        parts.append(text[start : end + 1])
        start = end + 2
    raise refuse(105, text[position + 1 : position + 129])
