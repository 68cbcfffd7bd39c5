"""Every chain of real backups: dropped in any order, events lost and doubled, restored as planned.

A chain is what the headers say belongs together. The complete ones end recovered, with exactly the
planned sequence in the server's own history; the others end waiting, with what is missing named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

from local.blob_events import Faults
from local.folders import REPOSITORY
from local.stack import Stack, StackOptions
from shared.acceptance import Policy, judge
from shared.backupfile import FileSource, read_backup
from shared.backupset import BackupSet, BackupType, merge_families
from shared.chain import (
    DatabaseState,
    MissingFamilies,
    MissingLog,
    Plan,
    PlanStatus,
    plan_restore,
)
from shared.errors import BackupFileError
from shared.lineage import group_by_database
from tests.e2e.world import Json, World, details, guids, shuffled

BACKUPS = REPOSITORY.parent / "shared" / "backups"
OLDEST = Policy(oldest_database_version=655)


class Chain(NamedTuple):
    """Backups of one database, and what is planned with them."""

    plan: Plan
    files: list[Path]


def _chains() -> tuple[dict[str, Chain], dict[str, Chain]]:
    """Return the complete chains of the real backups, and the incomplete ones.

    Each complete chain gives two incomplete ones more: without its full backup, and without one
    of the logs in the middle.
    """
    whole, part = {}, {}
    for number, group in enumerate(group_by_database(merge_families(_parts())).values()):
        name = f"{group[0].database_name} {number}"
        chain = _chain(group)
        if chain.plan.status is not PlanStatus.READY:
            part[name] = chain
            continue
        whole[name] = chain
        steps = [step.backup for step in chain.plan.steps]
        logs = [s for s in steps if s.backup_type is BackupType.LOG]
        fulls = [s for s in group if s.backup_type is BackupType.DATABASE]
        if len(group) > len(fulls):
            part[f"{name} without full"] = _chain([s for s in group if s not in fulls])
        if len(logs) > 2:
            part[f"{name} without a log"] = _chain([s for s in group if s is not logs[1]])
    return whole, part


def _chain(group: Sequence[BackupSet]) -> Chain:
    files = [Path(file.name) for backup in group for file in backup.files]
    return Chain(plan_restore(group), files)


def _parts() -> list[BackupSet]:
    parts = []
    for file in sorted(path for path in BACKUPS.rglob("*") if path.is_file()):
        try:
            content = read_backup(FileSource(file))
        except BackupFileError:
            continue
        if judge(content, OLDEST) is None:
            parts.append(BackupSet.of(content.sets[0][0], content.label, str(file)))
    return parts


WHOLE, PART = _chains() if BACKUPS.is_dir() else ({}, {})
needs_backups = pytest.mark.skipif(
    not WHOLE, reason="needs the real backups of ../shared/backups, which are not here"
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack whose events come not at all, once or three times, in any order."""
    options = StackOptions(
        data=tmp_path_factory.mktemp("faulty"),
        settings={"BACKHAUL_AUTO_START": "false"},
        faults=Faults(copies=(0, 1, 3), delay_s=0.5, shuffle=True, seed=7),
    )
    with Stack(options) as stack:
        world = World(stack)
        yield world
        world.close()


def _drop(world: World, folder: str, files: list[Path], seed: int) -> None:
    """Drop files as a person would, with the folders that they lay in."""
    for file in shuffled(files, seed):
        below = file.relative_to(BACKUPS).as_posix()
        world.put(f"{folder}/{below}", file.read_bytes())


@needs_backups
def test_there_are_chains_of_both_kinds() -> None:
    assert len(WHOLE) >= 10
    assert len(PART) >= 10


@needs_backups
def test_complete_chains_are_restored_and_recovered(
    faulty: World, subtests: pytest.Subtests
) -> None:
    ids = {name: f"Live {name}" for name in WHOLE}
    for name, chain in WHOLE.items():
        folder = f"live/{name}"
        ids[name] = faulty.create(folder, ids[name])["id"]
        _drop(faulty, folder, chain.files, seed=len(name))
    for name, chain in WHOLE.items():
        faulty.wait_settled(ids[name], len(chain.files))
        answer = faulty.cutover(ids[name])
        assert answer.status_code == 202, answer.text
    for name, chain in WHOLE.items():
        with subtests.test(name):
            shown = faulty.wait_status(ids[name], "Succeeded")
            assert faulty.position(f"Live {name}").state is DatabaseState.ONLINE
            history = guids(faulty.history(f"Live {name}"))
            assert len(history) == len(set(history)), "nothing is restored twice"
            assert [UUID(s) for s in _restored_in_order(shown)] == history
            # Whatever came first, the end is the same as if everything had been there.
            assert chain.plan.reached is not None
            assert int(details(shown)["restoredUpTo"]["lastLSN"]) == chain.plan.reached.redo
            _assert_every_file_counts(shown, len(chain.files))


@needs_backups
def test_complete_chains_that_are_all_there_give_exactly_the_planned_sequence(
    faulty: World, subtests: pytest.Subtests
) -> None:
    for name, chain in WHOLE.items():
        for file in shuffled(chain.files, seed=len(name) + 1):
            faulty.put(f"exact/{name}/{file.name}", file.read_bytes())
    faulty.wait_checked("exact")
    ids = {name: faulty.create(f"exact/{name}", f"Exact {name}")["id"] for name in WHOLE}
    for name, chain in WHOLE.items():
        last = Path(chain.plan.steps[-1].backup.files[0].name).name
        accepted = faulty.cutover(ids[name], lastBackupName=last)
        assert accepted.status_code == 202, accepted.text
    for name, chain in WHOLE.items():
        with subtests.test(name):
            faulty.wait_status(ids[name], "Succeeded")
            history = faulty.history(f"Exact {name}")
            planned = [step.backup.backup_set_guid for step in chain.plan.steps]
            assert guids(history) == planned
            assert not any(row.replace for row in history)
            assert faulty.position(f"Exact {name}").state is DatabaseState.ONLINE


@needs_backups
def test_incomplete_chains_end_waiting_and_say_for_what(
    faulty: World, subtests: pytest.Subtests
) -> None:
    ids = {}
    for name, chain in PART.items():
        folder = f"part/{name}"
        ids[name] = faulty.create(folder, f"Part {name}")["id"]
        _drop(faulty, folder, chain.files, seed=len(name))
    for name, chain in PART.items():
        with subtests.test(name):
            shown = faulty.wait_settled(ids[name], len(chain.files))
            found = details(shown)
            missing = chain.plan.waiting_for
            if isinstance(missing, MissingLog):
                assert found["restoreBlockingReasonCode"] == "ChainGap"
                assert str(missing.lsn) in found["restoreBlockingReason"]
            elif isinstance(missing, MissingFamilies):
                assert found["restoreBlockingReasonCode"] == "StripesMissing"
                numbers = found["waitingForStripes"][0]["missingSequenceNumbers"]
                assert numbers == list(missing.families)
            else:
                assert found["restoreBlockingReasonCode"] == "FullBackupMissing"
            assert found["restoreBlockingAction"]
            assert shown["properties"]["migrationStatusWarnings"]["warningCount"] == 1
            _assert_every_file_counts(shown, len(chain.files))


def _restored_in_order(shown: Json) -> list[str]:
    restored = [s for s in details(shown)["activeBackupSets"] if s["isBackupRestored"]]
    restored.sort(key=lambda s: s["restoreFinishDate"])
    return [s["backupSetId"] for s in restored]


def _assert_every_file_counts(shown: Json, files: int) -> None:
    found = details(shown)
    counted = sum(
        found[key]
        for key in (
            *("restoredFiles", "restoringFiles", "queuedFiles"),
            *("skippedFiles", "unrestorableFiles"),
        )
    )
    assert found["detectedFiles"] == files == counted
