"""FROM URL: a block blob, read with the shared access signature of a credential.

Source: Microsoft Learn, "SQL Server backup to URL". The credential's name is the URL of the
container, compared with case; its secret is a SAS token without the leading question mark.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

import httpx

from local.sqlserver.engine.model import Credential
from local.sqlserver.errors import SqlError, refuse
from local.sqlserver.media.device import END_OF_FILE
from local.sqlserver.media.disk import whole

# They log each request's address, and a blob's has the signature in it.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

SHARED_ACCESS_SIGNATURE = "SHARED ACCESS SIGNATURE"
MANAGED_IDENTITY = "MANAGED IDENTITY"
_MAX_NAME = 259
_TIMEOUT_S = 30.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NOT_FOUND = "2(The system cannot find the file specified.)"
_DENIED = "5(Access is denied.)"
_UNSUPPORTED = "50(The request is not supported.)"
_WRONG_SECRET = "86(The specified network password is not correct.)"  # noqa: S105 a message
_TIMED_OUT = "12002(The operation timed out)"
_NO_CONNECTION = "12029(A connection with the server could not be established)"
_LOST_CONNECTION = "12030(The connection with the server was terminated abnormally)"
_UNQUOTED = "/:%[]@!$&()*+,;=~-._"
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")


class BlobDevice:
    """A blob that answered to its first ranged read."""

    device_type = 9

    def __init__(self, url: str, credentials: Iterable[Credential], identity: str = "") -> None:
        """Find the credential and the size; raises SqlError 3297, 3201 or 3271.

        `identity` is a signature that stands for what the server's own identity may read.
        """
        self.name = url
        _check_url(url)
        self._secret = _secret(url, credentials, identity)
        self._client = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)
        try:
            self.size = self._find_size()
        except BaseException:
            self._client.close()
            raise

    def _find_size(self) -> int:
        response, _ = self._get(0, 1)
        if response.headers.get("x-ms-blob-type", "BlockBlob") != "BlockBlob":
            raise refuse(3201, self.name, _UNSUPPORTED)
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return 0
        self._check(response, opening=True)
        return _total(response)

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes; raises SqlError 3203 or 3271."""
        if length == 0:
            return b""
        response, data = self._get(offset, length)
        self._check(response, opening=False)
        if _total(response) != self.size:
            raise refuse(3203, self.name, END_OF_FILE)
        return whole(self.name, data, length)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, offset: int, length: int) -> tuple[httpx.Response, bytes]:
        """Ask for a range; read no more of the answer than was asked for.

        The secret is only in the request; no message may show it.
        """
        url = f"{quote(self.name, safe=_UNQUOTED)}?{self._secret}"
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                data = bytearray()
                if response.status_code == httpx.codes.PARTIAL_CONTENT:
                    for piece in response.iter_raw():
                        data += piece[: length - len(data)]
                return response, bytes(data)
        except httpx.TimeoutException as exc:
            raise refuse(3203, self.name, _TIMED_OUT) from exc
        except httpx.InvalidURL as exc:
            raise refuse(3297, self.name) from exc
        except httpx.ConnectError as exc:
            raise refuse(3201, self.name, _NO_CONNECTION) from exc
        except httpx.HTTPError as exc:
            raise refuse(3203, self.name, _LOST_CONNECTION) from exc

    def _check(self, response: httpx.Response, *, opening: bool) -> None:
        status = response.status_code
        if status == httpx.codes.PARTIAL_CONTENT:
            return
        code = response.headers.get("x-ms-error-code", "")
        if status == httpx.codes.NOT_FOUND:
            problem = _NOT_FOUND
        elif status == httpx.codes.FORBIDDEN and code == "AuthenticationFailed":
            problem = _WRONG_SECRET
        elif status in (httpx.codes.FORBIDDEN, httpx.codes.UNAUTHORIZED):
            problem = _DENIED
        else:
            raise self._remote_error(response)
        raise refuse(3201 if opening else 3203, self.name, problem)

    def _remote_error(self, response: httpx.Response) -> SqlError:
        return refuse(
            3271,
            f"{self.name}:",
            "Backup to URL received an exception from the remote endpoint. Exception Message: "
            f"The remote server returned an error: ({response.status_code}) "
            f"{response.reason_phrase}.",
        )


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    plain = parts.scheme == "http" and host in _LOOPBACK
    if (
        not (parts.scheme == "https" or plain)
        or not host
        or parts.query
        or parts.fragment
        or parts.username
        or len(url) > _MAX_NAME
        or parts.path.count("/") < 2
    ):
        raise refuse(3297, url)


def _secret(url: str, credentials: Iterable[Credential], identity: str) -> str:
    """Return the SAS of the container that the URL lies in; the longest name that fits wins."""
    fitting = [c for c in credentials if url.startswith(f"{c.name}/")]
    if not fitting:
        raise refuse(3201, url, _DENIED)
    credential = max(fitting, key=lambda c: len(c.name))
    if credential.identity.upper() == MANAGED_IDENTITY:
        if not identity:
            raise refuse(37563)
        return identity
    if credential.identity.upper() != SHARED_ACCESS_SIGNATURE or credential.secret[:1] in ("", "?"):
        raise refuse(3201, url, _WRONG_SECRET)
    return credential.secret


def _total(response: httpx.Response) -> int:
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return int(match[1]) if match else 0
