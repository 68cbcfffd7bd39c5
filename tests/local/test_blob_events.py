"""The events themselves: what a subscriber reads, whatever the blob is called."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent
from azure.storage.blob import BlobClient
from hypothesis import given
from hypothesis import strategies as st

from local.blob_events.events import CreatedBlob, Schema, event_body
from local.blob_events.faults import Faults

DATA = Path(__file__).resolve().parents[1] / "data" / "blob_events"
NAMES = json.loads((DATA / "names.json").read_text())
CONTAINER_URL = "http://127.0.0.1:10000/devstoreaccount1/landing"
BLOB = CreatedBlob(
    account="devstoreaccount1",
    container_url=CONTAINER_URL,
    name="sales/FULL/sales [1].bak",
    etag="0x2274C73E7D10460",
    size_bytes=6_291_456,
    content_type="application/octet-stream",
    blob_type="BlockBlob",
    access_tier="Default",
    last_modified=datetime(2026, 11, 22, 21, 30, 5, tzinfo=timezone.utc),
    api="PutBlockList",
    sequence=1_795_383_005_123_456_789,
)

blob_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


def event_grid_event(blob: CreatedBlob) -> dict[str, Any]:
    (event,) = json.loads(event_body(blob, Schema.EVENT_GRID))
    assert isinstance(event, dict)
    return event


@pytest.mark.parametrize("schema", Schema)
def test_the_event_is_the_golden_one(schema: Schema) -> None:
    golden = json.loads((DATA / f"{schema.value}.json").read_text())
    assert json.loads(event_body(BLOB, schema)) == golden


@pytest.mark.parametrize("case", NAMES, ids=[case["url"] for case in NAMES])
def test_subject_keeps_the_name_and_url_encodes_it(case: dict[str, str]) -> None:
    event = event_grid_event(dataclasses.replace(BLOB, name=case["name"]))
    assert event["subject"] == f"/blobServices/default/containers/landing/blobs/{case['name']}"
    assert event["data"]["url"] == f"{CONTAINER_URL}/{case['url']}"


@given(blob_names)
def test_the_sdk_reads_the_name_back_from_the_url(name: str) -> None:
    url = event_grid_event(dataclasses.replace(BLOB, name=name))["data"]["url"]
    assert url.isascii()
    if name == name.strip("/"):  # the SDK drops slashes there itself
        assert BlobClient.from_blob_url(url).blob_name == name


def test_the_sdk_models_accept_both_schemas() -> None:
    event = EventGridEvent.from_dict(json.loads(event_body(BLOB, Schema.EVENT_GRID))[0])
    assert event.event_type == "Microsoft.Storage.BlobCreated"
    cloud_event: CloudEvent[Any] = CloudEvent.from_json(
        event_body(BLOB, Schema.CLOUD_EVENTS).decode()
    )
    assert (cloud_event.type, cloud_event.id) == (event.event_type, event.id)


def test_one_version_has_one_id_and_another_has_another() -> None:
    again = dataclasses.replace(BLOB, sequence=BLOB.sequence + 1)
    changed = dataclasses.replace(BLOB, etag="0x2274C73E7D10461")
    assert event_grid_event(again)["id"] == event_grid_event(BLOB)["id"]
    assert event_grid_event(changed)["id"] != event_grid_event(BLOB)["id"]


@given(st.integers(0, 2**63), st.integers(0, 2**63))
def test_sequencers_compare_as_strings(one: int, other: int) -> None:
    def sequencer(sequence: int) -> str:
        event = event_grid_event(dataclasses.replace(BLOB, sequence=sequence))
        return str(event["data"]["sequencer"])

    assert (sequencer(one) < sequencer(other)) == (one < other)


@given(blob_names, st.integers(0, 2**50), st.integers(), st.floats(0, 60))
def test_a_blob_suffers_the_same_again(name: str, size: int, seed: int, delay_s: float) -> None:
    faults = Faults(copies=(0, 1, 3), delay_s=delay_s, seed=seed)
    delays_s = faults.delays_s(name, size)
    assert delays_s == faults.delays_s(name, size)
    assert len(delays_s) in faults.copies
    assert all(0 <= delay <= delay_s for delay in delays_s)


def test_every_number_of_copies_comes_up() -> None:
    faults = Faults(copies=(0, 1, 3))
    counts = [len(faults.delays_s(f"sales_{number}.trn", 512)) for number in range(300)]
    assert {counts.count(copies) > 60 for copies in (0, 1, 3)} == {True}


@given(st.lists(st.integers()), st.integers())
def test_shuffling_loses_nothing(found: list[int], seed: int) -> None:
    assert sorted(Faults(shuffle=True, seed=seed).ordered(found)) == sorted(found)
    assert Faults(seed=seed).ordered(found) == found


@pytest.mark.parametrize("wrong", [{"copies": ()}, {"copies": (1, -1)}, {"delay_s": -1.0}])
def test_impossible_faults_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="copies"):
        Faults(**wrong)
