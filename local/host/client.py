"""What a client may ask of the hub: start, signal and steer orchestrations and entities.

Each method returns at once; its future is done when the change is on disk, or carries a `Refused`
that names the HTTP status to answer with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from local.host.entity_batches import EntityBatches
from local.host.errors import Refused
from local.host.history import EventType, decode, encode, event, timestamp
from local.host.hub import Hub, State
from local.host.instance import LIVE, Instance, check_instance_id, new_id
from local.host.orchestrations import Orchestrations
from local.host.rewind import rewind
from local.host.turns import Message, Names, unknown_function
from local.host.writer import Writer, utc_now

_MOST_NAME = 1024  # characters in the name of an event or operation


class HubClient:
    """The commands of one hub. Any thread may call them."""

    def __init__(
        self,
        writer: Writer,
        hub: Hub,
        orchestrations: Orchestrations,
        entities: EntityBatches,
        names: Names,
        default_version: str | None,
        *,
        replaces_running: bool,
    ) -> None:
        """`replaces_running`: a start may take the place of an instance that still runs."""
        self._writer = writer
        self._hub = hub
        self._orchestrations = orchestrations
        self._entities = entities
        self._names = names
        self._default_version = default_version
        self._replaces_running = replaces_running

    def start(
        self, name: str, instance_id: str | None, version: str | None, input_text: str | None
    ) -> Future[str]:
        """Start an orchestration with a JSON input; gives its instance id.

        Refused: 400 for an unknown name or bad id, 409 for an id that is still running.
        """
        return self._writer.call(
            lambda: self._start(name, instance_id or new_id(), version, input_text)
        )

    def raise_event(self, instance_id: str, name: str, input_text: str | None) -> Future[None]:
        """Send an external event with JSON data. Refused: 404 no instance, 410 finished."""

        def command() -> None:
            self._live(instance_id)
            _check_name("event", name)
            at = timestamp(utc_now())
            raised = event(EventType.EVENT_RAISED, at, Name=name, Input=input_text)
            self._orchestrations.deliver(instance_id, None, raised)

        return self._writer.call(command)

    def terminate(self, instance_id: str, reason: str) -> Future[None]:
        """End an instance now, whatever it has under way. Refused: 404, 410."""

        def command() -> None:
            self._live(instance_id)
            at = timestamp(utc_now())
            terminated = event(EventType.EXECUTION_TERMINATED, at, Input=reason)
            past = self._hub.history(instance_id)
            self._hub.append_history(instance_id, len(past), [encode(terminated)])
            self._orchestrations.end(instance_id, "Terminated", json.dumps(reason), reason)

        return self._writer.call(command)

    def suspend(self, instance_id: str, reason: str) -> Future[None]:
        """Let an instance run no more code until it is resumed. Refused: 404, 410, 500."""
        return self._writer.call(
            lambda: self._steer(instance_id, reason, EventType.EXECUTION_SUSPENDED, "Suspended")
        )

    def resume(self, instance_id: str, reason: str) -> Future[None]:
        """Let a suspended instance go on. Refused: 404, 410, 500 when it is not suspended."""
        return self._writer.call(
            lambda: self._steer(instance_id, reason, EventType.EXECUTION_RESUMED, "Running")
        )

    def rewind(self, instance_id: str, reason: str) -> Future[None]:
        """Run again what made an instance fail. Refused: 404, 410, 500 when it has not failed."""

        def command() -> None:
            state = self._known(instance_id)
            if state.status in ("Completed", "Terminated", "Canceled"):
                raise Refused(410, f"instance '{instance_id}' is {state.status}")
            if state.status != "Failed":
                raise Refused(
                    500,
                    f"only a failed instance can be rewound, '{instance_id}' is {state.status}",
                )
            self._rewind(instance_id, reason)

        return self._writer.call(command)

    def restart(self, instance_id: str, *, with_new_id: bool) -> Future[str]:
        """Start an orchestration like this one; gives its id. Refused: 400 unknown, 409 running."""

        def command() -> str:
            known = self._hub.instance(instance_id)
            if known is None:
                raise Refused(400, f"An orchestration with id '{instance_id}' was not found")
            another = new_id() if with_new_id else instance_id
            return self._start(known.name, another, known.version, known.input)

        return self._writer.call(command)

    def purge(self, instance_id: str) -> Future[int]:
        """Delete a finished instance; gives 0 when it is still running. Refused: 404."""

        def command() -> int:
            state = self._known(instance_id)
            if state.status in LIVE:
                return 0
            self._hub.delete_instance(instance_id)
            return 1

        return self._writer.call(command)

    def purge_many(
        self, created_from: str, created_to: str | None, statuses: Sequence[str]
    ) -> Future[int]:
        """Delete the finished instances of these states and times; gives how many there were."""

        def command() -> int:
            finished = [status for status in statuses if status not in LIVE]
            found = self._hub.purgeable(created_from, created_to, finished)
            for instance_id in found:
                self._hub.delete_instance(instance_id)
            return len(found)

        return self._writer.call(command)

    def signal(self, entity: str, key: str, operation: str, input_text: str | None) -> Future[None]:
        """Send an operation to an entity without waiting for it. Refused: 400 unknown entity."""

        def command() -> None:
            if entity.lower() not in self._names.entities:
                raise Refused(400, unknown_function("entity", entity, self._names.entities))
            _check_name("operation", operation)
            message = Message(entity, key, operation, input_text, request_id=None)
            self._entities.send([message], caller=None, execution=None)

        return self._writer.call(command)

    def put_schedule(self, function: str, last: str, following: str) -> Future[None]:
        """Note the last and the next run of a timer function."""
        return self._writer.call(
            partial(self._hub.put_schedule, function, last, following, timestamp(utc_now()))
        )

    # -- on the writer's thread ------------------------------------------------------------------

    def _start(
        self, name: str, instance_id: str, version: str | None, input_text: str | None
    ) -> str:
        if name.lower() not in self._names.orchestrators:
            raise Refused(400, unknown_function("orchestrator", name, self._names.orchestrators))
        refusal = check_instance_id(instance_id)
        if refusal is not None:
            raise Refused(400, refusal)
        existing = self._hub.state(instance_id)
        if existing is not None and existing.status in LIVE and not self._replaces_running:
            raise Refused(
                409,
                f"An orchestration with id '{instance_id}' is {existing.status}; "
                "it can be started anew when it has finished",
            )
        now = timestamp(utc_now())
        self._orchestrations.start(
            Instance(
                id=instance_id,
                name=self._names.orchestrators[name.lower()],
                execution=new_id(),
                version=version or self._default_version,
                status="Pending",
                input=input_text,
                output=None,
                custom_status=None,
                created=now,
                updated=now,
            )
        )
        return instance_id

    def _steer(self, instance_id: str, reason: str, kind: EventType, status: str) -> None:
        state = self._live(instance_id)
        if (state.status == "Suspended") == (status == "Suspended"):
            raise Refused(500, f"instance '{instance_id}' is {state.status} already")
        self._orchestrations.store_fresh(instance_id)
        self._hub.set_status(instance_id, status, timestamp(utc_now()))
        self._orchestrations.deliver(
            instance_id, None, event(kind, timestamp(utc_now()), Input=reason)
        )

    def _rewind(self, instance_id: str, reason: str) -> None:
        events = decode(self._hub.history(instance_id))
        rewound = rewind(events, self._is_failed)
        for child in rewound.children:
            self._rewind(child, reason)
        self._orchestrations.forget(instance_id)
        now = timestamp(utc_now())
        self._hub.replace_history(instance_id, (encode(one) for one in rewound.events))
        self._hub.revive(instance_id, now)
        wake = event(EventType.GENERIC_EVENT, now, Data=f"Rewind: {reason}")
        self._orchestrations.deliver(instance_id, None, wake)

    def _is_failed(self, instance_id: str) -> bool:
        state = self._hub.state(instance_id)
        return state is not None and state.status == "Failed"

    def _known(self, instance_id: str) -> State:
        state = self._hub.state(instance_id)
        if state is None:
            raise Refused(404, f"No instance with id '{instance_id}' found")
        return state

    def _live(self, instance_id: str) -> State:
        state = self._known(instance_id)
        if state.status not in LIVE:
            raise Refused(410, f"instance '{instance_id}' is {state.status}")
        return state


def _check_name(kind: str, name: str) -> None:
    if not name or len(name) > _MOST_NAME:
        raise Refused(400, f"the name of an {kind} has 1 to {_MOST_NAME} characters")
