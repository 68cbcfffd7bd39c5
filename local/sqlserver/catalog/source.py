"""FROM: views, table-valued functions, queries in brackets, and how they are joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.sqlserver.catalog.compiler import Compiler, Frames, Row, Scope, ScopeColumn
from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import comparable_key, convert
from local.sqlserver.catalog.table_functions import find_table_function
from local.sqlserver.catalog.views import find_view
from local.sqlserver.errors import refuse
from local.sqlserver.results import Column
from local.sqlserver.sqltypes import SqlType
from local.sqlserver.tsql import ast


@dataclass
class From:
    """The rows of a FROM clause, already joined, and what their columns are called."""

    columns: list[ScopeColumn]
    rows: list[Row]


class PreparedQuery(Protocol):
    """A query that can be run for each row of what is around it."""

    @property
    def columns(self) -> list[Column]:
        """The columns of the result."""
        ...

    def rows(self, outer: Frames) -> list[Row]:
        """Run it inside these rows."""
        ...


Prepare = Callable[[ast.Query, "Scope | None", Context], PreparedQuery]
"""Compiles a query in brackets; given by `query`, which knows how."""

_Source = tuple[list[ScopeColumn], Callable[[Frames], list[Row]]]


def read_source(source: ast.Source | None, context: Context, prepare: Prepare) -> From:
    """Return the rows of a FROM clause; without one there is a single row without columns."""
    if source is None:
        return From([], [()])
    if not isinstance(source, ast.Join):
        columns, rows_of = _open(source, None, context, prepare)
        return From(columns, rows_of(()))
    left = read_source(source.left, context, prepare)
    if source.kind.endswith("APPLY"):
        return _apply(source, left, context, prepare)
    columns, rows_of = _open(source.right, None, context, prepare)
    right = From(columns, rows_of(()))
    both = left.columns + right.columns
    if source.on is None:
        return From(both, [(*one, *other) for one in left.rows for other in right.rows])
    on = _compiler(Scope(both), context, prepare).condition(source.on)
    candidates = _candidates(source.on, left, right)
    empty = (None,) * len(right.columns)
    rows: list[Row] = []
    for one in left.rows:
        matches = [joined for other in candidates(one) if on(((joined := (*one, *other)),))]
        if not matches and source.kind == "LEFT":
            matches = [(*one, *empty)]
        rows += matches
    return From(both, rows)


def _apply(source: ast.Join, left: From, context: Context, prepare: Prepare) -> From:
    columns, rows_of = _open(source.right, Scope(left.columns), context, prepare)
    empty = (None,) * len(columns)
    rows: list[Row] = []
    for one in left.rows:
        matches: list[Row] = [(*one, *other) for other in rows_of((one,))]
        if not matches and source.kind == "OUTER APPLY":
            matches = [(*one, *empty)]
        rows += matches
    return From(left.columns + columns, rows)


def _open(
    source: ast.Table | ast.TableFunction | ast.Derived,
    scope: Scope | None,
    context: Context,
    prepare: Prepare,
) -> _Source:
    """Return a source's columns, and what gives its rows for a row of what it is applied to."""
    if isinstance(source, ast.Derived):
        query = prepare(source.query, scope, context)
        return _named(source.alias, query.columns), query.rows
    if isinstance(source, ast.Table):
        view = find_view(source.parts, context)
        return _named(source.alias, view.columns), lambda frames: list(view.rows(context))
    function = find_table_function(source.parts)
    if len(source.arguments) != len(function.arguments):
        raise refuse(8144, ".".join(source.parts))
    compiler = _compiler(scope or Scope(()), context, prepare)
    values = [compiler.value(argument) for argument in source.arguments]

    def rows_of(frames: Frames) -> list[Row]:
        given = [
            convert(value.of(frames or ((),)), value.type, wanted)
            for value, wanted in zip(values, function.arguments, strict=True)
        ]
        return list(function.rows(context, given))

    return _named(source.alias, function.columns), rows_of


def _named(alias: str, columns: Sequence[Column]) -> list[ScopeColumn]:
    return [ScopeColumn(alias, column.name, column.type) for column in columns]


def _compiler(scope: Scope, context: Context, prepare: Prepare) -> Compiler:
    def subquery(
        query: ast.Query, scope: Scope, context: Context
    ) -> tuple[SqlType, Callable[[Frames], list[Row]]]:
        prepared = prepare(query, scope, context)
        return prepared.columns[0].type, prepared.rows

    return Compiler(scope, context, subquery)


def _candidates(on: ast.Expression, left: From, right: From) -> Callable[[Row], Iterable[Row]]:
    """Return what gives the right rows that may match a left one.

    Where the condition holds two columns equal, the right side is looked up by it: the history
    of thousands of restores is joined to its backup sets in a moment.
    """
    width = len(left.columns)
    scope = Scope(left.columns + right.columns)
    terms = on.operands if isinstance(on, ast.Logical) and on.operator == "AND" else (on,)
    for term in terms:
        if not isinstance(term, ast.Operation) or term.operator != "=":
            continue
        sides = [scope.find(o.parts) for o in names_in(term.operands)]
        if len(sides) != 2 or sides[0][2].kind is not sides[1][2].kind:
            continue
        (_, one, sql_type), (_, other, _) = sorted(sides, key=lambda side: side[1])
        if one < width <= other:
            index: dict[object, list[Row]] = {}
            for row in right.rows:
                key = comparable_key(row[other - width], sql_type)
                index.setdefault(key, []).append(row)
            return lambda row: index.get(comparable_key(row[one], sql_type), ())
    return lambda row: right.rows


def names_in(expressions: Sequence[ast.Expression]) -> list[ast.Name]:
    """Return those of the expressions that are plain columns."""
    return [e for e in expressions if isinstance(e, ast.Name)]
