"""Who may look at the host's page: a browser shows the master key once, then a cookie.

The cookie does not hold the key. Browsers send a cookie to every port of a host name, so another
program on this machine could read it; what it could learn opens nothing but the page, for a while.
"""

from __future__ import annotations

import hmac
import re
import time

from starlette.requests import Request
from starlette.responses import Response

from local.host.keys import Keys

_LASTS_S = 12 * 3600
_TOKEN = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")


class Sessions:
    """The sessions of one host. They end with the master key, or after twelve hours."""

    def __init__(self, keys: Keys, path: str) -> None:
        """`path` is the path of the page; the cookie is for it and what is below it."""
        self._keys = keys
        self._path = path

    def is_open(self, request: Request) -> bool:
        """Tell whether a request comes from a browser that has shown the key."""
        match = _TOKEN.fullmatch(request.cookies.get(_name(request), ""))
        if match is None:
            return False
        is_ours = hmac.compare_digest(match[2], self._signature(match[1]))
        return is_ours and time.time() < int(match[1])

    def begin(self, request: Request, response: Response) -> None:
        """Have the browser keep a cookie. The key must have been checked."""
        until = str(int(time.time()) + _LASTS_S)
        self._set(request, response, f"{until}.{self._signature(until)}", _LASTS_S)

    def end(self, request: Request, response: Response) -> None:
        """Have the browser forget the cookie."""
        self._set(request, response, "", 0)

    def _set(self, request: Request, response: Response, value: str, lasts_s: int) -> None:
        response.set_cookie(
            _name(request),
            value,
            max_age=lasts_s,
            path=self._path,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    def _signature(self, until: str) -> str:
        return hmac.new(self._keys.master.encode(), f"page {until}".encode(), "sha256").hexdigest()


def _name(request: Request) -> str:
    """Return a name for each port: hosts on one machine must not overwrite each other's cookie."""
    _, port = request.scope["server"]
    return f"backhaul-host-{port}"
