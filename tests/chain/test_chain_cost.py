"""What planning costs: the work grows with the number of backups, not with that of the ways.

Calls are counted, because time on a busy machine says little.
"""

from __future__ import annotations

import cProfile
import pstats
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from shared.backupset import BackupSet, BackupType, SetFile
from shared.chain import ABSENT, DatabaseState, Goal, PlanStatus, TargetPosition, plan_restore
from shared.lsn import Lsn

BEGIN = datetime(2026, 3, 1)  # noqa: DTZ001 header dates carry no zone
FORK = UUID(int=0xA, version=4)
EVERY = 5


class Years:
    """A database with a log backup every few minutes, and data backups now and then."""

    def __init__(self, logs: int, data: int) -> None:
        self.sets: list[BackupSet] = []
        self.base: BackupSet | None = None
        lsn = log_start = 1000
        for number in range(logs):
            if number % (logs // data) == 0:
                self.take_data(lsn, is_full=number % (logs // data * 7) == 0)
                lsn += 20
            lsn += 100
            self.take(BackupType.LOG, log_start, lsn, log_start)
            log_start = lsn

    def take_data(self, lsn: int, *, is_full: bool) -> None:
        if is_full:
            self.base = self.take(BackupType.DATABASE, lsn, lsn + 20, lsn + 1)
        else:
            self.take(BackupType.DIFFERENTIAL, lsn, lsn + 20, lsn)

    def take(self, kind: BackupType, first: int, last: int, checkpoint: int) -> BackupSet:
        number = len(self.sets) + 1
        base = self.base if kind is BackupType.DIFFERENTIAL else None
        backup = BackupSet(
            backup_set_guid=UUID(int=number, version=4),
            backup_type=kind,
            database_name="Orders",
            first_lsn=Lsn(first),
            last_lsn=Lsn(last),
            checkpoint_lsn=Lsn(checkpoint),
            database_backup_lsn=self.base.checkpoint_lsn if self.base else Lsn(0),
            differential_base_lsn=base.checkpoint_lsn if base else None,
            differential_base_guid=base.backup_set_guid if base else None,
            recovery_fork_id=FORK,
            backup_finish_date=BEGIN + timedelta(minutes=EVERY * number),
            family_count=1,
            files=(SetFile(name=str(number), family_sequence_number=1),),
        )
        self.sets.append(backup)
        return backup

    @property
    def middle(self) -> datetime:
        return BEGIN + timedelta(minutes=EVERY * len(self.sets) // 2 + 1)


def begun(years: Years) -> TargetPosition:
    """Return the position of a target that holds the first full only."""
    full = years.sets[0]
    return TargetPosition(
        state=DatabaseState.RESTORING,
        redo_start_lsn=full.last_lsn,
        redo_start_fork_guid=FORK,
        differential_base_lsn=full.checkpoint_lsn,
        differential_base_guid=full.backup_set_guid,
    )


def cost(years: Years, position: TargetPosition, goal: Goal) -> int:
    """Return how many calls it takes to plan."""
    profile = cProfile.Profile()
    profile.enable()
    plan = plan_restore(years.sets, position, goal)
    profile.disable()
    assert plan.status in (PlanStatus.READY, PlanStatus.COMPLETE)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # not in typeshed


@pytest.mark.parametrize("data", [10, 250], ids=["few data backups", "many data backups"])
@pytest.mark.parametrize("start", ["absent", "begun"])
@pytest.mark.parametrize("end", ["open", "stop", "named", "logs only"])
def test_four_times_the_backups_cost_four_times_the_work(data: int, start: str, end: str) -> None:
    def work(size: int) -> int:
        years = Years(500 * size, data * size)
        goal = {
            "open": Goal(),
            "stop": Goal(stop_at=years.middle),
            "named": Goal(last_backup=years.sets[len(years.sets) // 2].files[0].name),
            "logs only": Goal(use_differentials=False),
        }[end]
        return cost(years, ABSENT if start == "absent" else begun(years), goal)

    assert work(4) < 5.5 * work(1)
