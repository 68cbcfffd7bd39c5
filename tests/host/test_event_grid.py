"""The Event Grid webhook: handshake, both schemas, batches, failures, duplicates."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.host.running_host import RunningHost, eventually


def _post(web: RunningHost, body: Any, kind: str = "Notification", **more: Any) -> Any:
    key = web.keys["system"]["eventgrid_extension"]
    return web.http.request(
        more.get("method", "POST"),
        more.get("path", "/runtime/webhooks/EventGrid"),
        params={"functionName": more.get("function", "on_event"), "code": more.get("key", key)},
        headers={"AEG-Event-Type": kind, **more.get("headers", {})},
        content=body if isinstance(body, str) else json.dumps(body),
    )


def _event(**data: Any) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "topic": "/subscriptions/s/storage",
        "subject": "/blobServices/default/containers/c/blobs/b",
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": "2026-11-22T20:15:30.1234567Z",
        "dataVersion": "",
        "metadataVersion": "1",
        "data": data,
    }


def _cloud_event(**data: Any) -> dict[str, Any]:
    event = _event(**data)
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": data,
    }


def _seen(web: RunningHost, trace: str = "events") -> list[Any]:
    path = web.traces / trace
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def test_handshake_of_the_event_grid_schema(web: RunningHost) -> None:
    body = [{"id": "1", "data": {"validationCode": "512d38b6", "validationUrl": "https://x"}}]
    answer = _post(web, body, "SubscriptionValidation")
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})
    assert _post(web, [{"id": "1"}], "SubscriptionValidation").status_code == 400


def test_handshake_of_cloud_events(web: RunningHost) -> None:
    origin = {"WebHook-Request-Origin": "eventemitter.example.com"}
    answer = _post(web, "", method="OPTIONS", headers=origin)
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert _post(web, "", method="OPTIONS").status_code == 400


@pytest.mark.parametrize(
    ("make", "kind", "wrapped"),
    [
        (_event, "EventGridEvent", True),
        (_cloud_event, "CloudEvent", True),
        (_cloud_event, "CloudEvent", False),
    ],
)
def test_events_reach_the_function(web: RunningHost, make: Any, kind: str, wrapped: bool) -> None:
    event = make(api="PutBlob")
    answer = _post(web, [event] if wrapped else event)
    assert answer.status_code == 202
    seen = [one for one in _seen(web) if one[1] == event["id"]]
    blob_created = "Microsoft.Storage.BlobCreated"
    assert seen == [[kind, event["id"], event["subject"], blob_created, {"api": "PutBlob"}]]


def test_batch_with_one_failure_is_an_error_for_all(web: RunningHost) -> None:
    events = [_event(n=1), _cloud_event(n=2, fail=True), _event(n=3)]
    answer = _post(web, events)
    assert answer.status_code == 500
    assert (
        f"1 of 3 events failed; the first with ValueError: event {events[1]['id']}" in answer.text
    )
    seen = [one[1] for one in _seen(web)]
    assert all(event["id"] in seen for event in events)
    assert _post(web, [*events[:1], *events[2:]]).status_code == 202


def test_duplicate_deliveries_start_one_orchestration(web: RunningHost) -> None:
    event = _event(note=uuid.uuid4().hex)
    for _ in range(3):
        assert _post(web, [event], function="START_FOR_EVENT").status_code == 202
    assert _post(web, [event, event], function="start_for_event").status_code in (202, 500)
    web.wait(f"event-{event['id']}")
    assert _seen(web, "notes").count(event["data"]["note"]) == 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"key": "wrong"}, 401),
        ({"function": "nobody"}, 404),
        ({"function": "get_item"}, 404),
        ({"kind": "SomethingElse"}, 400),
        ({"kind": ""}, 400),
        ({"kind": "unsubscribe"}, 202),
        ({"body": "{"}, 400),
        ({"body": "5"}, 400),
        ({"body": "[5]"}, 400),
        ({"body": "[" + ",".join(["{}"] * 5001) + "]"}, 413),
        ({"method": "GET"}, 404),
        ({"body": "[]"}, 202),
    ],
)
def test_other_requests(web: RunningHost, request_: dict[str, Any], status: int) -> None:
    body = request_.pop("body", "[]")
    assert _post(web, body, **request_).status_code == status


_GOOD = {**_event(n=1), "id": "good"}
_DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("null", 400),
        (b"\xff\xfe[".decode("latin-1"), 400),
        (_DEEP, 400),
        (f'[{{"id": {_DEEP}}}]', 400),
        ('[{"id": NaN}]', 400),
        ('[{"id": 1e999}]', 202),
        ("[null]", 400),
        ("[[]]", 400),
        (json.dumps([{**_GOOD, "eventTime": "yesterday"}]), 500),
        (json.dumps([{**_GOOD, "data": json.loads("[" * 500 + "]" * 500)}]), 202),
        (json.dumps([{**_GOOD, "id": "\ud800"}]), 202),
        (json.dumps([{**_GOOD, "data": {"text": "x" * 2_000_000}}]), 202),
        (json.dumps([{**_GOOD, "id": str(n)} for n in range(2000)]), 202),
        ("[" + "9" * 5000 + "]", 400),
    ],
    ids=lambda value: str(value)[:30],
)
def test_hostile_bodies(web: RunningHost, body: str, status: int) -> None:
    answer = _post(web, body, function="unmoved")
    assert answer.status_code == status, answer.text[:300]
    assert _post(web, [_GOOD], function="unmoved").status_code == 202


def test_body_that_is_too_large(web: RunningHost) -> None:
    piece = b" " * 1024 * 1024
    answer = web.http.post(
        "/runtime/webhooks/eventgrid",
        params={"functionName": "unmoved", "code": web.keys["system"]["eventgrid_extension"]},
        headers={"aeg-event-type": "Notification"},
        content=(piece for _ in range(101)),
    )
    assert answer.status_code == 413


def test_hostile_handshakes(web: RunningHost) -> None:
    wrong: list[Any] = [None, [], {"validationCode": 5}, {"validationCode": None}, "code"]
    for data in wrong:
        assert _post(web, [{"id": "1", "data": data}], "SubscriptionValidation").status_code == 400
    code = "x" * 1000 + '"</script>'
    echoed = _post(web, [{"data": {"validationCode": code}}], "SubscriptionValidation")
    assert echoed.json() == {"validationResponse": code}
    origin = {"WebHook-Request-Origin": "e.example\tx"}
    assert _post(web, "", method="OPTIONS", headers=origin).status_code == 200
    without_key = _post(web, "", method="OPTIONS", headers=origin, key="wrong")
    assert without_key.status_code == 401


def test_run_by_hand(web: RunningHost) -> None:
    event = _event(by="hand")
    answer = web.http.post(
        "/admin/functions/on_event",
        json={"input": json.dumps(event)},
        headers={"x-functions-key": web.keys["master"]},
    )
    assert answer.status_code == 202
    eventually(lambda: event["id"] in [one[1] for one in _seen(web)])
