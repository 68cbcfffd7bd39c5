"""Posts events to the Functions host's Event Grid webhook, and tries again as Event Grid does.

Its rules, with shorter waits: a status from 200 to 204 ends it well; 400, 401 and 413 end it at
once; anything else, silence for 30 s included, is tried again up to 30 times in all.
Source: Microsoft Learn, "Event Grid message delivery and retry".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from local.blob_events.events import Schema

_LOG = logging.getLogger(__name__)
# It logs each request's address at INFO, and the webhook's has the key in it.
logging.getLogger("httpx").setLevel(logging.WARNING)

RETRY_AFTER_S = (0.5, 1, 2, 5, 10, 30)
"""Waits between attempts; the last is repeated."""

_ATTEMPTS = 30
_ANSWER_WITHIN_S = 30
_DELIVERED = range(200, 205)
_NEVER_RETRIED = frozenset({400, 401, 413})
_CONTENT_TYPE = {
    Schema.EVENT_GRID: "application/json; charset=utf-8",
    Schema.CLOUD_EVENTS: "application/cloudevents+json; charset=utf-8",
}


@dataclass(frozen=True)
class Webhook:
    """Where events go: a function of a Functions host, and the key that its webhook wants."""

    host: str
    function: str
    key: str = field(default="", repr=False)


class Courier:
    """Delivers events to one webhook, a few at a time; use as an asynchronous context manager."""

    def __init__(
        self,
        webhook: Webhook,
        schema: Schema,
        *,
        parallel: int = 4,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        self._webhook = webhook
        self._schema = schema
        self._retry_after_s = retry_after_s
        self._slots = asyncio.Semaphore(parallel)
        self._client = httpx.AsyncClient(timeout=_ANSWER_WITHIN_S, trust_env=False)

    async def __aenter__(self) -> Courier:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def deliver(self, body: bytes, what: str) -> None:
        """Deliver an event, or give up as Event Grid would; `what` names it in the log.

        Returns in either case: an event that is given up is lost, as it is without a dead-letter
        container.
        """
        for attempt in range(_ATTEMPTS):
            if attempt > 0:
                last = len(self._retry_after_s) - 1
                await asyncio.sleep(self._retry_after_s[min(attempt - 1, last)])
            async with self._slots:
                answer = await self._post(body, attempt)
            if answer in _DELIVERED:
                return
            if answer in _NEVER_RETRIED:
                _LOG.error("event of %s dropped: the webhook answered %s", what, answer)
                return
            _LOG.warning("event of %s, attempt %d: %s", what, attempt + 1, answer)
        _LOG.error("event of %s dropped after %d attempts", what, _ATTEMPTS)

    async def _post(self, body: bytes, attempt: int) -> int | str:
        """Post once and return the answer's status, or why there is none."""
        try:
            response = await self._client.post(
                f"{self._webhook.host.rstrip('/')}/runtime/webhooks/eventgrid",
                params={"functionName": self._webhook.function, "code": self._webhook.key},
                content=body,
                headers={
                    "content-type": _CONTENT_TYPE[self._schema],
                    "aeg-event-type": "Notification",
                    "aeg-delivery-count": str(attempt),
                },
            )
        except httpx.TransportError as error:
            return f"{type(error).__name__} {error}"
        return response.status_code
