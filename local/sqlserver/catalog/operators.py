"""What operators compute, and the logic of conditions that may be unknown (None). Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from re import escape as escaped
from typing import Any

from local.sqlserver.errors import refuse

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _divide(one: Any, other: Any) -> object:
    """Divide numbers of one type; whole numbers are cut towards zero."""
    if other == 0:
        raise refuse(8134)
    if isinstance(one, int):
        return abs(one) // abs(other) * (1 if (one < 0) is (other < 0) else -1)
    return one / other


def _remainder(one: Any, other: Any) -> object:
    """Return what a division leaves, with the sign of the first number."""
    if other == 0:
        raise refuse(8134)
    rest = abs(one) % abs(other)
    return -rest if one < 0 else rest


ARITHMETIC: dict[str, Callable[[Any, Any], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}


def negative(value: Any) -> object:
    """Return a number with the other sign."""
    return None if value is None else -value


def negated(result: bool | None) -> bool | None:
    """Return NOT of a condition."""
    return None if result is None else not result


def any_of(results: Iterable[bool | None]) -> bool | None:
    """Return OR of conditions."""
    unknown = False
    for result in results:
        if result:
            return True
        unknown = unknown or result is None
    return None if unknown else False


def like_pattern(pattern: str, escape: str | None) -> str:
    """Return a pattern of LIKE as a regular expression."""
    parts, index = [], 0
    while index < len(pattern):
        character = pattern[index]
        if escape and character == escape and index + 1 < len(pattern):
            index += 1
            parts.append(escaped(pattern[index]))
        elif character == "[" and (end := pattern.find("]", index + 2)) > 0:
            inside = pattern[index + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{inside}]")
            index = end
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or escaped(character))
        index += 1
    return "".join(parts)
