"""The host's own endpoints under /admin: state, functions, keys, queues, runs by hand, draining."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local.host.answers import JsonAnswer
from local.host.app import App, Function, Trigger
from local.host.errors import Refused
from local.host.event_grid import EventGridWebhook
from local.host.http_api import Endpoint
from local.host.inside import Inside
from local.host.invocation import Runner
from local.host.keys import Keys
from local.host.requests import given_key, read_json
from local.host.timers import Timers
from local.host.writer import Writer

_LOG = logging.getLogger(__name__)


class AdminApi:
    """Answers what the operator of the host asks. All but a ping needs the master key."""

    def __init__(
        self,
        app: App,
        endpoints: Sequence[Endpoint],
        keys: Keys,
        writer: Writer,
        runner: Runner,
        timers: Timers,
        event_grid: EventGridWebhook,
        inside: Inside,
    ) -> None:
        self._app = app
        self._endpoints = {one.function.name: one for one in endpoints}
        self._keys = keys
        self._writer = writer
        self._runner = runner
        self._timers = timers
        self._event_grid = event_grid
        self._inside = inside
        self._started = time.monotonic()
        self._by_hand: set[asyncio.Task[None]] = set()
        self._runs: dict[Trigger, Callable[[Function, Any], Coroutine[Any, Any, None]]] = {
            Trigger.TIMER: self._run_timer,
            Trigger.EVENT_GRID: self._run_event_grid,
            Trigger.ACTIVITY: self._run_activity,
        }

    async def handle(self, request: Request, segments: Sequence[str]) -> Response:
        """Answer a request whose path goes on with `segments` below /admin. Refused: 401, 404."""
        words = [segment.lower() for segment in segments]
        if words == ["host", "ping"] and request.method in ("GET", "POST"):
            return Response(status_code=200)
        if not self._keys.open_admin(given_key(request)):
            raise Refused(401, "the admin endpoints need the master key")
        response = None
        if words[:1] == ["host"]:
            response = await self._host(request.method, words[1:])
        elif words[:1] == ["functions"]:
            response = await self._functions(request, segments[1:])
        if response is None:
            raise Refused(404, f"{request.method} {request.url.path} is not in the admin API")
        return response

    async def _host(self, method: str, words: Sequence[str]) -> Response | None:
        match [method, *words]:
            case ["GET", "status"]:
                return self._status()
            case ["GET", "queues"]:
                return JsonAnswer(await run_in_threadpool(self._inside.queues))
            case ["POST", "drain"]:
                self._writer.begin_drain()
                return Response(status_code=202)
            case ["GET", "drain", "status"]:
                return self._drain_status()
            case ["GET", "keys" | "functionkeys", *names]:
                return _show_keys(self._keys.host, names)
            case ["GET", "systemkeys", *names]:
                return _show_keys(self._keys.system, names)
        return None

    async def _functions(self, request: Request, segments: Sequence[str]) -> Response | None:
        match [request.method, *segments]:
            case ["GET"]:
                return JsonAnswer([self._show(one) for one in self._app.functions.values()])
            case ["GET", name]:
                return JsonAnswer(self._show(self._function(name)))
            case ["GET", name, "keys", *names]:
                return _show_keys(self._keys.of_function(self._function(name).name), names)
            case ["POST", name]:
                return await self._run_by_hand(self._function(name), await read_json(request))
        return None

    def _status(self) -> Response:
        return JsonAnswer(
            {
                "id": "embedded",
                "state": "Running",
                "version": "4.0 (embedded, one machine)",
                "processUptime": int((time.monotonic() - self._started) * 1000),
                "errors": [f"{name}: {reason}" for name, reason in self._app.skipped.items()],
            }
        )

    def _drain_status(self) -> Response:
        outstanding = self._writer.outstanding
        state = "InProgress" if outstanding else "Completed"
        return JsonAnswer(
            {
                "state": state if self._writer.is_draining else "Disabled",
                "outstandingInvocations": outstanding,
            }
        )

    def _show(self, function: Function) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": function.name,
            "config": {"name": function.name, "bindings": function.bindings},
            "language": "python",
            "isDisabled": False,
        }
        endpoint = self._endpoints.get(function.name)
        if endpoint is not None:
            shown["invoke_url_template"] = f"/{endpoint.template.text}"
        return shown

    def _function(self, name: str) -> Function:
        for one in self._app.functions.values():
            if one.name.lower() == name.lower():
                return one
        raise Refused(404, f"the app has no function '{name}'")

    async def _run_by_hand(self, function: Function, body: str | None) -> Response:
        run = self._runs.get(function.trigger)
        if run is None:
            raise Refused(400, f"a function with {function.trigger.value} cannot be run by hand")
        given = json.loads(body or "{}")
        value = given.get("input") if isinstance(given, dict) else None
        task = asyncio.create_task(_logged(function.name, run(function, value)))
        self._by_hand.add(task)
        task.add_done_callback(self._by_hand.discard)
        return Response(status_code=202)

    async def _run_timer(self, function: Function, value: Any) -> None:
        await self._timers.run_by_hand(function.name)

    async def _run_event_grid(self, function: Function, value: Any) -> None:
        event = json.loads(value) if isinstance(value, str) else value
        await self._event_grid.trigger(function, event if isinstance(event, dict) else {})

    async def _run_activity(self, function: Function, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        decoded = ActivityTriggerConverter.decode(Datum(text, "json"), trigger_metadata=None)
        await self._runner.invoke(function, decoded)


def _show_keys(keys: dict[str, str], names: Sequence[str]) -> Response:
    if not names:
        shown = [{"name": name, "value": value} for name, value in keys.items()]
        return JsonAnswer({"keys": shown, "links": []})
    if len(names) > 1 or names[0] not in keys:
        raise Refused(404, "there is no key of that name")
    return JsonAnswer({"name": names[0], "value": keys[names[0]], "links": []})


async def _logged(name: str, run: Coroutine[Any, Any, None]) -> None:
    try:
        await run
    except Exception:  # who asked for the run has its answer already
        _LOG.exception("function=%s failed when run by hand", name)
