"""The commands `status` and `wait`: how migrations stand, once or until something happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Annotated, TypeVar

from rich.console import Console, RenderableType
from rich.live import Live
from typer import Argument, BadParameter, Exit, Option

from backhaul import terminal
from backhaul.client import Answer, Client, MigrationList
from backhaul.migration_table import migration_details, migration_list, status_line
from backhaul.options import AsJson, Key, MigrationId, Unfolded, Url, open_client
from shared.errors import AppUnavailable, BackhaulError
from shared.models import Migration
from shared.vocabulary import MigrationStatus

_INTERVAL_S = 1.0
_PATIENCE_S = 60.0

T = TypeVar("T")


def status(
    migration: Annotated[
        str | None, Argument(metavar="ID", help="Show this one with all details; else list all.")
    ] = None,
    *,
    watch: Annotated[
        bool, Option("--watch", help="Go on showing until nothing can change any more.")
    ] = False,
    unfolded: Unfolded = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Show how migrations stand: what is restored, what is ignored and why, what is waited for.

    With --watch the exit status is 1 if a migration ends without success.
    """
    if watch and as_json:
        raise BadParameter("--watch is for people, --json for programs: choose one")
    with open_client(url, key) as client:
        view = _View(client, migration, unfolded=unfolded)
        if watch:
            ended = view.watch()
            raise Exit(int(any(s is not MigrationStatus.SUCCEEDED for s in ended)))
        if as_json:
            terminal.print_json(view.ask().document)
        else:
            view.print(view.ask())


def wait(
    migration: MigrationId,
    *,
    status: Annotated[
        MigrationStatus,
        Option(
            metavar="STATUS",
            help="The status to wait for, for instance ReadyForCutover or Succeeded.",
        ),
    ],
    timeout: Annotated[
        int | None,
        Option(metavar="SECONDS", min=0, help="Give up after this time; without it, never."),
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Wait until a migration has a status; tell on stderr what happens meanwhile.

    The exit status is 1 if the migration ends in another status, or the time is over.
    """
    line = ""
    with open_client(url, key) as client:
        for answer in follow(lambda: client.show(migration), timeout_s=timeout):
            shown = terminal.for_display(answer.content)
            if line != (line := status_line(shown)):
                terminal.notes().print(line, soft_wrap=True)
            seen = shown.properties.migration_status
            if seen is status:
                if as_json:
                    terminal.print_json(answer.document)
                return
            if seen.is_final:
                raise BackhaulError(
                    f"migration {migration} ended as {seen}, it cannot become {status}",
                    action=f"see why with `backhaul status {migration}`",
                )
    raise BackhaulError(
        f"migration {migration} is not {status} after {timeout} s ({line or 'no answer'})",
        action="wait again with a longer --timeout",
    )


def see_to_the_end(client: Client, migration: str, *, as_json: bool) -> int:
    """Tell on stderr what happens until a migration has ended, then show it; return the status."""
    line = ""
    for answer in follow(lambda: client.show(migration)):
        shown = terminal.for_display(answer.content)
        if line != (line := status_line(shown)):
            terminal.notes().print(line, soft_wrap=True)
        ended = shown.properties.migration_status
        if not ended.is_final:
            continue
        if as_json:
            terminal.print_json(answer.document)
        else:
            now = datetime.now(timezone.utc)
            console = terminal.results()
            console.print(migration_details(shown, now, folded=console.is_terminal), crop=False)
        return int(ended is not MigrationStatus.SUCCEEDED)
    return 1


def follow(ask: Callable[[], T], *, timeout_s: float | None = None) -> Iterator[T]:
    """Yield answers, at most one a second, until the time is over, if there is a limit.

    An app that is slow to answer is asked less often. One that is away for less than a minute, as
    when it is started again, is waited for; one that does not answer in the first place is not.
    """
    began = time.monotonic()
    heard: float | None = None
    while True:
        asked = time.monotonic()
        try:
            answer = ask()
        except AppUnavailable:
            if heard is None or time.monotonic() - heard > _PATIENCE_S:
                raise
        else:
            heard = time.monotonic()
            yield answer
        pause = max(_INTERVAL_S, 2 * (time.monotonic() - asked))
        if timeout_s is not None:
            pause = min(pause, began + timeout_s - time.monotonic())
        if pause <= 0:
            return
        time.sleep(pause)


class _View:
    """What `status` shows: the list of all migrations, or the details of one."""

    def __init__(self, client: Client, migration: str | None, *, unfolded: bool) -> None:
        self._client = client
        self._migration = migration
        self._unfolded = unfolded

    def ask(self) -> Answer[Migration] | Answer[MigrationList]:
        if self._migration is None:
            return self._client.list()
        return self._client.show(self._migration)

    def print(self, answer: Answer[Migration] | Answer[MigrationList]) -> None:
        console = terminal.results()
        console.print(self._render(answer.content, console), crop=False)

    def watch(self) -> list[MigrationStatus]:
        """Show until all is final; return how each migration ended.

        Where no terminal refreshes, each change is a line on stderr, and the end is shown whole.
        """
        console = terminal.results()
        if not console.is_terminal:
            return self._log_changes()
        ended: list[MigrationStatus] = []
        with Live(console=console, auto_refresh=False) as live:
            for answer in follow(self.ask):
                live.update(self._render(answer.content, console), refresh=True)
                ended = _ended(answer.content)
                if ended:
                    break
        return ended

    def _log_changes(self) -> list[MigrationStatus]:
        told: dict[str, str] = {}
        for answer in follow(self.ask):
            for migration in _migrations(terminal.for_display(answer.content)):
                line = status_line(migration)
                if told.get(migration.id) != line:
                    told[migration.id] = line
                    terminal.notes().print(line, soft_wrap=True)
            if ended := _ended(answer.content):
                self.print(answer)
                return ended
        return []

    def _render(self, content: Migration | MigrationList, console: Console) -> RenderableType:
        shown = terminal.for_display(content)
        now = datetime.now(timezone.utc)
        if isinstance(shown, MigrationList):
            return migration_list(shown.value, now)
        folded = console.is_terminal and not self._unfolded
        return migration_details(shown, now, folded=folded)


def _migrations(content: Migration | MigrationList) -> list[Migration]:
    return content.value if isinstance(content, MigrationList) else [content]


def _ended(content: Migration | MigrationList) -> list[MigrationStatus]:
    """Return the statuses if all are final, else nothing."""
    statuses = [one.properties.migration_status for one in _migrations(content)]
    return statuses if all(s.is_final for s in statuses) else []
