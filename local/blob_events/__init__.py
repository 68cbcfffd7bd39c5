"""Event Grid on one machine: tells the function app about new blobs, as the real one would.

Azurite raises no events, so a container is listed again and again; each new or changed blob
becomes one `BlobCreated` event, posted to the Event Grid webhook of the Functions host. At least
once, unordered, with retries and dead letters, and with faults on request: what a subscriber must
put up with.

The differences that are known: a change of a blob's metadata gives it a new ETag and so an event;
of two uploads between two listings only the last is seen; new events are not held back from an
endpoint that keeps failing; and a dead letter is written at once, not after five minutes.
"""

from local.blob_events.delivery import Webhook
from local.blob_events.events import Schema
from local.blob_events.faults import Faults
from local.blob_events.retry import RetryPolicy
from local.blob_events.watcher import BlobEventWatcher

__all__ = ["BlobEventWatcher", "Faults", "RetryPolicy", "Schema", "Webhook"]
