"""What was done once a database was open, and what is left for people, names filled in. Pure.

A backup holds a database and nothing of its server, and some of a database's own settings do not
survive a restore. Only what applies, or what nobody can know from here, is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.after_recovery import AfterRecoveryStep, RecoveredDatabase, ToDoItem, UserWithoutLogin
from shared.aftermath import Aftermath, StepRecord
from shared.opened import OrphanedUsers
from shared.records import MigrationOrder, MigrationProgress
from shared.targets import ServerFacts
from shared.vocabulary import AfterStep, MigrationStatus, StepState, ToDo

_NAMES = 5  # of the users without login are told; all of them are listed elsewhere


class _Case:
    """One migration whose database is open."""

    def __init__(
        self, order: MigrationOrder, progress: MigrationProgress, aftermath: Aftermath
    ) -> None:
        self.name = order.target_database
        self.database = _bracketed(order.target_database)
        self.owner = order.after_recovery.owner
        self.aftermath = aftermath
        self.facts = aftermath.facts
        self.server = progress.server
        self.target = progress.server.server_name if progress.server else order.target
        source = progress.source
        self.source_server = source.server_name if source else "the source"
        self.source_database = source.database_name if source else order.source_database_name

    def step(self, name: AfterStep) -> StepRecord | None:
        return self.aftermath.step(name)

    def failure(self, name: AfterStep) -> str | None:
        """Return what a failed step told."""
        step = self.step(name)
        if step is None or step.state is not StepState.FAILED:
            return None
        return " ".join(filter(None, (step.message, step.action)))

    def is_done(self, name: AfterStep) -> bool:
        step = self.step(name)
        return step is not None and step.state is StepState.DONE


def list_to_do(order: MigrationOrder, progress: MigrationProgress) -> list[ToDoItem]:
    """Return what is left to do, what is urgent first; nothing while the database is not open.

    Nobody goes on with the database of a rehearsal, which is dropped.
    """
    if order.rehearsal is not None:
        return []
    if progress.aftermath is None:
        return list(_left_behind(order, progress))
    case = _Case(order, progress, progress.aftermath)
    return [
        ToDoItem(code=code, text=text)
        for code, tell in _TELLERS.items()
        if (text := tell(case)) is not None
    ]


def _left_behind(order: MigrationOrder, progress: MigrationProgress) -> Iterator[ToDoItem]:
    """A canceled migration whose database is on the target still, because it was not dropped."""
    state = progress.left_as
    if progress.status is MigrationStatus.CANCELED and state is not None:
        name = order.target_database
        yield ToDoItem(
            code=ToDo.DATABASE_LEFT,
            text=f"The database {name!r} is still on {order.target}, {state}, and was not dropped."
            " If nobody needs it, drop it yourself; no new migration can have its name until then.",
        )


def _check_database(case: _Case) -> str | None:
    return case.failure(AfterStep.CHECK_DATABASE)


def _logins(case: _Case) -> str | None:
    orphans, step = case.aftermath.orphans, case.step(AfterStep.ORPHANED_USERS)
    if step is None:
        return None
    if orphans is None:
        told = " ".join(filter(None, (step.message, step.action)))
        return f"{told} Logins are not in a backup: bring those of {case.source_server}."
    if not orphans.count:
        return None
    first = _bracketed(orphans.users[0].name) if orphans.users else "[user]"
    return (
        f"Users without login on {case.target}: {_names(orphans)}. Create their logins there with"
        f" the SIDs that the users have, or, in {case.database}, join each of them with a login:"
        f" ALTER USER {first} WITH LOGIN = [login]."
    )


def _names(orphans: OrphanedUsers) -> str:
    shown = [_bracketed(user.name) for user in orphans.users[:_NAMES]]
    others = orphans.count - len(shown)
    return ", ".join(shown) + (f" and {others} more" if others > 0 else "")


def _bracketed(name: str) -> str:
    """Quote a name for people, who may copy it; it is never sent, so none is refused."""
    return f"[{name.replace(']', ']]')}]"


def _owner(case: _Case) -> str | None:
    step = case.step(AfterStep.OWNER)
    if step is None or case.is_done(AfterStep.OWNER):
        return None
    owner = repr(case.facts.owner) if case.facts and case.facts.owner else "the app's login"
    login = _bracketed(case.owner) if case.owner else "[login]"
    told = case.failure(AfterStep.OWNER)
    return (
        (f"{told} " if told else "")
        + f"The database belongs to {owner}, who has restored it, and the owner's SID that it holds"
        " is still the source's (error 33009 may follow). Give it to whom it should belong:"
        f" ALTER AUTHORIZATION ON DATABASE::{case.database} TO {login}."
    )


def _compatibility_level(case: _Case) -> str | None:
    told = case.failure(AfterStep.COMPATIBILITY_LEVEL)
    facts = case.facts
    highest = case.server.highest_compatibility_level if case.server else None
    if facts is None or highest is None or facts.compatibility_level >= highest:
        return told
    return (
        (f"{told} " if told else "")
        + f"The compatibility level is {facts.compatibility_level}, and {case.target} goes up to"
        f" {highest}. Once the workload is tested with it: ALTER DATABASE {case.database} SET"
        f" COMPATIBILITY_LEVEL = {highest}."
    )


def _first_backup(case: _Case) -> str | None:
    logs = ""
    if case.facts is None or case.facts.recovery_model != "SIMPLE":
        logs = " Log backups can be taken after that only; plan them too."
    return (
        f"Take a first full backup of {case.database} on {case.target}: the recovery has begun a"
        f" new recovery fork, and no backup of that exists.{logs}"
    )


def _connection_strings(case: _Case) -> str | None:
    source = f" ({case.source_database!r})" if case.source_database else ""
    return (
        f"Let the applications of {case.source_server}{source} connect to {case.target}, database"
        f" {case.name!r}; keep writes to the old one stopped."
    )


def _jobs(case: _Case) -> str | None:
    return (
        f"Jobs are not in a backup: bring those of SQL Server Agent on {case.source_server} that"
        " work on this database, its backups and its upkeep."
    )


def _linked_servers(case: _Case) -> str | None:
    return (
        f"Linked servers are not in a backup: create on {case.target} those that procedures or"
        f" views of this database use on {case.source_server}."
    )


def _credentials(case: _Case) -> str | None:
    return (
        "Credentials, certificates, server triggers and server settings are not in a backup: bring"
        f" those of {case.source_server} that this database needs."
    )


def _database_options(case: _Case) -> str | None:
    facts, told = case.facts, []
    if facts is None:
        return None
    alter = f"ALTER DATABASE {case.database} SET"
    if facts.page_verify != "CHECKSUM":
        told.append(
            f"Pages are verified by {facts.page_verify}: {alter} PAGE_VERIFY CHECKSUM finds damage."
        )
    off = []
    if not facts.is_broker_enabled:
        off.append(f"Service Broker ({alter} ENABLE_BROKER)")
    if not facts.is_trustworthy_on:
        off.append(f"TRUSTWORTHY ({alter} TRUSTWORTHY ON)")
    if off:
        told.append(f"Off after every restore: {', '.join(off)}; switch on what the source used.")
    return " ".join(told) or None


def _change_data_capture(case: _Case) -> str | None:
    if case.facts is None or not case.facts.is_cdc_enabled:
        return None
    return (
        f"Change data capture is on, and its jobs are not in a backup: run EXEC sys.sp_cdc_add_job"
        f" N'capture' and N'cleanup' in {case.database}."
    )


def _encryption(case: _Case) -> str | None:
    if case.facts is None or not case.facts.is_encrypted:
        return None
    return (
        f"The database is encrypted (TDE): back up the certificate or key on {case.target} that"
        " protects it, with its private key; without it no backup of the database can be restored."
    )


def _statistics(case: _Case) -> str | None:
    source, server = case.aftermath.source, case.server
    upgraded = source and server and source.major_version < server.product_major_version
    if not upgraded and not case.is_done(AfterStep.COMPATIBILITY_LEVEL):
        return None
    return (
        f"The version or the compatibility level has changed: run EXEC sp_updatestats in"
        f" {case.database}, so that queries are planned with fresh statistics."
    )


_TELLERS: dict[ToDo, Callable[[_Case], str | None]] = {
    ToDo.CHECK_DATABASE: _check_database,
    ToDo.LOGINS: _logins,
    ToDo.OWNER: _owner,
    ToDo.FIRST_BACKUP: _first_backup,
    ToDo.CONNECTION_STRINGS: _connection_strings,
    ToDo.COMPATIBILITY_LEVEL: _compatibility_level,
    ToDo.STATISTICS: _statistics,
    ToDo.DATABASE_OPTIONS: _database_options,
    ToDo.ENCRYPTION: _encryption,
    ToDo.CHANGE_DATA_CAPTURE: _change_data_capture,
    ToDo.JOBS: _jobs,
    ToDo.LINKED_SERVERS: _linked_servers,
    ToDo.CREDENTIALS: _credentials,
}


def describe_steps(aftermath: Aftermath | None) -> list[AfterRecoveryStep]:
    """Return the steps after the recovery as they are shown, in their order."""
    steps = aftermath.steps if aftermath else ()
    return [AfterRecoveryStep(**step.model_dump()) for step in steps]


def describe_recovered(
    aftermath: Aftermath | None, server: ServerFacts | None
) -> RecoveredDatabase | None:
    """Return the open database as it is shown, once its properties were read."""
    if aftermath is None or aftermath.facts is None:
        return None
    facts, orphans = aftermath.facts, aftermath.orphans
    return RecoveredDatabase(
        **facts.model_dump(exclude={"login"}),
        source_compatibility_level=aftermath.source.compatibility_level
        if aftermath.source
        else None,
        maximum_compatibility_level=server.highest_compatibility_level if server else None,
        orphaned_users_count=orphans.count if orphans else None,
        orphaned_users=[
            UserWithoutLogin(**user.model_dump()) for user in (orphans.users if orphans else ())
        ],
    )
