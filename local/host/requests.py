"""Reading requests: bodies of bounded size, queries without regard to case, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NoReturn

from starlette.requests import Request

from local.host.errors import Refused
from local.host.history import timestamp

MOST_BODY_BYTES = 100 * 1024 * 1024
"""The limit of Azure Functions for a request."""

_DEEPER, _CLOSED = "[" * 20, "]" * 20
"""What is read must be shown later, in lists and objects, without running out of recursion."""

_SURELY_SHALLOW = 100  # brackets

_FRACTION = re.compile(r"\.(\d+)")


async def read_body(request: Request, most: int = MOST_BODY_BYTES) -> bytes:
    """Return the whole body. Refused: 413 when it has more than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused(413, f"the body has more than {most} bytes")
    return bytes(body)


async def read_json(request: Request) -> str | None:
    """Return the body as the JSON text it is; None when it is empty. Refused: 400, 413."""
    body = await read_body(request)
    if not body.strip():
        return None
    try:
        text = body.decode("utf-8-sig")
        json.loads(text, parse_constant=_reject_constant)
        if text.count("[") + text.count("{") > _SURELY_SHALLOW:
            json.loads(f"{_DEEPER}{text}{_CLOSED}")
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not valid JSON: {error}") from error
    return text


def given_key(request: Request) -> str | None:
    """Return the access key that came with a request; the header wins."""
    key = request.headers.get("x-functions-key")
    return key if key is not None else Query(request).text("code")


class Query:
    """The query of a request; names are found in any case."""

    def __init__(self, request: Request) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            self._values.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """Return the first value of that name."""
        values = self._values.get(name.lower())
        return values[0] if values else None

    def words(self, name: str) -> Sequence[str]:
        """Return the values of a name that may be repeated or hold several with commas."""
        values = self._values.get(name.lower(), [])
        return [word.strip() for value in values for word in value.split(",") if word.strip()]

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value; Python's `True` is one too."""
        value = self.text(name)
        return default if value is None else value.lower() in ("true", "1")

    def count(self, name: str) -> int | None:
        """Return a number from 1. Refused: 400 when it is none."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"\d{1,9}", value) or int(value) < 1:
            raise Refused(400, f"{name} is {value!r}, expected a number from 1")
        return int(value)

    def seconds(self, name: str) -> float | None:
        """Return a number of seconds. Refused: 400 when it is none."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
            raise Refused(400, f"{name} is {value!r}, expected a number of seconds")
        return float(value)

    def time(self, name: str) -> str | None:
        """Return a time as the hub writes it. Refused: 400 when it is none."""
        value = self.text(name)
        if not value:
            return None
        # A plus sign that was not quoted arrives as a space; Python 3.10 reads six digits only.
        text = value.replace(" ", "+") if "T" in value else value
        text = _FRACTION.sub(lambda found: f".{found.group(1)[:6]:0<6}", text)
        try:
            parsed = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))
            return timestamp(parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc))
        except (ValueError, OverflowError) as error:
            raise Refused(400, f"{name} is {value!r}, expected a time in ISO 8601") from error


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
