"""Which events mean a finished backup."""

from __future__ import annotations

import pytest

from shared.blob_event import BLOB_CREATED, FinishedBlob, Ignored, read_event, validation_id

SUBJECT = "/blobServices/default/containers/landing/blobs/"


@pytest.mark.parametrize("api", ["PutBlob", "PutBlockList", "CopyBlob", "FlushWithClose"])
@pytest.mark.parametrize("etag", ["0x8D", '"0x8D"'])
def test_a_finished_upload_is_read(api: str, etag: str) -> None:
    event = read_event(BLOB_CREATED, SUBJECT + "a/ü b.bak", {"api": api, "eTag": etag}, "landing")
    assert event == FinishedBlob("a/ü b.bak", "0x8D")


@pytest.mark.parametrize(
    ("event_type", "subject", "data"),
    [
        ("Microsoft.Storage.BlobDeleted", SUBJECT + "a.bak", {"api": "DeleteBlob"}),
        (BLOB_CREATED, SUBJECT + "a.bak", {"api": "CreateFile"}),
        (BLOB_CREATED, SUBJECT + "a.bak", {}),
        (BLOB_CREATED, SUBJECT + "a.bak", {"api": ["PutBlob"]}),
        (BLOB_CREATED, SUBJECT + "a.bak", {"api": {"PutBlob": 1}}),
        (BLOB_CREATED, SUBJECT, {"api": "PutBlob"}),
        (BLOB_CREATED, SUBJECT + "a" * 2000, {"api": "PutBlob"}),
        (BLOB_CREATED, SUBJECT.replace("landing", "other") + "a.bak", {"api": "PutBlob"}),
        (BLOB_CREATED, "", {"api": "PutBlob"}),
        ("", "x", {"api": ["PutBlob"]}),
    ],
)
def test_anything_else_is_ignored_with_a_reason(
    event_type: str, subject: str, data: dict[str, object]
) -> None:
    event = read_event(event_type, subject, data, "landing")
    assert isinstance(event, Ignored)
    assert event.reason


def test_one_version_of_a_blob_has_one_id() -> None:
    blob = FinishedBlob("a.bak", "1")
    assert validation_id(blob) == validation_id(blob)
    others = [FinishedBlob("a.bak", "2"), FinishedBlob("b.bak", "1"), FinishedBlob("a.bak1", "")]
    ids = {validation_id(other) for other in (blob, *others)}
    assert len(ids) == 4
    assert all(len(id_) < 100 and id_.isascii() for id_ in ids)
