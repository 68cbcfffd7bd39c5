"""Whether the files of a database fit on the disks of the target, beside those of others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shared.fates import fate_of
from shared.preflight.found import Found, failed, in_bytes, passed, unknown
from shared.records import MigrationOrder, MigrationProgress, PreflightCheck
from shared.targets import Folder, Volume
from shared.vocabulary import BlockingReason

_FOLDERS_SHOWN = 3


def folders(found: Found) -> PreflightCheck:
    """Check that the folders are there which the files are to go to."""
    name = "folders"
    if found.unplaced is not None:
        why = found.unplaced
        return failed(name, fate_of(why).reason, f"{why.message.rstrip('.')}.", why.action)
    folders = found.conditions.folders
    if not folders:
        return _refused_place(
            "The server names no default folder for database files.",
            "Set the default data and log folders in the server's properties.",
        )
    absent = [folder.path for folder in folders if folder.exists is False][:_FOLDERS_SHOWN]
    if absent:
        return _refused_place(
            f"The target has no folder {' and no '.join(map(repr, absent))} for database files, or"
            " may not enter it.",
            "Create it for the account of the SQL Server service, or name other folders.",
        )
    if not all(folder.exists for folder in folders):
        return unknown(name, "The target does not tell whether its folders exist.")
    shown = [folder.path for folder in folders[:_FOLDERS_SHOWN]]
    return passed(name, f"The folders for database files are there: {', '.join(shown)}.")


def free_space(found: Found) -> PreflightCheck:
    """Check that each disk has room for what goes to it, now and for migrations that wait."""
    name = "freeSpace"
    if found.files is None:
        return unknown(name, found.without_files)
    if found.is_allocated:
        return passed(name, "The files are on the target already.")
    needed_by_mount, told, short = needs(found), [], []
    for folder, volume in _a_folder_each(found):
        needed, free = needed_by_mount[volume.mount_point], volume.available_bytes
        others = found.reserved.get(volume.mount_point, 0)
        also = f", {in_bytes(others)} more for migrations that wait" if others else ""
        told.append(f"{volume.mount_point}: {in_bytes(needed)} needed{also}, {in_bytes(free)} free")
        if needed + others > free:
            short.append((folder, told[-1]))
    if short:
        return _too_small([text for _, text in short], any(f.is_certain for f, _ in short))
    unseen = [path for path in found.room if path not in _placed(found)][:_FOLDERS_SHOWN]
    if unseen or found.unplaced:
        return unknown(name, f"The disk of {', '.join(unseen) or 'the files'} is not to be seen.")
    return passed(name, f"{'; '.join(told)}.")


def needs(found: Found) -> dict[str, int]:
    """Return how many bytes go to each volume, by mount point."""
    needed: Counter[str] = Counter()
    for path, folder in _placed(found).items():
        if folder.volume is not None:
            needed[folder.volume.mount_point] += found.room[path]
    return dict(needed)


def reserved_by(
    others: Iterable[tuple[MigrationOrder, MigrationProgress]], order: MigrationOrder
) -> dict[str, int]:
    """Return what other migrations to the same target will still need, by mount point.

    Those count that have passed and wait for their turn; who has begun has its files on the disks.
    A rehearsal that waits keeps nobody out.
    """
    bytes_by_mount: Counter[str] = Counter()
    for other, now in others:
        waits = not (now.begun or now.status.is_final or other.rehearsal)
        if other.target == order.target and other.id != order.id and waits and now.preflight:
            bytes_by_mount.update({} if now.preflight.failed else now.preflight.needs)
    return dict(bytes_by_mount)


def _refused_place(message: str, action: str) -> PreflightCheck:
    return failed("folders", BlockingReason.TARGET_REFUSED, message, action)


def _too_small(told: list[str], certain: bool) -> PreflightCheck:
    doubt = "" if certain else " (a volume without database files may be mounted there, unseen)"
    return failed(
        "freeSpace",
        BlockingReason.TARGET_STORAGE_FULL,
        f"Too little is free on the target{doubt}. {'; '.join(told)}.",
        "Make room on the disk, or let the files go to another one.",
        required=certain,
    )


def _placed(found: Found) -> dict[str, Folder]:
    """Return the folders that files go to and of which the volume is known, by path."""
    return {
        folder.path: folder
        for folder in found.conditions.folders
        if folder.volume is not None and folder.path in found.room
    }


def _a_folder_each(found: Found) -> list[tuple[Folder, Volume]]:
    """Return each volume with a folder on it, with one that is certain to lie there if any is."""
    folders = sorted(_placed(found).values(), key=lambda folder: folder.is_certain)
    by_mount = {f.volume.mount_point: (f, f.volume) for f in folders if f.volume}
    return list(by_mount.values())
