"""Posts events to the Functions host's Event Grid webhook until they are taken or given up."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
import time
from dataclasses import dataclass, field

import httpx

from local.blob_events.dead_letters import DeadLetters
from local.blob_events.outbox import Delivery, Outbox
from local.blob_events.retry import DELIVERED, TIME_TO_LIVE_EXCEEDED, RetryPolicy, outcome

_LOG = logging.getLogger(__name__)
# They log each request's address, and the webhook's has the key in it.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_ANSWER_WITHIN_S = 30
_LONGEST_SLEEP_S = 60.0  # a clock that was set, or a machine that slept, is noticed after this
_EVENT_GRID_TYPE = "application/json; charset=utf-8"
_CLOUD_EVENTS_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True)
class Webhook:
    """Where events go: a function of a Functions host, and the key that its webhook wants."""

    host: str
    function: str
    key: str = field(default="", repr=False)


class Courier:
    """Delivers what is in an outbox, a few events at a time; an asynchronous context manager."""

    def __init__(
        self,
        webhook: Webhook,
        outbox: Outbox,
        dead_letters: DeadLetters,
        *,
        parallel: int = 4,
        policy: RetryPolicy,
    ) -> None:
        self._webhook = webhook
        self._outbox = outbox
        self._dead_letters = dead_letters
        self._policy = policy
        self._slots = asyncio.Semaphore(parallel)
        self._draw = random.Random()  # noqa: S311 - no secret is drawn
        self._client = httpx.AsyncClient(timeout=_ANSWER_WITHIN_S, trust_env=False)

    async def __aenter__(self) -> Courier:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def deliver(self, delivery: Delivery) -> None:
        """Deliver an event that is in the outbox, or dead-letter it; then it is there no more."""
        reason = None
        while reason is None:
            await _sleep_until(delivery.due)
            if self._policy.is_expired(time.time() - delivery.published):
                reason = TIME_TO_LIVE_EXCEEDED
                break
            async with self._slots:
                delivery = await self._attempt(delivery)
            if delivery.status in DELIVERED:
                self._outbox.remove(delivery)
                return
            reason = self._policy.give_up(delivery.attempts, delivery.status)
            if reason is None:
                delivery = self._postpone(delivery)
        await self._give_up(delivery, reason)

    async def _attempt(self, delivery: Delivery) -> Delivery:
        """Post once; returns the delivery with how that ended."""
        body = delivery.body
        status, how = None, ""
        try:
            response = await self._client.post(
                f"{self._webhook.host.rstrip('/')}/runtime/webhooks/eventgrid",
                params={"functionName": self._webhook.function, "code": self._webhook.key},
                content=body,
                headers={
                    "content-type": _EVENT_GRID_TYPE if body[:1] == b"[" else _CLOUD_EVENTS_TYPE,
                    "aeg-event-type": "Notification",
                    "aeg-subscription-name": self._webhook.function.upper(),
                    "aeg-delivery-count": str(delivery.attempts),
                },
            )
            status, how = response.status_code, outcome(response.status_code)
        except httpx.TimeoutException:
            how = "TimedOut"
        except httpx.TransportError:
            how = "SocketError"
        return dataclasses.replace(
            delivery,
            attempts=delivery.attempts + 1,
            attempted=time.time(),
            status=status,
            outcome=how,
        )

    def _postpone(self, delivery: Delivery) -> Delivery:
        wait = self._policy.wait_s(delivery.attempts, delivery.status, self._draw)
        _LOG.warning(
            "event of %r, attempt %d: %s%s; tried again in %.1f s",
            delivery.blob,
            delivery.attempts,
            delivery.outcome,
            f" ({delivery.status})" if delivery.status else "",
            wait,
        )
        later = dataclasses.replace(delivery, due=time.time() + wait)
        self._outbox.postpone(later)
        return later

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        """Dead-letter an event; a full disk is waited for."""
        trouble = ""
        while True:
            try:
                path = self._dead_letters.write(delivery, reason, time.time())
                break
            except OSError as error:
                if str(error) != trouble:
                    _LOG.error("event of %r cannot be dead-lettered: %s", delivery.blob, error)
                trouble = str(error)
            await asyncio.sleep(_LONGEST_SLEEP_S)
        self._outbox.remove(delivery)
        _LOG.error("event of %r given up (%s), kept in %s", delivery.blob, reason, path)


async def _sleep_until(due: float) -> None:
    """Wait for a time of the wall clock, which is what the outbox knows."""
    while (left := due - time.time()) > 0:
        await asyncio.sleep(min(left, _LONGEST_SLEEP_S))
