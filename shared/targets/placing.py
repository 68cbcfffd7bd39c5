"""Where the files of a backup go, by a migration's own options, and what is in the way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.errors import TargetError
from shared.explain import clipped
from shared.paths import comparable
from shared.restore_options import RestoreOptions
from shared.targets.files import ListedFile, Move, place_files

_KINDS = {"D": "data", "L": "log", "F": "full-text", "S": "container"}
_SHOWN = 20
_TEXT = 160

# The numbers under which the server would refuse the same.
_UNKNOWN_NAME = 3234
_CLAIMED_TWICE = 3176
_TAKEN = 1834

_NEW_OPTIONS = "cancel this migration, and create it again with other restoreOptions."


def moves_for(
    database: str,
    files: Sequence[ListedFile],
    options: RestoreOptions,
    *,
    data_path: str,
    log_path: str,
    taken: Mapping[str, str],
    is_whole: bool = True,
) -> tuple[Move, ...]:
    """Return where each file goes, or raise TargetError for what the server would refuse later.

    `data_path` and `log_path` are the server's default folders, `taken` the names of other
    databases by the comparable paths of their files. `is_whole` tells that `files` are all of the
    database: a name in `move_files` that is not among them is then a mistake, while of a log that
    adds files only those are listed.
    """
    names = _names(files, options.move_files, is_whole=is_whole)
    defaults = place_files(
        database,
        [file for file in files if file.logical_name not in names],
        data_path=options.data_folder or data_path,
        log_path=options.log_folder or log_path,
    )
    paths = dict(defaults) | {name: options.move_files[asked] for name, asked in names.items()}
    moves = tuple(Move(file.logical_name, paths[file.logical_name]) for file in files)
    _refuse_collisions(moves, taken)
    return moves


def _names(files: Sequence[ListedFile], wanted: Iterable[str], *, is_whole: bool) -> dict[str, str]:
    """Return by logical name under which name a file is asked for; case counts only if it must."""
    exact = {file.logical_name for file in files}
    folded = {name.casefold(): name for name in exact}
    found = {
        name: asked
        for asked in wanted
        if (name := asked if asked in exact else folded.get(asked.casefold()))
    }
    unknown = [asked for asked in wanted if asked not in found.values()]
    if unknown and is_whole:
        raise TargetError(
            f"restoreOptions.moveFiles names {_listed(map(repr, unknown))}, which the backup does"
            " not have; its files are"
            f" {_listed(f'{f.logical_name!r} ({_KINDS.get(f.type, f.type)})' for f in files)}",
            number=_UNKNOWN_NAME,
            action=f"Name the files as the backup does: {_NEW_OPTIONS}",
        )
    return found


def _refuse_collisions(moves: Iterable[Move], taken: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name, path in moves:
        key = comparable(path)
        if (owner := taken.get(key)) is not None:
            raise TargetError(
                f"the file {name!r} would go to {path!r}, where a file of the database"
                f" {clipped(owner, _TEXT)!r} lies on the target",
                number=_TAKEN,
                action=f"Move that file away, or choose another place: {_NEW_OPTIONS}",
            )
        if (other := seen.setdefault(key, name)) != name:
            raise TargetError(
                f"the files {other!r} and {name!r} would both go to {path!r}",
                number=_CLAIMED_TWICE,
                action=f"Give each a place of its own: {_NEW_OPTIONS}",
            )


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
