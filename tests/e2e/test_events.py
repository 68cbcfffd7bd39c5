"""Blob events in both schemas, doubled, and such as do not matter."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.blob_event import BLOB_CREATED, FinishedBlob, validation_id
from tests.e2e.world import Json, World

SUBJECT = "/blobServices/default/containers/landing/blobs/"


def _event_grid(name: str, etag: str, api: str) -> tuple[str, Any]:
    event = {
        "id": str(uuid4()),
        "topic": "/subscriptions/x",
        "subject": SUBJECT + name,
        "eventType": BLOB_CREATED,
        "eventTime": "2026-03-01T02:15:00.1234567Z",
        "dataVersion": "",
        "metadataVersion": "1",
        "data": {"api": api, "eTag": f'"{etag}"', "contentLength": 5, "url": "https://x/y"},
    }
    return "application/json", [event]


def _cloud_event(name: str, etag: str, api: str) -> tuple[str, Any]:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/subscriptions/x",
        "type": BLOB_CREATED,
        "subject": SUBJECT + name,
        "time": "2026-03-01T02:15:00Z",
        "data": {"api": api, "eTag": etag, "contentLength": 5, "url": "https://x/y"},
    }
    return "application/cloudevents+json", event


def _deliver(world: World, kind: str, event: Any) -> httpx.Response:
    return world.api.post(
        f"{world.stack.url}/runtime/webhooks/eventgrid",
        params={"functionName": "backup_created", "code": world.stack.master_key},
        headers={"aeg-event-type": "Notification", "Content-Type": kind},
        content=json.dumps(event),
    )


def _finished(world: World, instance: str) -> Json:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = world.durable(instance)
        if status.get("runtimeStatus") == "Completed":
            return status
        time.sleep(0.1)
    raise AssertionError(f"{instance} did not complete")


@pytest.mark.parametrize("schema", [_event_grid, _cloud_event])
def test_an_event_starts_one_validation_however_often_it_comes(world: World, schema: Any) -> None:
    name = f"events/ü {uuid4()}.bak"
    kind, event = schema(name, "0x1", "PutBlockList")
    assert _deliver(world, kind, event).status_code == 202
    status = _finished(world, validation_id(FinishedBlob(name, "0x1")))
    assert status["output"]["verdict"] == "Gone", "the blob was never there"
    assert _deliver(world, kind, event).status_code == 202
    again = _finished(world, validation_id(FinishedBlob(name, "0x1")))
    assert again["createdTime"] == status["createdTime"]


def test_an_event_of_an_unfinished_upload_starts_nothing(world: World) -> None:
    name = f"events/{uuid4()}.bak"
    kind, event = _event_grid(name, "0x1", "CreateFile")
    assert _deliver(world, kind, event).status_code == 202
    time.sleep(0.3)
    answer = world.api.get(
        f"{world.stack.url}/runtime/webhooks/durabletask/instances/"
        + validation_id(FinishedBlob(name, "0x1")),
        params={"code": world.stack.master_key},
    )
    assert answer.status_code == 404


def test_events_need_the_key(world: World) -> None:
    answer = world.api.post(
        f"{world.stack.url}/runtime/webhooks/eventgrid",
        params={"functionName": "backup_created", "code": "wrong"},
        headers={"aeg-event-type": "Notification"},
        json=[],
    )
    assert answer.status_code == 401
