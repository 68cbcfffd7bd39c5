"""Route templates of HTTP triggers, as ASP.NET reads them. Pure.

`items/{id:int}`, `files/{name}.{ext?}`, `{*rest}`: literals match in any case, a parameter takes
part of a segment, `?` makes it optional, `=` gives it a default, `*` takes the rest of the path,
and constraints narrow it. Of several templates that fit, the most specific one wins.
Source: Microsoft Learn, "Routing in ASP.NET Core", route templates and route constraints.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

Check = Callable[[str], bool]

_MOST_TEMPLATE = 2048  # characters
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class _Parameter:
    name: str
    catch_all: bool
    optional: bool
    default: str | None
    checks: tuple[Check, ...]

    def accepts(self, value: str) -> bool:
        return all(check(value) for check in self.checks)


@dataclass(frozen=True)
class _Segment:
    """What stands between two slashes: literals in lower case, and parameters."""

    pieces: tuple[str | _Parameter, ...]

    @property
    def only(self) -> _Parameter | None:
        """The parameter that is the whole segment, if that is what it is."""
        piece = self.pieces[0]
        return piece if len(self.pieces) == 1 and isinstance(piece, _Parameter) else None

    @property
    def rank(self) -> int:
        """1 for literals, 2 or 3 for parameters, 4 or 5 for rests; less is more specific."""
        ranks = [
            (5 if one.catch_all else 3) - bool(one.checks)
            for one in self.pieces
            if isinstance(one, _Parameter)
        ]
        return max(ranks, default=1)

    def match(self, text: str) -> dict[str, str] | None:
        """Return the parameters; an optional one at the end takes the dot before it with it."""
        values = _match(self.pieces, text)
        last = self.pieces[-1]
        is_extension = (
            isinstance(last, _Parameter) and last.optional and self.pieces[-2:-1] == (".",)
        )
        if values is None and is_extension and len(self.pieces) > 2:
            return _match(self.pieces[:-2], text)
        return values


def _match(pieces: Sequence[str | _Parameter], text: str) -> dict[str, str] | None:
    """Return the parameters, read from the right; takes time in proportion to the text."""
    lower = text.translate(_LOWER)
    values: dict[str, str] = {}
    pending: _Parameter | None = None
    end = len(text)
    for place in range(len(pieces) - 1, -1, -1):
        piece = pieces[place]
        if isinstance(piece, _Parameter):
            pending = piece
            continue
        most = end - (pending is not None)  # a parameter takes a character at least
        found = lower.rfind(piece, 0, most)
        if place == 0:
            found = 0 if lower.startswith(piece, 0, most) else -1
        if found < 0 or (pending is None and found + len(piece) < end):
            return None
        if pending is not None:
            values[pending.name] = text[found + len(piece) : end]
            pending = None
        end = found
    if pending is not None:
        values[pending.name] = text[:end]
    elif end > 0:
        return None
    parameters = (one for one in pieces if isinstance(one, _Parameter))
    fits = all(values[one.name] and one.accepts(values[one.name]) for one in parameters)
    return values if fits else None


@dataclass(frozen=True)
class RouteTemplate:
    """A parsed template. `precedence` sorts the more specific template first."""

    text: str
    precedence: tuple[int, ...]
    _segments: tuple[_Segment, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a decoded path, or None if it does not fit.

        An optional parameter that the path does not have is absent.
        """
        stripped = path.strip("/")
        parts = stripped.split("/") if stripped else []
        values: dict[str, str] = {}
        for place, segment in enumerate(self._segments):
            only = segment.only
            rest = parts[place:]
            if only is not None and (only.catch_all or (not rest and only.optional)):
                value = "/".join(rest) or only.default
                if value is not None:
                    if not only.accepts(value):
                        return None
                    values[only.name] = value
                if only.catch_all:
                    return values
                continue
            found = segment.match(rest[0]) if rest else None
            if found is None:
                return None
            values.update(found)
        return values if len(parts) <= len(self._segments) else None


def parse_template(text: str) -> RouteTemplate:
    """Parse a route template.

    Raises:
        ValueError: it is not valid; the text says why.
    """
    if len(text) > _MOST_TEMPLATE:
        raise ValueError(
            f"route template has {len(text)} characters, at most {_MOST_TEMPLATE} are read"
        )
    segments = tuple(_Segment(tuple(_pieces(part, text))) for part in _split(text))
    names = [
        piece.name.lower()
        for segment in segments
        for piece in segment.pieces
        if isinstance(piece, _Parameter)
    ]
    if len(set(names)) < len(names):
        raise ValueError(f"route template {text!r} has two parameters of one name")
    return RouteTemplate(text, tuple(one.rank for one in segments), segments)


def _split(text: str) -> Iterator[str]:
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


def _pieces(segment: str, text: str) -> Iterator[str | _Parameter]:
    """Split a segment into literals and parameters."""
    if not segment:
        raise ValueError(f"route template {text!r} has two slashes in a row")
    rest = segment
    after_parameter = False
    while rest:
        literal, brace, behind = rest.partition("{")
        if "}" in literal:
            raise ValueError(f"route template {text!r} has a brace too many")
        if literal:
            yield literal.translate(_LOWER)
        elif after_parameter:
            raise ValueError(f"route template {text!r} has two parameters with nothing between")
        if not brace:
            return
        end = _closing(behind, "{", "}")
        if end < 0:
            raise ValueError(f"route template {text!r} has a brace that is not closed")
        yield _parse_parameter(behind[:end], text)
        rest = behind[end + 1 :]
        after_parameter = True


def _closing(text: str, opens: str, closes: str) -> int:
    """Return the place of the bracket that closes one before `text`, or -1."""
    depth = 1
    for place, character in enumerate(text):
        depth += (character == opens) - (character == closes)
        if depth == 0:
            return place
    return -1


def _parse_parameter(declaration: str, text: str) -> _Parameter:
    """Parse `*name:constraint(argument):constraint=default?`, all but the name optional."""
    name = re.match(r"\*{0,2}([^:=?*{}/]+)", declaration)
    if name is None:
        raise ValueError(f"route template {text!r} has a parameter {{{declaration}}} that is none")
    checks = []
    rest = declaration[name.end() :]
    while rest.startswith(":"):
        constraint = re.match(r":([^:(=?]+)", rest)
        if constraint is None:
            raise ValueError(
                f"route template {text!r} has an empty constraint in {{{declaration}}}"
            )
        rest = rest[constraint.end() :]
        argument = ""
        if rest.startswith("("):
            end = _closing(rest[1:], "(", ")")
            argument, rest = (rest[1:], "") if end < 0 else (rest[1 : end + 1], rest[end + 2 :])
        checks.append(_parse_constraint(constraint[1], argument, text))
    default = None
    if rest.startswith("="):
        default, rest = rest[1:].removesuffix("?"), ""
    if rest not in ("", "?"):
        raise ValueError(f"route template {text!r} has a parameter {{{declaration}}} that is none")
    return _Parameter(
        name=name[1].strip(),
        catch_all=declaration.startswith("*"),
        optional=rest == "?" or default is not None,
        default=default,
        checks=tuple(checks),
    )


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
