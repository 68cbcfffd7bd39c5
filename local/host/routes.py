"""Route templates of HTTP triggers, as ASP.NET reads them. Pure.

`items/{id:int}`, `files/{name}.{ext?}`, `{*rest}`: literals match in any case, a parameter takes
part of a segment, `?` makes it optional, `=` gives it a default, `*` takes the rest of the path,
and constraints narrow it. Of several templates that fit, the most specific one wins.
Source: Microsoft Learn, "Routing in ASP.NET Core", route templates and route constraints.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

Check = Callable[[str], bool]


@dataclass(frozen=True)
class _Parameter:
    group: str
    name: str
    default: str | None
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class RouteTemplate:
    """A parsed template. `precedence` sorts the more specific template first."""

    text: str
    precedence: tuple[int, ...]
    _pattern: re.Pattern[str]
    _parameters: tuple[_Parameter, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a decoded path, or None if it does not fit.

        An optional parameter that the path does not have is absent.
        """
        found = self._pattern.fullmatch("/" + path.strip("/"))
        if found is None:
            return None
        values = {}
        for parameter in self._parameters:
            value = found.group(parameter.group)
            if not value:
                if parameter.default is not None:
                    values[parameter.name] = parameter.default
            elif all(check(value) for check in parameter.checks):
                values[parameter.name] = value
            else:
                return None
        return values


def parse_template(text: str) -> RouteTemplate:
    """Parse a route template.

    Raises:
        ValueError: it is not valid; the text says why.
    """
    if len(text) > 2048:
        raise ValueError(f"route template has {len(text)} characters, at most 2048 are read")
    pattern = ""
    precedence = []
    parameters: list[_Parameter] = []
    for segment in _segments(text):
        pieces = list(_pieces(segment, text))
        single = pieces[0] if len(pieces) == 1 else None
        body = ""
        rank = 1
        optional = False
        for literal, declaration in pieces:
            if declaration is None:
                body += re.escape(literal)
                continue
            parameter, kind = _parse_parameter(declaration, len(parameters), text)
            parameters.append(parameter)
            rank = max(rank, _RANKS[kind] - bool(parameter.checks))
            catch_all = kind == "*"
            optional = single is not None and (kind != "" or parameter.default is not None)
            some = ".*" if catch_all else "[^/]*" if kind == "?" else "[^/]+?"
            body += f"(?P<{parameter.group}>{some})"
        pattern += f"(?:/{body})?" if optional else f"/{body}"
        precedence.append(rank)
    if len({one.name.lower() for one in parameters}) < len(parameters):
        raise ValueError(f"route template {text!r} has two parameters of one name")
    compiled = re.compile(pattern or "/", re.IGNORECASE | re.DOTALL)
    return RouteTemplate(text, tuple(precedence), compiled, tuple(parameters))


_RANKS = {"": 3, "?": 3, "*": 5}  # one less with a constraint; a literal has 1


def _segments(text: str) -> Iterator[str]:
    """Split at slashes outside of braces."""
    depth = 0
    start = 0
    stripped = text.strip("/")
    for place, character in enumerate(stripped):
        depth += (character == "{") - (character == "}")
        if character == "/" and depth == 0:
            yield stripped[start:place]
            start = place + 1
    if stripped:
        yield stripped[start:]


def _pieces(segment: str, text: str) -> Iterator[tuple[str, str | None]]:
    """Split a segment into (literal, None) and ("", declaration) pieces."""
    rest = segment
    while rest:
        literal, brace, behind = rest.partition("{")
        if "}" in literal or (not literal and not brace):
            raise ValueError(f"route template {text!r} has a brace too many")
        if literal:
            yield literal, None
        if not brace:
            return
        depth = 1
        for place, character in enumerate(behind):
            depth += (character == "{") - (character == "}")
            if depth == 0:
                yield "", behind[:place]
                rest = behind[place + 1 :]
                break
        else:
            raise ValueError(f"route template {text!r} has a brace that is not closed")


def _parse_parameter(declaration: str, index: int, text: str) -> tuple[_Parameter, str]:
    found = re.fullmatch(
        r"(?P<star>\*{0,2})(?P<name>[^:=?*{}/]+)(?P<constraints>(?::[^(:=?]+(?:\(.*?\))?(?=[:=?]|$))*)"
        r"(?:=(?P<default>.*?))?(?P<optional>\?)?",
        declaration,
        re.DOTALL,
    )
    if found is None:
        raise ValueError(f"route template {text!r} has a parameter {{{declaration}}} that is none")
    constraints = re.findall(r":([^(:]+)(?:\((.*?)\)(?=:|$))?", found["constraints"], re.DOTALL)
    checks = tuple(_parse_constraint(name, argument, text) for name, argument in constraints)
    kind = "*" if found["star"] else found["optional"] or ""
    return _Parameter(f"p{index}", found["name"].strip(), found["default"], checks), kind


def _parse_constraint(name: str, argument: str, text: str) -> Check:
    make = _CONSTRAINTS.get(name.strip().lower())
    if make is None:
        raise ValueError(f"route template {text!r} has a constraint {name!r} that is not known")
    try:
        return make(argument)
    except (ValueError, re.error) as error:
        raise ValueError(
            f"route template {text!r} has a constraint {name}({argument}) that is wrong: {error}"
        ) from error


def _whole(low: float, high: float) -> Check:
    def check(value: str) -> bool:
        return re.fullmatch(r"[+-]?\d{1,20}", value) is not None and low <= int(value) <= high

    return check


def _length(low: float, high: float) -> Check:
    return lambda value: low <= len(value) <= high


def _parses(parse: Callable[[str], object]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _bounds(argument: str) -> tuple[int, int]:
    low, comma, high = argument.partition(",")
    return int(low), int(high if comma else low)


def _regex(argument: str) -> Check:
    pattern = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
    return lambda value: pattern.search(value) is not None


_NUMBER = _parses(float)
_CONSTRAINTS: dict[str, Callable[[str], Check]] = {
    "int": lambda _: _whole(-(2**31), 2**31 - 1),
    "long": lambda _: _whole(-(2**63), 2**63 - 1),
    "bool": lambda _: lambda value: value.lower() in ("true", "false"),
    "decimal": lambda _: _NUMBER,
    "double": lambda _: _NUMBER,
    "float": lambda _: _NUMBER,
    "datetime": lambda _: _parses(lambda value: datetime.fromisoformat(value.rstrip("Z"))),
    "guid": lambda _: _parses(UUID),
    "alpha": lambda _: lambda value: value.isascii() and value.isalpha(),
    "required": lambda _: bool,
    "length": lambda argument: _length(*_bounds(argument)),
    "minlength": lambda argument: _length(int(argument), math.inf),
    "maxlength": lambda argument: _length(0, int(argument)),
    "min": lambda argument: _whole(int(argument), math.inf),
    "max": lambda argument: _whole(-math.inf, int(argument)),
    "range": lambda argument: _whole(*_bounds(argument)),
    "regex": _regex,
}
