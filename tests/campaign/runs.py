"""Carries runs out on one stack, with the host killed at random, and judges how they ended."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from local.blob_events import Faults, RetryPolicy
from local.sqlserver import Server, Settings, serve
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState, Goal, plan_restore
from shared.errors import BackhaulError, TargetUnavailable
from shared.lsn import Lsn
from tests.campaign.histories import Run
from tests.e2e.world import Json, World, details, guids

PASSWORD = "of the simulated server"  # noqa: S105 of a server that lives as long as the campaign
_PATIENCE_S = 120.0
_KILLED_AT_THE_END = 0.3
_AFTER_RECOVERY = {"checkDatabase": "physical", "owner": "sa", "compatibilityLevel": 160}
_PASSING = ("TargetNotReady", "TargetRefused", "StorageAccessDenied")
_SETTLED = ("Blocked", "Waiting", "RestoreCompleted")


@contextlib.contextmanager
def stage(data: Path, runs: Sequence[Run], seed: int) -> Iterator[tuple[Stack, Server]]:
    """Open a stack whose server fails as the runs say, and whose events are lost and doubled."""
    settings = Settings(
        data=data / "sqlserver",
        password=PASSWORD,
        restore_speed=3.0,
        faults=tuple(fault for run in runs for fault in run.faults),
    )
    with serve(settings) as server:
        target = {
            "server": "127.0.0.1",
            "port": server.port,
            "user": "sa",
            "password": PASSWORD,
            "trust_server_certificate": True,
            "login_timeout_s": 5,
        }
        events = Faults(copies=(0, 1, 3), delay_s=0.5, shuffle=True, seed=seed)
        options = StackOptions(
            data=data / "stack", sql_server=target, faults=events, retry=RetryPolicy(speed=20)
        )
        with Stack(options) as stack:
            yield stack, server


def carry_out(
    stack: Stack, runs: Sequence[Run], chance: random.Random, struck: Counter[str]
) -> dict[str, str]:
    """Move all databases at once; return why those failed that did, by name."""
    world = World(stack)
    wrong: dict[str, str] = {}
    try:
        blobs = [(run, blob) for run in runs for blob in (*run.spoiled, *run.blobs)]
        for run in runs:
            world.create(run.folder, run.name, afterRecovery=_AFTER_RECOVERY)
            struck["blob replaced"] += len(run.spoiled)
        for number, (run, (name, content)) in enumerate(_interleaved(blobs, chance)):
            world.put(f"{run.folder}/{name}", content)
            _trouble(number, stack, world, chance, struck)
        for _ in range(2):
            time.sleep(chance.uniform(0.2, 2.0))
            _kill_host(stack, chance, struck)
        for run in runs:
            _settle(world, run, len(run.blobs))
        for run in runs:
            for name, content in run.late:
                struck["gap filled late"] += 1
                world.put(f"{run.folder}/{name}", content)
        _kill_host(stack, chance, struck)
        for run in runs:
            if why := _verdict(stack, world, run, chance, struck):
                wrong[run.name] = why
    finally:
        world.close()
    return wrong


def _interleaved(
    blobs: list[tuple[Run, tuple[str, bytes]]], chance: random.Random
) -> Iterator[tuple[Run, tuple[str, bytes]]]:
    """Yield the blobs of all runs in turn, each run's in its own order."""
    queues: dict[str, list[tuple[Run, tuple[str, bytes]]]] = {}
    for run, blob in blobs:
        queues.setdefault(run.name, []).append((run, blob))
    while queues:
        name = chance.choice(sorted(queues))
        yield queues[name].pop(0)
        if not queues[name]:
            del queues[name]


def _kill_host(stack: Stack, chance: random.Random, struck: Counter[str]) -> None:
    stack.kill_host()
    time.sleep(chance.uniform(0.0, 0.3))
    stack.start_host()
    struck["host killed"] += 1


def _trouble(
    number: int, stack: Stack, world: World, chance: random.Random, struck: Counter[str]
) -> None:
    """Do harm after some of the uploads."""
    if number % 20 == 19:
        _kill_host(stack, chance, struck)
    if number % 30 == 15:
        _expire_credential(stack, world, struck)


def _expire_credential(stack: Stack, world: World, struck: Counter[str]) -> None:
    """Let the server's signature for the container be one that the storage refuses."""
    target = world.target()
    try:
        target.ensure_credential(stack.container.url, lambda: "sv=2024-08-04&sig=x", renew=True)
    except TargetUnavailable:
        return
    finally:
        target.close()
    struck["credential expired"] += 1


def _verdict(
    stack: Stack, world: World, run: Run, chance: random.Random, struck: Counter[str]
) -> str | None:
    """Bring a run to its end; return why it failed, None if it passed."""
    try:
        if _cut_over(world, run):
            if chance.random() < _KILLED_AT_THE_END:
                time.sleep(chance.uniform(0.0, 0.5))
                _kill_host(stack, chance, struck)
            _see_the_end(world, run)
    except (AssertionError, httpx.TransportError, BackhaulError) as error:
        return str(error) or repr(error)
    return None


def _settle(world: World, run: Run, files: int) -> Json:
    """Wait until every file is known and nothing that is here can be restored."""

    def settled(properties: Json) -> bool:
        about = properties["migrationStatusDetails"]
        transient = about.get("restoreBlockingReasonCode") in _PASSING
        return bool(
            about["detectedFiles"] == files
            and about["restoreState"] in _SETTLED
            and about["migrationState"] != "WaitForRestoreSlot"
            and not transient
        )

    world.wait(run.folder, settled, patience_s=_PATIENCE_S)
    world.sweep()
    time.sleep(0.5)
    return world.wait(run.folder, settled, patience_s=_PATIENCE_S)


def _cut_over(world: World, run: Run) -> bool:
    """Let a run come to rest, hold it against what was to come of it, and cut over if it may."""
    shown = _settle(world, run, len(run.blobs) + len(run.late))
    before = guids(world.history(run.name))
    assert len(before) == len(set(before)), f"restored twice: {before}"
    assert before, "nothing was restored"
    # Servers report the point to go on from a few slots below the end of the last log.
    reached = Lsn(int(details(shown)["restoredUpTo"]["lastLSN"]))
    position = world.position(run.name).model_copy(update={"redo_start_lsn": reached})
    rest = plan_restore(run.sets(), position, Goal())
    assert not rest.steps, f"left out: {[str(s.backup.backup_set_guid) for s in rest.steps]}"
    recorded = [s for s in details(shown)["activeBackupSets"] if s["isBackupRestored"]]
    assert sorted(s["backupSetId"] for s in recorded) == sorted(map(str, before))
    last = details(shown)["lastRestoredFilename"]
    answer = world.cutover(run.folder, acceptDataLoss={"lastRestoredFilename": last})
    if answer.status_code != 202:
        # A gap that stays, or a set that is held: the end is a named reason.
        reason = details(shown).get("restoreBlockingReasonCode")
        assert reason, f"neither cut over nor held: {answer.text[:300]}"
    return answer.status_code == 202


def _see_the_end(world: World, run: Run) -> None:
    """Wait for the end of a cutover: the database is open, and what follows was done once."""
    before = guids(world.history(run.name))
    shown = world.wait_status(run.folder, "Succeeded", patience_s=_PATIENCE_S)
    assert world.position(run.name).state is DatabaseState.ONLINE
    assert guids(world.history(run.name))[: len(before)] == before
    steps = [(step["name"], step["state"]) for step in details(shown)["afterRecovery"]]
    assert len(steps) == len(dict(steps)) == 5, f"not each step once: {steps}"
    assert {state for _, state in steps} == {"done"}, f"not done after the recovery: {steps}"
