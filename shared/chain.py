"""Which backup comes next. Pure: no clock, no I/O, the same answer for any order of input."""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.lsn import Lsn


class DatabaseState(str, Enum):
    """What the target says of a database, as far as a restore cares."""

    ABSENT = "ABSENT"
    RESTORING = "RESTORING"
    ONLINE = "ONLINE"
    OTHER = "OTHER"


class TargetPosition(BaseModel):
    """Where a restore on the target stands. Unknown fields are None and never refuse anything.

    `redo_start_lsn` is where roll forward goes on; a server often reports it a few slots beside
    the LastLSN of the last log, so it is compared by range. Source: Microsoft Learn,
    "sys.master_files".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: DatabaseState
    redo_start_lsn: Lsn | None = None
    redo_start_fork_guid: UUID | None = None
    differential_base_lsn: Lsn | None = None
    differential_base_guid: UUID | None = None
