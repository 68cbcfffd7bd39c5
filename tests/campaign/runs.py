"""Carries runs out on one stack, with the host killed at random, and judges how they ended."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import httpx

from local.blob_events import Faults, RetryPolicy
from local.sqlserver import Server, Settings, serve
from local.stack import Stack, StackOptions
from shared.chain import DatabaseState
from shared.errors import BackhaulError, TargetUnavailable
from tests.campaign.histories import Blob, Run
from tests.campaign.oracle import judge
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
        blobs = [(run, blob) for run in runs for blob in (*run.spoiled, *run.blobs, *run.again)]
        for run in runs:
            world.create(run.folder, run.name, verify=run.verify, afterRecovery=_AFTER_RECOVERY)
            struck["blob replaced"] += len(run.spoiled) + len(run.again)
        for number, (run, (name, content)) in enumerate(_interleaved(blobs, chance)):
            _upload(stack, world, run, (name, content), struck)
            _trouble(number, stack, world, chance, struck)
        for _ in range(2):
            time.sleep(chance.uniform(0.2, 2.0))
            _kill_host(stack, chance, struck)
        for run in runs:
            _settle(world, run, run.files)
        for run in runs:
            for blob in run.late:
                struck["gap filled late"] += 1
                _upload(stack, world, run, blob, struck)
        _kill_host(stack, chance, struck)
        for run in runs:
            if why := _verdict(stack, world, run, chance, struck):
                wrong[run.name] = why
    finally:
        world.close()
    return wrong


def _upload(stack: Stack, world: World, run: Run, blob: Blob, struck: Counter[str]) -> None:
    name, content = f"{run.folder}/{blob[0]}", blob[1]
    world.put(name, content)
    delivered = len(stack.options.faults.delays_s(name, len(content)))
    struck["event lost"] += delivered == 0
    struck["event doubled"] += delivered > 1


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
        restored = _cut_over(world, run, struck)
        if chance.random() < _KILLED_AT_THE_END:
            time.sleep(chance.uniform(0.0, 0.5))
            _kill_host(stack, chance, struck)
        _see_the_end(world, run, restored)
    except (AssertionError, httpx.TransportError, BackhaulError) as error:
        return f"{str(error) or repr(error)}; {_shown(world, run)}"
    return None


def _shown(world: World, run: Run) -> str:
    """Tell how a run looks, as far as it can be asked."""
    try:
        shown = world.show(run.folder)
        return f"{shown['properties']['migrationStatus']}, {details(shown).get('waitingFor')}"
    except (AssertionError, httpx.TransportError) as error:
        return str(error)


def _settle(world: World, run: Run, files: int) -> Json:
    """Wait until every file is known and nothing that is here can be restored."""

    def settled(properties: Json) -> bool:
        about = properties["migrationStatusDetails"]
        transient = about.get("restoreBlockingReasonCode") in _PASSING
        return bool(
            about["detectedFiles"] == files
            and not about["verifyingFiles"]
            and about["restoreState"] in _SETTLED
            and about["migrationState"] != "WaitForRestoreSlot"
            and not transient
        )

    world.wait(run.folder, settled, patience_s=_PATIENCE_S)
    world.sweep()
    time.sleep(0.5)
    return world.wait(run.folder, settled, patience_s=_PATIENCE_S)


def _cut_over(world: World, run: Run, struck: Counter[str]) -> list[UUID]:
    """Let a run come to rest, hold it against what was to come of it, and cut over.

    Returns what the server has restored, in order.
    """
    shown = _settle(world, run, run.files + len(run.late))
    before = guids(world.history(run.name))
    recorded = [s for s in details(shown)["activeBackupSets"] if s["isBackupRestored"]]
    assert sorted(s["backupSetId"] for s in recorded) == sorted(map(str, before))
    loss = {}
    if not judge(run.sets(), run.backups[-1].header.backup_set_guid, before):
        # The source was set back behind what was restored by then: that is said, and can be kept.
        struck["kept a line that was given up"] += 1
        assert details(shown).get("restoreBlockingReasonCode") == "OtherRecoveryFork"
        loss = {"acceptDataLoss": {"lastRestoredFilename": details(shown)["lastRestoredFilename"]}}
    answer = world.cutover(run.folder, **loss)
    assert answer.status_code == 202, answer.text
    return before


def _see_the_end(world: World, run: Run, restored: Sequence[UUID]) -> None:
    """Wait for the end of a cutover: the database is open, and what follows was done once."""
    shown = world.wait_status(run.folder, "Succeeded", patience_s=_PATIENCE_S)
    assert world.position(run.name).state is DatabaseState.ONLINE
    assert guids(world.history(run.name)) == restored
    steps = [(step["name"], step["state"]) for step in details(shown)["afterRecovery"]]
    assert len(steps) == len(dict(steps)) == 5, f"not each step once: {steps}"
    assert {state for _, state in steps} == {"done"}, f"not done after the recovery: {steps}"
