"""The webhook to which Event Grid delivers: handshake, batches, both schemas.

Source: the Event Grid extension (EventGridExtensionConfigProvider, HttpRequestProcessor); the
CloudEvents handshake: CloudEvents 1.0, "HTTP 1.1 Web Hooks for Event Delivery".
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local.host.answers import JsonAnswer
from local.host.app import Function
from local.host.errors import Refused
from local.host.invocation import Runner
from local.host.keys import EVENT_GRID_KEY, Keys
from local.host.requests import Query, given_key, read_json

_LOG = logging.getLogger(__name__)
_MOST_EVENTS = 5000  # in one delivery; the most that a subscription can ask for


class EventGridWebhook:
    """Serves the functions with an Event Grid trigger."""

    def __init__(self, functions: Mapping[str, Function], keys: Keys, runner: Runner) -> None:
        """`functions` are found by their name in lower case."""
        self._functions = functions
        self._keys = keys
        self._runner = runner

    async def handle(self, request: Request) -> Response:
        """Answer a delivery or handshake. Refused: 400, 401, 404, 413."""
        if not self._keys.open_webhook(given_key(request), EVENT_GRID_KEY):
            raise Refused(401, "the Event Grid webhook needs its key in the query, as code")
        name = Query(request).text("functionName") or ""
        function = self._functions.get(name.lower())
        if function is None:
            raise Refused(404, f"no function with an Event Grid trigger is named '{name}'")
        if request.method == "OPTIONS":
            return _allow_origin(request)
        if request.method != "POST":
            raise Refused(404, f"Event Grid delivers with POST, not with {request.method}")
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe":
            return Response(status_code=202)
        if kind == "subscriptionvalidation":
            return _validate(_events(await read_json(request)))
        if kind != "notification":
            raise Refused(400, "the header aeg-event-type is missing or not known")
        return await self._deliver(function, _events(await read_json(request)))

    async def trigger(self, function: Function, event: dict[str, Any]) -> None:
        """Run a function for one event; an exception is the function's own."""
        datum = Datum(json.dumps(event), "json")
        await self._runner.invoke(
            function, EventGridEventInConverter.decode(datum, trigger_metadata=None)
        )

    async def _deliver(self, function: Function, events: list[dict[str, Any]]) -> Response:
        """Run the function for each event; one that fails has all of them delivered again."""
        runs = (self.trigger(function, event) for event in events)
        failures = [
            result
            for result in await asyncio.gather(*runs, return_exceptions=True)
            if isinstance(result, BaseException)
        ]
        for failure in failures:
            _LOG.error("function=%s failed for an event", function.name, exc_info=failure)
        if failures:
            first = failures[0]
            return PlainTextResponse(
                f"{len(failures)} of {len(events)} events failed; "
                f"the first with {type(first).__name__}: {first}",
                500,
            )
        return Response(status_code=202)


def _events(text: str | None) -> list[dict[str, Any]]:
    """Return the events of a body: an array in either schema, or one CloudEvent."""
    body = json.loads(text or "null")
    events = [body] if isinstance(body, dict) else body
    if not isinstance(events, list) or not all(isinstance(one, dict) for one in events):
        raise Refused(400, "the body is neither an event nor an array of events")
    if len(events) > _MOST_EVENTS:
        raise Refused(413, f"the body has {len(events)} events, at most {_MOST_EVENTS} are taken")
    return events


def _validate(events: list[dict[str, Any]]) -> Response:
    data = events[0].get("data") if events else None
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        raise Refused(400, "the validation event has no data.validationCode")
    return JsonAnswer({"validationResponse": code})


def _allow_origin(request: Request) -> Response:
    origin = request.headers.get("webhook-request-origin")
    if origin is None:
        raise Refused(400, "the header WebHook-Request-Origin is missing")
    headers = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=headers)
