"""Lists a container again and again, and sends an event for each new version of a blob."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, BlobType, ContainerClient

from local.blob_events.dead_letters import DeadLetters
from local.blob_events.delivery import Courier, Webhook
from local.blob_events.events import CreatedBlob, Schema, event_body
from local.blob_events.faults import Faults
from local.blob_events.outbox import Delivery, Outbox
from local.blob_events.retry import RetryPolicy

_LOG = logging.getLogger(__name__)


class BlobEventWatcher:
    """Watches one container on behalf of one function.

    Blobs that were there before it started raise events too, unless `outbox` knows them. The
    container need not exist yet. A watcher that is killed goes on with what it has not delivered.

    Args:
        container: the container, in Azurite or any storage account.
        webhook: where its events go.
        outbox: the file that remembers what was raised and is undelivered; one for each watcher.
        dead_letters: the folder for events that cannot be delivered.
        schema: how events are written.
        faults: what is to go wrong.
        poll_s: pause between two listings; longer where listing would take over a quarter of
            the time, which it does from some 800 blobs on.
        parallel: deliveries at the same time.
        policy: how often and how long an event is tried.
    """

    def __init__(
        self,
        container: ContainerClient,
        webhook: Webhook,
        outbox: Path,
        dead_letters: Path,
        *,
        schema: Schema = Schema.EVENT_GRID,
        faults: Faults | None = None,
        poll_s: float = 0.5,
        parallel: int = 4,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._container = container
        self._webhook = webhook
        self._outbox_file = outbox
        self._dead_letters = DeadLetters(dead_letters, webhook.function)
        self._schema = schema
        self._faults = faults or Faults()
        self._poll_s = poll_s
        self._parallel = parallel
        self._policy = policy or RetryPolicy()
        self._last_sequence = 0
        self._trouble = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        with contextlib.closing(Outbox(self._outbox_file)) as outbox:
            courier = Courier(
                self._webhook,
                outbox,
                self._dead_letters,
                parallel=self._parallel,
                policy=self._policy,
            )
            # By version while its event is being made, by id while that is being delivered.
            tasks: dict[object, asyncio.Task[None]] = {
                one.id: asyncio.create_task(courier.deliver(one)) for one in outbox.undelivered()
            }

            async def raise_event(blob: BlobProperties, sequence: int) -> None:
                for one in await self._raise(blob, sequence, outbox):
                    tasks[one.id] = asyncio.create_task(courier.deliver(one))

            async with courier:
                try:
                    while True:
                        begin = time.monotonic()
                        found = await asyncio.to_thread(self._list)
                        _forget_finished(tasks)
                        new = [
                            (blob, self._next_sequence())
                            for blob in found
                            if (blob.name, blob.etag) not in outbox
                            and (blob.name, blob.etag) not in tasks
                        ]
                        for blob, sequence in self._faults.ordered(new):
                            tasks[blob.name, blob.etag] = asyncio.create_task(
                                raise_event(blob, sequence)
                            )
                        await asyncio.sleep(max(self._poll_s, 3 * (time.monotonic() - begin)))
                finally:
                    for task in tasks.values():
                        task.cancel()
                    await asyncio.gather(*tasks.values(), return_exceptions=True)

    @contextlib.contextmanager
    def in_background(self) -> Iterator[None]:
        """Watch in a thread of its own while the context lasts."""
        started: concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = (
            concurrent.futures.Future()
        )

        async def watch() -> None:
            running = asyncio.ensure_future(self.run())
            started.set_result((asyncio.get_running_loop(), running))
            with contextlib.suppress(asyncio.CancelledError):
                await running

        with concurrent.futures.ThreadPoolExecutor(1, "blob-events") as thread:
            ended = thread.submit(asyncio.run, watch())
            loop, running = started.result()
            try:
                yield
            finally:
                with contextlib.suppress(RuntimeError):  # it has failed, and closed its loop
                    loop.call_soon_threadsafe(running.cancel)
                ended.result()

    async def _raise(self, blob: BlobProperties, sequence: int, outbox: Outbox) -> list[Delivery]:
        """Make the event of a version, and put its deliveries into the outbox."""
        created = await asyncio.to_thread(self._describe, blob, sequence)
        body = event_body(created, self._schema)
        now = time.time()
        deliveries = [
            Delivery(str(uuid.uuid4()), blob.name, body, published=now, due=now + delay_s)
            for delay_s in self._faults.delays_s(blob.name, blob.size)
        ]
        outbox.put(blob.name, blob.etag, deliveries)
        return deliveries

    def _list(self) -> list[BlobProperties]:
        """Return the finished blobs, oldest first, or none when storage does not answer."""
        try:
            # No retries: the next look comes soon enough.
            listed = list(self._container.list_blobs(include=["copy"], retry_total=0))
        except AzureError as error:
            self._report_trouble(error)
            return []
        self._trouble = ""
        finished = [blob for blob in listed if blob.copy.status in (None, "success")]
        return sorted(finished, key=lambda blob: (blob.last_modified, blob.name))

    def _report_trouble(self, error: AzureError) -> None:
        """Log what is wrong, once for as long as it lasts."""
        trouble = f"{type(error).__name__}: {error.message}".partition("\n")[0]
        if trouble != self._trouble:
            level = logging.INFO if isinstance(error, ResourceNotFoundError) else logging.WARNING
            _LOG.log(level, "cannot list %s: %s", self._container.container_name, trouble)
        self._trouble = trouble

    def _next_sequence(self) -> int:
        self._last_sequence = max(self._last_sequence + 1, time.time_ns())
        return self._last_sequence

    def _describe(self, blob: BlobProperties, sequence: int) -> CreatedBlob:
        return CreatedBlob(
            account=str(self._container.account_name),
            container_url=self._container.url.partition("?")[0],
            name=blob.name,
            etag=blob.etag.strip('"'),
            size_bytes=blob.size,
            content_type=blob.content_settings.content_type or "application/octet-stream",
            blob_type=BlobType(blob.blob_type).value,
            access_tier="Default" if blob.blob_tier_inferred else str(blob.blob_tier or "Default"),
            last_modified=blob.last_modified,
            api=self._upload_api(blob),
            sequence=sequence,
        )

    def _upload_api(self, blob: BlobProperties) -> str:
        """Return the REST operation that finished the upload."""
        if blob.copy.status is not None:
            return "CopyBlob"
        if blob.blob_type != BlobType.BLOCKBLOB:
            return "PutBlob"
        try:
            # Only a staged upload leaves a list of blocks.
            committed, _ = self._container.get_blob_client(blob.name).get_block_list(
                "committed", retry_total=0
            )
        except AzureError:
            return "PutBlob"  # deleted meanwhile, or a name with ../ that the SDK cannot address
        return "PutBlockList" if committed else "PutBlob"


def _forget_finished(tasks: dict[object, asyncio.Task[None]]) -> None:
    """Drop the tasks that have ended; raises what a failed one has raised."""
    for key in [key for key, task in tasks.items() if task.done()]:
        tasks.pop(key).result()
