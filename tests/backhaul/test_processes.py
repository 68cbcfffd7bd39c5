"""What only a real process shows: interrupts, pipes that close, questions on a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shared.vocabulary import MigrationStatus
from tests.backhaul.answers import ID, Story
from tests.backhaul.app import KEY, App, Reply
from tests.backhaul.backups import write_logs_with_gap
from tests.backhaul.process import COMMAND, ENVIRONMENT, Terminal, backhaul

SHOW = f"GET /api/migrations/{ID}"
CHECK = f"POST /api/migrations/{ID}/cutover?validateOnly=true"
CUTOVER = f"POST /api/migrations/{ID}/cutover"
READY = MigrationStatus.READY_FOR_CUTOVER
story = Story(restored=6)


def test_interrupt_while_waiting_ends_without_a_trace(tmp_path: Path) -> None:
    with App({SHOW: [Reply(content=story.show(READY))]}) as app:
        waiting = Terminal("wait", ID, "--status", "Succeeded", *app.options, cwd=tmp_path)
        waiting.read_until("Ready for cutover")
        waiting.interrupt()

        assert waiting.end() == 130


def test_question_on_a_terminal(tmp_path: Path) -> None:
    replies = {
        SHOW: [Reply(content=story.show(READY))],
        CHECK: [Reply(content=story.readiness(READY))],
        CUTOVER: [Reply(202, story.show(MigrationStatus.COMPLETING))],
    }
    with App(replies) as app:
        asking = Terminal("cutover", ID, *app.options, cwd=tmp_path)
        asking.read_until("[N]o:")
        asking.type("y\n")
        agreed = asking.end()

        asking = Terminal("cutover", ID, *app.options, cwd=tmp_path)
        asking.read_until("[N]o:")
        asking.interrupt()
        interrupted = asking.end()

    assert (agreed, interrupted) == (0, 130)
    assert [s.path for s in app.seen].count(f"/api/migrations/{ID}/cutover") == 1


def test_reader_of_a_pipe_may_stop_early(tmp_path: Path) -> None:
    write_logs_with_gap(tmp_path, 150)

    with subprocess.Popen(  # noqa: S603 our own program
        [*COMMAND, "plan", ".", "--json"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == b""


def test_progress_is_shown_on_a_terminal_when_it_takes_long(tmp_path: Path) -> None:
    slow = (
        "import time; from backhaul import terminal\n"
        "for _ in terminal.tracked(range(5), 'Reading backups'): time.sleep(0.3)\n"
    )
    program = (sys.executable, "-c", slow)

    on_terminal = Terminal(cwd=tmp_path, command=program)
    piped = subprocess.run(  # noqa: S603 our own program
        program, env=ENVIRONMENT, capture_output=True, check=True
    )

    assert on_terminal.end() == 0
    assert "Reading backups" in on_terminal.text
    assert (piped.stdout, piped.stderr) == (b"", b"")


def test_address_and_key_come_from_the_environment(tmp_path: Path) -> None:
    with App({SHOW: [Reply(content=story.show(MigrationStatus.SUCCEEDED))]}) as app:
        env = {"BACKHAUL_URL": app.url, "BACKHAUL_KEY": KEY}

        shown = backhaul("status", ID, cwd=tmp_path, env=env)
        refused = backhaul("status", ID, cwd=tmp_path, env=env | {"BACKHAUL_KEY": "wrong"})

    assert shown.status == 0
    assert refused.status == 1
    assert KEY not in shown.out + shown.err
