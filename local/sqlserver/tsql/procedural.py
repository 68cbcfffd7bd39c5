"""The grammar of EXECUTE and of the statements that steer a batch. Pure."""

from __future__ import annotations

from local.sqlserver.errors import not_simulated
from local.sqlserver.sqltypes import INT
from local.sqlserver.tsql.ast import (
    Argument,
    Delay,
    Execute,
    ExecuteText,
    Expression,
    Literal,
    Operation,
    Print,
    RaiseError,
    Rethrow,
    Return,
    Statement,
    Variable,
)
from local.sqlserver.tsql.expressions import parse_expression
from local.sqlserver.tsql.lexer import TokenKind
from local.sqlserver.tsql.stream import TokenStream, text_literal


def parse_execute(stream: TokenStream) -> Statement:
    """Read EXECUTE, behind that word.

    An argument is a constant, a variable or DEFAULT; anything that had to be computed is a syntax
    error, as on a real server.
    """
    if stream.accept_symbol("("):
        text = parse_expression(stream)
        stream.expect_symbol(")")
        return ExecuteText(text)
    status = None
    if stream.current.kind is TokenKind.VARIABLE:
        status = stream.advance().text
        stream.expect_symbol("=")
    procedure = stream.dotted()
    arguments: list[Argument] = []
    if _at_argument(stream):
        arguments.append(_argument(stream))
        while stream.accept_symbol(","):
            arguments.append(_argument(stream))
    if stream.at("WITH"):
        raise not_simulated("EXECUTE WITH")
    return Execute(procedure, tuple(arguments), status)


def _at_argument(stream: TokenStream) -> bool:
    kinds = (TokenKind.VARIABLE, TokenKind.STRING, TokenKind.NUMBER, TokenKind.BINARY)
    return (
        stream.current.kind in kinds
        or stream.at_symbol("-")
        or stream.at("NULL")
        or stream.at("DEFAULT")
        or stream.current.kind is TokenKind.QUOTED
    )


def _argument(stream: TokenStream) -> Argument:
    name = None
    if stream.current.kind is TokenKind.VARIABLE:
        variable = stream.advance().text
        if not stream.accept_symbol("="):
            return Argument(None, Variable(variable), _output(stream))
        name = variable
    if stream.accept("DEFAULT"):
        return Argument(name, None)
    value = _value(stream)
    return Argument(name, value, _output(stream))


def _output(stream: TokenStream) -> bool:
    return stream.accept_any("OUTPUT", "OUT") is not None


def _value(stream: TokenStream) -> Expression:
    if stream.current.kind is TokenKind.VARIABLE:
        return Variable(stream.advance().text)
    negative = stream.accept_symbol("-")
    constant = stream.constant()
    if constant is not None:
        return Operation("-", (constant,)) if negative else constant
    if negative:
        raise stream.error()
    return text_literal(stream.identifier())


def parse_print(stream: TokenStream) -> Statement:
    """Read PRINT, behind that word."""
    return Print(parse_expression(stream))


def parse_raiserror(stream: TokenStream) -> Statement:
    """Read RAISERROR, behind that word. Its text has no placeholders here."""
    stream.expect_symbol("(")
    text = parse_expression(stream)
    stream.expect_symbol(",")
    severity = parse_expression(stream)
    stream.expect_symbol(",")
    state = parse_expression(stream)
    if stream.at_symbol(","):
        raise not_simulated("RAISERROR with placeholders")
    stream.expect_symbol(")")
    if stream.accept("WITH"):
        stream.expect("NOWAIT")
    return RaiseError(text, severity, state)


def parse_throw(stream: TokenStream) -> Statement:
    """Read THROW, behind that word."""
    if stream.at_symbol(";") or stream.at("END") or stream.current.kind is TokenKind.END:
        return Rethrow()
    number = parse_expression(stream)
    stream.expect_symbol(",")
    text = parse_expression(stream)
    stream.expect_symbol(",")
    return RaiseError(text, Literal(INT, 16), parse_expression(stream), number)


def parse_waitfor(stream: TokenStream) -> Statement:
    """Read WAITFOR, behind that word."""
    if not stream.accept("DELAY"):
        raise not_simulated("WAITFOR TIME")
    return Delay(_value(stream))


def parse_return(stream: TokenStream) -> Statement:
    """Read RETURN, behind that word."""
    if stream.current.kind is TokenKind.NUMBER:
        stream.advance()
    return Return()
