"""The grammar of ALTER DATABASE and DBCC CHECKDB. Pure."""

from __future__ import annotations

from collections.abc import Callable

from local.sqlserver.errors import not_simulated
from local.sqlserver.tsql.ast import AlterDatabase, CheckDatabase, Statement
from local.sqlserver.tsql.lexer import TokenKind
from local.sqlserver.tsql.stream import TokenStream

_ACCESS = ("SINGLE_USER", "RESTRICTED_USER", "MULTI_USER")
_STATES = ("ONLINE", "OFFLINE", "READ_ONLY", "READ_WRITE")
_BROKER = ("ENABLE_BROKER", "DISABLE_BROKER")
_VALUES = {
    "RECOVERY": ("FULL", "BULK_LOGGED", "SIMPLE"),
    "PAGE_VERIFY": ("CHECKSUM", "TORN_PAGE_DETECTION", "NONE"),
    "TRUSTWORTHY": ("ON", "OFF"),
}
_CHECK_OPTIONS = (
    "NO_INFOMSGS",
    "ALL_ERRORMSGS",
    "PHYSICAL_ONLY",
    "TABLERESULTS",
    "TABLOCK",
    "DATA_PURITY",
    "EXTENDED_LOGICAL_CHECKS",
)


def _alter_database(stream: TokenStream) -> Statement:
    name = stream.identifier()
    if not stream.accept("SET"):
        raise not_simulated(f"ALTER DATABASE {stream.current.text.upper()}")
    option, value = _option(stream)
    rolls_back = stream.accept("WITH", "ROLLBACK", "IMMEDIATE")
    if not rolls_back and stream.accept("WITH"):
        stream.expect("NO_WAIT")
    return AlterDatabase(name, option, value, rolls_back)


def _option(stream: TokenStream) -> tuple[str, str]:
    if stream.accept("COMPATIBILITY_LEVEL"):
        stream.expect_symbol("=")
        return "COMPATIBILITY_LEVEL", str(stream.integer())
    if word := stream.accept_any(*_ACCESS):
        return "ACCESS", word
    if word := stream.accept_any(*_STATES):
        return "STATE", word
    if word := stream.accept_any(*_BROKER):
        return "BROKER", word
    for option, values in _VALUES.items():
        if stream.accept(option):
            value = stream.accept_any(*values)
            if value is None:
                raise stream.error()
            return option, value
    raise not_simulated(f"ALTER DATABASE SET {stream.current.text.upper()}")


def _dbcc(stream: TokenStream) -> Statement:
    if not stream.accept("CHECKDB"):
        raise not_simulated(f"DBCC {stream.current.text.upper()}")
    database = None
    if stream.accept_symbol("("):
        is_text = stream.current.kind is TokenKind.STRING
        database = stream.string() if is_text else stream.identifier()
        if stream.accept_symbol(","):
            raise not_simulated("DBCC CHECKDB with NOINDEX or a repair")
        stream.expect_symbol(")")
    options: list[str] = []
    while stream.accept("WITH") if not options else stream.accept_symbol(","):
        word = stream.accept_any(*_CHECK_OPTIONS)
        if word is None:
            raise stream.error()
        options.append(word)
    return CheckDatabase(database, tuple(options))


UPKEEP_RULES: dict[tuple[str, ...], Callable[[TokenStream], Statement]] = {
    ("ALTER", "DATABASE"): _alter_database,
    ("DBCC",): _dbcc,
}
