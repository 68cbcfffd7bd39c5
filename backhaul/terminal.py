"""The terminal: where results, notes and errors go, and how the text of others is kept harmless.

Results go to stdout, all else to stderr. Names of files, headers and answers of the app are data:
`harmless` takes out what could steer a terminal, and no console here reads markup.
"""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from typing import Any, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from shared.errors import BackhaulError

_PATIENCE_S = 1.0
# Control and format characters (colours, text that runs backwards), lone surrogates, and the line
# separators of Unicode.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

T = TypeVar("T")


def results() -> Console:
    """Return the console that results are printed to."""
    return Console(markup=False, emoji=False, highlight=False)


def notes() -> Console:
    """Return the console for progress, questions and errors."""
    return Console(markup=False, emoji=False, highlight=False, stderr=True)


def prepare() -> None:
    """Let both streams print any text: what their encoding lacks is printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # text streams


def harmless(text: str) -> str:
    """Return text with everything that is not seen in print as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNSAFE else c
        for c in text
    )


def for_display(value: T) -> T:
    """Return a model, or whatever a field of one holds, with all text in it made harmless."""
    shown: Any = value
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        shown = harmless(value)
    elif isinstance(value, BaseModel):
        fields = type(value).model_fields
        shown = value.model_copy(update={f: for_display(getattr(value, f)) for f in fields})
    elif isinstance(value, list | tuple):
        shown = type(value)([for_display(item) for item in value])
    return shown  # type: ignore[no-any-return] # of the same type as `value`


def print_json(document: object) -> None:
    """Print a JSON document to stdout; escapes stand for characters that are not seen in print."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if not text.isascii() or "\x7f" in text:
        text = "".join(
            json.dumps(c)[1:-1] if unicodedata.category(c) in _UNSAFE and c != "\n" else c
            for c in text
        )
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_error(error: BackhaulError) -> None:
    """Tell what went wrong and what to do about it."""
    console = notes()
    told = Text.assemble(("Error: ", "bold red"), harmless(error.message))
    if error.action:
        told.append("\nTry:   ", "bold").append(harmless(error.action))
    console.print(told, soft_wrap=True)


def ask(question: str, answers: str) -> str:
    """Return the letter of `answers` that the user types; the last one if there is no answer."""
    console = notes()
    while True:
        try:
            answer = console.input(question, markup=False, emoji=False).strip()[:1].lower()
        except EOFError:
            console.print()
            return answers[-1]
        if not answer:
            return answers[-1]
        if answer in answers:
            return answer


def tracked(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items; on a terminal, show a progress bar if that takes long."""
    console = notes()
    began = time.monotonic()
    with ExitStack() as stack:
        progress: Progress | None = None
        for number, item in enumerate(items):
            if progress is None and console.is_terminal and time.monotonic() - began > _PATIENCE_S:
                columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
                progress = stack.enter_context(Progress(*columns, console=console, transient=True))
                progress.add_task(what, total=len(items))
            if progress is not None:
                progress.update(progress.task_ids[0], completed=number)
            yield item


@contextmanager
def byte_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar over bytes, with rate and remaining time, if that takes long.

    Yields what is to be told how many are done; nothing is shown where nobody looks.
    """
    console = notes()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task(what, total=total)
    began = time.monotonic()
    shown = False

    def show(done: int) -> None:
        nonlocal shown
        if not shown and time.monotonic() - began > _PATIENCE_S:
            progress.start()
            shown = True
        progress.update(task, completed=done)

    try:
        yield show
    finally:
        if shown:
            progress.stop()
