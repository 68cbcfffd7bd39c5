"""The HTTP API: what can be asked of migrations. docs/api.md describes it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import azure.durable_functions as df
import azure.functions as func

from activities.place import workplace
from orchestrators.starting import start_validation, wake_migration
from shared import ordering
from shared.admission import check_migration
from shared.arrivals import unchecked_blobs
from shared.blob_event import FinishedBlob
from shared.errors import BackhaulError, RequestError, StorageUnavailable, TargetUnavailable
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
from shared.records import MigrationOrder
from shared.rehearsing import order_rehearsal
from shared.workplace import Workplace

_LOG = logging.getLogger(__name__)
_LARGEST_BODY = 64 * 1024
_CHECKED_AT_ONCE = 100

T = TypeVar("T")
Answer = tuple[int, object]


async def create_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Start a migration: 201, or 200 if the same one runs already.

    With `validateOnly=true` only say whether its target could take the database.
    """

    def create(place: Workplace) -> tuple[MigrationOrder, bool, list[FinishedBlob], Migration]:
        wanted = ordering.parse_body(MigrationRequest, _body(req))
        order, new = ordering.create_migration(place, wanted)
        unread = ordering.first(unchecked_blobs(place, order.folder), _CHECKED_AT_ONCE)
        return order, new, unread, ordering.show_migration(place, order.id)

    def check(place: Workplace) -> PreflightReport:
        return check_migration(place, ordering.parse_body(MigrationRequest, _body(req)))

    async def answer() -> Answer:
        if _validates_only(req):
            return 200, (await _in_thread(check)).as_json()
        order, new, unread, migration = await _in_thread(create)
        for blob in unread:
            await start_validation(client, blob, again=True)
        await wake_migration(client, order.id)
        return 201 if new else 200, migration.as_json()

    return await _answered(answer)


async def list_migrations(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """List all migrations, without details."""

    async def answer() -> Answer:
        migrations = await _in_thread(ordering.list_migrations)
        return 200, {"value": [migration.as_json() for migration in migrations]}

    return await _answered(answer)


async def show_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Show one migration with its details."""

    async def answer() -> Answer:
        migration = await _in_thread(lambda place: ordering.show_migration(place, _id(req)))
        return 200, migration.as_json()

    return await _answered(answer)


async def cutover_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Accept a cutover: 202. With `validateOnly=true` only say whether one would lose anything."""

    def cutover(place: Workplace) -> None:
        wanted = ordering.parse_body(CutoverRequest, _body(req))
        ordering.order_cutover(place, _id(req), wanted)

    def check(place: Workplace) -> CutoverReadiness:
        wanted = ordering.parse_body(CutoverCheck, _body(req))
        return ordering.check_cutover(place, _id(req), wanted.stop_at)

    async def answer() -> Answer:
        if _validates_only(req):
            return 200, (await _in_thread(check)).as_json()
        await _in_thread(cutover)
        await wake_migration(client, _id(req))
        migration = await _in_thread(lambda place: ordering.show_migration(place, _id(req)))
        return 202, migration.as_json()

    return await _answered(answer)


async def cancel_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Accept a cancel: 202."""

    def cancel(place: Workplace) -> Migration:
        wanted = ordering.parse_body(CancelRequest, _body(req))
        return ordering.order_cancel(place, _id(req), wanted)

    async def answer() -> Answer:
        migration = await _in_thread(cancel)
        await wake_migration(client, migration.id)
        return 202, migration.as_json()

    return await _answered(answer)


async def retry_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Let a migration that has given up go on: 202."""

    def retry(place: Workplace) -> Migration:
        wanted = ordering.parse_body(RetryRequest, _body(req))
        return ordering.order_retry(place, _id(req), wanted)

    async def answer() -> Answer:
        migration = await _in_thread(retry)
        await wake_migration(client, migration.id)
        return 202, migration.as_json()

    return await _answered(answer)


async def restart_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Begin an ended migration anew with its old settings: 201."""

    def restart(place: Workplace) -> Migration:
        wanted = ordering.parse_body(RestartRequest, _body(req))
        return ordering.order_restart(place, _id(req), wanted)

    async def answer() -> Answer:
        migration = await _in_thread(restart)
        await wake_migration(client, migration.id)
        return 201, migration.as_json()

    return await _answered(answer)


async def rehearse_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Begin a rehearsal of a migration: 202; the same while one is under way."""

    def rehearse(place: Workplace) -> tuple[str, Migration]:
        wanted = ordering.parse_body(RehearseRequest, _body(req))
        rehearsal = order_rehearsal(place, _id(req), wanted)
        return rehearsal, ordering.show_migration(place, _id(req))

    async def answer() -> Answer:
        rehearsal, migration = await _in_thread(rehearse)
        await wake_migration(client, rehearsal)
        return 202, migration.as_json()

    return await _answered(answer)


async def delete_migration(
    req: func.HttpRequest, client: df.DurableOrchestrationClient
) -> func.HttpResponse:
    """Take a migration's record away: 204; 202 with `force=true` while it is canceled first."""

    def delete(place: Workplace) -> Migration | None:
        operation = req.params.get("migrationOperationId", "")
        wanted = ordering.parse_body(
            RetryRequest, json.dumps({"migrationOperationId": operation}).encode()
        )
        force = req.params.get("force", "").lower() == "true"
        return ordering.delete_migration(
            place, _id(req), wanted.migration_operation_id, force=force
        )

    async def answer() -> Answer:
        migration = await _in_thread(delete)
        await wake_migration(client, _id(req))
        return (204, None) if migration is None else (202, migration.as_json())

    return await _answered(answer)


async def _in_thread(work: Callable[[Workplace], T]) -> T:
    """Do blocking work beside the event loop that all functions share."""
    return await asyncio.to_thread(lambda: work(workplace()))


def _validates_only(req: func.HttpRequest) -> bool:
    return str(req.params.get("validateOnly", "")).lower() == "true"


def _id(req: func.HttpRequest) -> str:
    return str(req.route_params.get("id", ""))


def _body(req: func.HttpRequest) -> bytes:
    body = req.get_body()
    if len(body) > _LARGEST_BODY:
        raise RequestError(
            413,
            "RequestTooLarge",
            f"the body has {len(body)} bytes, at most {_LARGEST_BODY} are read",
            action="send only the fields that docs/api.md describes",
        )
    return body


async def _answered(answer: Callable[[], Awaitable[Answer]]) -> func.HttpResponse:
    """Turn what a handler returns or raises into a response."""
    try:
        status, content = await answer()
    except RequestError as error:
        return _failure(error.status, error.code, error)
    except (StorageUnavailable, TargetUnavailable) as error:
        return _failure(503, "TemporarilyUnavailable", error, {"Retry-After": "10"})
    except BackhaulError as error:
        _LOG.exception("a request failed")
        return _failure(500, type(error).__name__, error)
    except Exception as error:
        _LOG.exception("a request failed")
        unknown = BackhaulError(
            f"the app failed on this request ({type(error).__name__})",
            action="look at the app's log; the request may be repeated",
        )
        return _failure(500, "InternalError", unknown)
    return _json(status, content)


def _failure(
    status: int, code: str, error: BackhaulError, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    inner = {"code": code, "message": error.message, "action": error.action}
    return _json(status, {"error": inner}, headers)


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(
        "" if content is None else json.dumps(content, ensure_ascii=False),
        status_code=status,
        mimetype="application/json",
        charset="utf-8",
        headers=headers,
    )
