"""The built-in activity behind `context.call_http`.

Any HTTP status is a result. A 202 is not polled: the SDK has gone on by then, and what polling
schedules would upset the orchestration's sequence ids (Python SDK issue 380).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

_TIMEOUT_S = 100.0  # the default of .NET's HttpClient, which Azure uses
_MOST_BYTES = 100 * 1024 * 1024


async def call_http(request_text: str) -> str:
    """Carry out a durable HTTP request given as JSON; returns the response as JSON.

    Raises:
        httpx.HTTPError: there was no answer, or one that is too large.
    """
    request = json.loads(request_text)
    headers = dict(request.get("headers") or {})
    content = request.get("content")
    if content is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "text/plain; charset=utf-8"
    if request.get("tokenSource"):
        headers["Authorization"] = f"Bearer {await _token(request['tokenSource'])}"
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=True) as client,
        client.stream(request["method"], request["uri"], headers=headers, content=content) as reply,
    ):
        body = bytearray()
        async for chunk in reply.aiter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise httpx.RequestError(f"the answer has more than {_MOST_BYTES} bytes")
        return json.dumps(
            {
                "statusCode": reply.status_code,
                "headers": dict(reply.headers),
                "content": body.decode(reply.encoding or "utf-8", "replace"),
            }
        )


async def _token(source: dict[str, Any]) -> str:
    """Get a token as the identity this machine has: a developer's sign-in, as a rule."""
    from azure.identity import DefaultAzureCredential  # only here: it is slow to import

    scope = f"{str(source['resource']).rstrip('/')}/.default"
    credential = DefaultAzureCredential()
    token = await asyncio.to_thread(credential.get_token, scope)
    return str(token.token)
