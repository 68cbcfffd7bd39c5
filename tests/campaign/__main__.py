"""`python -m tests.campaign --runs N --seed S`: random migrations while everything fails.

Each run moves one random history of backups; at random the host is killed, the server restarts,
connections drop, statements fail, events are lost and doubled, blobs are replaced and gaps filled
late. A run passes if the database is open when all is over, at the end of the newest backup, with
each set restored once and in order; or, where the source was set back behind what was restored
already, at the end of the line that it gave up, with that said. Ends with how many passed and
failed, and how often each fault struck. A run that fails is drawn again with the others of its
eight by `--first N --runs 8` and the same seed.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from local.sqlserver import Server
from local.sqlserver.engine.faults import FaultRecord
from tests.campaign.histories import draw_run
from tests.campaign.runs import carry_out, stage

AT_ONCE = 8


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; returns 0 if every run has passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first run, of eight")
    wanted = parser.parse_args(arguments)
    struck: Counter[str] = Counter()
    passed = failed = 0
    logging.getLogger("local.blob_events").setLevel(logging.ERROR)
    for done in range(0, wanted.runs, AT_ONCE):
        first = wanted.first + done
        count = min(AT_ONCE, wanted.runs - done)
        chance = random.Random(f"{wanted.seed}/{first}")  # noqa: S311 a campaign, no secret
        runs = [draw_run(f"Run{first + number:05d}", chance) for number in range(count)]
        with (
            tempfile.TemporaryDirectory(prefix="campaign-") as folder,
            stage(Path(folder), runs, wanted.seed + first) as (stack, server),
        ):
            wrong = carry_out(stack, runs, chance, struck)
            struck.update(faults_that_struck(server))
        for name, why in wrong.items():
            _say(f"{name} failed: {why}")
            _say(f"Again: python -m tests.campaign --runs 8 --seed {wanted.seed} --first {first}")
        failed += len(wrong)
        passed += count - len(wrong)
        _say(f"{passed + failed} of {wanted.runs}")
    for fault, times in sorted(struck.items()):
        _say(f"{times:6} {fault}")
    _say(f"{passed} passed, {failed} failed")
    return int(failed > 0)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 the command's output


def faults_that_struck(server: Server) -> Counter[str]:
    """Return how often each fault of the server struck."""
    found: Counter[str] = Counter()
    for record in server.instance._store.load(FaultRecord):
        found[f"server: {record.fault.do.value}"] += record.struck
    return found


if __name__ == "__main__":
    sys.exit(main())
