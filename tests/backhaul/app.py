"""A small real HTTP server that gives the answers it was told to give, as the app would."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple

from shared.json_model import Json

KEY = "qbz_SECRET-key-0123456789=="


class Reply(NamedTuple):
    """What to answer; `before` is called before, `raw` goes out as it is."""

    status: int = 200
    content: Json | dict[str, Any] | None = None
    raw: bytes | None = None
    before: Callable[[], None] = lambda: None

    @property
    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        content = self.content.as_json() if isinstance(self.content, Json) else self.content
        return json.dumps(content, ensure_ascii=False).encode()


class Seen(NamedTuple):
    """A request that came."""

    method: str
    path: str
    body: Any


class App:
    """Listens on a port of this machine. `replies` are used up in order, the last one stays."""

    def __init__(self, replies: dict[str, list[Reply]] | None = None) -> None:
        self.replies = replies or {}
        self.seen: list[Seen] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def options(self) -> tuple[str, ...]:
        """What leads a command here."""
        return "--url", self.url, "--key", KEY

    def __enter__(self) -> App:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, key: str | None, body: bytes) -> Reply:
        if key != KEY:
            return Reply(401, raw=b"")
        self.seen.append(Seen(method, path, json.loads(body) if body else None))
        replies = self.replies.get(f"{method} {path}")
        if not replies:
            return Reply(404, {"error": {"code": "NotFound", "message": path, "action": "look"}})
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        reply.before()
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                key = self.headers.get("x-functions-key")
                reply = app.answer(self.command, self.path, key, body)
                content = reply.body
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET
            do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def refusal(status: int, code: str, message: str, action: str) -> Reply:
    """Return an error answer of the app."""
    return Reply(status, {"error": {"code": code, "message": message, "action": action}})
