"""One client: from its login to its end. The event loop reads; a thread works.

The socket is read while a request runs, so that an attention or a lost connection is noticed at
once. Both stop the request; nothing answers for it until the work has really ended.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Executor
from functools import partial

from local.sqlserver.catalog.context import Context
from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.sessions import MASTER, Request, Session, Stop
from local.sqlserver.errors import Aborted, SqlError, diagnostic, not_simulated
from local.sqlserver.session.batch import Batch
from local.sqlserver.session.login import (
    TlsContexts,
    encode_acceptance,
    encode_refusal,
    exchange_login,
    refusal,
)
from local.sqlserver.session.procedures import Procedures
from local.sqlserver.session.response import Response
from local.sqlserver.session.statements import change_transaction
from local.sqlserver.wire.cursor import ProtocolError
from local.sqlserver.wire.login7 import Login7
from local.sqlserver.wire.packets import Message, PacketType
from local.sqlserver.wire.requests import parse_batch, parse_calls, parse_transaction
from local.sqlserver.wire.transport import Transport

_LOGIN_TIMEOUT_S = 30.0
_FATAL = 20
_TRANSACTION_ACTIONS = {5: "BEGIN", 7: "COMMIT", 8: "ROLLBACK"}

log = logging.getLogger(__name__)


class Connection:
    """A connection and its session."""

    def __init__(
        self, transport: Transport, instance: Instance, tls: TlsContexts, workers: Executor
    ) -> None:
        self._transport = transport
        self._instance = instance
        self._tls = tls
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._running: asyncio.Task[None] | None = None
        self._procedures = Procedures()
        self._session: Session | None = None
        self._packet_size = 0
        self._home = MASTER

    def stop(self) -> None:
        """End the connection because the server goes down; `run` returns when work has ended."""
        if self._session and self._session.request:
            self._session.request.abort(Stop.SHUTDOWN)
        else:
            self._transport.reset()

    async def run(self) -> None:
        """Serve the client until it leaves, is thrown out, or breaks the protocol."""
        try:
            self._session = await asyncio.wait_for(self._log_in(), _LOGIN_TIMEOUT_S)
            if self._session is not None:
                await self._serve(self._session)
        except (ProtocolError, SqlError, OSError, asyncio.TimeoutError) as exc:
            # What clients do is their matter: a lost connection is no failure of this server.
            log.info("connection ended: %s", exc)
        finally:
            await self._transport.close()

    async def _log_in(self) -> Session | None:
        settings = self._instance.settings
        login = await exchange_login(self._transport, settings, self._tls)
        if login is None:
            return None
        refused = refusal(login, self._instance)
        if refused:
            log.info("login refused: %s", refused[0].text)
            self._transport.send(encode_refusal(refused, settings.server_name))
            return None
        session = self._open_session(login)
        self._transport.send(
            encode_acceptance(login, session.database, settings.product, settings.server_name)
        )
        return session

    def _open_session(self, login: Login7) -> Session:
        session = self._instance.sessions.open(
            login=login.user,
            host=login.host,
            application=login.application,
            now=self._instance.clock.now(),
            disconnect=self._disconnect,
        )
        self._packet_size = login.packet_size
        self._home = login.database or MASTER
        try:
            self._instance.enter(self._home, session)
        except SqlError:
            self._instance.sessions.close(session)
            raise
        return session

    def _disconnect(self) -> None:
        self._loop.call_soon_threadsafe(self._transport.reset)

    async def _serve(self, session: Session) -> None:
        try:
            while (message := await self._transport.receive()) is not None:
                if message.type == PacketType.ATTENTION:
                    self._attend(session)
                elif self._running is not None and not self._running.done():
                    raise ProtocolError("a request came while another one runs (MARS is off)")
                else:
                    self._begin(message, session)
        finally:
            if session.request:
                session.request.abort(Stop.DISCONNECT)
            if self._running:
                await asyncio.gather(self._running, return_exceptions=True)
            self._instance.sessions.close(session)

    def _attend(self, session: Session) -> None:
        """Stop what runs; a request that has ended already is answered just the same."""
        if session.request:
            session.request.abort(Stop.ATTENTION)
        else:
            self._response().finish_attention()

    def _begin(self, message: Message, session: Session) -> None:
        if message.reset:
            self._reset(session)
        session.request = self._instance.new_request(session)
        self._running = asyncio.create_task(self._answer(message, session, session.request))

    def _reset(self, session: Session) -> None:
        """Give a pooled connection back as it was after its login."""
        session.transaction = None
        session.implicit_transactions = False
        self._instance.enter(self._home, session)

    async def _answer(self, message: Message, session: Session, request: Request) -> None:
        """Run a request in a thread, then end its response on the loop."""
        response = self._response()
        fatal = False
        try:
            work = partial(self._work, message, session, request, response)
            await self._loop.run_in_executor(self._workers, work)
        except Aborted:
            fatal = request.stop is Stop.KILL
            if fatal:
                response.errors([diagnostic(596)])
        except SqlError as error:
            response.errors(error.diagnostics)
            fatal = error.diagnostics[0].severity >= _FATAL
        except ProtocolError as exc:
            response.errors([diagnostic(4002, exc)])
            fatal = True
        except Exception as exc:
            log.exception("the simulation failed")
            response.errors(not_simulated(f"{type(exc).__name__}: {exc}").diagnostics)
        session.request = None
        if request.stop is Stop.ATTENTION:
            response.finish_attention()
        elif request.stop in (Stop.DISCONNECT, Stop.SHUTDOWN):
            # A server that goes down hangs up: a client must not take this for an end.
            self._transport.reset()
        else:
            response.finish()
        if fatal:
            await self._transport.close()

    def _work(
        self, message: Message, session: Session, request: Request, response: Response
    ) -> None:
        """Carry out a request. Runs in a thread; whatever it raises is told by `_answer`."""

        def new_context() -> Context:
            return Context(self._instance, session)

        if message.type == PacketType.BATCH:
            Batch(new_context(), request, response).run(parse_batch(message.payload))
        elif message.type == PacketType.RPC:
            for call in parse_calls(message.payload):
                self._procedures.call(call, new_context, request, response)
        elif message.type == PacketType.TRANSACTION_MANAGER:
            action = _TRANSACTION_ACTIONS.get(parse_transaction(message.payload).type)
            if action is None:
                raise not_simulated("this request to the transaction manager")
            change_transaction(new_context(), action, response)
        else:
            raise ProtocolError(f"a packet of type {message.type} is not simulated")

    def _response(self) -> Response:
        settings = self._instance.settings
        return Response(
            self._send,
            packet_size=self._packet_size,
            server=settings.server_name,
            separated=settings.separated_messages,
        )

    def _send(self, data: bytes) -> None:
        """Send from the loop at once, from a working thread in order through the loop."""
        if threading.get_ident() == self._loop_thread:
            self._transport.send(data)
        else:
            self._loop.call_soon_threadsafe(self._transport.send, data)
