"""The commands that change something: `create`, `cutover`, `cancel`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ValidationError
from rich.text import Text
from typer import Argument, BadParameter, Exit, Option

from backhaul import terminal
from backhaul.client import Client
from backhaul.migration_table import preflight_table, readiness_table
from backhaul.options import AsJson, Key, MigrationId, Url, Yes, open_client
from backhaul.restore_options import (
    BlockSize,
    BufferCount,
    DataFolder,
    LogFolder,
    Moves,
    Standby,
    TransferSize,
    moves_of,
)
from backhaul.stop_options import (
    StopAfter,
    StopAt,
    StopAtLsn,
    StopAtMark,
    StopBefore,
    stop_point,
)
from backhaul.watching import see_to_the_end
from shared.after_recovery import AfterRecovery
from shared.errors import BackhaulError
from shared.models import (
    LONGEST_DELAY_MINUTES,
    AzureBlobLocation,
    BackupConfiguration,
    CancelRequest,
    CutoverReadiness,
    CutoverRequest,
    DataLoss,
    Migration,
    MigrationRequest,
    MigrationRequestProperties,
    OfflineConfiguration,
    SourceLocation,
)
from shared.restore_options import RestoreOptions
from shared.stop_point import StopPoint
from shared.vocabulary import DatabaseCheck, MigrationState, VerificationLevel


def create(
    folder: Annotated[
        str, Argument(metavar="FOLDER", help="Folder of the container that the backups come to.")
    ],
    *,
    name: Annotated[
        str, Option(metavar="NAME", help="The database on the target; it must not exist there.")
    ],
    target: Annotated[
        str | None,
        Option(metavar="SERVER", help="The target server, as the app's settings name it."),
    ] = None,
    source_database: Annotated[
        str | None,
        Option(metavar="NAME", help="The database to take if FOLDER has backups of several."),
    ] = None,
    offline: Annotated[
        bool, Option("--offline", help="End by itself after the backup of --last-backup.")
    ] = False,
    last_backup: Annotated[
        str | None,
        Option(metavar="NAME", help="With --offline: the last file, a name or path below FOLDER."),
    ] = None,
    priority: Annotated[
        int, Option(min=-10, max=10, help="Higher goes first where databases wait for a target.")
    ] = 0,
    adopt: Annotated[
        bool, Option("--adopt", help="Take over a database of NAME that was left restoring.")
    ] = False,
    restore_delay: Annotated[
        int,
        Option(
            metavar="MINUTES",
            min=0,
            max=LONGEST_DELAY_MINUTES,
            help="Restore logs and differentials only so long after they have arrived; the cutover"
            " lifts it.",
        ),
    ] = 0,
    verify: Annotated[
        VerificationLevel | None,
        Option(
            metavar="LEVEL",
            help="Read each backup before it is restored: only its header, structure (all headers"
            " in it) or data (all that has a checksum). Default: as the app is set up.",
        ),
    ] = None,
    check_database: Annotated[
        DatabaseCheck,
        Option(metavar="LEVEL", help="Run DBCC CHECKDB once it is open: none, physical or full."),
    ] = DatabaseCheck.NONE,
    owner: Annotated[
        str | None,
        Option(metavar="LOGIN", help="Give the database to this login once it is open."),
    ] = None,
    compatibility_level: Annotated[
        int | None,
        Option(metavar="LEVEL", help="Set this compatibility level once it is open; else kept."),
    ] = None,
    data_folder: DataFolder = None,
    log_folder: LogFolder = None,
    move: Moves = None,
    standby: Standby = False,
    max_transfer_size: TransferSize = None,
    buffer_count: BufferCount = None,
    block_size: BlockSize = None,
    validate_only: Annotated[
        bool,
        Option("--validate-only", help="Only check the target; the exit status is 1 if not ready."),
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Start a migration: the backups that are in a folder, and those that come, are restored.

    Repeating it is harmless. An online migration goes on until `backhaul cutover`.
    """
    if offline != (last_backup is not None):
        raise BadParameter("--offline and --last-backup belong together")
    try:
        after = AfterRecovery(
            check_database=check_database, owner=owner, compatibility_level=compatibility_level
        )
        restore = RestoreOptions.model_validate(
            {
                "dataFolder": data_folder,
                "logFolder": log_folder,
                "moveFiles": moves_of(move),
                "standby": standby,
                "maxTransferSize": max_transfer_size,
                "bufferCount": buffer_count,
                "blockSize": block_size,
            }
        )
        request = MigrationRequest(
            name=name,
            properties=MigrationRequestProperties(
                scope=target,
                source_database_name=source_database,
                backup_configuration=BackupConfiguration(
                    source_location=SourceLocation(azure_blob=AzureBlobLocation(folder=folder))
                ),
                offline_configuration=OfflineConfiguration(
                    offline=offline, last_backup_name=last_backup
                ),
                priority=priority,
                adopt=adopt,
                restore_delay_minutes=restore_delay,
                verify=verify,
                after_recovery=after if after != AfterRecovery() else None,
                restore_options=restore if restore != RestoreOptions() else None,
            ),
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the options of the restore"
        raise BadParameter(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
    with open_client(url, key) as client:
        if validate_only:
            raise Exit(_check_target(client, request, as_json=as_json))
        answer = client.create(request)
    if as_json:
        terminal.print_json(answer.document)
        return
    migration = terminal.for_display(answer.content)
    about = migration.properties
    console = terminal.results()
    console.print(
        f"Migration {migration.id} restores what comes to folder {folder!r} as database"
        f" {migration.name!r} on {about.scope}.",
        soft_wrap=True,
    )
    _tell_how_to_watch(migration)


def cutover(
    migration: MigrationId,
    *,
    last_backup: Annotated[
        str | None,
        Option(metavar="NAME", help="Wait until this file is restored, then complete."),
    ] = None,
    stop_at: StopAt = None,
    stop_at_lsn: StopAtLsn = None,
    stop_at_mark: StopAtMark = None,
    before: StopBefore = False,
    mark_after: StopAfter = None,
    validate_only: Annotated[
        bool, Option("--validate-only", help="Only check; the exit status is 1 if not ready.")
    ] = False,
    accept_data_loss: Annotated[
        str | None,
        Option(
            metavar="FILE",
            help="Complete although backups are pending; FILE is the last one that is restored.",
        ),
    ] = None,
    wait: Annotated[
        bool,
        Option("--wait", help="Wait for the end and show it; the exit status is 1 if it fails."),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Complete an online migration: check that nothing would be lost, ask, and open the database.

    After a cutover no further backup can be restored. One with a stop point restores up to there,
    and waits for the logs that lead there.
    """
    stop = stop_point(stop_at, stop_at_lsn, stop_at_mark, before=before, after=mark_after)
    if stop is not None and (last_backup or accept_data_loss):
        raise BadParameter("a stop point goes neither with --last-backup nor --accept-data-loss")
    with open_client(url, key) as client:
        shown = client.show(migration).content
        if validate_only:
            raise Exit(_validate(client, migration, stop, as_json=as_json))
        if not yes:
            _confirm(client, shown, last_backup, stop, forced=accept_data_loss is not None)
        request = CutoverRequest(
            migration_operation_id=shown.properties.migration_operation_id,
            confirm_no_more_backups=True,
            last_backup_name=last_backup,
            stop_at=stop,
            accept_data_loss=DataLoss(last_restored_filename=accept_data_loss)
            if accept_data_loss is not None
            else None,
        )
        answer = client.cutover(migration, request)
        if wait:
            raise Exit(see_to_the_end(client, migration, as_json=as_json))
    if as_json:
        terminal.print_json(answer.document)
        return
    after = terminal.for_display(answer.content)
    terminal.results().print(f"The cutover of {after.name} is in progress.", soft_wrap=True)
    _tell_how_to_watch(after)


def cancel(
    migration: MigrationId,
    *,
    keep_target: Annotated[
        bool, Option("--keep-target", help="Leave the half-restored database on the target.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """End a migration; the half-restored database is dropped from the target unless it is kept."""
    with open_client(url, key) as client:
        shown = client.show(migration).content
        if not yes:
            _confirm_cancel(terminal.for_display(shown), keep_target=keep_target)
        request = CancelRequest(
            migration_operation_id=shown.properties.migration_operation_id, keep_target=keep_target
        )
        answer = client.cancel(migration, request)
    if as_json:
        terminal.print_json(answer.document)
        return
    after = terminal.for_display(answer.content)
    terminal.results().print(f"The migration of {after.name} is being canceled.", soft_wrap=True)
    _tell_how_to_watch(after)


def _check_target(client: Client, request: MigrationRequest, *, as_json: bool) -> int:
    answer = client.check_create(request)
    report = answer.content
    if as_json:
        terminal.print_json(answer.document)
    else:
        terminal.results().print(preflight_table(terminal.for_display(report).checks))
    return int(not report.ready)


def _validate(client: Client, migration: str, stop: StopPoint | None, *, as_json: bool) -> int:
    answer = client.check_cutover(migration, stop)
    readiness = answer.content
    if as_json:
        terminal.print_json(answer.document)
    else:
        terminal.results().print(readiness_table(terminal.for_display(readiness)))
    return int(not readiness.ready)


def _confirm(
    client: Client,
    migration: Migration,
    last_backup: str | None,
    stop: StopPoint | None,
    *,
    forced: bool,
) -> None:
    """Show what is to be done first and the checks, and ask; ends the command without a yes."""
    console = terminal.notes()
    shown = terminal.for_display(migration)
    about = shown.properties
    location = about.backup_configuration.source_location.azure_blob
    console.print(Text(f"Cutover of {shown.name} on {about.scope}", "bold"))
    console.print("  1. Stop all writes to the source.")
    console.print(
        "  2. Take a last log (or differential) backup and upload it to"
        f" {location.blob_container_name or 'the container'}/{location.folder}."
    )
    console.print("  3. See below that nothing is pending.\n")
    answer = "r"
    while answer == "r":
        readiness = client.check_cutover(migration.id, stop).content
        console.print(readiness_table(terminal.for_display(readiness)))
        if not (readiness.ready or last_backup or forced):
            raise _not_ready(migration.id, readiness)
        console.print(_warning(last_backup, stop, ready=readiness.ready))
        answer = terminal.ask("Complete the cutover? [y]es, [r]efresh, [N]o: ", "yrn")
    _end_unless(answer)


def _not_ready(migration: str, readiness: CutoverReadiness) -> BackhaulError:
    failed = [check for check in readiness.checks if check.required and check.state != "pass"]
    return BackhaulError(
        "not ready for cutover: " + "; ".join(f"{c.name}: {c.message}" for c in failed),
        action=f"see `backhaul status {migration}`; where only backups are missing, name the last"
        " one with --last-backup, or give up what is not restored with --accept-data-loss",
    )


def _warning(last_backup: str | None, stop: StopPoint | None, *, ready: bool) -> Text:
    text = "\nNo further backup can be restored after the cutover"
    if last_backup is not None:
        text += f"; it waits until {terminal.harmless(last_backup)} is restored"
    if stop is not None:
        text += (
            f"; it ends at {terminal.harmless(str(stop))} and waits for the logs that lead there"
        )
    text += "."
    if not ready and last_backup is None:
        return Text(f"{text} What is not restored now is lost.", "bold red")
    return Text(f"{text} Go on only if none will be provided.")


def _confirm_cancel(migration: Migration, *, keep_target: bool) -> None:
    fate = "stays there, restoring" if keep_target else "is dropped"
    details = migration.properties.migration_status_details
    if details is not None and details.migration_state is MigrationState.VERIFYING_TARGET:
        fate = "stays there, since it is open; what still follows the recovery is left out"
    terminal.notes().print(
        f"Cancels the migration of {migration.name}; what is restored on"
        f" {migration.properties.scope} {fate}.",
        soft_wrap=True,
    )
    _end_unless(terminal.ask("Cancel the migration? [y]es, [N]o: ", "yn"))


def _end_unless(answer: str) -> None:
    if answer != "y":
        terminal.notes().print("Nothing was changed.")
        raise Exit(1)


def _tell_how_to_watch(migration: Migration) -> None:
    terminal.notes().print(f"Watch it with: backhaul status {migration.id} --watch", soft_wrap=True)
