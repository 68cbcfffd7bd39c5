"""The watcher against a real Azurite and a webhook that misbehaves."""

from __future__ import annotations

import collections
import contextlib
import http.client
import http.server
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import (
    BlobBlock,
    BlobServiceClient,
    ContainerClient,
    generate_container_sas,
)

from local.azurite import Azurite
from local.blob_events import BlobEventWatcher, Faults, RetryPolicy, Schema, Webhook
from local.folders import REPOSITORY

NAMES = [
    case["name"]
    for case in json.loads(
        (REPOSITORY / "tests" / "data" / "blob_events" / "names.json").read_text()
    )
]


class Receiver(http.server.ThreadingHTTPServer):
    """A webhook that keeps what it gets and answers what `answer` says for the n-th request."""

    def __init__(self, answer: Callable[[int], int], port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer
        self.lock = threading.Lock()
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.accepted: list[dict[str, Any]] = []
        self.busy = self.busiest = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def names(self) -> list[str]:
        with self.lock:
            return [event["subject"].partition("/blobs/")[2] for event in self.accepted]

    def wait_for(self, count: int, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while len(self.accepted) < count:
            assert time.monotonic() < deadline, f"{len(self.accepted)} of {count} events came"
            time.sleep(0.02)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        receiver = self.server
        with receiver.lock:
            receiver.requests.append((self.path, dict(self.headers), body))
            status = receiver.answer(len(receiver.requests))
            receiver.busy += 1
            receiver.busiest = max(receiver.busiest, receiver.busy)
        time.sleep(0.01)
        with receiver.lock:
            receiver.busy -= 1
            if status == 202:
                receiver.accepted += body if isinstance(body, list) else [body]
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Start a receiver; without arguments it accepts everything."""
    receivers = []

    def start(answer: Callable[[int], int] = lambda _: 202, port: int = 0) -> Receiver:
        receiver = Receiver(answer, port)
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        receivers.append((receiver, thread))
        return receiver

    yield start
    for receiver, thread in receivers:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service.create_container(f"landing-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def watch(container: ContainerClient, tmp_path: Path) -> Callable[..., BlobEventWatcher]:
    """Make a watcher of the container that is quick about everything."""

    def make(host: str, **options: Any) -> BlobEventWatcher:
        defaults: dict[str, Any] = {"poll_s": 0.05, "policy": RetryPolicy(speed=20_000)}
        return BlobEventWatcher(
            container,
            Webhook(host, "backup_events", "the key+/="),
            tmp_path / "outbox.sqlite",
            tmp_path / "dead letters",
            **{**defaults, **options},
        )

    return make


Start = Callable[..., Receiver]
Watch = Callable[..., BlobEventWatcher]


def test_each_way_to_upload_raises_its_event(
    container: ContainerClient, receive: Start, watch: Watch
) -> None:
    receiver = receive()
    with watch(receiver.url).in_background():
        container.upload_blob("at once.bak", b"x" * 10)
        staged = container.get_blob_client("staged.bak")
        staged.stage_block("AAAA", b"y" * 20)
        receiver.wait_for(1)
        assert receiver.names() == ["at once.bak"], "an upload under way raises nothing"
        staged.commit_block_list([BlobBlock("AAAA")])
        receiver.wait_for(2)
        container.get_blob_client("copied.bak").start_copy_from_url(staged.url)
        receiver.wait_for(3)
    data = [event["data"] for event in receiver.accepted]
    assert [entry["api"] for entry in data] == ["PutBlob", "PutBlockList", "CopyBlob"]
    assert [entry["contentLength"] for entry in data] == [10, 20, 20]
    assert data[1]["eTag"] == staged.get_blob_properties().etag
    assert data[0]["sequencer"] < data[1]["sequencer"] < data[2]["sequencer"]
    path, headers, _ = receiver.requests[0]
    assert urllib.parse.urlsplit(path).path == "/runtime/webhooks/eventgrid"
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(path).query) == {
        "functionName": ["backup_events"],
        "code": ["the key+/="],
    }
    assert headers["aeg-event-type"] == "Notification"


def test_an_overwritten_blob_raises_another_event(
    container: ContainerClient, receive: Start, watch: Watch
) -> None:
    receiver = receive()
    with watch(receiver.url).in_background():
        container.upload_blob("sales.bak", b"first")
        receiver.wait_for(1)
        container.upload_blob("sales.bak", b"second!", overwrite=True)
        receiver.wait_for(2)
    assert [event["data"]["contentLength"] for event in receiver.accepted] == [5, 7]
    assert len({event["id"] for event in receiver.accepted}) == 2


def test_odd_names_arrive_as_they_are(
    azurite: Azurite, container: ContainerClient, receive: Start, watch: Watch
) -> None:
    # The SDK cannot address a name with ../ in it, but others can create one.
    sas = generate_container_sas(
        "devstoreaccount1",
        container.container_name,
        account_key=azurite.account_key,
        permission="cw",
        expiry=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    for name in NAMES:
        address = urllib.parse.urlsplit(container.url)
        connection = http.client.HTTPConnection(address.netloc)
        path = f"{address.path}/{urllib.parse.quote(name, safe='')}?{sas}"
        connection.request("PUT", path, b"backup", {"x-ms-blob-type": "BlockBlob"})
        assert connection.getresponse().status == 201, name
        connection.close()
    receiver = receive()
    with watch(receiver.url).in_background():
        receiver.wait_for(len(NAMES))
    assert sorted(receiver.names()) == sorted(NAMES)


@pytest.mark.parametrize("schema", Schema)
def test_refused_deliveries_are_tried_again_until_they_succeed(
    container: ContainerClient, receive: Start, watch: Watch, schema: Schema
) -> None:
    receiver = receive(lambda request: 202 if request % 4 == 0 else (500, 404, 503)[request % 3])
    for number in range(5):
        container.upload_blob(f"sales_{number}.trn", b"log")
    with watch(receiver.url, schema=schema).in_background():
        receiver.wait_for(5)
    assert sorted(receiver.names()) == [f"sales_{number}.trn" for number in range(5)]
    assert len(receiver.requests) >= 20
    assert {type(body) for _, _, body in receiver.requests} == {
        list if schema is Schema.EVENT_GRID else dict
    }
    delivery_counts = collections.Counter(
        headers["aeg-delivery-count"] for _, headers, _ in receiver.requests
    )
    assert delivery_counts["0"] == 5


def dead_letters(folder: Path, count: int) -> list[dict[str, Any]]:
    """Wait for so many dead letters, and return their events."""
    deadline = time.monotonic() + 20
    while len(files := sorted((folder / "dead letters").rglob("*.json"))) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    below = [file.relative_to(folder / "dead letters").parts for file in files]
    today = datetime.now(timezone.utc)
    assert {parts[:3] for parts in below} == {
        ("BACKUP_EVENTS", str(today.year), str(today.month))
    }, "they lie where Event Grid would put them"
    return [event for file in files for event in json.loads(file.read_text())]


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_what_event_grid_never_retries_is_a_dead_letter_at_once(
    container: ContainerClient, receive: Start, watch: Watch, tmp_path: Path, status: int
) -> None:
    receiver = receive(lambda request: status if request == 1 else 202)
    with watch(receiver.url, parallel=1).in_background():
        container.upload_blob("refused.bak", b"x")
        (event,) = dead_letters(tmp_path, 1)
        container.upload_blob("next.bak", b"x")
        receiver.wait_for(1)
    assert receiver.names() == ["next.bak"]
    assert event["subject"].endswith("/refused.bak")
    assert event["deadLetterReason"].startswith("UndeliverableDueToHttp")
    assert (event["deliveryAttempts"], event["lastHttpStatusCode"]) == (1, status)
    assert event["publishTime"] <= event["lastDeliveryAttemptTime"]


@pytest.mark.parametrize("schema", Schema)
def test_what_is_refused_too_often_is_a_dead_letter(
    container: ContainerClient, receive: Start, watch: Watch, tmp_path: Path, schema: Schema
) -> None:
    receiver = receive(lambda _: 500)
    policy = RetryPolicy(attempts=3, speed=20_000)
    with watch(receiver.url, schema=schema, policy=policy).in_background():
        container.upload_blob("sales.bak", b"x")
        (event,) = dead_letters(tmp_path, 1)
    names = ["deadLetterReason", "deliveryAttempts", "lastDeliveryOutcome", "lastHttpStatusCode"]
    if schema is Schema.CLOUD_EVENTS:
        names = [name.lower() for name in names]
    told = [event[name] for name in names]
    assert told == ["MaxDeliveryAttemptsExceeded", 3, "GenericError", 500]
    sent = receiver.requests[0][2]
    original = sent if schema is Schema.CLOUD_EVENTS else sent[0]
    assert original.items() <= event.items()
    assert len(receiver.requests) == 3


def test_what_is_too_old_is_not_tried_again(
    container: ContainerClient, receive: Start, watch: Watch, tmp_path: Path
) -> None:
    receiver = receive(lambda _: 503)
    policy = RetryPolicy(time_to_live_s=20, speed=100)
    with watch(receiver.url, policy=policy).in_background():
        container.upload_blob("sales.bak", b"x")
        (event,) = dead_letters(tmp_path, 1)
    assert (event["deadLetterReason"], event["deliveryAttempts"]) == ("TimeToLiveExceeded", 1)
    assert event["lastDeliveryOutcome"] == "Busy"


def test_what_is_undelivered_survives_a_restart_with_its_count(
    container: ContainerClient, receive: Start, watch: Watch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    first = receive(lambda _: 500, port)
    with watch(url, policy=RetryPolicy(speed=100)).in_background():
        container.upload_blob("sales.bak", b"x")
        while len(first.requests) < 2:
            time.sleep(0.02)
        time.sleep(0.1)
    container.delete_blob("sales.bak")  # the event no longer needs the blob
    first.answer = lambda _: 202
    with watch(url).in_background():
        first.wait_for(1)
        time.sleep(0.2)
    assert first.names() == ["sales.bak"]
    counts = [headers["aeg-delivery-count"] for _, headers, _ in first.requests]
    assert counts == [str(number) for number in range(len(counts))]
    assert len({json.dumps(body) for _, _, body in first.requests}) == 1


def test_a_function_host_that_is_not_up_yet_gets_its_events_later(
    container: ContainerClient, receive: Start, watch: Watch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    container.upload_blob("early.bak", b"x")
    with watch(f"http://127.0.0.1:{port}").in_background():
        time.sleep(0.3)
        receive(port=port).wait_for(1)


def test_a_restart_sends_only_what_is_new(
    container: ContainerClient, receive: Start, watch: Watch, tmp_path: Path
) -> None:
    def wait_for_outbox(count: int) -> None:
        counts = "SELECT (SELECT COUNT(*) FROM sent), (SELECT COUNT(*) FROM delivery)"
        with contextlib.closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as outbox:
            deadline = time.monotonic() + 20
            while outbox.execute(counts).fetchone() != (count, 0):
                assert time.monotonic() < deadline
                time.sleep(0.02)

    receiver = receive()
    container.upload_blob("before.bak", b"x")
    with watch(receiver.url).in_background():
        receiver.wait_for(1)
        wait_for_outbox(1)
    container.upload_blob("while stopped.bak", b"x")
    with watch(receiver.url).in_background():
        receiver.wait_for(2)
        wait_for_outbox(2)
    assert receiver.names() == ["before.bak", "while stopped.bak"]


@pytest.mark.parametrize("content", [None, b"this is no database" * 100])
def test_a_lost_outbox_costs_duplicates_only(
    container: ContainerClient, receive: Start, watch: Watch, tmp_path: Path, content: bytes | None
) -> None:
    receiver = receive()
    container.upload_blob("sales.bak", b"x")
    with watch(receiver.url).in_background():
        receiver.wait_for(1)
    for file in tmp_path.glob("outbox.sqlite*"):
        file.unlink()
    if content is not None:
        (tmp_path / "outbox.sqlite").write_bytes(content)
    with watch(receiver.url).in_background():
        receiver.wait_for(2)
    assert receiver.names() == ["sales.bak", "sales.bak"]
    assert len({event["id"] for event in receiver.accepted}) == 1


def test_faults_are_those_of_the_seed(
    container: ContainerClient, receive: Start, watch: Watch
) -> None:
    names = [f"sales_{number:02}.trn" for number in range(30)]
    for name in names:
        container.upload_blob(name, b"log")
    faults = Faults(copies=(0, 1, 3), delay_s=0.3, shuffle=True, seed=7)
    expected = collections.Counter(
        {name: len(delays) for name in names if (delays := faults.delays_s(name, 3))}
    )
    receiver = receive(lambda request: 500 if request % 7 == 0 else 202)
    with watch(receiver.url, faults=faults).in_background():
        receiver.wait_for(expected.total())
        time.sleep(0.3)
    assert collections.Counter(receiver.names()) == expected
    first_seen = list(dict.fromkeys(receiver.names()))
    assert first_seen != sorted(first_seen), "they were to come out of order"
    assert 1 < receiver.busiest <= 4


def test_the_container_may_come_later(azurite: Azurite, receive: Start, tmp_path: Path) -> None:
    receiver = receive()
    name = f"later-{uuid.uuid4().hex[:12]}"
    with ContainerClient.from_connection_string(azurite.connection_string, name) as later:
        watcher = BlobEventWatcher(
            later, Webhook(receiver.url, "e"), tmp_path / "outbox", tmp_path / "dead", poll_s=0.05
        )
        with watcher.in_background():
            time.sleep(0.2)
            later.create_container()
            later.upload_blob("sales.bak", b"x")
            receiver.wait_for(1)


def test_a_kill_loses_no_event(
    azurite: Azurite, container: ContainerClient, receive: Start, tmp_path: Path
) -> None:
    receiver = receive(lambda _: 503)
    command = [sys.executable, "-m", "local.blob_events", "--function", "f", "--poll", "0.05"]
    command += ["--container", container.container_name, "--host", receiver.url]
    command += ["--outbox", str(tmp_path / "outbox"), "--dead-letters", str(tmp_path / "dead")]
    command += ["--retry-speed", "15"]  # so after 2 s, not 30
    environment = {**os.environ, "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string}
    names = [f"sales_{number}.trn" for number in range(8)]
    for name in names:
        container.upload_blob(name, b"log")
    begin: dict[str, Any] = {"cwd": REPOSITORY, "env": environment, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **begin) as process:  # noqa: S603 - our own module
        deadline = time.monotonic() + 30
        while len(receiver.requests) < len(names):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    for name in names:
        container.delete_blob(name)  # so that only the outbox knows of them
    receiver.answer = lambda _: 202
    with subprocess.Popen(command, **begin) as process:  # noqa: S603 - our own module
        receiver.wait_for(len(names))
        process.kill()
    assert sorted(set(receiver.names())) == names


def test_the_command_watches_until_it_is_ended(
    azurite: Azurite, container: ContainerClient, receive: Start, tmp_path: Path
) -> None:
    receiver = receive(lambda request: 202 if request > 1 else 503)
    command = [sys.executable, "-m", "local.blob_events"]
    command += ["--container", container.container_name, "--function", "backup_events"]
    command += ["--host", receiver.url, "--outbox", str(tmp_path / "outbox"), "--poll", "0.05"]
    command += ["--dead-letters", str(tmp_path / "dead"), "--retry-speed", "1000"]
    environment = {
        **os.environ,
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
        "BACKHAUL_EVENTGRID_KEY": "secret-key",
    }
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        container.upload_blob("sales.bak", b"x")
        receiver.wait_for(1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "code=secret-key" in receiver.requests[0][0]
    assert "secret-key" not in errors
