"""What a run moves: a random history of backups, and what goes wrong with it on its way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from local.samples import SampleBackup, SampleDatabase
from local.sqlserver.engine.faults import Fault, FaultKind
from shared.backupset import BackupSet, BackupType, merge_families

Blob = tuple[str, bytes]
"""Name below the folder, and content."""

_TRANSIENT = (3023, 3270)
_DOWN_S = 1.0


@dataclass
class Run:
    """One database: its backups, the order of their arrival, what is held back, what strikes.

    `spoiled` blobs arrive first with a content that is no good, and are replaced; those of `again`
    are uploaded once more as they were. `late` ones arrive when the rest has settled: the gap that
    they leave is filled then. `verify` and `standby` are what the migration asks for.
    """

    name: str
    backups: list[SampleBackup]
    blobs: list[Blob]
    verify: str = "header"
    standby: bool = False
    spoiled: list[Blob] = field(default_factory=list)
    again: list[Blob] = field(default_factory=list)
    late: list[Blob] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """The folder of the container, and the id of the migration."""
        return self.name.lower()

    @property
    def files(self) -> int:
        """How many files there are before the late ones come."""
        return len(self.blobs)

    def sets(self) -> tuple[BackupSet, ...]:
        """Return what a planner would know of all of it, oldest first."""
        return merge_families(
            BackupSet.of(content.sets[0][0], content.label, f"{self.folder}/{name}")
            for backup in self.backups
            for name, content in zip(backup.file_names, backup.contents, strict=True)
        )


def draw_run(name: str, chance: random.Random) -> Run:
    """Return a random run; the same chance draws the same."""
    backups = _history(name, chance)
    blobs = [
        (file, content)
        for backup in backups
        for file, content in zip(backup.file_names, backup.to_bytes(), strict=True)
    ]
    chance.shuffle(blobs)
    run = Run(name, backups, blobs)
    logs = {f for b in backups if b.header.backup_type is BackupType.LOG for f in b.file_names}
    if chance.random() < 0.3:
        run.late = [blob for blob in blobs if blob[0] == chance.choice(sorted(logs))]
        run.blobs = [blob for blob in blobs if blob not in run.late]
    if chance.random() < 0.3:
        file, content = chance.choice(run.blobs)
        run.spoiled = [(file, content[: len(content) // 2])]
    if chance.random() < 0.3:
        run.again = [chance.choice(run.blobs)]
    run.verify = chance.choice(["header", "header", "structure", "data"])
    run.faults = _faults(name, chance)
    run.standby = chance.random() < 0.5
    return run


def _history(name: str, chance: random.Random) -> list[SampleBackup]:
    # Of the server's version, or an older one that it upgrades.
    version = chance.choice(["2019", "2022"])
    size = chance.choice([64, 300, 1500]) * 1024
    source = SampleDatabase(name, data_bytes=size, version=version)
    taken = [source.full(stripes=chance.choice([1, 1, 3]))]
    for _ in range(chance.randint(2, 9)):
        kind = chance.random()
        if kind < 0.15:
            taken.append(source.differential(stripes=chance.choice([1, 2])))
        elif kind < 0.22:
            taken.append(source.full(copy_only=True))
        elif kind < 0.28:
            taken.append(source.full())
        else:
            taken.append(source.log(stripes=chance.choice([1, 1, 1, 2])))
    if chance.random() < 0.15:
        # Behind an earlier one, what was taken since is of a line of history that is given up.
        source.fork(chance.choice([taken[-1], taken[-1], *taken]))
    taken.append(source.log())
    return taken


def _faults(name: str, chance: random.Random) -> list[Fault]:
    """Return up to three faults of the server that strike at restores of this database."""
    drawn = []
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        kind = chance.choice(
            [FaultKind.ERROR, FaultKind.DROP_CONNECTIONS, FaultKind.RESTART, FaultKind.KILL]
        )
        at = {"do": kind, "database": name, "percent": chance.choice([None, 10.0, 60.0])}
        if kind is FaultKind.ERROR:
            at["number"] = chance.choice(_TRANSIENT)
        if kind is FaultKind.RESTART:
            at["seconds"] = _DOWN_S
        drawn.append(Fault.model_validate(at))
    return drawn
