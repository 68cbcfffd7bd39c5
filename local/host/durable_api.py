"""The HTTP management API of Durable Functions.

Served twice: under the public webhook path, which needs a key, and under the address that only
the SDK's client in this process knows. Paths, verbs and codes are those of the Functions
extension (HttpApiHandler.cs); segments match in any case.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local.host.answers import JsonAnswer
from local.host.client import HubClient
from local.host.endings import Endings
from local.host.errors import Refused
from local.host.instance import FINISHED, LIVE, Instance
from local.host.links import Links
from local.host.queries import EntityFilter, HubQueries, InstanceFilter
from local.host.requests import Query, read_json
from local.host.status import show_history, show_instance, show_time, show_value

_CONTINUATION = "x-ms-continuation-token"
_EMPTY_KEY = "$"
_STATUSES = {name.lower(): name for name in (*LIVE, *FINISHED, "ContinuedAsNew")}


class DurableApi:
    """Answers requests for one hub."""

    def __init__(
        self, client: HubClient, queries: HubQueries, endings: Endings, links: Links
    ) -> None:
        self._client = client
        self._queries = queries
        self._endings = endings
        self._links = links
        self._instance_operations: dict[
            tuple[str, str], Callable[[Request, str], Awaitable[Response]]
        ] = {
            ("POST", "terminate"): self._terminate,
            ("POST", "suspend"): self._suspend,
            ("POST", "resume"): self._resume,
            ("POST", "rewind"): self._rewind,
            ("POST", "restart"): self._restart,
        }

    async def handle(self, request: Request, segments: Sequence[str]) -> Response:
        """Answer a request whose path goes on with `segments` below the API's address.

        Refused: whatever the request cannot have.
        """
        hub = Query(request).text("taskHub") or self._links.hub_name
        if hub.lower() != self._links.hub_name.lower():
            raise Refused(404, f"this host has the task hub '{self._links.hub_name}', not '{hub}'")
        method = request.method
        match [segments[0].lower() if segments else "", *segments[1:]]:
            case ["orchestrators", name] if method == "POST":
                return await self._start(request, name, None)
            case ["orchestrators", name, instance_id] if method == "POST":
                return await self._start(request, name, instance_id)
            case ["instances", *rest]:
                return await self._handle_instances(request, rest)
            case ["entities", *rest]:
                return await self._handle_entities(request, rest)
        raise _no_such_operation(request)

    async def _handle_instances(self, request: Request, segments: Sequence[str]) -> Response:
        method = request.method
        match segments:
            case [] | [""] if method == "GET":
                return await self._list(request)
            case [] | [""] if method == "DELETE":
                return await self._purge_many(request)
            case [instance_id] if method == "GET":
                return await self._show(request, instance_id)
            case [instance_id] if method == "DELETE":
                return await self._purge(instance_id)
            case [instance_id, operation, name] if operation.lower() == "raiseevent":
                if method == "POST":
                    return await self._raise_event(request, instance_id, name)
            case [instance_id, operation]:
                handler = self._instance_operations.get((method, operation.lower()))
                if handler is not None:
                    return await handler(request, instance_id)
        raise _no_such_operation(request)

    async def _handle_entities(self, request: Request, segments: Sequence[str]) -> Response:
        match [request.method, *segments]:
            case ["GET"] | ["GET", ""]:
                return await self._list_entities(request, None)
            case ["GET", name] | ["GET", name, ""]:
                return await self._list_entities(request, name)
            case ["GET", name, key]:
                return await self._read_entity(name, key)
            case ["POST", name, key]:
                return await self._signal(request, name, key, Query(request).text("op"))
            case ["DELETE", name, key]:
                return await self._signal(request, name, key, "delete")
        raise _no_such_operation(request)

    # -- instances -------------------------------------------------------------------------------

    async def _start(self, request: Request, name: str, instance_id: str | None) -> Response:
        query = Query(request)
        timeout_s = query.seconds("timeout")
        query.seconds("pollingInterval")  # may be given; here nobody needs to look again and again
        started = self._client.start(
            name, instance_id, query.text("version"), await read_json(request)
        )
        new_id = await asyncio.wrap_future(started)
        if timeout_s is not None:
            ended = await self._wait(new_id, timeout_s)
            if ended is not None and ended.status == "Completed":
                return JsonAnswer(show_value(ended.output))
            if ended is not None:
                return await self._show(request, new_id)
        return self._accepted(request, new_id)

    async def _wait(self, instance_id: str, timeout_s: float) -> Instance | None:
        """Return the instance when it has ended, or None when it does not within the time."""
        deadline = time.monotonic() + timeout_s
        while True:
            ending = asyncio.wrap_future(self._endings.expect(instance_id))
            try:
                instance = await run_in_threadpool(self._queries.instance, instance_id)
                if instance is None or not instance.is_live:
                    return instance
                await asyncio.wait_for(ending, max(deadline - time.monotonic(), 0))
            except asyncio.TimeoutError:
                return None
            finally:
                ending.cancel()

    async def _show(self, request: Request, instance_id: str) -> Response:
        query = Query(request)
        instance = await run_in_threadpool(self._queries.instance, instance_id)
        if instance is None:
            return Response(status_code=404)
        shown = show_instance(instance, with_input=query.flag("showInput", default=True))
        if query.flag("showHistory", default=False):
            events = await run_in_threadpool(self._queries.history, instance_id)
            with_output = query.flag("showHistoryOutput", default=False)
            shown["historyEvents"] = show_history(events, with_output=with_output)
        if instance.is_live:
            location = self._links.management(_origin(request), instance_id)["statusQueryGetUri"]
            return JsonAnswer(shown, 202, {"Location": location, "Retry-After": "5"})
        failed = instance.status == "Failed"
        as_error = failed and query.flag("returnInternalServerErrorOnFailure", default=False)
        return JsonAnswer(shown, 500 if as_error else 200)

    async def _list(self, request: Request) -> Response:
        query = Query(request)
        wanted = InstanceFilter(
            prefix=query.text("instanceIdPrefix"),
            created_from=query.time("createdTimeFrom"),
            created_to=query.time("createdTimeTo"),
            statuses=_statuses(query),
        )
        continuation = request.headers.get(_CONTINUATION)
        found, following = await run_in_threadpool(
            self._queries.instances, wanted, query.count("top"), continuation
        )
        with_input = query.flag("showInput", default=False)
        return JsonAnswer(
            [show_instance(one, with_input=with_input) for one in found],
            headers={_CONTINUATION: following},
        )

    async def _raise_event(self, request: Request, instance_id: str, name: str) -> Response:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused(400, "Only application/json request content is supported")
        data = await read_json(request)
        await asyncio.wrap_future(self._client.raise_event(instance_id, name, data))
        return Response(status_code=202)

    async def _terminate(self, request: Request, instance_id: str) -> Response:
        await asyncio.wrap_future(self._client.terminate(instance_id, _reason(request)))
        return Response(status_code=202)

    async def _suspend(self, request: Request, instance_id: str) -> Response:
        await asyncio.wrap_future(self._client.suspend(instance_id, _reason(request)))
        return Response(status_code=202)

    async def _resume(self, request: Request, instance_id: str) -> Response:
        await asyncio.wrap_future(self._client.resume(instance_id, _reason(request)))
        return Response(status_code=202)

    async def _rewind(self, request: Request, instance_id: str) -> Response:
        await asyncio.wrap_future(self._client.rewind(instance_id, _reason(request)))
        return Response(status_code=202)

    async def _restart(self, request: Request, instance_id: str) -> Response:
        with_new_id = Query(request).flag("restartWithNewInstanceId", default=True)
        restarted = self._client.restart(instance_id, with_new_id=with_new_id)
        return self._accepted(request, await asyncio.wrap_future(restarted))

    async def _purge(self, instance_id: str) -> Response:
        deleted = await asyncio.wrap_future(self._client.purge(instance_id))
        return JsonAnswer({"instancesDeleted": deleted})

    async def _purge_many(self, request: Request) -> Response:
        query = Query(request)
        created_from = query.time("createdTimeFrom")
        if created_from is None:
            raise Refused(400, "Please provide value for 'createdTimeFrom' parameter.")
        statuses = _statuses(query) or FINISHED
        purged = self._client.purge_many(created_from, query.time("createdTimeTo"), statuses)
        deleted = await asyncio.wrap_future(purged)
        if not deleted:
            return Response(status_code=404)
        return JsonAnswer({"instancesDeleted": deleted})

    def _accepted(self, request: Request, instance_id: str) -> Response:
        links = self._links.management(_origin(request), instance_id)
        del links["rewindPostUri"]
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return JsonAnswer(links, 202, headers)

    # -- entities --------------------------------------------------------------------------------

    async def _read_entity(self, name: str, key: str) -> Response:
        state = await run_in_threadpool(self._queries.entity, name, _key(key))
        if state is None:
            return Response(status_code=404)
        return Response(state, media_type="application/json")

    async def _list_entities(self, request: Request, name: str | None) -> Response:
        query = Query(request)
        wanted = EntityFilter(
            name=name,
            updated_from=query.time("lastOperationTimeFrom"),
            updated_to=query.time("lastOperationTimeTo"),
        )
        continuation = request.headers.get(_CONTINUATION)
        found, following = await run_in_threadpool(
            self._queries.entities, wanted, query.count("top"), continuation
        )
        with_state = query.flag("fetchState", default=False)
        shown = []
        for one in found:
            view: dict[str, Any] = {
                "entityId": {"name": one.name, "key": one.key},
                "lastOperationTime": show_time(one.updated),
            }
            if with_state:
                view["state"] = show_value(one.state)
            shown.append(view)
        return JsonAnswer(shown, headers={_CONTINUATION: following})

    async def _signal(
        self, request: Request, name: str, key: str, operation: str | None
    ) -> Response:
        data = await read_json(request)
        signal = self._client.signal(name, _key(key), operation or "", data)
        await asyncio.wrap_future(signal)
        return Response(status_code=202)


def _no_such_operation(request: Request) -> Refused:
    return Refused(404, f"{request.method} {request.url.path} is not in the management API")


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _reason(request: Request) -> str:
    return Query(request).text("reason") or ""


def _key(segment: str) -> str:
    return "" if segment == _EMPTY_KEY else segment


def _statuses(query: Query) -> list[str]:
    words = query.words("runtimeStatus")
    unknown = [word for word in words if word.lower() not in _STATUSES]
    if unknown:
        raise Refused(
            400, f"runtimeStatus has {json.dumps(unknown)}, known are {sorted(_STATUSES.values())}"
        )
    return [_STATUSES[word.lower()] for word in words]
