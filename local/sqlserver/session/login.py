"""The login: PRELOGIN, encryption, LOGIN7, and what is answered to it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import partial

from local.sqlserver.engine.instance import Instance
from local.sqlserver.engine.model import DatabaseState
from local.sqlserver.engine.sessions import MASTER
from local.sqlserver.errors import Diagnostic, diagnostic
from local.sqlserver.settings import Product, Settings
from local.sqlserver.wire import tokens
from local.sqlserver.wire.cursor import ProtocolError
from local.sqlserver.wire.login7 import Login7, parse_login7
from local.sqlserver.wire.packets import DEFAULT_PACKET, PacketType, packetize
from local.sqlserver.wire.prelogin import (
    Encryption,
    Option,
    Prelogin,
    encode_prelogin,
    parse_prelogin,
)
from local.sqlserver.wire.tokens import Done, DoneToken
from local.sqlserver.wire.transport import Transport

_LANGUAGE = "us_english"
_UTF8_FEATURE = 10
_PROGRAM = "Microsoft SQL Server (SIMULATED)"


@dataclass(frozen=True)
class TlsContexts:
    """TLS inside PRELOGIN packets, and TLS first (strict)."""

    wrapped: ssl.SSLContext
    strict: ssl.SSLContext


async def exchange_login(
    transport: Transport, settings: Settings, tls: TlsContexts
) -> Login7 | None:
    """Do what comes before the answer to a login; None when the client went away.

    Encrypts all of the connection, the login packet only, or nothing, as the client asked.
    """
    strict = await transport.starts_with_tls()
    if strict:
        await transport.start_tls(tls.strict, in_packets=False)
    message = await transport.receive()
    if message is None:
        return None
    if message.type != PacketType.PRELOGIN:
        raise ProtocolError(f"expected PRELOGIN, got a packet of type {message.type}")
    asked = parse_prelogin(message.payload)
    agreed = Encryption.NOT_SUPPORTED if strict else _agree(asked.encryption, settings)
    transport.send(packetize(PacketType.RESPONSE, _answer(asked, agreed, settings.product)))
    if agreed is not Encryption.NOT_SUPPORTED:
        await transport.start_tls(tls.wrapped, in_packets=True)
    message = await transport.receive()
    if message is None:
        return None
    if message.type != PacketType.LOGIN7:
        raise ProtocolError(f"expected LOGIN7, got a packet of type {message.type}")
    if agreed is Encryption.OFF:
        transport.stop_tls()
    return parse_login7(message.payload)


def _agree(asked: Encryption, settings: Settings) -> Encryption:
    if settings.force_encryption and asked is not Encryption.ON:
        return Encryption.REQUIRED
    return Encryption.ON if asked is Encryption.REQUIRED else asked


def _answer(asked: Prelogin, agreed: Encryption, product: Product) -> bytes:
    major, minor, build = product.parts
    version = bytes((major, minor)) + build.to_bytes(2, "big") + b"\0\0"
    options = {
        Option.VERSION: version,
        Option.ENCRYPTION: bytes((agreed,)),
        Option.INSTANCE: b"\0",
        Option.THREAD_ID: b"",
        Option.MARS: b"\0",
    }
    if Option.FEDERATED_AUTHENTICATION in asked.options:
        options[Option.FEDERATED_AUTHENTICATION] = b"\0"
    return encode_prelogin(Prelogin({int(k): v for k, v in options.items()}))


def refusal(login: Login7, instance: Instance) -> tuple[Diagnostic, ...]:
    """Return why a login is refused: wrong name or password, or a database that is not open."""
    if struck := instance.faults.refusal(login.user, partial(instance.next_id, "logins")):
        return (struck,)
    if login.integrated or instance.logins.authenticate(login.user, login.password) is None:
        return (diagnostic(18456, login.user),)
    database = instance.find(login.database or MASTER)
    if database is None or database.state is not DatabaseState.ONLINE:
        return (diagnostic(4060, login.database), diagnostic(18456, login.user))
    return ()


def encode_refusal(diagnostics: tuple[Diagnostic, ...], server: str) -> bytes:
    """Return the response that ends a login."""
    body = b"".join(tokens.message(d.number, d.severity, d.text, server) for d in diagnostics)
    return packetize(PacketType.RESPONSE, body + tokens.done(DoneToken.DONE, Done.ERROR))


def encode_acceptance(login: Login7, database: str, product: Product, server: str) -> bytes:
    """Return the response to a login that succeeded. The order of its tokens matters to clients."""

    def information(number: int, text: str) -> bytes:
        told = diagnostic(number, text)
        return tokens.message(told.number, told.severity, told.text, server)

    body = (
        tokens.change_database(database, MASTER)
        + information(5701, database)
        + tokens.change_collation()
        + tokens.change_language(_LANGUAGE, "")
        + information(5703, _LANGUAGE)
        + tokens.login_acknowledgement(_PROGRAM, product.parts)
        + tokens.change_packet_size(login.packet_size, DEFAULT_PACKET)
    )
    if _UTF8_FEATURE in login.features:
        body += tokens.feature_acknowledgement({_UTF8_FEATURE: b"\x01"})
    return packetize(PacketType.RESPONSE, body + tokens.done(DoneToken.DONE, Done.FINAL))
