"""How the backups of a migration are restored, as its request may say. Pure.

Limits of the transfer sizes: Microsoft Learn, "RESTORE Statements - Arguments (Transact-SQL)".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shared.json_model import Json
from shared.paths import (
    LONGEST,
    comparable,
    is_absolute,
    is_folder,
    is_windows,
    utf16_units,
)

KILOBYTE = 1024
LARGEST_TRANSFER = 4096 * KILOBYTE
"""The largest MAXTRANSFERSIZE that a restore from a container takes."""

MOST_MEMORY = 2 * 1024**3
"""What BUFFERCOUNT x MAXTRANSFERSIZE may come to; it is taken outside the server's buffer pool."""

_SMALLEST_TRANSFER = 64 * KILOBYTE
_NAME_UNITS = 128
_MOST_FILES = 500


class RestoreOptions(Json):
    """`restoreOptions`: where database files go, and how the server reads the backups.

    `move_files` has paths by the logical name of the file, and goes before the folders; without
    those the server's default folders count. With `standby` the database can be read while the
    migration waits. Sizes are bytes; those that are left out go by the size of each backup.
    """

    data_folder: str | None = None
    log_folder: str | None = None
    move_files: dict[str, str] = Field(default_factory=dict, max_length=_MOST_FILES)
    standby: bool = False
    max_transfer_size: int | None = Field(
        default=None, ge=_SMALLEST_TRANSFER, le=LARGEST_TRANSFER, multiple_of=_SMALLEST_TRANSFER
    )
    buffer_count: int | None = Field(default=None, ge=1)
    block_size: Literal[512, 1024, 2048, 4096, 8192, 16384, 32768, 65536] | None = None

    @field_validator("data_folder", "log_folder")
    @classmethod
    def _is_a_folder(cls, path: str | None) -> str | None:
        return None if path is None else _path(path)

    @field_validator("move_files")
    @classmethod
    def _are_files(cls, moves: dict[str, str]) -> dict[str, str]:
        names: set[str] = set()
        owners: dict[str, str] = {}
        for name, path in moves.items():
            if not name or utf16_units(name) > _NAME_UNITS or _has_control(name):
                raise ValueError(
                    f"{name[:_NAME_UNITS]!r} is no logical name of a file: 1 to {_NAME_UNITS}"
                    " characters, no control characters"
                )
            if name.casefold() in names:
                raise ValueError(f"{name!r} is named twice; logical names ignore case")
            names.add(name.casefold())
            if is_folder(_path(path)):
                raise ValueError(f"{path!r} is a folder; {name!r} needs the path of a file")
            other = owners.setdefault(comparable(path), name)
            if other != name:
                raise ValueError(f"{path!r} is given to two files, {other!r} and {name!r}")
        return moves

    @model_validator(mode="after")
    def _fit_together(self) -> RestoreOptions:
        systems = {is_windows(path): path for path in self._paths()}
        if len(systems) == 2:
            raise ValueError(
                f"{systems[True]!r} is a path of Windows and {systems[False]!r} is not; all are of"
                " the one target"
            )
        largest = self.max_transfer_size or LARGEST_TRANSFER
        if self.buffer_count is not None and self.buffer_count * largest > MOST_MEMORY:
            raise ValueError(
                f"bufferCount {self.buffer_count} x {largest} bytes of maxTransferSize takes more"
                f" than {MOST_MEMORY // 1024**3} GiB of the server's memory; at most"
                f" {MOST_MEMORY // largest} buffers of that size are possible"
            )
        return self

    def _paths(self) -> Iterator[str]:
        yield from filter(None, (self.data_folder, self.log_folder))
        yield from self.move_files.values()


def _path(path: str) -> str:
    """Return a path that may be sent to a server; raises ValueError for another."""
    if not is_absolute(path):
        raise ValueError(
            f"{path[:LONGEST]!r} is not a whole path on the target, such as 'D:\\Data' or"
            " '/var/opt/mssql/data'"
        )
    if utf16_units(path) > LONGEST:
        raise ValueError(f"a path has at most {LONGEST} characters; {path[:40]!r}... has more")
    if _has_control(path):
        raise ValueError(f"{path!r} has control characters")
    return path


def _has_control(text: str) -> bool:
    # A lone surrogate is no character that a server could be sent.
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
