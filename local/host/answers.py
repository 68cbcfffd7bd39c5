"""Answers in JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from local.host.errors import Refused


class JsonAnswer(JSONResponse):
    """JSON in ASCII: a value may hold half a surrogate pair, which UTF-8 has no bytes for."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


def refusal(error: Refused) -> Response:
    """Return the answer to a request that is refused, with the names the SDK looks for."""
    message = {
        "Message": error.message,
        "ExceptionMessage": error.message,
        "ExceptionType": "Refused",
    }
    return JsonAnswer(message, error.status)
