"""Carries out SELECT over the views: join, filter, group, sort, cut."""

from __future__ import annotations

from collections.abc import Callable

from local.sqlserver.catalog.compiler import (
    Aggregate,
    Compiler,
    Frames,
    Row,
    Scope,
    Value,
)
from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import comparable_key
from local.sqlserver.catalog.functions import AGGREGATES
from local.sqlserver.catalog.source import names_in, read_source
from local.sqlserver.errors import refuse
from local.sqlserver.results import Column
from local.sqlserver.sqltypes import BIGINT, SqlType
from local.sqlserver.tsql import ast

NO_SCOPE = Scope(())


def run_query(query: ast.Query, context: Context) -> tuple[list[Column], list[Row]]:
    """Return the result set of a SELECT."""
    prepared = _Prepared(query, None, context)
    return prepared.columns, prepared.rows(())


def evaluate(expression: ast.Expression, target: SqlType, context: Context) -> object:
    """Return the value of an expression without a query around it, in a type."""
    return Compiler(NO_SCOPE, context, _subquery).converted(expression, target)(((),))


def value_of(expression: ast.Expression, context: Context) -> tuple[SqlType, object]:
    """Return type and value of an expression without a query around it."""
    value = Compiler(NO_SCOPE, context, _subquery).value(expression)
    return value.type, value.of(((),))


def is_true(expression: ast.Expression, context: Context) -> bool:
    """Tell whether a condition without a query around it holds."""
    return Compiler(NO_SCOPE, context, _subquery).condition(expression)(((),)) is True


def _subquery(
    query: ast.Query, scope: Scope, context: Context
) -> tuple[SqlType, Callable[[Frames], list[Row]]]:
    prepared = _Prepared(query, scope, context)
    return prepared.columns[0].type, prepared.rows


def _prepare(query: ast.Query, scope: Scope | None, context: Context) -> _Prepared:
    return _Prepared(query, scope, context)


class _Prepared:
    """A query that is compiled, and can be run for each row of the query around it."""

    def __init__(self, query: ast.Query, parent: Scope | None, context: Context) -> None:
        self._query = query
        source = read_source(query.source, context, _prepare)
        self._source = source.rows
        self._scope = Scope(source.columns, parent)
        plain = Compiler(self._scope, context, _subquery)
        self._where = plain.condition(query.where) if query.where else None
        self._group = [plain.value(key) for key in query.group_by]
        self._is_grouped = bool(query.group_by or query.having) or _aggregates(query)
        compiler = plain
        if self._is_grouped:
            grouped = frozenset(self._scope.find(k.parts)[1] for k in names_in(query.group_by))
            compiler = Compiler(self._scope, context, _subquery, grouped)
        self.columns, self._values = self._select(compiler)
        self._having = compiler.condition(query.having) if query.having else None
        self._order = [self._order_key(key, compiler) for key in query.order_by]
        self._aggregates = compiler.aggregates
        self._top = plain.converted(query.top, BIGINT) if query.top else None

    def _select(self, compiler: Compiler) -> tuple[list[Column], list[Value]]:
        columns, values = [], []
        for item in self._query.items:
            every = self._starred(item.qualifier) if item.expression is None else [item]
            for one in every:
                assert one.expression is not None  # noqa: S101 for the type checker: stars are gone
                value = compiler.value(one.expression)
                columns.append(Column(_column_name(one), value.type))
                values.append(value)
        return columns, values

    def _starred(self, qualifier: str | None) -> list[ast.Item]:
        wanted = qualifier.casefold() if qualifier else None
        names = [
            ast.Item(ast.Name((column.table, column.name)))
            for column in self._scope.columns
            if wanted in (None, column.table.casefold())
        ]
        if not names:
            raise refuse(102, "*")
        return names

    def _order_key(self, key: ast.Order, compiler: Compiler) -> Value:
        expression = key.expression
        if isinstance(expression, ast.Literal) and isinstance(expression.value, int):
            if not 1 <= expression.value <= len(self._values):
                raise refuse(102, str(expression.value))
            return self._values[expression.value - 1]
        if isinstance(expression, ast.Name) and len(expression.parts) == 1:
            alias = expression.parts[0].casefold()
            for item, value in zip(self._query.items, self._values, strict=False):
                if item.alias and item.alias.casefold() == alias:
                    return value
        return compiler.value(expression)

    def rows(self, outer: Frames) -> list[Row]:
        """Run the query inside these rows of the queries around it."""
        kept = [row for row in self._source if self._where is None or self._where((row, *outer))]
        if self._is_grouped:
            kept = self._grouped(kept, outer)
        if self._having:
            kept = [row for row in kept if self._having((row, *outer))]
        results: list[tuple[Row, Row]] = [
            (
                tuple(value.of((row, *outer)) for value in self._values),
                tuple(key.of((row, *outer)) for key in self._order),
            )
            for row in kept
        ]
        if self._query.distinct:
            unique = {
                tuple(
                    comparable_key(value, column.type)
                    for value, column in zip(result, self.columns, strict=True)
                ): (result, keys)
                for result, keys in reversed(results)
            }
            results = list(reversed(unique.values()))
        for index in reversed(range(len(self._order))):
            self._sort(results, index)
        limit = self._top(((), *outer)) if self._top else None
        rows: list[Row] = [result for result, _ in results]
        return rows if not isinstance(limit, int) else rows[: max(limit, 0)]

    def _sort(self, results: list[tuple[Row, Row]], index: int) -> None:
        sql_type = self._order[index].type
        results.sort(
            key=lambda result: _sort_key(result[1][index], sql_type),
            reverse=self._query.order_by[index].descending,
        )

    def _grouped(self, rows: list[Row], outer: Frames) -> list[Row]:
        groups: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            key = tuple(comparable_key(k.of((row, *outer)), k.type) for k in self._group)
            groups.setdefault(key, []).append(row)
        if not self._group and not groups:
            groups[()] = []
        width = len(self._scope.columns)
        grouped: list[Row] = []
        for members in groups.values():
            first = tuple(members[0]) if members else (None,) * width
            results = (_aggregate(a, members, outer) for a in self._aggregates)
            grouped.append((*first, *results))
        return grouped


def _column_name(item: ast.Item) -> str:
    if item.alias is None and isinstance(item.expression, ast.Name):
        return item.expression.parts[-1]
    return item.alias or ""


def _aggregates(query: ast.Query) -> bool:
    return any(_has_aggregate(item.expression) for item in query.items)


def _has_aggregate(expression: object) -> bool:
    if isinstance(expression, ast.Call) and expression.name in AGGREGATES:
        return True
    if isinstance(expression, (ast.Subquery, ast.Query)) or expression is None:
        return False
    if isinstance(expression, tuple):
        return any(_has_aggregate(part) for part in expression)
    parts = getattr(expression, "__dataclass_fields__", {})
    return any(_has_aggregate(getattr(expression, name)) for name in parts)


def _aggregate(aggregate: Aggregate, members: list[Row], outer: Frames) -> object:
    if aggregate.argument is None:
        return len(members)
    argument = aggregate.argument
    values = [v for row in members if (v := argument.of((row, *outer))) is not None]
    if aggregate.distinct:
        values = list({comparable_key(v, argument.type): v for v in values}.values())
    if aggregate.name == "COUNT":
        return len(values)
    if not values:
        return None
    if aggregate.name == "SUM":
        return sum(values)  # type: ignore[arg-type] # of numbers; the compiler refuses others
    choose = min if aggregate.name == "MIN" else max
    return choose(values, key=lambda v: _sort_key(v, argument.type))


def _sort_key(value: object, sql_type: SqlType) -> tuple[bool, object]:
    """NULL comes first, as SQL Server sorts it."""
    return (False, 0) if value is None else (True, comparable_key(value, sql_type))
