"""What the operator of a host may see of it: queue lengths, instances, histories."""

from __future__ import annotations

from typing import Any

from local.host.activities import Activities
from local.host.history import Event
from local.host.instance import FINISHED, LIVE, Instance
from local.host.queries import HubQueries, InstanceFilter
from local.host.status import show_history
from local.host.timeline import Entry, timeline
from local.host.writer import Writer


class Inside:
    """The inside of one host. Reads only; any thread may ask."""

    def __init__(
        self,
        hub_name: str,
        queries: HubQueries,
        writer: Writer,
        activities: Activities,
        activity_limit: int,
    ) -> None:
        self.hub_name = hub_name
        self._queries = queries
        self._writer = writer
        self._activities = activities
        self._activity_limit = activity_limit

    def queues(self) -> dict[str, Any]:
        """Return the lengths of all queues, as the admin API shows them.

        `activities.outstanding` counts those that run as well.
        """
        lengths = self._queries.lengths()
        timers = {"outstanding": lengths.timers}
        return {
            "taskHub": self.hub_name,
            "draining": self._writer.is_draining,
            "instances": self._queries.count_by_status(),
            "events": {"waiting": lengths.events},
            "activities": {
                "outstanding": lengths.activities,
                "running": self._activities.busy(),
                "limit": self._activity_limit,
            },
            "timers": timers | ({"next": lengths.due} if lengths.due else {}),
            "entities": {"count": lengths.entities, "waitingOperations": lengths.operations},
        }

    def live(self, prefix: str, top: int) -> list[Instance]:
        """Return instances that are not finished, the newest first."""
        return self._queries.newest(InstanceFilter(prefix=prefix, statuses=LIVE), top)

    def finished(self, prefix: str, status: str, top: int) -> list[Instance]:
        """Return finished instances of one state, or of any if it is empty, the newest first."""
        statuses = [one for one in FINISHED if status in ("", one)]
        return self._queries.newest(InstanceFilter(prefix=prefix, statuses=statuses), top)

    def instance(self, instance_id: str) -> tuple[Instance, list[Entry]] | None:
        """Return an instance with its timeline; None if there is none of this id."""
        found = self._queries.instance(instance_id)
        if found is None:
            return None
        events: list[Event] = show_history(self._queries.history(instance_id), with_output=True)
        return found, timeline(events)
