"""The command `verify`: whether backup files are whole and undamaged, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

from typer import Exit, Option

from backhaul import terminal, wording
from backhaul.options import AsJson, Files, Storage
from backhaul.reading import Input, find_inputs, is_address, refused
from backhaul.reading import Verdict as NotRead
from backhaul.verdict_table import verdict_table
from shared.backupfile import ByteSource
from shared.errors import StorageError
from shared.verification import Verdict, advance, begin, verdict_of
from shared.verification.read_ahead import ReadAhead
from shared.vocabulary import VerificationLevel

_PIECE = 64 * 1024 * 1024
"""Bytes between two movements of the progress bar."""


class Verified(NamedTuple):
    """A file with its verdict, or with why it cannot be read."""

    name: str
    verdict: Verdict | NotRead

    @property
    def is_good(self) -> bool:
        """Whether no damage was found."""
        return isinstance(self.verdict, Verdict) and self.verdict.result == "good"


def verify(
    files: Files,
    *,
    level: Annotated[
        VerificationLevel,
        Option(help="How much is read: both ends, all headers, or all that has a checksum."),
    ] = VerificationLevel.DATA,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Find damage in backup files, and say what cannot be checked.

    The exit status is 1 if any file is damaged or no backup.
    """
    found, unreadable = find_inputs(files, storage)
    verified = [Verified(file.name, file.verdict) for file in unreadable if file.verdict]
    console = terminal.results()
    for given in found:
        ended = Verified(given.name, _verdict(given, level))
        verified.append(ended)
        if not as_json:
            console.print(_shown(ended), crop=False)
    if as_json:
        terminal.print_json({"files": [as_document(file) for file in verified]})
    else:
        for file in verified[: len(unreadable)]:
            console.print(_shown(file), crop=False)
        good = sum(file.is_good for file in verified)
        console.print(f"{good} of {wording.count(len(verified), 'file')} good")
    raise Exit(int(not all(file.is_good for file in verified)))


def as_document(file: Verified) -> dict[str, Any]:
    """Return the JSON of a file."""
    return {
        "file": file.name,
        "good": file.is_good,
        "verification" if isinstance(file.verdict, Verdict) else "verdict": file.verdict.as_json(),
    }


def _shown(file: Verified) -> Any:
    return verdict_table(terminal.harmless(file.name), terminal.for_display(file.verdict))


def _verdict(given: Input, level: VerificationLevel) -> Verdict | NotRead:
    try:
        with _opened(given, level) as source:
            check = begin(source, level)
            with terminal.byte_bar(terminal.harmless(given.name)[-30:], source.size) as show:
                while not check.done:
                    check = advance(source, check, _PIECE)
                    show(check.at)
    except (OSError, StorageError) as error:
        return refused(error)
    return verdict_of(check)


@contextmanager
def _opened(given: Input, level: VerificationLevel) -> Iterator[ByteSource]:
    """Open an input; what is read whole over a network is read ahead."""
    source = given.open()
    if level is VerificationLevel.HEADER or not is_address(given.name):
        yield source
        return
    with ReadAhead(source) as ahead:
        yield ahead
