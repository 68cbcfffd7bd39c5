# mypy: disallow-untyped-decorators=False
"""The whole durable client of the SDK, one operation a request."""

import inspect
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()


@bp.route(route="client/{operation}/{id?}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def use_client(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    operation, instance = req.route_params["operation"], req.route_params.get("id", "")
    body = req.get_json() if req.get_body() else {}
    try:
        result = await _CLIENT[operation](client, instance, body)
    except Exception as error:
        return func.HttpResponse(str(error), status_code=500)
    if isinstance(result, func.HttpResponse):
        return result
    return func.HttpResponse(json.dumps(result, default=str), mimetype="application/json")


def _statuses(found: list[Any]) -> list[str]:
    return [one.instance_id for one in found]


async def _start(client: Any, instance: str, body: Any) -> Any:
    return await client.start_new(
        body["name"], instance or None, body.get("input"), body.get("version")
    )


async def _status(client: Any, instance: str, body: Any) -> Any:
    status = await client.get_status(instance, show_input=True, **body)
    return status.to_json() if status else None


async def _status_by(client: Any, instance: str, body: Any) -> Any:
    wanted = [df.OrchestrationRuntimeStatus(one) for one in body["statuses"]]
    found = await client.get_status_by(runtime_status=wanted, instance_id_prefix=body["prefix"])
    return _statuses(found)


async def _status_all(client: Any, instance: str, body: Any) -> Any:
    return _statuses(await client.get_status_all())


async def _raise(client: Any, instance: str, body: Any) -> Any:
    return await client.raise_event(instance, body["name"], body.get("data"))


async def _signal(client: Any, instance: str, body: Any) -> Any:
    entity = df.EntityId(*body["entity"])
    return await client.signal_entity(entity, body["operation"], body.get("input"))


async def _read(client: Any, instance: str, body: Any) -> Any:
    state = await client.read_entity_state(df.EntityId(*body["entity"]))
    return {"exists": state.entity_exists, "state": state.entity_state}


async def _purge(client: Any, instance: str, body: Any) -> Any:
    return (await client.purge_instance_history(instance)).instances_deleted


async def _payload(client: Any, instance: str, body: Any) -> Any:
    return client.create_http_management_payload(instance)


_CLIENT: dict[str, Callable[[Any, str, Any], Any]] = {
    "start": _start,
    "status": _status,
    "statusBy": _status_by,
    "statusAll": _status_all,
    "raise": _raise,
    "signal": _signal,
    "read": _read,
    "purge": _purge,
    "payload": _payload,
    "terminate": lambda client, instance, body: client.terminate(instance, "by the client"),
    "suspend": lambda client, instance, body: client.suspend(instance, "by the client"),
    "resume": lambda client, instance, body: client.resume(instance, "by the client"),
    "rewind": lambda client, instance, body: client.rewind(instance, "by_the_client"),
    "restart": lambda client, instance, body: client.restart(instance, body["newId"]),
}


@bp.route(route="client-call/{method}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def call_client(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Call any method with arguments by name, and show what it gives or raises."""
    arguments = {
        name: _CONVERT[name](value) if name in _CONVERT else value
        for name, value in req.get_json().items()
    }
    if "request" in arguments:
        arguments["request"] = req
    try:
        found = getattr(client, req.route_params["method"])(**arguments)
        shown = {"gives": _show(await found if inspect.isawaitable(found) else found)}
    except Exception as error:
        shown = {"raises": f"{type(error).__name__}: {error}"}
    return func.HttpResponse(json.dumps(shown), mimetype="application/json")


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "entityId": lambda parts: df.EntityId(*parts),
    "created_time_from": datetime.fromisoformat,
    "created_time_to": datetime.fromisoformat,
    "runtime_status": lambda names: [df.OrchestrationRuntimeStatus(name) for name in names],
}


def _show(found: Any) -> Any:
    if isinstance(found, list):
        return [_show(one) for one in found]
    if isinstance(found, func.HttpResponse):
        body = json.loads(found.get_body())
        return {"status": found.status_code, "headers": dict(found.headers), "body": body}
    match type(found).__name__:
        case "DurableOrchestrationStatus" if not found:
            return None
        case "DurableOrchestrationStatus":
            return {**found.to_json(), "events": getattr(found, "historyEvents", None)}
        case "PurgeHistoryResult":
            return found.instances_deleted
        case "EntityStateResponse":
            return [found.entity_exists, found.entity_state]
    return found


@bp.route(route="start-and-wait/{name}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start_and_wait(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    instance = await client.start_new(req.route_params["name"], client_input=req.get_json())
    response: func.HttpResponse = await client.wait_for_completion_or_create_check_status_response(
        req, instance, timeout_in_milliseconds=1500, retry_interval_in_milliseconds=50
    )
    return response


@bp.route(route="reply/{status:int}", methods=["GET", "POST"])
def reply(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(
        req.get_body() or b"no body",
        status_code=int(req.route_params["status"]),
        headers={"Content-Type": req.headers.get("content-type", "none/none")},
    )
