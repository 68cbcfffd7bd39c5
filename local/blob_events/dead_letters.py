"""Keeps events that could not be delivered as JSON files, as Event Grid keeps them as blobs.

Their path is that of Event Grid below its dead-letter container: subscription in capitals, year,
month, day, hour, all in UTC. Unlike there, a file is written at once and holds one event.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from local.blob_events.outbox import Delivery


class DeadLetters:
    """The dead letters of one subscription, below a folder."""

    def __init__(self, folder: Path, subscription: str) -> None:
        self._folder = folder / re.sub(r"[^A-Z0-9_-]", "_", subscription.upper())

    def write(self, delivery: Delivery, reason: str, now: float) -> Path:
        """Write the event of a delivery, whole or not at all; the same again is harmless.

        Raises:
            OSError: the file cannot be written.
        """
        at = datetime.fromtimestamp(now, timezone.utc)
        folder = self._folder.joinpath(*map(str, (at.year, at.month, at.day, at.hour)))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{delivery.id}.json"
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump([dead_letter(delivery, reason)], file, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        return path


def dead_letter(delivery: Delivery, reason: str) -> dict[str, Any]:
    """Return the event with what became of it; the added names are as its schema has them."""
    body = json.loads(delivery.body)
    event: dict[str, Any] = body[0] if isinstance(body, list) else body
    attempted = delivery.attempted
    added = {
        "deadLetterReason": reason,
        "deliveryAttempts": delivery.attempts,
        "lastDeliveryOutcome": delivery.outcome,
        "lastHttpStatusCode": delivery.status,
        "publishTime": _time(delivery.published),
        "lastDeliveryAttemptTime": None if attempted is None else _time(attempted),
    }
    is_cloud_event = "specversion" in event
    known = {name: value for name, value in added.items() if value is not None}
    return event | {n.lower() if is_cloud_event else n: value for n, value in known.items()}


def _time(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z"  # Event Grid writes seven digits
