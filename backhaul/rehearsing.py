"""The command `rehearse`: what a migration takes, tried out in a scratch database."""

from __future__ import annotations

from typing import Annotated

from typer import Exit, Option

from backhaul import terminal
from backhaul.client import Answer, Client
from backhaul.options import AsJson, Key, MigrationId, Url, open_client
from backhaul.rehearsal_table import rehearsal_line, rehearsal_table
from backhaul.watching import follow
from shared.errors import BackhaulError
from shared.models import LastRehearsal, Migration, RehearseRequest
from shared.vocabulary import MigrationStatus


def rehearse(
    migration: MigrationId,
    *,
    wait: Annotated[
        bool, Option("--wait", help="Wait for its end; the exit status is 1 without success.")
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Try a migration out: restore, recover and check its backups in a scratch database.

    That is dropped in the end. The migration goes on meanwhile, and how long its cutover takes is
    known then. The target needs room for a second copy of the database.
    """
    with open_client(url, key) as client:
        operation = client.show(migration).content.properties.migration_operation_id
        wish = RehearseRequest(migration_operation_id=operation)
        answer = client.rehearse(migration, wish)
        if wait:
            answer = _see_to_the_end(client, migration, _last(answer))
    shown = _last(answer)
    if as_json:
        terminal.print_json(answer.document)
    elif wait:
        terminal.results().print(rehearsal_table(shown))
    else:
        console = terminal.results()
        console.print(
            f"The rehearsal restores to the scratch database {shown.database}, which is dropped in"
            " the end.",
            soft_wrap=True,
        )
        terminal.notes().print(f"Watch it with: backhaul status {migration}", soft_wrap=True)
    if wait and shown.migration_status is not MigrationStatus.SUCCEEDED:
        raise Exit(1)


def _see_to_the_end(client: Client, migration: str, begun: LastRehearsal) -> Answer[Migration]:
    """Tell on stderr what happens until this rehearsal has ended; return the migration then."""
    line = ""
    for answer in follow(lambda: client.show(migration)):
        shown = _last(answer)
        if line != (line := f"{shown.id}: {rehearsal_line(shown)}"):
            terminal.notes().print(line, soft_wrap=True)
        if shown.migration_operation_id != begun.migration_operation_id:
            break
        if shown.migration_status.is_final:
            return answer
    raise BackhaulError(
        f"another rehearsal of {migration} has begun meanwhile",
        action=f"look at it with `backhaul status {migration}`",
    )


def _last(answer: Answer[Migration]) -> LastRehearsal:
    migration = terminal.for_display(answer.content)
    found = migration.properties.last_rehearsal
    if found is None:
        raise BackhaulError(
            f"the app tells of no rehearsal of {migration.id}",
            action="look at the migration, and rehearse it again if it goes on",
        )
    return found
