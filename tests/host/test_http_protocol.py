"""A connection that never comes to the point is ended; one that does is not."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.host.running_host import RunningHost

PART = b"x" * 16_000


def send_endlessly(host: RunningHost, beginning: bytes) -> bytes:
    """Send the beginning of a request, then ever more of the same; returns the answer."""
    address = httpx.URL(host.url)
    with socket.create_connection((address.host, address.port or 80), timeout=20) as connection:
        connection.sendall(beginning)
        sent = 0
        try:
            while sent < 4_000_000:
                connection.sendall(PART)
                sent += len(PART)
        except OSError:
            return b""  # the host has closed, before all of its answer could be read
        return connection.recv(1000)


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Late: ",
    ],
    ids=["path", "value", "name", "extension-of-a-chunk", "trailer"],
)
def test_an_endless_head_is_ended(web: RunningHost, beginning: bytes) -> None:
    answer = send_endlessly(web, beginning)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert web.http.get("/admin/host/ping").status_code in (200, 401)


def test_many_requests_on_one_connection_are_counted_one_by_one(web: RunningHost) -> None:
    for _ in range(20):
        answer = web.http.get("/nowhere", headers={"X-Long": "x" * 10_000})
        assert answer.status_code == 404


def test_a_body_may_be_much_longer_than_a_head(web: RunningHost) -> None:
    path = "/runtime/webhooks/durabletask/orchestrators/none"
    query = {"code": web.keys["master"]}
    answer = web.http.post(path, params=query, content=b'"' + b"x" * 1_000_000 + b'"')
    assert answer.status_code == 400
    assert "none" in answer.json()["Message"]
