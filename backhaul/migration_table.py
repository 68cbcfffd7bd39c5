"""Shows migrations for people: the list, the details of one, and whether it can be cut over.

Models must be harmless before they come here (`terminal.for_display`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from backhaul import wording
from backhaul.ending_table import ending
from backhaul.layout import facts, indented, table, unusable_file
from backhaul.rehearsal_table import rehearsal_line
from backhaul.set_table import Folded, SetRow, fold, set_table
from shared.backupset import BackupType
from shared.models import (
    BackupSetInfo,
    CutoverReadiness,
    Migration,
    MigrationProperties,
    MigrationStatusDetails,
    PreflightCheckInfo,
    ReadinessCheck,
    RestoredUpTo,
    StandbyInfo,
)
from shared.vocabulary import EstimateBasis, MigrationStatus, StandbyState

_STYLES = {
    MigrationStatus.SUCCEEDED: "green",
    MigrationStatus.READY_FOR_CUTOVER: "green",
    MigrationStatus.FAILED: "red",
    MigrationStatus.CANCELED: "dim",
}
_VERIFYING_SHOWN = 5
_CHECK_STYLES = {"pass": "green", "fail": "red", "unknown": "yellow"}


def migration_list(migrations: Sequence[Migration], now: datetime) -> RenderableType:
    """Return one row for each migration, of two lines so that ten facts fit 80 columns."""
    if not migrations:
        return "no migrations"
    listed = table(
        "ID\nFolder", "Source\nServer", "Status\nMode", "Target\nServer", "Restored up to"
    )
    listed.columns[-1].no_wrap = True
    for migration in migrations:
        about = migration.properties
        location = about.backup_configuration.source_location.azure_blob
        listed.add_row(
            _stacked(migration.id, location.folder or "(root)"),
            _stacked(about.source_database_name or "-", about.source_server_name or "-"),
            status_text(about) + Text(f"\n{_mode(about)}, {_running(about, now)}", "dim"),
            _stacked(migration.name, _server(about)),
            wording.moment(
                about.restored_up_to.backup_finish_date if about.restored_up_to else None
            ),
        )
    return listed


def migration_details(migration: Migration, now: datetime, *, folded: bool) -> Group:
    """Return all that is known of a migration; `folded` leaves out the middle of long runs."""
    parts: list[RenderableType] = [Text(migration.name, "bold"), facts(_facts(migration, now))]
    details = migration.properties.migration_status_details
    if details is not None and not details.is_full_backup_restored:
        parts.extend(_preflight(details.preflight))
    if details is not None and details.active_backup_sets:
        rows = [
            row if isinstance(row, Folded) else _row(row)
            for row in _folded(details.active_backup_sets, folded=folded)
        ]
        parts.extend(("", set_table("State", rows)))
    if details is not None and details.invalid_file_details:
        parts.extend(("", Text("Files that cannot be used")))
        parts.extend(
            unusable_file(file.file_name, file.reason_code, file.reason, file.action)
            for file in details.invalid_file_details
        )
    if details is not None:
        parts.extend(ending(details))
    return Group(*parts)


def readiness_table(readiness: CutoverReadiness) -> Group:
    """Return the checks of a cutover and what would be in the target."""
    checks = [(check, "") for check in readiness.checks]
    return Group(_checks(checks), "", facts(_readiness_facts(readiness)))


def preflight_table(checks: Sequence[PreflightCheckInfo]) -> RenderableType:
    """Return the checks of a target, and what to do about those that failed."""
    return _checks([(check, check.action or "") for check in checks])


def _checks(checks: Sequence[tuple[ReadinessCheck, str]]) -> RenderableType:
    rows = table("State", "Check")
    for check, action in checks:
        about = Text(check.name if check.required else f"{check.name} (optional)")
        if check.message:
            about.append(f"\n{check.message}", "dim")
        if action:
            about.append(f"\n{action}", "yellow")
        rows.add_row(Text(check.state, _CHECK_STYLES[check.state]), about)
    return indented(rows)


def _preflight(checks: Sequence[PreflightCheckInfo]) -> Iterator[RenderableType]:
    """Tell how the target was found; what is in order in one line."""
    if not checks:
        return
    noted = [check for check in checks if check.state != "pass"]
    passed = f"{len(checks) - len(noted)} of {wording.count(len(checks), 'check')} passed"
    yield ""
    yield Text(f"The target at {wording.moment(checks[0].checked_on)}: {passed}")
    if noted:
        yield preflight_table(noted)


def status_text(about: MigrationProperties) -> Text:
    """Return the status with the count of what needs attention."""
    status, number = about.migration_status, about.migration_status_warnings.warning_count
    words = re.sub(r"(?<=[a-z])[A-Z]", lambda match: f" {match[0].lower()}", status.value)
    text = Text(words, _STYLES.get(status, "cyan"))
    if number:
        ended_badly = status.is_final and status is not MigrationStatus.SUCCEEDED
        noun = "Error" if ended_badly else "Warning"
        text.append(f" ({wording.count(number, noun)})", "yellow")
    return text


def status_line(migration: Migration) -> str:
    """Return where a migration stands in one line."""
    about = migration.properties
    words = [f"{migration.id}: {status_text(about).plain}"]
    if details := about.migration_status_details:
        if details.current_restoring_filename:
            words.append(f"restores {details.current_restoring_filename}")
        elif details.waiting_for and not about.migration_status.is_final:
            words.append(f"waits for: {details.waiting_for}")
        words.append(_counts(details))
    return ", ".join(words)


def _stacked(upper: str, lower: str) -> Text:
    return Text.assemble(upper, (f"\n{lower}", "dim"))


def _mode(about: MigrationProperties) -> str:
    return "offline" if about.offline_configuration.offline else "online"


def _running(about: MigrationProperties, now: datetime) -> str:
    return wording.duration((about.ended_on or now) - about.started_on)


def _server(about: MigrationProperties) -> str:
    simulated = about.target_server is not None and about.target_server.simulated
    return f"{about.scope} (simulated)" if simulated else about.scope


def _facts(migration: Migration, now: datetime) -> Iterator[tuple[str, RenderableType]]:
    about = migration.properties
    location = about.backup_configuration.source_location.azure_blob
    yield "ID", migration.id
    yield "Operation", str(about.migration_operation_id)
    yield "Status", status_text(about)
    source = about.source_database_name or "not known yet"
    yield "Source", f"{source} on {about.source_server_name or 'an unknown server'}"
    yield "Target", f"{migration.name} on {_server(about)}"
    if server := about.target_server:
        yield "", f"{server.server_name}, version {server.product_version}, {server.edition}"
    last = about.offline_configuration.last_backup_name
    yield "Mode", _mode(about) + (f", ends with {last}" if last else "")
    yield "Folder", "/".join(filter(None, (location.blob_container_name, location.folder)))
    ended = f", ended {wording.moment(about.ended_on)}" if about.ended_on else ""
    yield "Started", f"{wording.moment(about.started_on)}{ended} ({_running(about, now)})"
    if about.last_rehearsal is not None:
        yield "Rehearsal", rehearsal_line(about.last_rehearsal)
    if about.migration_status_details is not None:
        yield from _progress(about.migration_status_details, final=about.migration_status.is_final)


def _progress(
    details: MigrationStatusDetails, *, final: bool
) -> Iterator[tuple[str, RenderableType]]:
    yield (
        "State",
        ", ".join(dict.fromkeys((str(details.migration_state), str(details.restore_state)))),
    )
    yield "Files", _counts(details)
    wanted = details.restored_files + details.restoring_files + details.queued_files
    if wanted and not final:
        bar = Table.grid(padding=(0, 1))
        done = details.restored_files + (details.current_restore_percent_completed or 0) / 100
        bar.add_row(
            ProgressBar(wanted, done, width=30), f"{details.restored_files} of {wanted} restored"
        )
        yield "Progress", bar
    if details.last_uploaded_file_name:
        arrived = wording.moment(details.last_uploaded_file_time)
        yield "Uploaded", f"last {details.last_uploaded_file_name} at {arrived}"
    if details.restored_up_to is not None:
        yield "Restored", f"up to {_up_to(details.restored_up_to)}"
        yield "", f"last {details.last_restored_filename}"
    if details.current_restoring_filename:
        percent = details.current_restore_percent_completed or 0
        yield "Restoring", f"{details.current_restoring_filename}, {percent:.0f} %"
    if details.standby is not None:
        yield "Readable", _readable(details.standby)
    yield from _being_verified(details)
    if details.restore_blocking_reason:
        code = Text(f"{details.restore_blocking_reason_code}: ", "red")
        since = wording.moment(details.restore_blocked_since)
        yield "Blocked", code + Text(f"{details.restore_blocking_reason} Since {since}.")
        yield "Try", details.restore_blocking_action or "-"
    elif details.waiting_for and not final:
        yield "Waits for", details.waiting_for
    if not final:
        yield from _expected(details)
    yield from _stop_point(details)
    if details.complete_restore_error_message:
        yield "Cutover", Text(details.complete_restore_error_message, "red")


def _readable(standby: StandbyInfo) -> Text:
    if standby.state is StandbyState.READABLE:
        return Text("now, until the next restore (standby)", "green")
    if standby.state is StandbyState.NOT_READABLE:
        return Text("not now")
    return Text(f"no: {standby.reason}\n{standby.action or ''}".strip())


def _stop_point(details: MigrationStatusDetails) -> Iterator[tuple[str, RenderableType]]:
    stop = details.cutover_stop
    if stop is not None:
        at = f" (LSN {stop.reached_lsn})" if stop.reached_lsn is not None else ""
        state = f"reached{at}" if stop.reached else "not reached yet"
        yield "Stop point", f"{stop.stop_at}: {state}"


def _being_verified(details: MigrationStatusDetails) -> Iterator[tuple[str, RenderableType]]:
    for file in details.verifying_files[:_VERIFYING_SHOWN]:
        about = (
            f"{file.file_name}, {file.percent_completed:.0f} % of {wording.size(file.total_size)}"
        )
        yield "Verifying", f"{about} (level {file.level})"
    if (more := len(details.verifying_files) - _VERIFYING_SHOWN) > 0:
        yield "", f"and {more} more"


def _expected(details: MigrationStatusDetails) -> Iterator[tuple[str, RenderableType]]:
    if details.restore_throughput_mbps is not None:
        yield "Speed", f"{details.restore_throughput_mbps:.1f} MB/s over the last sets"
    if details.estimated_restore_seconds_remaining:
        left = timedelta(seconds=details.estimated_restore_seconds_remaining)
        measured = details.estimate_basis is EstimateBasis.MEASURED
        told = "as measured here" if measured else "judged by size alone"
        yield "Remaining", f"about {wording.duration(left)}, {told}"
    if expected := _cutover_estimate(details.cutover_readiness):
        yield "Cutover", expected


def _cutover_estimate(readiness: CutoverReadiness) -> str | None:
    seconds = readiness.estimated_cutover_seconds
    if seconds is None:
        return None
    told = wording.duration(timedelta(seconds=seconds))
    rehearsed = readiness.estimate_basis is EstimateBasis.MEASURED
    return f"takes about {told}, {'as rehearsed' if rehearsed else 'not rehearsed yet'}"


def _counts(details: MigrationStatusDetails) -> str:
    parts = (
        (details.restored_files, "restored"),
        (details.restoring_files, "restoring"),
        (details.queued_files, "queued"),
        (details.skipped_files, "ignored"),
        (details.unrestorable_files, "unusable"),
    )
    shown = ", ".join(f"{number} {what}" for number, what in parts if number)
    return wording.count(details.detected_files, "file") + (f" ({shown})" if shown else "")


def _up_to(reached: RestoredUpTo) -> str:
    return f"{wording.moment(reached.backup_finish_date)}, LSN {reached.last_lsn}"


def _folded(sets: Sequence[BackupSetInfo], *, folded: bool) -> Sequence[BackupSetInfo | Folded]:
    def key(backup: BackupSetInfo) -> tuple[str, ...] | None:
        if backup.backup_type != BackupType.LOG.word:
            return None
        return (backup.restore_status, *backup.ignore_reasons)

    if not folded:
        return sets
    return [*fold(sets, key, "log backups")]


def _row(backup: BackupSetInfo) -> SetRow:
    files = backup.list_of_backup_files
    about = [wording.size(sum(file.total_size for file in files))]
    if backup.restore_finish_date is not None:
        about.append(f"restored {wording.moment(backup.restore_finish_date)}")
    if len(files) < backup.family_count:
        numbers = ", ".join(str(file.family_sequence_number) for file in files)
        about.append(f"file {numbers} of {backup.family_count}")
    reasons = zip(backup.ignore_reasons, backup.ignore_reason_codes, strict=False)
    return SetRow(
        lead=files[0].status.value if files else backup.restore_status.value,
        backup_type=backup.backup_type,
        files=[file.file_name for file in files],
        first_lsn=backup.first_lsn,
        last_lsn=backup.last_lsn,
        finished=backup.backup_finish_date,
        below=[
            Text(", ".join(about), "dim"),
            *(
                Text(note, "dim")
                for note in dict.fromkeys(n for f in files for n in f.verification_notes)
            ),
            *(Text(f"{reason} ({code})", "yellow") for reason, code in reasons),
        ],
    )


def _readiness_facts(readiness: CutoverReadiness) -> Iterator[tuple[str, RenderableType]]:
    yield (
        "Pending",
        f"{wording.count(readiness.pending_log_backups_count, 'log backup')}"
        + (
            f": {', '.join(file.file_name for file in readiness.pending_files)}"
            if readiness.pending_files
            else ""
        ),
    )
    if readiness.unread_files:
        yield "Unread", ", ".join(readiness.unread_files)
    if readiness.restored_up_to is not None:
        yield "Restored", f"up to {_up_to(readiness.restored_up_to)}"
        yield "", f"last {readiness.last_restored_filename}"
    if readiness.data_loss_window_seconds is not None:
        age = wording.duration(timedelta(seconds=readiness.data_loss_window_seconds))
        yield "", f"which ended {age} ago; what the source wrote since is not in it"
    if expected := _cutover_estimate(readiness):
        yield "Cutover", expected
    if readiness.last_scan_completed_on is not None:
        yield "Folder", f"listed {wording.moment(readiness.last_scan_completed_on)}"
