"""The grammar of expressions and SELECT. Pure."""

from __future__ import annotations

from local.sqlserver.errors import not_simulated
from local.sqlserver.sqltypes import INT
from local.sqlserver.tsql.ast import (
    Call,
    Case,
    Cast,
    Derived,
    Expression,
    In,
    IsNull,
    Item,
    Join,
    Like,
    Literal,
    Logical,
    Name,
    Operation,
    Order,
    Query,
    Source,
    Subquery,
    Table,
    TableFunction,
    Variable,
)
from local.sqlserver.tsql.lexer import TokenKind
from local.sqlserver.tsql.stream import TokenStream, text_literal

_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="} | {
    "!<": ">=",
    "!>": "<=",
}
_WITHOUT_BRACKETS = ("SYSTEM_USER", "SESSION_USER", "CURRENT_USER", "CURRENT_TIMESTAMP")
_OF_DATE_PARTS = ("DATEADD", "DATEDIFF", "DATEDIFF_BIG")
"""Functions whose first argument is a word, not a value."""
_NULL = Literal(INT, None)


def parse_expression(stream: TokenStream) -> Expression:
    """Read a value or a condition: OR, AND, NOT, comparisons, sums, products, in that order."""
    stream.deeper()
    terms = [_conjunction(stream)]
    while stream.accept("OR"):
        terms.append(_conjunction(stream))
    stream.shallower()
    return terms[0] if len(terms) == 1 else Logical("OR", tuple(terms))


def _conjunction(stream: TokenStream) -> Expression:
    terms = [_negation(stream)]
    while stream.accept("AND"):
        terms.append(_negation(stream))
    return terms[0] if len(terms) == 1 else Logical("AND", tuple(terms))


def _negation(stream: TokenStream) -> Expression:
    if stream.accept("NOT"):
        stream.deeper()
        operand = _negation(stream)
        stream.shallower()
        return Logical("NOT", (operand,))
    return _predicate(stream)


def _predicate(stream: TokenStream) -> Expression:
    left = _sum(stream)
    symbol = stream.current.text if stream.current.kind is TokenKind.SYMBOL else ""
    if symbol in _COMPARISONS:
        stream.advance()
        return Operation(_COMPARISONS[symbol], (left, _sum(stream)))
    if stream.accept("IS"):
        negated = stream.accept("NOT")
        stream.expect("NULL")
        return IsNull(left, negated)
    negated = stream.accept("NOT")
    if stream.accept("IN"):
        return _membership(stream, left, negated=negated)
    if stream.accept("LIKE"):
        pattern = _sum(stream)
        escape = stream.string() if stream.accept("ESCAPE") else None
        return Like(left, pattern, escape, negated)
    if stream.accept("BETWEEN"):
        low = _sum(stream)
        stream.expect("AND")
        within = Logical(
            "AND", (Operation(">=", (left, low)), Operation("<=", (left, _sum(stream))))
        )
        return Logical("NOT", (within,)) if negated else within
    if negated:
        raise stream.error()
    return left


def _membership(stream: TokenStream, left: Expression, *, negated: bool) -> Expression:
    stream.expect_symbol("(")
    if stream.at("SELECT"):
        query = parse_query(stream)
        stream.expect_symbol(")")
        return In(left, query, negated)
    items = [parse_expression(stream)]
    while stream.accept_symbol(","):
        items.append(parse_expression(stream))
    stream.expect_symbol(")")
    return In(left, tuple(items), negated)


def _sum(stream: TokenStream) -> Expression:
    left = _product(stream)
    while stream.at_symbol("+") or stream.at_symbol("-"):
        left = Operation(stream.advance().text, (left, _product(stream)))
    return left


def _product(stream: TokenStream) -> Expression:
    left = _sign(stream)
    while any(stream.at_symbol(symbol) for symbol in "*/%"):
        left = Operation(stream.advance().text, (left, _sign(stream)))
    return left


def _sign(stream: TokenStream) -> Expression:
    stream.deeper()
    if stream.accept_symbol("-"):
        value: Expression = Operation("-", (_sign(stream),))
    elif stream.accept_symbol("+"):
        value = _sign(stream)
    else:
        value = _primary(stream)
        if stream.accept("COLLATE"):
            stream.identifier()
    stream.shallower()
    return value


def _primary(stream: TokenStream) -> Expression:
    constant = stream.constant()
    if constant is not None:
        return constant
    if stream.current.kind is TokenKind.VARIABLE:
        return Variable(stream.advance().text)
    if stream.accept_symbol("("):
        return _bracketed(stream, exists=False)
    if stream.accept("EXISTS"):
        stream.expect_symbol("(")
        return _bracketed(stream, exists=True)
    if stream.accept("CASE"):
        return _case(stream)
    if word := stream.accept_any("CAST", "TRY_CAST", "CONVERT", "TRY_CONVERT"):
        return _conversion(stream, word)
    if word := stream.accept_any(*_WITHOUT_BRACKETS):
        return Call(word, ())
    return _named(stream)


def _named(stream: TokenStream) -> Expression:
    if word := stream.accept_any("LEFT", "RIGHT"):
        stream.expect_symbol("(")
        return _call(stream, word)
    if stream.accept("IIF"):
        return _choice(stream)
    parts = stream.dotted()
    if stream.accept_symbol("("):
        return _call(stream, parts[-1].upper())
    return Name(parts)


def _bracketed(stream: TokenStream, *, exists: bool) -> Expression:
    if stream.at("SELECT"):
        query = parse_query(stream)
        stream.expect_symbol(")")
        return Subquery(query, exists)
    if exists:
        raise stream.error()
    inner = parse_expression(stream)
    stream.expect_symbol(")")
    return inner


def _case(stream: TokenStream) -> Expression:
    operand = None if stream.at("WHEN") else parse_expression(stream)
    branches = []
    while stream.accept("WHEN"):
        condition = parse_expression(stream)
        if operand is not None:
            condition = Operation("=", (operand, condition))
        stream.expect("THEN")
        branches.append((condition, parse_expression(stream)))
    if not branches:
        raise stream.error()
    otherwise = parse_expression(stream) if stream.accept("ELSE") else _NULL
    stream.expect("END")
    return Case(tuple(branches), otherwise)


def _conversion(stream: TokenStream, word: str) -> Expression:
    stream.expect_symbol("(")
    style = None
    if word.endswith("CAST"):
        operand = parse_expression(stream)
        stream.expect("AS")
        sql_type = stream.type()
    else:
        sql_type = stream.type()
        stream.expect_symbol(",")
        operand = parse_expression(stream)
        if stream.accept_symbol(","):
            style = parse_expression(stream)
    stream.expect_symbol(")")
    return Cast(operand, sql_type, style, lenient=word.startswith("TRY_"))


def _choice(stream: TokenStream) -> Expression:
    stream.expect_symbol("(")
    condition = parse_expression(stream)
    stream.expect_symbol(",")
    then = parse_expression(stream)
    stream.expect_symbol(",")
    otherwise = parse_expression(stream)
    stream.expect_symbol(")")
    return Case(((condition, then),), otherwise)


def _call(stream: TokenStream, name: str) -> Expression:
    if stream.accept_symbol("*"):
        stream.expect_symbol(")")
        return Call(name, (), star=True)
    distinct = stream.accept("DISTINCT")
    arguments: list[Expression] = []
    if name in _OF_DATE_PARTS:
        arguments.append(text_literal(stream.identifier().lower()))
        stream.expect_symbol(",")
    if not stream.at_symbol(")"):
        arguments.append(parse_expression(stream))
        while stream.accept_symbol(","):
            arguments.append(parse_expression(stream))
    stream.expect_symbol(")")
    if stream.at("OVER"):
        raise not_simulated("a window function (OVER)")
    return Call(name, tuple(arguments), distinct=distinct)


def parse_query(stream: TokenStream) -> Query:
    """Read a SELECT."""
    stream.deeper()
    stream.expect("SELECT")
    distinct = stream.accept("DISTINCT")
    stream.accept("ALL")
    top = _top(stream) if stream.accept("TOP") else None
    items = [_item(stream)]
    while stream.accept_symbol(","):
        items.append(_item(stream))
    source = _source(stream) if stream.accept("FROM") else None
    where = parse_expression(stream) if stream.accept("WHERE") else None
    group_by = _list(stream) if stream.accept("GROUP", "BY") else ()
    having = parse_expression(stream) if stream.accept("HAVING") else None
    order_by = _order(stream) if stream.accept("ORDER", "BY") else ()
    for words in (("UNION",), ("FOR",), ("INTO",), ("OFFSET",), ("EXCEPT",), ("INTERSECT",)):
        if stream.at(*words):
            raise not_simulated(f"SELECT with {words[0]}")
    if stream.accept("OPTION"):
        raise not_simulated("query hints (OPTION)")
    stream.shallower()
    return Query(tuple(items), source, where, group_by, having, order_by, top, distinct)


def _top(stream: TokenStream) -> Expression:
    if stream.accept_symbol("("):
        count = parse_expression(stream)
        stream.expect_symbol(")")
    else:
        count = Literal(INT, stream.integer())
    if stream.at("PERCENT") or stream.at("WITH", "TIES"):
        raise not_simulated("TOP with PERCENT or TIES")
    return count


def _list(stream: TokenStream) -> tuple[Expression, ...]:
    expressions = [parse_expression(stream)]
    while stream.accept_symbol(","):
        expressions.append(parse_expression(stream))
    return tuple(expressions)


def _order(stream: TokenStream) -> tuple[Order, ...]:
    keys = []
    while True:
        expression = parse_expression(stream)
        descending = stream.accept("DESC")
        if not descending:
            stream.accept("ASC")
        keys.append(Order(expression, descending))
        if not stream.accept_symbol(","):
            return tuple(keys)


def _item(stream: TokenStream) -> Item:
    if stream.accept_symbol("*"):
        return Item(None)
    if stream.at_qualified_star():
        qualifier = stream.identifier()
        stream.expect_symbol(".")
        stream.expect_symbol("*")
        return Item(None, qualifier=qualifier)
    expression = parse_expression(stream)
    if isinstance(expression, Operation) and expression.operator == "=":
        left, right = expression.operands
        if isinstance(left, Variable):
            return Item(right, assign=left.name)
        if isinstance(left, Name):
            return Item(right, alias=left.parts[-1])
    return Item(expression, _alias(stream))


def _alias(stream: TokenStream) -> str | None:
    if stream.accept("AS"):
        if stream.current.kind is TokenKind.STRING:
            return stream.string()
        return stream.identifier()
    return stream.identifier() if stream.at_identifier() else None


def _source(stream: TokenStream) -> Source:
    source: Source = _table(stream)
    while True:
        if stream.accept_symbol(","):
            source = Join("CROSS", source, _table(stream), None)
            continue
        kind = _join_kind(stream)
        if kind is None:
            return source
        right = _table(stream)
        on = None
        if kind in ("INNER", "LEFT"):
            stream.expect("ON")
            on = parse_expression(stream)
        source = Join(kind, source, right, on)


def _join_kind(stream: TokenStream) -> str | None:
    if stream.accept("JOIN") or stream.accept("INNER", "JOIN"):
        return "INNER"
    if stream.accept("LEFT", "JOIN") or stream.accept("LEFT", "OUTER", "JOIN"):
        return "LEFT"
    for words in (("CROSS", "JOIN"), ("CROSS", "APPLY"), ("OUTER", "APPLY")):
        if stream.accept(*words):
            return "CROSS" if words[1] == "JOIN" else " ".join(words)
    if stream.at("RIGHT") or stream.at("FULL") or stream.at("CROSS") or stream.at("OUTER"):
        raise not_simulated(f"{stream.current.text.upper()} joins of this kind")
    return None


def _table(stream: TokenStream) -> Table | TableFunction | Derived:
    if stream.accept_symbol("("):
        query = parse_query(stream)
        stream.expect_symbol(")")
        stream.accept("AS")
        return Derived(query, stream.identifier())
    parts = stream.dotted()
    if stream.accept_symbol("("):
        arguments: tuple[Expression, ...] = ()
        if not stream.at_symbol(")"):
            arguments = _list(stream)
        stream.expect_symbol(")")
        return TableFunction(parts, arguments, _alias(stream) or parts[-1])
    alias = _alias(stream) or parts[-1]
    if stream.at("WITH"):
        stream.advance()
        stream.expect_symbol("(")
        stream.expect("NOLOCK")
        stream.expect_symbol(")")
    return Table(parts, alias)
