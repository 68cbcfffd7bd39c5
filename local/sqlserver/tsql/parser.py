"""The grammar of statements. Pure."""

from __future__ import annotations

from collections.abc import Callable

from local.sqlserver.errors import not_simulated
from local.sqlserver.tsql.ast import (
    Block,
    CreateDatabase,
    Declare,
    DropCredential,
    DropDatabase,
    If,
    Kill,
    Select,
    SetCredential,
    SetOption,
    SetVariable,
    Statement,
    Transaction,
    TryCatch,
    Use,
)
from local.sqlserver.tsql.expressions import parse_expression, parse_query
from local.sqlserver.tsql.lexer import TokenKind, tokenize
from local.sqlserver.tsql.procedural import (
    parse_execute,
    parse_print,
    parse_raiserror,
    parse_return,
    parse_throw,
    parse_waitfor,
)
from local.sqlserver.tsql.restore import parse_restore
from local.sqlserver.tsql.security import SECURITY_RULES
from local.sqlserver.tsql.stream import TokenStream
from local.sqlserver.tsql.upkeep import UPKEEP_RULES

_SWITCHES = (
    "ANSI_DEFAULTS",
    "ANSI_NULLS",
    "ANSI_NULL_DFLT_ON",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ARITHABORT",
    "CONCAT_NULL_YIELDS_NULL",
    "CURSOR_CLOSE_ON_COMMIT",
    "IMPLICIT_TRANSACTIONS",
    "NOCOUNT",
    "NUMERIC_ROUNDABORT",
    "QUOTED_IDENTIFIER",
    "XACT_ABORT",
)


def parse_batch(text: str) -> list[Statement]:
    """Return the statements of a batch; nothing of a batch with a syntax error is run."""
    stream = TokenStream(tokenize(text))
    statements: list[Statement] = []
    while True:
        while stream.accept_symbol(";"):
            pass
        if stream.current.kind is TokenKind.END:
            return statements
        statements.append(_statement(stream))


def parse_declaration(text: str) -> list[Declare]:
    """Read the parameter list of sp_executesql and its kin: `@P1 nvarchar(2),@P2 int OUTPUT`."""
    stream = TokenStream(tokenize(text))
    declared: list[Declare] = []
    while stream.current.kind is not TokenKind.END:
        if declared:
            stream.expect_symbol(",")
        name = _variable(stream)
        stream.accept("AS")
        declared.append(Declare(name, stream.type(), None))
        _ = stream.accept("OUTPUT") or stream.accept("OUT")
    return declared


def _statement(stream: TokenStream) -> Statement:
    if stream.at("SELECT"):
        return Select(parse_query(stream))
    for words, rule in _RULES.items():
        if stream.accept(*words):
            stream.deeper()
            statement = rule(stream)
            stream.shallower()
            return statement
    if stream.current.kind is TokenKind.WORD:
        raise not_simulated(f"the statement {_opening(stream)}")
    raise stream.error()


def _opening(stream: TokenStream) -> str:
    first = stream.advance().text.upper()
    second = stream.current
    return f"{first} {second.text.upper()}" if second.kind is TokenKind.WORD else first


def _create_database(stream: TokenStream) -> Statement:
    name = stream.identifier()
    if stream.at("ON") or stream.at("COLLATE") or stream.at("WITH") or stream.at("FOR"):
        raise not_simulated(f"CREATE DATABASE with {stream.current.text.upper()}")
    return CreateDatabase(name)


def _drop_database(stream: TokenStream) -> Statement:
    if_exists = stream.accept("IF", "EXISTS")
    names = [stream.identifier()]
    while stream.accept_symbol(","):
        names.append(stream.identifier())
    return DropDatabase(tuple(names), if_exists)


def _create_credential(stream: TokenStream) -> Statement:
    return _credential(stream, create=True)


def _alter_credential(stream: TokenStream) -> Statement:
    return _credential(stream, create=False)


def _credential(stream: TokenStream, *, create: bool) -> Statement:
    name = stream.identifier()
    stream.expect("WITH", "IDENTITY")
    stream.expect_symbol("=")
    identity = stream.string()
    secret = None
    if stream.accept_symbol(","):
        stream.expect("SECRET")
        stream.expect_symbol("=")
        secret = stream.string()
    if stream.at("FOR"):
        raise not_simulated("a credential for a cryptographic provider")
    return SetCredential(name, identity, secret, create)


def _drop_credential(stream: TokenStream) -> Statement:
    return DropCredential(stream.identifier())


def _use(stream: TokenStream) -> Statement:
    return Use(stream.identifier())


def _kill(stream: TokenStream) -> Statement:
    session = stream.integer()
    return Kill(session, only_status=stream.accept("WITH", "STATUSONLY"))


def _set(stream: TokenStream) -> Statement:
    if stream.current.kind is TokenKind.VARIABLE:
        name = _variable(stream)
        stream.expect_symbol("=")
        return SetVariable(name, parse_expression(stream))
    if stream.accept("TRANSACTION", "ISOLATION", "LEVEL"):
        words = [stream.advance().text]
        if stream.at("COMMITTED") or stream.at("UNCOMMITTED") or stream.at("READ"):
            words.append(stream.advance().text)
        return SetOption("TRANSACTION ISOLATION LEVEL", " ".join(words))
    option = stream.identifier().upper()
    if option in _SWITCHES:
        value = stream.accept_any("ON", "OFF")
        if value is None:
            raise stream.error()
        return SetOption(option, value)
    if option in ("LANGUAGE", "DATEFORMAT"):
        return SetOption(option, stream.identifier())
    if option in ("LOCK_TIMEOUT", "TEXTSIZE", "ROWCOUNT", "DATEFIRST"):
        sign = "-" if stream.accept_symbol("-") else ""
        value = f"{sign}{stream.integer()}"
        if option == "ROWCOUNT" and value != "0":
            raise not_simulated("SET ROWCOUNT other than 0")
        return SetOption(option, value)
    raise not_simulated(f"SET {option}")


def _declare(stream: TokenStream) -> Statement:
    declared: list[Statement] = []
    while True:
        name = _variable(stream)
        stream.accept("AS")
        sql_type = stream.type()
        value = parse_expression(stream) if stream.accept_symbol("=") else None
        declared.append(Declare(name, sql_type, value))
        if not stream.accept_symbol(","):
            return declared[0] if len(declared) == 1 else Block(tuple(declared))


def _variable(stream: TokenStream) -> str:
    if stream.current.kind is not TokenKind.VARIABLE:
        raise stream.error()
    return stream.advance().text


def _begin(stream: TokenStream) -> Statement:
    if stream.accept_any("TRANSACTION", "TRAN"):
        return _transaction(stream, "BEGIN")
    if stream.at("DISTRIBUTED"):
        raise not_simulated("BEGIN DISTRIBUTED")
    if stream.accept("TRY"):
        attempt = _until_end(stream, "TRY")
        stream.expect("BEGIN", "CATCH")
        return TryCatch(attempt, _until_end(stream, "CATCH"))
    statements = _until_end(stream)
    if not statements:
        raise stream.error()
    return Block(statements)


def _until_end(stream: TokenStream, *words: str) -> tuple[Statement, ...]:
    statements = []
    while not stream.accept("END", *words):
        if not stream.accept_symbol(";"):
            statements.append(_statement(stream))
    return tuple(statements)


def _commit(stream: TokenStream) -> Statement:
    stream.accept_any("TRANSACTION", "TRAN", "WORK")
    return _transaction(stream, "COMMIT")


def _rollback(stream: TokenStream) -> Statement:
    stream.accept_any("TRANSACTION", "TRAN", "WORK")
    return _transaction(stream, "ROLLBACK")


def _transaction(stream: TokenStream, action: str) -> Statement:
    if stream.at_identifier() and stream.current.kind is TokenKind.QUOTED:
        raise not_simulated("named transactions")
    return Transaction(action)


def _if(stream: TokenStream) -> Statement:
    condition = parse_expression(stream)
    then = _statement(stream)
    stream.accept_symbol(";")
    otherwise = _statement(stream) if stream.accept("ELSE") else None
    return If(condition, then, otherwise)


_RULES: dict[tuple[str, ...], Callable[[TokenStream], Statement]] = {
    ("RESTORE",): parse_restore,
    ("CREATE", "DATABASE"): _create_database,
    ("DROP", "DATABASE"): _drop_database,
    ("CREATE", "CREDENTIAL"): _create_credential,
    ("ALTER", "CREDENTIAL"): _alter_credential,
    ("DROP", "CREDENTIAL"): _drop_credential,
    ("USE",): _use,
    ("KILL",): _kill,
    ("SET",): _set,
    ("DECLARE",): _declare,
    ("BEGIN",): _begin,
    ("COMMIT",): _commit,
    ("ROLLBACK",): _rollback,
    ("IF",): _if,
    ("EXECUTE",): parse_execute,
    ("EXEC",): parse_execute,
    ("PRINT",): parse_print,
    ("RAISERROR",): parse_raiserror,
    ("THROW",): parse_throw,
    ("WAITFOR",): parse_waitfor,
    ("RETURN",): parse_return,
    **SECURITY_RULES,
    **UPKEEP_RULES,
}
