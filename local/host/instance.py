"""What an instance of an orchestration is: its states, its id, what is kept of it. Pure."""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

LIVE = ("Pending", "Running", "Suspended")
"""The states in which an instance is not finished."""

FINISHED = ("Completed", "Failed", "Terminated", "Canceled")
"""The states in which it is; nothing here leads to Canceled, but clients may ask for it."""

_BAD_ID = re.compile(r"[/\\?#\x00-\x1f\x7f-\x9f]")


class Instance(NamedTuple):
    """What the hub keeps of an instance. `input`, `output` and `custom_status` are JSON text."""

    id: str
    name: str
    execution: str
    version: str | None
    status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created: str
    updated: str
    parent: str | None = None
    parent_execution: str | None = None
    parent_task: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether the instance is not finished."""
        return self.status in LIVE


def check_instance_id(instance_id: str) -> str | None:
    """Return what is wrong with an instance id, or None.

    Source: the Functions extension, which follows the limits of Azure Table keys.
    """
    if not instance_id or len(instance_id) > 256:
        return f"an instance id has 1 to 256 characters, this one has {len(instance_id)}"
    if instance_id.startswith("@"):
        return f"instance id {instance_id!r} begins with '@', which is kept for entities"
    if _BAD_ID.search(instance_id):
        return f"instance id {instance_id!r} holds one of / \\ ? # or a control character"
    return None


def new_id() -> str:
    """Return an id for an instance or a generation: 32 hexadecimal digits."""
    return uuid.uuid4().hex
