"""Reads a blob event: which blob was finished, or why the event does not matter. Pure.

Source: Microsoft Learn, "Azure Blob Storage as an Event Grid source": only some operations end an
upload, and a subject keeps the blob's name as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

BLOB_CREATED = "Microsoft.Storage.BlobCreated"
FINISHING = frozenset({"PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose", "SftpCommit"})
_LONGEST_NAME = 1024


class FinishedBlob(NamedTuple):
    """One finished version of a blob in the watched container; `etag` has no quotes."""

    name: str
    etag: str


class Ignored(NamedTuple):
    """Why an event does not matter."""

    reason: str


def read_event(
    event_type: str, subject: str, data: Mapping[str, object], container: str
) -> FinishedBlob | Ignored:
    """Return the blob that an event announces. Anything odd is ignored: the listing finds it."""
    if event_type != BLOB_CREATED:
        return Ignored(f"the event is {event_type!r}, not {BLOB_CREATED}")
    api = str(data.get("api"))
    if api not in FINISHING:
        return Ignored(f"{api[:40]!r} does not end an upload")
    prefix = f"/blobServices/default/containers/{container}/blobs/"
    name = subject.removeprefix(prefix)
    if name == subject or not 0 < len(name) <= _LONGEST_NAME:
        return Ignored(f"the subject names no blob in container {container!r}")
    return FinishedBlob(name, str(data.get("eTag", "")).strip('"'))


def validation_id(blob: FinishedBlob) -> str:
    """Return the instance id for checking one version of a blob.

    The same version gives the same id, so that a repeated event starts nothing.
    """
    text = f"{blob.name}\n{blob.etag}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"validate-{digest[:32]}"
