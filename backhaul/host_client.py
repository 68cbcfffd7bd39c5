"""Asks a Functions host about its orchestrations, over the management API of Durable Functions.

Instances and histories can be asked of Azure's host too; queue lengths only of the embedded one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from backhaul.connection import Connection
from backhaul.transport import Correspondent, Transport, not_understood, parse_json
from shared.errors import BackhaulError, RequestError

_INSTANCES = "runtime/webhooks/durabletask/instances"
_CONTINUATION = "x-ms-continuation-token"
_PAGE = 1000
_MOST_PAGES = 1000
_MOST_SUGGESTIONS = 10
_WHICH_KEY = (
    "give the master key of the host in BACKHAUL_HOST_KEY or with --key; `python -m local` keeps it"
    " in keys.json of its data folder"
)


class RuntimeStatus(str, Enum):
    """The state of an instance."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    CANCELED = "Canceled"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class Instance(_Answer):
    """The status object of an instance; `history_events` only where they were asked for."""

    name: str
    instance_id: str
    runtime_status: str
    created_time: datetime
    last_updated_time: datetime
    custom_status: Any = None
    input: Any = None
    output: Any = None
    history_events: list[dict[str, Any]] = []


class Queues(_Answer):
    """How much waits in the embedded host."""

    task_hub: str
    draining: bool
    instances: dict[str, int]
    events: dict[str, int]
    activities: dict[str, int]
    timers: dict[str, int | str]
    entities: dict[str, int]


_INSTANCE_LIST = TypeAdapter(list[Instance])


class HostClient(Correspondent):
    """Talks to one host; use it as a context. Answers are JSON, models read them."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(Transport(connection, "", _WHICH_KEY))

    def instances(
        self, prefix: str, statuses: Sequence[RuntimeStatus], top: int
    ) -> list[dict[str, Any]]:
        """Return the newest instances that fit, the newest first; without input and history."""
        query: dict[str, str | list[str]] = {"showInput": "false", "top": str(_PAGE)}
        if prefix:
            query["instanceIdPrefix"] = prefix
        if statuses:
            query["runtimeStatus"] = ",".join(status.value for status in statuses)
        # The API has an order of its own, which on Azure is none that helps a person.
        numbered = enumerate(self._pages(query))
        newest = heapq.nlargest(
            top, numbered, key=lambda one: (str(one[1].get("createdTime")), one[0])
        )
        return [one for _, one in newest]

    def history(self, instance_id: str) -> dict[str, Any]:
        """Return an instance with its history.

        Instead of its whole id a beginning will do, if no other instance begins so.
        """
        query: dict[str, str | list[str]] = {
            "showInput": "true",
            "showHistory": "true",
            "showHistoryOutput": "true",
        }
        try:
            return self._object(f"{_INSTANCES}/{quote(instance_id, safe='')}", query)
        except RequestError as error:
            if error.status != 404:
                raise
        known = self._completed(instance_id)
        return self._object(f"{_INSTANCES}/{quote(known, safe='')}", query)

    def queues(self) -> dict[str, Any]:
        """Return how much waits in each queue."""
        try:
            return self._object("admin/host/queues", {})
        except RequestError as error:
            if error.status != 404:
                raise
            raise RequestError(
                404,
                "NotFound",
                "this host does not tell the lengths of its queues; the embedded host does",
                action="look at the storage account of the app, or use --url for another host",
            ) from None

    def _completed(self, beginning: str) -> str:
        """Return the one id that begins so."""
        query: dict[str, str | list[str]] = {
            "instanceIdPrefix": beginning,
            "showInput": "false",
            "top": str(_MOST_SUGGESTIONS),
        }
        found = [str(one.get("instanceId")) for one in self._page(query, "")[0]]
        if len(found) == 1:
            return found[0]
        if not found:
            raise RequestError(
                404,
                "NotFound",
                f"no instance has the id {beginning!r} or begins with it",
                action="`backhaul host instances` lists them",
            )
        more = " and more" if len(found) == _MOST_SUGGESTIONS else ""
        raise RequestError(
            404,
            "Ambiguous",
            f"several instances begin with {beginning!r}: {', '.join(found)}{more}",
            action="give more of the id",
        )

    def _pages(self, query: dict[str, str | list[str]]) -> Iterator[dict[str, Any]]:
        token = ""
        for _ in range(_MOST_PAGES):
            page, token = self._page(query, token)
            yield from page
            if not token:
                return

    def _page(
        self, query: dict[str, str | list[str]], token: str
    ) -> tuple[list[dict[str, Any]], str]:
        headers = {_CONTINUATION: token} if token else {}
        received = self._transport.send("GET", f"{_INSTANCES}/", query=query, headers=headers)
        page = parse_json(received.text)
        if not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
            raise not_understood("it is no list of instances")
        return page, received.headers.get(_CONTINUATION, "")

    def _object(self, route: str, query: dict[str, str | list[str]]) -> dict[str, Any]:
        document = parse_json(self._transport.send("GET", route, query=query).text)
        if not isinstance(document, dict):
            raise not_understood("it is no object")
        return document


def read_instance(document: dict[str, Any]) -> Instance:
    """Return an instance as a model. BackhaulError: it is none."""
    try:
        return Instance.model_validate(document)
    except ValidationError as error:
        raise _wrong(error) from None


def read_instances(documents: list[dict[str, Any]]) -> list[Instance]:
    """Return instances as models. BackhaulError: one is none."""
    try:
        return _INSTANCE_LIST.validate_python(documents)
    except ValidationError as error:
        raise _wrong(error) from None


def read_queues(document: dict[str, Any]) -> Queues:
    """Return queue lengths as a model. BackhaulError: they are none."""
    try:
        return Queues.model_validate(document)
    except ValidationError as error:
        raise _wrong(error) from None


def _wrong(error: ValidationError) -> BackhaulError:
    first = error.errors(include_input=False, include_url=False)[0]
    return not_understood(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
