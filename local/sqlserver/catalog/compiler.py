"""Turns an expression into something that can be evaluated for a row, with its type known.

Frames are the rows that an expression sees: the innermost query's first, then those of the
queries around it. A condition is True, False, or None for unknown.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from local.sqlserver.catalog.context import Context
from local.sqlserver.catalog.conversion import common_type, comparable_key, convert
from local.sqlserver.catalog.functions import AGGREGATES, call_function, global_variable
from local.sqlserver.catalog.operators import (
    ARITHMETIC,
    COMPARISONS,
    any_of,
    like_pattern,
    negated,
    negative,
)
from local.sqlserver.errors import SqlError, not_simulated, refuse
from local.sqlserver.sqltypes import (
    FLOATS,
    INT,
    INTEGERS,
    STRINGS,
    Kind,
    SqlType,
    nvarchar,
)
from local.sqlserver.tsql import ast

Row = Sequence[object]
Frames = tuple[Row, ...]


class Value(NamedTuple):
    """A compiled expression. `untyped` marks NULL, which takes any type."""

    type: SqlType
    of: Callable[[Frames], object]
    untyped: bool = False


Condition = Callable[[Frames], "bool | None"]


class ScopeColumn(NamedTuple):
    """A column that can be named: by its table's alias or without."""

    table: str
    name: str
    type: SqlType


@dataclass
class Scope:
    """The columns of a query's FROM, and those of the queries around it."""

    columns: Sequence[ScopeColumn]
    parent: Scope | None = None

    def find(self, parts: tuple[str, ...]) -> tuple[int, int, SqlType]:
        """Return how many queries out a column is, its index there, its type. Raises 209."""
        table = parts[-2].casefold() if len(parts) > 1 else None
        name = parts[-1].casefold()
        hits = [
            index
            for index, column in enumerate(self.columns)
            if column.name.casefold() == name and table in (None, column.table.casefold())
        ]
        if len(hits) > 1:
            raise refuse(209, parts[-1])
        if hits:
            return 0, hits[0], self.columns[hits[0]].type
        if self.parent is None:
            raise not_simulated(f"column {'.'.join(parts)}")
        depth, index, sql_type = self.parent.find(parts)
        return depth + 1, index, sql_type


class SubqueryRunner(Protocol):
    """Runs a query inside another one; given by `query`, which knows how."""

    def __call__(
        self, query: ast.Query, scope: Scope, context: Context
    ) -> tuple[SqlType, Callable[[Frames], list[Row]]]:
        """Return the type of the first column and what gives the rows."""
        ...


@dataclass
class Aggregate:
    """An aggregate met while compiling: its function and argument; its value is put at `index`."""

    name: str
    argument: Value | None
    distinct: bool
    index: int


class Compiler:
    """Compiles the expressions of one query.

    In a query that groups, `grouped` holds the columns of GROUP BY, and aggregates are collected.
    """

    def __init__(
        self,
        scope: Scope,
        context: Context,
        subquery: SubqueryRunner,
        grouped: frozenset[int] | None = None,
    ) -> None:
        self._scope = scope
        self._context = context
        self._subquery = subquery
        self._grouped = grouped
        self.aggregates: list[Aggregate] = []

    def value(self, expression: ast.Expression) -> Value:
        """Compile something that has a value."""
        match = _VALUES.get(type(expression))
        if match is None:
            raise refuse(102, "a condition where a value is expected")
        return match(self, expression)

    def converted(self, expression: ast.Expression, target: SqlType) -> Callable[[Frames], object]:
        """Compile something that has a value, brought to a type."""
        value = self.value(expression)
        return lambda frames: convert(value.of(frames), value.type, target)

    def _literal(self, node: ast.Literal) -> Value:
        return Value(node.type, lambda frames: node.value, untyped=node.value is None)

    def _name(self, node: ast.Name) -> Value:
        depth, index, sql_type = self._scope.find(node.parts)
        if depth == 0 and self._grouped is not None and index not in self._grouped:
            raise refuse(8120, ".".join(node.parts))
        return Value(sql_type, lambda frames: frames[depth][index])

    def _variable(self, node: ast.Variable) -> Value:
        if node.name.startswith("@@"):
            sql_type, value = global_variable(self._context, node.name)
        else:
            sql_type, value = self._context.variable(node.name)
        return Value(sql_type, lambda frames: value)

    def _operation(self, node: ast.Operation) -> Value:
        if node.operator in COMPARISONS:
            raise refuse(102, node.operator)
        values = [self.value(operand) for operand in node.operands]
        if len(values) == 1:
            only = values[0]
            return Value(only.type, lambda frames: negative(only.of(frames)))
        left, right = values
        target = _settle(left, right)
        if target.kind in STRINGS and node.operator == "+":
            target = nvarchar(4000)
        elif target.kind not in (*INTEGERS, *FLOATS, Kind.NUMERIC):
            raise not_simulated(f"operator {node.operator} for {target.kind.value}")
        compute = ARITHMETIC[node.operator]

        def evaluate(frames: Frames) -> object:
            one = convert(left.of(frames), left.type, target)
            other = convert(right.of(frames), right.type, target)
            if one is None or other is None:
                return None
            return convert(compute(one, other), target, target)

        return Value(target, evaluate)

    def _case(self, node: ast.Case) -> Value:
        branches = [(self.condition(when), self.value(then)) for when, then in node.branches]
        otherwise = self.value(node.otherwise)
        target = _settle(*(then for _, then in branches), otherwise)

        def evaluate(frames: Frames) -> object:
            for condition, then in branches:
                if condition(frames):
                    return convert(then.of(frames), then.type, target)
            return convert(otherwise.of(frames), otherwise.type, target)

        return Value(target, evaluate)

    def _call(self, node: ast.Call) -> Value:
        if node.name in AGGREGATES:
            return self._aggregate(node)
        arguments = [self.value(argument) for argument in node.arguments]
        types = [argument.type for argument in arguments]
        typed = [a.type for a in arguments if not a.untyped] or [INT]
        sql_type, function = call_function(self._context, node.name, types, typed)
        return Value(sql_type, lambda frames: function([a.of(frames) for a in arguments]))

    def _aggregate(self, node: ast.Call) -> Value:
        if self._grouped is None:
            raise refuse(102, node.name)
        argument = None
        if not node.star:
            if len(node.arguments) != 1:
                raise refuse(102, node.name)
            inner = Compiler(self._scope, self._context, self._subquery)
            argument = inner.value(node.arguments[0])
        index = len(self._scope.columns) + len(self.aggregates)
        self.aggregates.append(Aggregate(node.name, argument, node.distinct, index))
        sql_type = INT if node.name == "COUNT" or argument is None else argument.type
        if node.name == "SUM" and sql_type.kind not in (*INTEGERS, *FLOATS, Kind.NUMERIC):
            raise refuse(206, sql_type.kind.value, "sum")
        return Value(sql_type, lambda frames: frames[0][index])

    def _cast(self, node: ast.Cast) -> Value:
        value = self.value(node.operand)
        style = self.converted(node.style, INT) if node.style else None

        def evaluate(frames: Frames) -> object:
            code = style(frames) if style else None
            try:
                return convert(
                    value.of(frames), value.type, node.type, code if isinstance(code, int) else None
                )
            except SqlError:
                if node.lenient:
                    return None
                raise

        return Value(node.type, evaluate)

    def _scalar_subquery(self, node: ast.Subquery) -> Value:
        if node.exists:
            raise refuse(102, "EXISTS")
        sql_type, rows_of = self._subquery(node.query, self._scope, self._context)

        def evaluate(frames: Frames) -> object:
            rows = rows_of(frames)
            if len(rows) > 1:
                raise refuse(512)
            return rows[0][0] if rows else None

        return Value(sql_type, evaluate)

    def condition(self, expression: ast.Expression) -> Condition:
        """Compile something that is true or not; raises SqlError 4145 for a value."""
        if isinstance(expression, ast.Operation) and expression.operator in COMPARISONS:
            return self._comparison(expression)
        if isinstance(expression, ast.Subquery) and expression.exists:
            _, rows_of = self._subquery(expression.query, self._scope, self._context)
            return lambda frames: bool(rows_of(frames))
        match = _CONDITIONS.get(type(expression))
        if match is None:
            raise refuse(4145)
        return match(self, expression)

    def _comparison(self, node: ast.Operation) -> Condition:
        left, right = (self.value(operand) for operand in node.operands)
        return self._compare(left, right, COMPARISONS[node.operator])

    def _compare(
        self, left: Value, right: Value, test: Callable[[object, object], bool]
    ) -> Condition:
        target = _settle(left, right)
        if target.kind is Kind.SQL_VARIANT:
            target = right.type if left.type.kind is Kind.SQL_VARIANT else left.type

        def evaluate(frames: Frames) -> bool | None:
            one = convert(left.of(frames), left.type, target)
            other = convert(right.of(frames), right.type, target)
            if one is None or other is None:
                return None
            return test(comparable_key(one, target), comparable_key(other, target))

        return evaluate

    def _logical(self, node: ast.Logical) -> Condition:
        conditions = [self.condition(operand) for operand in node.operands]
        if node.operator == "NOT":
            return lambda frames: negated(conditions[0](frames))
        decisive = node.operator == "OR"

        def evaluate(frames: Frames) -> bool | None:
            unknown = False
            for condition in conditions:
                result = condition(frames)
                if result is decisive:
                    return decisive
                unknown = unknown or result is None
            return None if unknown else not decisive

        return evaluate

    def _is_null(self, node: ast.IsNull) -> Condition:
        value = self.value(node.operand)
        return lambda frames: (value.of(frames) is None) is not node.negated

    def _in(self, node: ast.In) -> Condition:
        left = self.value(node.operand)
        if isinstance(node.items, ast.Query):
            sql_type, rows_of = self._subquery(node.items, self._scope, self._context)

            def within(frames: Frames) -> bool | None:
                return any_of(
                    self._compare(left, _constant(sql_type, row[0]), operator.eq)(frames)
                    for row in rows_of(frames)
                )
        else:
            tests = [self._compare(left, self.value(item), operator.eq) for item in node.items]

            def within(frames: Frames) -> bool | None:
                return any_of(test(frames) for test in tests)

        return (lambda frames: negated(within(frames))) if node.negated else within

    def _like(self, node: ast.Like) -> Condition:
        text = self.converted(node.operand, nvarchar(None))
        pattern = self.converted(node.pattern, nvarchar(None))

        def evaluate(frames: Frames) -> bool | None:
            one, other = text(frames), pattern(frames)
            if not isinstance(one, str) or not isinstance(other, str):
                return None
            matched = re.fullmatch(like_pattern(other, node.escape), one, re.IGNORECASE | re.DOTALL)
            return (matched is not None) is not node.negated

        return evaluate


_VALUES: dict[type, Callable[[Compiler, Any], Value]] = {
    ast.Literal: Compiler._literal,
    ast.Name: Compiler._name,
    ast.Variable: Compiler._variable,
    ast.Operation: Compiler._operation,
    ast.Case: Compiler._case,
    ast.Call: Compiler._call,
    ast.Cast: Compiler._cast,
    ast.Subquery: Compiler._scalar_subquery,
}
_CONDITIONS: dict[type, Callable[[Compiler, Any], Condition]] = {
    ast.Logical: Compiler._logical,
    ast.IsNull: Compiler._is_null,
    ast.In: Compiler._in,
    ast.Like: Compiler._like,
}


def _settle(*values: Value) -> SqlType:
    typed = [value.type for value in values if not value.untyped] or [INT]
    settled = typed[0]
    for sql_type in typed[1:]:
        settled = common_type(settled, sql_type)
    return settled


def _constant(sql_type: SqlType, value: object) -> Value:
    return Value(sql_type, lambda frames: value)
