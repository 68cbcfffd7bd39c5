"""Asks the app over HTTP. docs/api.md describes the requests and answers."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError

from backhaul.connection import Connection
from backhaul.transport import Correspondent, Transport, not_understood, parse_json
from shared.errors import RequestError
from shared.json_model import Json
from shared.models import (
    CancelRequest,
    CutoverCheck,
    CutoverReadiness,
    CutoverRequest,
    Migration,
    MigrationRequest,
    PreflightReport,
    RehearseRequest,
    RestartRequest,
    RetryRequest,
)
from shared.stop_point import StopPoint

_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_.~-]{1,100}")
_WHICH_KEY = (
    "give its function key in BACKHAUL_KEY or with --key; `backhaul up` writes it to"
    " .backhaul/connection.json"
)

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
        return parse_json(self._text)

    @property
    def content(self) -> M:
        """The model, without what only a newer app says."""
        try:
            return self._model.model_validate_json(self._text, extra="ignore")
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise not_understood(f"{where}: {first['msg']}") from None


class Client(Correspondent):
    """Talks to one app; use it as a context."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(Transport(connection, "api/", _WHICH_KEY))

    def list(self) -> Answer[MigrationList]:
        """Return all migrations, without details."""
        return self._send("GET", "migrations", MigrationList)

    def show(self, migration: str) -> Answer[Migration]:
        """Return a migration with all details."""
        return self._send("GET", _route(migration), Migration)

    def create(self, request: MigrationRequest) -> Answer[Migration]:
        """Start a migration; the same again returns the one that runs."""
        return self._send("POST", "migrations", Migration, request)

    def check_create(self, request: MigrationRequest) -> Answer[PreflightReport]:
        """Return whether the target could take the database; changes nothing."""
        return self._send("POST", "migrations?validateOnly=true", PreflightReport, request)

    def check_cutover(
        self, migration: str, stop: StopPoint | None = None
    ) -> Answer[CutoverReadiness]:
        """Return whether a cutover would lose anything, or may stop there; changes nothing."""
        route = f"{_route(migration)}/cutover?validateOnly=true"
        body = CutoverCheck(stop_at=stop) if stop is not None else None
        return self._send("POST", route, CutoverReadiness, body)

    def cutover(self, migration: str, request: CutoverRequest) -> Answer[Migration]:
        """Ask for the cutover; it goes on after the answer."""
        return self._send("POST", f"{_route(migration)}/cutover", Migration, request)

    def cancel(self, migration: str, request: CancelRequest) -> Answer[Migration]:
        """Ask for the end of a migration; it goes on after the answer."""
        return self._send("POST", f"{_route(migration)}/cancel", Migration, request)

    def retry(self, migration: str, request: RetryRequest) -> Answer[Migration]:
        """Let a migration that has given up go on."""
        return self._send("POST", f"{_route(migration)}/retry", Migration, request)

    def restart(self, migration: str, request: RestartRequest) -> Answer[Migration]:
        """Begin an ended migration anew with its old settings."""
        return self._send("POST", f"{_route(migration)}/restart", Migration, request)

    def rehearse(self, migration: str, request: RehearseRequest) -> Answer[Migration]:
        """Try a migration out in a scratch database; it goes on after the answer."""
        return self._send("POST", f"{_route(migration)}/rehearse", Migration, request)

    def delete(self, migration: str, operation: UUID, *, force: bool) -> bool:
        """Take a migration's record away; False if it is canceled first, and goes after that."""
        query = f"?migrationOperationId={operation}&force={str(force).lower()}"
        return not self._transport.send("DELETE", _route(migration) + query).text

    def _send(self, method: str, route: str, model: type[M], body: Json | None = None) -> Answer[M]:
        given = None if body is None else body.as_json()
        return Answer(model, self._transport.send(method, route, body=given).text)


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
