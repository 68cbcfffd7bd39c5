"""Serves blobs over HTTP as far as RESTORE FROM URL reads them: ranges, a SAS, failures."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

SAS = "sv=2025-01-05&sp=rl&sig=right%3D"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass
class _Blob:
    data: bytes
    blob_type: str
    status: int


class BlobServer:
    """Runs in a thread. After `fail_after` answers it hangs up in the middle of each answer."""

    def __init__(self) -> None:
        self._blobs: dict[str, _Blob] = {}
        self.queries: list[str] = []
        self.fail_after: int | None = None
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> BlobServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()

    def put(
        self, path: str, data: bytes, *, blob_type: str = "BlockBlob", status: int = 206
    ) -> str:
        """Add or replace a blob; return its URL."""
        self._blobs[f"/{path}"] = _Blob(data, blob_type, status)
        return f"{self.url}/{path}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        self.queries.append(parts.query)
        if parts.query != SAS:
            code = "AuthenticationFailed" if "wrong" in parts.query else "AuthorizationFailure"
            self._refuse(request, 403, code)
            return
        blob = self._blobs.get(unquote(parts.path))
        match = _RANGE.fullmatch(request.headers.get("Range", ""))
        if blob is None or match is None:
            self._refuse(request, 404, "BlobNotFound")
        elif blob.status != 206:
            self._refuse(request, blob.status, "ServerBusy")
        elif int(match[1]) >= len(blob.data):
            self._refuse(request, 416, "InvalidRange")
        else:
            self._send(request, blob, int(match[1]), int(match[2]) + 1)

    def _send(self, request: BaseHTTPRequestHandler, blob: _Blob, start: int, end: int) -> None:
        data = blob.data[start:end]
        request.send_response(206)
        request.send_header("Content-Length", str(len(data)))
        request.send_header(
            "Content-Range", f"bytes {start}-{start + len(data) - 1}/{len(blob.data)}"
        )
        request.send_header("x-ms-blob-type", blob.blob_type)
        request.end_headers()
        broken = self.fail_after is not None and len(self.queries) > self.fail_after
        request.wfile.write(data[: len(data) // 2] if broken else data)
        request.close_connection = broken

    def _refuse(self, request: BaseHTTPRequestHandler, status: int, code: str) -> None:
        request.send_response(status)
        request.send_header("x-ms-error-code", code)
        request.send_header("Content-Length", "0")
        request.end_headers()


def _handler(server: BlobServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
