"""The commands for migrations that have ended or given up: `retry`, `restart`, `delete`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from typer import Exit, Option

from backhaul import terminal
from backhaul.client import Answer, Client
from backhaul.options import AsJson, Key, MigrationId, Url, Yes, open_client
from shared.models import Migration, RestartRequest, RetryRequest


def retry(
    migration: MigrationId, *, as_json: AsJson = False, url: Url = None, key: Key = None
) -> None:
    """Let a migration that is Retriable go on where it stopped."""
    with open_client(url, key) as client:
        wish = RetryRequest(migration_operation_id=_operation(client, migration))
        _tell(client.retry(migration, wish), "goes on", as_json=as_json)


def restart(
    migration: MigrationId, *, as_json: AsJson = False, url: Url = None, key: Key = None
) -> None:
    """Begin a migration anew that has ended or is Retriable, with the settings it had."""
    with open_client(url, key) as client:
        wish = RestartRequest(migration_operation_id=_operation(client, migration))
        _tell(client.restart(migration, wish), "begins anew", as_json=as_json)


def _operation(client: Client, migration: str) -> UUID:
    return client.show(migration).content.properties.migration_operation_id


def _tell(answer: Answer[Migration], done: str, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(answer.document)
        return
    name = terminal.for_display(answer.content).name
    terminal.results().print(f"The migration of {name} {done}.", soft_wrap=True)


def delete(
    migration: MigrationId,
    *,
    force: Annotated[
        bool, Option("--force", help="Cancel it first if it is active; its database is dropped.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Take the record of a migration away that has ended or is Retriable, not its database."""
    with open_client(url, key) as client:
        shown = client.show(migration).content
        name = terminal.for_display(shown).name
        if not yes:
            terminal.notes().print(f"Takes the record of the migration of {name} away.")
            if terminal.ask("Delete it? [y]es, [N]o: ", "yn") != "y":
                terminal.notes().print("Nothing was changed.")
                raise Exit(1)
        operation = shown.properties.migration_operation_id
        gone = client.delete(migration, operation, force=force)
    told = "is deleted" if gone else "is being canceled, its record goes after that"
    terminal.results().print(f"The migration of {name} {told}.", soft_wrap=True)
