"""Carries runs out on one stack, with host and server killed at random, and judges their ends."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx

from local.blob_events import Faults, RetryPolicy
from local.stack import Ports, Stack, StackOptions
from shared.chain import DatabaseState
from shared.errors import BackhaulError, TargetUnavailable
from tests.campaign.histories import Blob, Run
from tests.campaign.oracle import judge
from tests.campaign.server import ServerProcess, port_that_stays_free
from tests.e2e.world import Json, World, details, guids

_PATIENCE_S = 120.0
_KILLED_AT_THE_END = 0.3
_AFTER_RECOVERY = {"checkDatabase": "physical", "owner": "sa", "compatibilityLevel": 160}
_PASSING = ("TargetNotReady", "TargetRefused", "StorageAccessDenied")
_SETTLED = ("Blocked", "Waiting", "RestoreCompleted")


class Scene:
    """A stack and its server while runs are carried out, what strikes them, and how often."""

    def __init__(self, stack: Stack, server: ServerProcess, chance: random.Random) -> None:
        self.stack = stack
        self.server = server
        self.chance = chance
        self.world = World(stack)
        self.struck: Counter[str] = Counter()
        self._spoiled_on: datetime | None = None

    def upload(self, run: Run, blob: Blob) -> None:
        """Upload a blob, whose event may be lost or come several times."""
        name, content = f"{run.folder}/{blob[0]}", blob[1]
        self.world.put(name, content)
        delivered = len(self.stack.options.faults.delays_s(name, len(content)))
        self.struck["event lost"] += delivered == 0
        self.struck["event doubled"] += delivered > 1

    def kill_host(self) -> None:
        """Kill the host, and start it again after a moment."""
        self.stack.kill_host()
        time.sleep(self.chance.uniform(0.0, 0.3))
        self.stack.start_host()
        self.struck["host killed"] += 1

    def kill_server(self) -> None:
        """Kill the server, and start it again after a moment."""
        self.server.kill()
        time.sleep(self.chance.uniform(0.0, 1.0))
        self.server.start()
        self.struck["server killed"] += 1

    def expire_credential(self) -> None:
        """Let the server's signature for the container be one that the storage refuses."""
        self.count_renewal()
        url, target = self.stack.container.url, self.world.target()
        try:
            target.ensure_credential(url, lambda: "sv=2024-08-04&sig=x", renew=True)
            self._spoiled_on = self.server.secret_changed_on()
        except TargetUnavailable:
            return
        finally:
            target.close()

    def count_renewal(self) -> None:
        """Count a signature that expired if it was in anybody's way: if it was renewed since."""
        if self._spoiled_on is None:
            return
        with contextlib.suppress(TargetUnavailable):
            self.struck["credential expired"] += self.server.secret_changed_on() != self._spoiled_on
            self._spoiled_on = None


@contextlib.contextmanager
def stage(data: Path, runs: Sequence[Run], seed: int, chance: random.Random) -> Iterator[Scene]:
    """Open a stack whose server fails as the runs say, and whose events are lost and doubled."""
    with contextlib.ExitStack() as open_things:
        server = ServerProcess(data / "sqlserver", [f for run in runs for f in run.faults])
        open_things.callback(server.stop)
        server.start()
        events = Faults(copies=(0, 1, 3), delay_s=0.5, shuffle=True, seed=seed)
        options = StackOptions(
            data=data / "stack",
            ports=Ports(host=port_that_stays_free()),
            sql_server=server.connection,
            faults=events,
            retry=RetryPolicy(speed=20),
        )
        scene = Scene(open_things.enter_context(Stack(options)), server, chance)
        open_things.callback(scene.world.close)
        yield scene


def carry_out(scene: Scene, runs: Sequence[Run]) -> dict[str, str]:
    """Move all databases at once; return why those failed that did, by name."""
    wrong: dict[str, str] = {}
    chance, world = scene.chance, scene.world
    blobs = [(run, blob) for run in runs for blob in (*run.spoiled, *run.blobs, *run.again)]
    for run in runs:
        world.create(
            run.folder,
            run.name,
            verify=run.verify,
            afterRecovery=_AFTER_RECOVERY,
            restoreOptions={"standby": run.standby},
        )
    for number, (run, blob) in enumerate(_interleaved(blobs, chance)):
        scene.upload(run, blob)
        _trouble(number, scene)
    for run in runs:
        scene.struck["blob replaced"] += len(run.spoiled) + len(run.again)
    for _ in range(2):
        time.sleep(chance.uniform(0.2, 2.0))
        chance.choice([scene.kill_host, scene.kill_server])()
    for run in runs:
        _try(wrong, scene, run, lambda run: _settle(world, run, run.files))
    for run in runs:
        for blob in run.late:
            scene.struck["gap filled late"] += 1
            scene.upload(run, blob)
    scene.kill_host()
    for run in runs:
        if run.name not in wrong:
            _try(wrong, scene, run, lambda run: _finish(scene, run))
    scene.count_renewal()
    scene.struck.update(scene.server.struck())
    return wrong


def _try(wrong: dict[str, str], scene: Scene, run: Run, do: Callable[[Run], object]) -> None:
    """Do something with a run; if it fails, tell why, and go on with the others."""
    try:
        do(run)
    except (AssertionError, httpx.TransportError, BackhaulError) as error:
        wrong[run.name] = f"{str(error) or repr(error)}; {_shown(scene.world, run)}"


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


def _trouble(number: int, scene: Scene) -> None:
    """Do harm after some of the uploads."""
    if number % 20 == 19:
        scene.kill_host()
    if number % 30 == 15:
        scene.expire_credential()
    if number % 40 == 25:
        scene.kill_server()


def _finish(scene: Scene, run: Run) -> None:
    """Bring a run to its end, while host or server die once more."""
    restored = _cut_over(scene.world, run, scene.struck)
    if scene.chance.random() < _KILLED_AT_THE_END:
        time.sleep(scene.chance.uniform(0.0, 0.5))
        scene.chance.choice([scene.kill_host, scene.kill_server])()
    _see_the_end(scene.world, run, restored)


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

    Returns what the server has restored, in order. What is left out may be on its way still.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        shown = _settle(world, run, run.files + len(run.late))
        restored = guids(world.history(run.name))
        try:
            is_newest = judge(run.sets(), run.backups[-1].header.backup_set_guid, restored)
            _hold_against_status(shown, restored, is_newest=is_newest)
            break
        except AssertionError:
            if time.monotonic() > deadline:
                raise
    struck["read between restores"] += details(shown).get("standby", {}).get("state") == "Readable"
    loss = {}
    if not is_newest:
        struck["kept a line that was given up"] += 1
        loss = {"acceptDataLoss": {"lastRestoredFilename": details(shown)["lastRestoredFilename"]}}
    answer = world.cutover(run.folder, **loss)
    assert answer.status_code == 202, answer.text
    return restored


def _hold_against_status(shown: Json, restored: Sequence[UUID], *, is_newest: bool) -> None:
    """Check that the status tells what the server has restored, and what it cannot restore."""
    told = [s["backupSetId"] for s in details(shown)["activeBackupSets"] if s["isBackupRestored"]]
    assert sorted(told) == sorted(map(str, restored)), f"told as restored: {told}, not {restored}"
    # The source was set back behind what was restored by then: that is said, and can be kept.
    why = details(shown).get("restoreBlockingReasonCode")
    assert is_newest or why == "OtherRecoveryFork", f"it ends on a line given up, and says {why}"


def _see_the_end(world: World, run: Run, restored: Sequence[UUID]) -> None:
    """Wait for the end of a cutover: the database is open, and what follows was done once."""
    shown = world.wait_status(run.folder, "Succeeded", patience_s=_PATIENCE_S)
    assert world.position(run.name).state is DatabaseState.ONLINE
    history = guids(world.history(run.name))
    assert history == restored, f"restored at the end: {history}, before the cutover: {restored}"
    steps = [(step["name"], step["state"]) for step in details(shown)["afterRecovery"]]
    assert len(steps) == len(dict(steps)) == 5, f"not each step once: {steps}"
    assert {state for _, state in steps} == {"done"}, f"not done after the recovery: {steps}"
