"""The options of `create` that say how backups are restored, with their help."""

from __future__ import annotations

from typing import Annotated

from typer import BadParameter, Option

from shared.paths import is_absolute

DataFolder = Annotated[
    str | None,
    Option(metavar="PATH", help="Folder of the target for data files; else the server's default."),
]
LogFolder = Annotated[
    str | None,
    Option(metavar="PATH", help="Folder of the target for log files; else the server's default."),
]
Moves = Annotated[
    list[str] | None,
    Option(
        metavar="LOGICAL=PATH",
        help="Place of one database file, by its logical name; may be repeated.",
    ),
]
Standby = Annotated[
    bool,
    Option("--standby", help="Let the database be read while the migration waits (STANDBY)."),
]
TransferSize = Annotated[
    int | None,
    Option(metavar="BYTES", help="MAXTRANSFERSIZE of each RESTORE; else by the backup's size."),
]
BufferCount = Annotated[
    int | None,
    Option(metavar="NUMBER", help="BUFFERCOUNT of each RESTORE; else by the backup's size."),
]
BlockSize = Annotated[
    int | None,
    Option(metavar="BYTES", help="BLOCKSIZE of each RESTORE; else as the backup has it."),
]


def moves_of(given: list[str] | None) -> dict[str, str]:
    """Return the paths of `--move` by logical name; raises BadParameter for what is no pair."""
    moves: dict[str, str] = {}
    for pair in given or ():
        # A logical name may hold "=", and so may a path, but no path begins with one.
        name, path = next(
            (
                (pair[:at], pair[at + 1 :])
                for at, character in enumerate(pair)
                if character == "=" and is_absolute(pair[at + 1 :])
            ),
            ("", ""),
        )
        if not name:
            raise BadParameter(
                f"--move {pair!r}: expected LOGICAL=PATH, with a whole path on the target"
            )
        if name in moves:
            raise BadParameter(f"--move: {name!r} is named twice")
        moves[name] = path
    return moves
