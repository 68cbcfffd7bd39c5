"""`python -m tests.campaign --runs N --seed S`: random migrations while everything fails.

Each run moves one random history of backups; at random the host is killed, the server restarts,
connections drop, statements fail, events are lost and doubled, blobs are replaced and gaps filled
late. A run passes if the database is open when all is over, at the end of the newest backup, with
each set restored once and in order; or, where the source was set back behind what was restored
already, at the end of the line that it gave up, with that said. Ends with how many passed and
failed, and how often each fault struck. A run is drawn by the seed and its number, so the command
that is printed for one that failed moves the same backups in the same order again.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.campaign.histories import draw_run
from tests.campaign.runs import carry_out, stage

AT_ONCE = 8


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; returns 0 if every run has passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    wanted = parser.parse_args(arguments)
    struck: Counter[str] = Counter()
    passed = failed = 0
    logging.getLogger("local.blob_events").setLevel(logging.ERROR)
    for done in range(0, wanted.runs, AT_ONCE):
        first = wanted.first + done
        count = min(AT_ONCE, wanted.runs - done)
        numbers = range(first, first + count)
        runs = [draw_run(f"Run{number:05d}", _chance(wanted.seed, number)) for number in numbers]
        with (
            tempfile.TemporaryDirectory(prefix="campaign-") as folder,
            stage(Path(folder), runs, wanted.seed, _chance(wanted.seed, "around")) as scene,
        ):
            wrong = carry_out(scene, runs)
        struck.update(scene.struck)
        for name, why in wrong.items():
            _say(f"{name} failed: {why}")
            again = f"python -m tests.campaign --seed {wanted.seed}"
            _say(f"Again, alone: {again} --first {int(name[3:])} --runs 1")
            _say(f"Again, with the others: {again} --first {first} --runs {count}")
        failed += len(wrong)
        passed += count - len(wrong)
        _say(f"{passed + failed} of {wanted.runs}")
    for fault, times in sorted(struck.items()):
        _say(f"{times:6} {fault}")
    _say(f"{passed} passed, {failed} failed")
    return int(failed > 0)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 the command's output


def _chance(seed: int, what: object) -> random.Random:
    return random.Random(f"{seed}/{what}")  # noqa: S311 a campaign, no secret


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; all processes have been stopped")
