"""Asks the app over HTTP. docs/api.md describes the requests and answers.

A refusal becomes a RequestError with the app's own words; an app that does not answer, or says
that it cannot now, becomes AppUnavailable. The key is in no message.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Generic, TypeVar

import httpx
from pydantic import ValidationError
from pydantic_core import from_json

from backhaul.connection import Connection
from shared.errors import AppUnavailable, BackhaulError, RequestError
from shared.models import (
    CancelRequest,
    CutoverReadiness,
    CutoverRequest,
    Json,
    Migration,
    MigrationRequest,
)

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_LARGEST_ANSWER = 256 * 1024 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,100}")
_HOW_TO_REACH = "start it with `backhaul up`, or give another address with --url or BACKHAUL_URL"

M = TypeVar("M", bound=Json)


class MigrationList(Json):
    """Answer to `GET /migrations`."""

    value: list[Migration]


class Answer(Generic[M]):
    """An answer of the app: as it came, and as a model."""

    def __init__(self, model: type[M], text: bytes) -> None:
        self._model = model
        self._text = text

    @property
    def document(self) -> Any:
        """The JSON as it came."""
        try:
            return from_json(self._text)
        except ValueError:
            raise _not_understood("it is no JSON") from None

    @property
    def content(self) -> M:
        """The model, without what only a newer app says."""
        try:
            return self._model.model_validate_json(self._text, extra="ignore")
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise _not_understood(f"{where}: {first['msg']}") from None


class Client:
    """Talks to one app; close it, or use it as a context."""

    def __init__(self, connection: Connection) -> None:
        self._address = connection.url
        key = connection.key.get_secret_value() if connection.key else ""
        self._has_key = bool(key)
        self._http = httpx.Client(
            base_url=f"{connection.url}/api/",
            headers={"x-functions-key": key} if key else {},
            timeout=_TIMEOUT,
            # A proxy could not reach what listens on this machine only.
            trust_env=httpx.URL(connection.url).host not in _LOOPBACK,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def list(self) -> Answer[MigrationList]:
        """Return all migrations, without details."""
        return self._send("GET", "migrations", MigrationList)

    def show(self, migration: str) -> Answer[Migration]:
        """Return a migration with all details."""
        return self._send("GET", _route(migration), Migration)

    def create(self, request: MigrationRequest) -> Answer[Migration]:
        """Start a migration; the same again returns the one that runs."""
        return self._send("POST", "migrations", Migration, request)

    def check_cutover(self, migration: str) -> Answer[CutoverReadiness]:
        """Return whether a cutover would lose anything; changes nothing."""
        route = f"{_route(migration)}/cutover?validateOnly=true"
        return self._send("POST", route, CutoverReadiness)

    def cutover(self, migration: str, request: CutoverRequest) -> Answer[Migration]:
        """Ask for the cutover; it goes on after the answer."""
        return self._send("POST", f"{_route(migration)}/cutover", Migration, request)

    def cancel(self, migration: str, request: CancelRequest) -> Answer[Migration]:
        """Ask for the end of a migration; it goes on after the answer."""
        return self._send("POST", f"{_route(migration)}/cancel", Migration, request)

    def _send(self, method: str, route: str, model: type[M], body: Json | None = None) -> Answer[M]:
        given = None if body is None else body.as_json()
        try:
            with self._http.stream(method, route, json=given) as response:
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
            return Answer(model, text)
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
                action="give its function key in BACKHAUL_KEY or with --key; `backhaul up` writes"
                " it to .backhaul/connection.json",
            )
        code, message, action = _told(text)
        if not message:
            message = f"{self._address} answers HTTP {status} {response.reason_phrase}".rstrip()
            action = "check that the address is that of a Backhaul app; look at the app's log"
        if status == httpx.codes.TOO_MANY_REQUESTS or status > httpx.codes.INTERNAL_SERVER_ERROR:
            return AppUnavailable(message, action=action)
        return RequestError(status, code, message, action=action)


def _route(migration: str) -> str:
    """Return the route of a migration; an id that cannot be one must not become another route."""
    if not _ID.fullmatch(migration):
        raise RequestError(
            404,
            "NotFound",
            f"no migration can have the id {migration!r}",
            action="`backhaul status` lists the migrations with their ids",
        )
    return f"migrations/{migration}"


def _read(response: httpx.Response) -> bytes:
    text = bytearray()
    for part in response.iter_bytes():
        text += part
        if len(text) > _LARGEST_ANSWER:
            raise _not_understood(f"it is longer than {_LARGEST_ANSWER} bytes")
    return bytes(text)


def _told(text: bytes) -> tuple[str, str, str]:
    """Return code, message and action of an error answer, empty where it has none."""
    try:
        document = from_json(text)
    except ValueError:
        return "", "", ""
    error = document.get("error") if isinstance(document, dict) else None
    told = error if isinstance(error, dict) else {}
    code, message, action = (str(told.get(key, "")) for key in ("code", "message", "action"))
    return code, message, action


def _not_understood(why: str) -> BackhaulError:
    return BackhaulError(
        f"the answer of the app cannot be understood: {why}",
        action="check that the address is that of a Backhaul app, and update this program",
    )
