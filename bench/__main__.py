"""The command `python -m bench`."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.status import Status

from bench import report
from bench.figures import Run
from bench.machine import describe_machine
from bench.subjects import SUBJECTS
from local import odbc
from local.folders import REPOSITORY, STATE
from shared.errors import BackhaulError

_INTERRUPTED = 130
_WIDTH = 120  # in a file
_EXAMPLE = """example: python -m bench engines hub --runs 3

subjects:
"""


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write `bench.json`; returns the exit status."""
    options = _parser().parse_args(arguments)
    odbc.preload()
    signal.signal(signal.SIGTERM, _interrupt)
    notes = Console(stderr=True, highlight=False)
    results = Console(highlight=False, stderr=options.json)
    if not results.is_terminal:
        results.width = _WIDTH
    STATE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=STATE))
    try:
        machine = describe_machine(folder)
        report.print_machine(results, machine)
        measured = {}
        for name in options.subjects or SUBJECTS:
            with notes.status(name) as status:
                place = folder / name
                place.mkdir()
                run = Run(
                    folder=place,
                    quick=options.quick,
                    runs=1 if options.quick else options.runs,
                    say=partial(_say, status, name),
                )
                measured[name] = list(SUBJECTS[name].measure(run))
            report.print_figures(results, f"{name}: {SUBJECTS[name].about}", measured[name])
    except BackhaulError as error:
        notes.print(f"Error: {error.message}", markup=False, soft_wrap=True)
        notes.print(f"Try:   {error.action}", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        notes.print("Interrupted: what was started has ended, nothing was written.")
        return _INTERRUPTED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    document = report.as_json(machine, measured, quick=options.quick)
    report.write(document, options.out)
    results.print(f"{report.summary(measured)} Written to {options.out}.", soft_wrap=True)
    if options.json:
        print(json.dumps(document, indent=2))
    return 0


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:9} {subject.about}" for name, subject in SUBJECTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure speed and memory, and hold them against the targets.",
        epilog=_EXAMPLE + lines,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        help="what to measure; all of it if none is named",
        type=_subject,
    )
    parser.add_argument("--runs", type=_count, default=5, help="how often (default: 5)")
    parser.add_argument(
        "--quick", action="store_true", help="once, and little of it: only shows that it works"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, too")
    parser.add_argument(
        "--out",
        type=Path,
        default=REPOSITORY / "bench.json",
        metavar="FILE",
        help="where to write the figures (default: bench.json)",
    )
    return parser


def _say(status: Status, subject: str, text: str) -> None:
    status.update(f"{subject}: {text}")


def _subject(text: str) -> str:
    if text not in SUBJECTS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(SUBJECTS)}")
    return text


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 100")
    return int(text)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
