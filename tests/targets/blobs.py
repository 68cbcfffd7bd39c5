"""A folder served like a blob container: ranged reads for whoever brings the right signature."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

SIGNATURE = "sv=2024-11-04&sp=rl&sig=c2VjcmV0%2Bc2VjcmV0"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class Container:
    """The files of a folder as blobs. `signature` is the one that is let in.

    `refusal` is a status that every request is answered with instead.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}/account/landing"
        self.signature = SIGNATURE
        self.refusal: HTTPStatus | None = None

    def url_of(self, name: str) -> str:
        """Return the URL of a blob, as the storage SDK spells it."""
        return f"{self.url}/{quote(name)}"

    def put(self, name: str, data: bytes) -> str:
        """Write a blob and return its URL."""
        (self.folder / name).write_bytes(data)
        return self.url_of(name)


@contextmanager
def serve(folder: Path) -> Iterator[Container]:
    """Serve a folder on a free port of the loopback address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        container = Container(folder, server.server_port)
        server.container = container  # type: ignore[attr-defined]  # the handler's only way to it
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield container
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        container: Container = self.server.container  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        blob = container.folder / unquote(parts.path).removeprefix("/account/landing/")
        if container.refusal:
            self._answer(container.refusal)
        elif parts.query != container.signature:
            self._answer(HTTPStatus.FORBIDDEN, {"x-ms-error-code": "AuthenticationFailed"})
        elif not blob.is_file():
            self._answer(HTTPStatus.NOT_FOUND, {"x-ms-error-code": "BlobNotFound"})
        else:
            self._send_range(blob)

    def _send_range(self, blob: Path) -> None:
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        size = blob.stat().st_size
        if not asked or int(asked[1]) >= size:
            self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        start, end = int(asked[1]), min(int(asked[2]), size - 1)
        with blob.open("rb") as file:
            file.seek(start)
            data = file.read(end - start + 1)
        self._answer(
            HTTPStatus.PARTIAL_CONTENT, {"Content-Range": f"bytes {start}-{end}/{size}"}, data
        )

    def _answer(
        self, status: HTTPStatus, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("x-ms-blob-type", "BlockBlob")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the lines would show the signature."""
