"""The host's HTTP server: which part of the host a path belongs to."""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from local.host.admin_api import AdminApi
from local.host.answers import refusal
from local.host.durable_api import DurableApi
from local.host.errors import HostError, Refused
from local.host.event_grid import EventGridWebhook
from local.host.http_api import HttpFunctions
from local.host.http_protocol import BoundedHttp
from local.host.keys import DURABLE_KEY, Keys
from local.host.page import HostPage
from local.host.requests import given_key

_LOG = logging.getLogger(__name__)


class Front:
    """The ASGI application.

    `rpc_path` is a segment that nobody can guess: below it the SDK's client, which sends no key,
    finds the management API. It keeps web pages and other users of this machine out.
    """

    def __init__(
        self,
        keys: Keys,
        rpc_path: str,
        durable: DurableApi,
        functions: HttpFunctions,
        event_grid: EventGridWebhook,
        admin: AdminApi,
        page: HostPage,
    ) -> None:
        self._keys = keys
        self._rpc_path = rpc_path
        self._durable = durable
        self._functions = functions
        self._event_grid = event_grid
        self._admin = admin
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']} is not served")
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Refused as error:
            response = refusal(error)
        except Exception:
            path = scope["path"].replace(self._rpc_path, "(rpc)")  # that is a secret
            _LOG.exception("method=%s path=%s failed", request.method, path)
            response = PlainTextResponse("the host failed; its log says how", 500)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        segments = request.scope["path"].removeprefix("/").split("/")
        first = segments[0]
        if hmac.compare_digest(first.encode(), self._rpc_path.encode()):
            return await self._durable.handle(request, segments[1:])
        words = [segment.lower() for segment in segments]
        match words:
            case ["runtime", "webhooks", "durabletask", *_]:
                if not self._keys.open_webhook(given_key(request), DURABLE_KEY):
                    raise Refused(401, "the management API needs its key in the query, as code")
                return await self._durable.handle(request, segments[3:])
            case ["runtime", "webhooks", "eventgrid", *_]:
                return await self._event_grid.handle(request)
            case ["admin", "host", *rest] if self._page.serves(request.method, rest):
                return await self._page.handle(request, segments[2:])
            case ["admin", *_]:
                return await self._admin.handle(request, segments[1:])
        return await self._functions.handle(request)


class WebServer:
    """Serves the front on sockets that are bound already, on a thread of its own."""

    def __init__(
        self,
        front: Front,
        sockets: Sequence[socket.socket],
        *,
        on_loop: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """`on_loop` is called on the server's event loop before it serves."""
        config = uvicorn.Config(
            front,
            http=BoundedHttp,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._sockets = list(sockets)
        self._on_loop = on_loop
        self._on_failure = on_failure
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Serve; returns when requests are taken."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)

    def stop(self, grace_s: float) -> None:
        """Take no more requests, and wait for those under way, but not longer than this."""
        # Declared as a whole number, used as the timeout of a wait.
        self._server.config.timeout_graceful_shutdown = max(grace_s, 0.05)  # type: ignore[assignment]
        self._server.should_exit = True
        self._thread.join(timeout=max(grace_s, 0) + 2)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            _LOG.critical("the HTTP server stopped", exc_info=True)
            self._on_failure(error)

    async def _serve(self) -> None:
        self._on_loop()
        await self._server.serve(self._sockets)


def bind(host: str, port: int) -> socket.socket:
    """Bind a listening socket; port 0 takes any that is free.

    Raises:
        HostError: the address cannot be used.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # The protocol is named because asyncio turns Nagle's algorithm off only where it is, and
        # with it each answer would wait 40 ms for the acknowledgement of its own first part.
        bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(1024)
    except OSError as error:
        bound.close()
        raise _cannot_listen(host, port, error) from error
    return bound


def _cannot_listen(host: str, port: int, error: OSError) -> HostError:
    return HostError(
        f"cannot listen on {host} port {port}: {error.strerror or error}",
        action="stop what listens there, or choose another port with --port",
    )
