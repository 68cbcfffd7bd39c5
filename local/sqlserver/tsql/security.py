"""The grammar of logins, roles, permissions, certificates and users. Pure."""

from __future__ import annotations

from collections.abc import Callable

from local.sqlserver.errors import not_simulated
from local.sqlserver.sqltypes import Kind
from local.sqlserver.tsql.ast import (
    AlterAuthorization,
    AlterLogin,
    AlterRole,
    AlterUser,
    CreateCertificate,
    CreateLogin,
    CreateUser,
    DropCertificate,
    DropLogin,
    Permit,
    Statement,
)
from local.sqlserver.tsql.lexer import TokenKind
from local.sqlserver.tsql.stream import TokenStream

_LOGIN_SWITCHES = ("CHECK_POLICY", "CHECK_EXPIRATION")


def _create_login(stream: TokenStream) -> Statement:
    name = stream.identifier()
    if stream.at("FROM"):
        raise not_simulated("a login from Windows, Entra ID or a certificate")
    stream.expect("WITH", "PASSWORD")
    stream.expect_symbol("=")
    password = stream.string()
    sid, database = None, "master"
    while stream.accept_symbol(","):
        if stream.accept("SID"):
            stream.expect_symbol("=")
            sid = _binary(stream)
        elif stream.accept("DEFAULT_DATABASE"):
            stream.expect_symbol("=")
            database = stream.identifier()
        elif stream.accept_any(*_LOGIN_SWITCHES):
            stream.expect_symbol("=")
            if not stream.accept_any("ON", "OFF"):
                raise stream.error()
        else:
            raise not_simulated(f"CREATE LOGIN with {stream.current.text.upper()}")
    return CreateLogin(name, password, sid, database)


def _binary(stream: TokenStream) -> bytes:
    constant = stream.constant()
    if constant is None or constant.type.kind is not Kind.VARBINARY:
        raise stream.error()
    assert isinstance(constant.value, bytes)  # noqa: S101 for the type checker
    return constant.value


def _alter_login(stream: TokenStream) -> Statement:
    name = stream.identifier()
    if word := stream.accept_any("ENABLE", "DISABLE"):
        return AlterLogin(name, word == "ENABLE", None)
    stream.expect("WITH", "PASSWORD")
    stream.expect_symbol("=")
    return AlterLogin(name, None, stream.string())


def _drop_login(stream: TokenStream) -> Statement:
    return DropLogin(stream.identifier())


def _alter_server_role(stream: TokenStream) -> Statement:
    return _role(stream, is_server_role=True)


def _alter_role(stream: TokenStream) -> Statement:
    return _role(stream, is_server_role=False)


def _role(stream: TokenStream, *, is_server_role: bool) -> Statement:
    role = stream.identifier()
    word = stream.accept_any("ADD", "DROP")
    if word is None:
        raise stream.error()
    stream.expect("MEMBER")
    return AlterRole(role, stream.identifier(), word == "ADD", is_server_role)


def _grant(stream: TokenStream) -> Statement:
    return _permit(stream, "GRANT")


def _deny(stream: TokenStream) -> Statement:
    return _permit(stream, "DENY")


def _revoke(stream: TokenStream) -> Statement:
    return _permit(stream, "REVOKE")


def _permit(stream: TokenStream, action: str) -> Statement:
    permissions = [_permission(stream)]
    while stream.accept_symbol(","):
        permissions.append(_permission(stream))
    if stream.at("ON"):
        raise not_simulated(f"{action} on an object")
    if not stream.accept_any("TO", "FROM"):
        raise stream.error()
    return Permit(action, tuple(permissions), stream.identifier())


def _permission(stream: TokenStream) -> str:
    words = []
    while stream.current.kind is TokenKind.WORD and not (stream.at("TO") or stream.at("FROM")):
        if stream.at("ON"):
            break
        words.append(stream.advance().text.upper())
    if not words:
        raise stream.error()
    return " ".join(words)


def _create_certificate(stream: TokenStream) -> Statement:
    name = stream.identifier()
    stream.expect("FROM")
    file = binary = None
    if stream.accept("BINARY"):
        stream.expect_symbol("=")
        binary = _binary(stream)
    else:
        stream.expect("FILE")
        stream.expect_symbol("=")
        file = stream.string()
    has_key = stream.accept("WITH", "PRIVATE", "KEY")
    if has_key:
        _skip_brackets(stream)
    return CreateCertificate(name, file, binary, has_key)


def _skip_brackets(stream: TokenStream) -> None:
    """Read over what opens a private key: nothing here has to be decrypted."""
    stream.expect_symbol("(")
    while not stream.accept_symbol(")"):
        if stream.current.kind is TokenKind.END:
            raise stream.error()
        stream.advance()


def _drop_certificate(stream: TokenStream) -> Statement:
    return DropCertificate(stream.identifier())


def _create_user(stream: TokenStream) -> Statement:
    name = stream.identifier()
    if stream.accept("WITHOUT", "LOGIN"):
        return CreateUser(name, None)
    if stream.accept_any("FOR", "FROM"):
        stream.expect("LOGIN")
        return CreateUser(name, stream.identifier())
    return CreateUser(name, name)


def _alter_user(stream: TokenStream) -> Statement:
    name = stream.identifier()
    stream.expect("WITH", "LOGIN")
    stream.expect_symbol("=")
    return AlterUser(name, stream.identifier())


def _alter_authorization(stream: TokenStream) -> Statement:
    stream.expect("ON")
    if not stream.accept("DATABASE"):
        raise not_simulated("ALTER AUTHORIZATION on anything but a database")
    stream.expect_symbol(":")
    stream.expect_symbol(":")
    database = stream.identifier()
    stream.expect("TO")
    return AlterAuthorization(database, stream.identifier())


SECURITY_RULES: dict[tuple[str, ...], Callable[[TokenStream], Statement]] = {
    ("CREATE", "LOGIN"): _create_login,
    ("ALTER", "LOGIN"): _alter_login,
    ("DROP", "LOGIN"): _drop_login,
    ("ALTER", "SERVER", "ROLE"): _alter_server_role,
    ("ALTER", "ROLE"): _alter_role,
    ("GRANT",): _grant,
    ("DENY",): _deny,
    ("REVOKE",): _revoke,
    ("CREATE", "CERTIFICATE"): _create_certificate,
    ("DROP", "CERTIFICATE"): _drop_certificate,
    ("CREATE", "USER"): _create_user,
    ("ALTER", "USER"): _alter_user,
    ("ALTER", "AUTHORIZATION"): _alter_authorization,
}
