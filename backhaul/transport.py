"""Asks over HTTP, and puts what goes wrong into words.

A refusal becomes a RequestError with the other side's own words; one that does not answer, or says
that it cannot now, becomes AppUnavailable. The key is in no message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import httpx
from pydantic_core import from_json

from backhaul.connection import Connection
from shared.errors import AppUnavailable, BackhaulError, RequestError

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_LARGEST_ANSWER = 256 * 1024 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HOW_TO_REACH = "start it with `backhaul up`, or give another address with --url or BACKHAUL_URL"

C = TypeVar("C", bound="Correspondent")


class Received(NamedTuple):
    """An answer of success."""

    headers: Mapping[str, str]
    text: bytes


class Transport:
    """Sends requests to one address with one key; close it.

    Args:
        connection: the address, and the key that goes with each request.
        path: what all routes are below, empty or with a slash at its end.
        which_key: what to do when the key is missing or wrong.
    """

    def __init__(self, connection: Connection, path: str, which_key: str) -> None:
        self._address = connection.url
        self._which_key = which_key
        key = connection.key.get_secret_value() if connection.key else ""
        self._has_key = bool(key)
        self._http = httpx.Client(
            base_url=f"{connection.url}/{path}",
            headers={"x-functions-key": key} if key else {},
            timeout=_TIMEOUT,
            # A proxy could not reach what listens on this machine only.
            trust_env=httpx.URL(connection.url).host not in _LOOPBACK,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        route: str,
        *,
        query: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Received:
        """Send a request; `body` goes as JSON."""
        try:
            with self._http.stream(
                method, route, params=query, headers=headers, json=body
            ) as response:
                text = _read(response)
        except httpx.TimeoutException as error:
            limit = _TIMEOUT.connect if isinstance(error, httpx.ConnectTimeout) else _TIMEOUT.read
            raise AppUnavailable(
                f"{self._address} does not answer within {limit:.0f} s", action=_HOW_TO_REACH
            ) from error
        except httpx.HTTPError as error:
            raise AppUnavailable(
                f"cannot reach {self._address}: {str(error) or type(error).__name__}",
                action=_HOW_TO_REACH,
            ) from error
        if response.is_success:
            return Received(response.headers, text)
        raise self._refusal(response, text)

    def _refusal(self, response: httpx.Response, text: bytes) -> BackhaulError:
        """Return what an answer other than success means, in the app's words if it has any."""
        status = response.status_code
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            what = "does not accept the key" if self._has_key else "wants a key, and none is given"
            return RequestError(
                status,
                "Unauthorized",
                f"{self._address} {what} (HTTP {status})",
                action=self._which_key,
            )
        code, message, action = _told(text)
        if not message:
            message = f"{self._address} answers HTTP {status} {response.reason_phrase}".rstrip()
            action = "check that the address is that of a Backhaul app; look at the app's log"
        if status == httpx.codes.TOO_MANY_REQUESTS or status > httpx.codes.INTERNAL_SERVER_ERROR:
            return AppUnavailable(message, action=action)
        return RequestError(status, code, message, action=action)


class Correspondent:
    """Who asks over a transport, and closes it at the end; use it as a context."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()


def parse_json(text: bytes) -> Any:
    """Return the JSON of an answer. BackhaulError: it is none."""
    try:
        return json.loads(text)  # takes half a surrogate pair, which pydantic's reader does not
    except (ValueError, RecursionError):
        raise not_understood("it is no JSON") from None


def not_understood(why: str) -> BackhaulError:
    """Return the error of an answer that nothing can be made of."""
    return BackhaulError(
        f"the answer of the app cannot be understood: {why}",
        action="check that the address is that of a Backhaul app, and update this program",
    )


def _read(response: httpx.Response) -> bytes:
    text = bytearray()
    for part in response.iter_bytes():
        text += part
        if len(text) > _LARGEST_ANSWER:
            raise not_understood(f"it is longer than {_LARGEST_ANSWER} bytes")
    return bytes(text)


def _told(text: bytes) -> tuple[str, str, str]:
    """Return code, message and action of an error answer, empty where it has none.

    The app answers with `error`, the management API of Durable Functions with `Message`.
    """
    try:
        document = from_json(text)
    except ValueError:
        return "", "", ""
    if not isinstance(document, dict):
        return "", "", ""
    error = document.get("error")
    told = error if isinstance(error, dict) else {"message": document.get("Message") or ""}
    code, message, action = (str(told.get(key, "")) for key in ("code", "message", "action"))
    return code, message, action
