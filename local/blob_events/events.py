"""What a `BlobCreated` event looks like, in both schemas; values in, values out.

Source: Microsoft Learn, "Azure Blob Storage as an Event Grid source".
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import quote

from azure.eventgrid import SystemEventNames


class Schema(str, Enum):
    """How events are written: the choice a real subscription has."""

    EVENT_GRID = "eventgrid"
    CLOUD_EVENTS = "cloudevents"


@dataclass(frozen=True)
class CreatedBlob:
    """A blob whose upload is finished.

    `container_url` has no query and no slash at its end, `etag` no quotes; `api` is the REST
    operation that finished the upload; `sequence` grows from event to event.
    """

    account: str
    container_url: str
    name: str
    etag: str
    size_bytes: int
    content_type: str
    blob_type: str
    access_tier: str
    last_modified: datetime
    api: str
    sequence: int

    @property
    def url(self) -> str:
        """The blob's address, with the name encoded as the storage SDKs encode it."""
        return f"{self.container_url}/{quote(self.name, safe='/~')}"


def event_body(blob: CreatedBlob, schema: Schema) -> bytes:
    """Return the body of the request that delivers the blob's event, and no other.

    The same version of a blob gives the same event id every time, so that what is sent twice can
    be told by it.
    """
    event = _cloud_event(blob) if schema is Schema.CLOUD_EVENTS else [_event_grid_event(blob)]
    return json.dumps(event, ensure_ascii=False).encode()


def _event_grid_event(blob: CreatedBlob) -> dict[str, Any]:
    return {
        "topic": _topic(blob),
        "subject": _subject(blob),
        "eventType": SystemEventNames.StorageBlobCreatedEventName.value,
        "id": str(_event_id(blob)),
        "data": _data(blob),
        "dataVersion": "",
        "metadataVersion": "1",
        "eventTime": _event_time(blob),
    }


def _cloud_event(blob: CreatedBlob) -> dict[str, Any]:
    return {
        "source": _topic(blob),
        "subject": _subject(blob),
        "type": SystemEventNames.StorageBlobCreatedEventName.value,
        "id": str(_event_id(blob)),
        "data": _data(blob),
        "time": _event_time(blob),
        "specversion": "1.0",
    }


def _data(blob: CreatedBlob) -> dict[str, Any]:
    event_id = _event_id(blob)
    return {
        "api": blob.api,
        "clientRequestId": str(uuid.uuid5(event_id, "client request")),
        "requestId": f"{str(event_id)[:-6]}000000",
        "eTag": f'"{blob.etag}"',
        "contentType": blob.content_type,
        "contentLength": blob.size_bytes,
        "blobType": blob.blob_type,
        "accessTier": blob.access_tier,
        "url": blob.url,
        "sequencer": f"{blob.sequence:048X}",
        "storageDiagnostics": {"batchId": str(uuid.uuid5(event_id, "batch"))},
    }


def _topic(blob: CreatedBlob) -> str:
    return (
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
        f"/providers/Microsoft.Storage/storageAccounts/{blob.account}"
    )


def _subject(blob: CreatedBlob) -> str:
    container = blob.container_url.rpartition("/")[2]
    return f"/blobServices/default/containers/{container}/blobs/{blob.name}"


def _event_id(blob: CreatedBlob) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{blob.url} {blob.etag}")


def _event_time(blob: CreatedBlob) -> str:
    # Listings know whole seconds, events have ten million times that; the rest is made up, but
    # always the same for the same event.
    fraction = _event_id(blob).int % 10_000_000
    return f"{blob.last_modified:%Y-%m-%dT%H:%M:%S}.{fraction:07d}Z"
