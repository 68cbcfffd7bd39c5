r"""The disks that database files would lie on: their sizes, and what is free. Nothing is written.

A volume has a mount point, `/var/opt/mssql` or `D:\`; a file lies on the one with the longest
mount point that fits. What no configured volume holds lies on the root of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from local.sqlserver.engine.clock import Clock
from local.sqlserver.engine.placement import comparable

_DEFAULT_BYTES = 2**40


class Volume(NamedTuple):
    """A disk and what is free on it, in bytes."""

    mount_point: str
    total_bytes: int
    available_bytes: int


class Volumes:
    """The volumes of an instance. `sizes` are pairs of mount point and bytes."""

    def __init__(self, sizes: Sequence[tuple[str, int]], clock: Clock) -> None:
        self._sizes = dict(sizes)
        self._clock = clock
        self._full_until: float | None = None

    def fill(self, seconds: float | None) -> None:
        """Let nothing be free from now on, for so many seconds of the server's clock, or ever."""
        self._full_until = float("inf") if seconds is None else self._clock.seconds() + seconds

    def of(self, path: str, files: Iterable[tuple[str, int]]) -> Volume:
        """Return the volume that a path lies on, with these files, paths and sizes, on it."""
        mount = self._mount_point(path)
        total = self._sizes.get(mount, _DEFAULT_BYTES)
        used = sum(size for other, size in files if self._mount_point(other) == mount)
        return Volume(mount, total, 0 if self._is_full() else max(total - used, 0))

    def all(self, files: Sequence[tuple[str, int]]) -> list[Volume]:
        """Return the configured volumes and those that these files lie on."""
        mounts = dict.fromkeys([*self._sizes, *(self._mount_point(path) for path, _ in files)])
        return [self.of(mount, files) for mount in mounts]

    def lacking(
        self, wanted: Sequence[tuple[str, int]], others: Sequence[tuple[str, int]]
    ) -> list[tuple[Volume, int]]:
        """Return the volumes that are too small for what is wanted beside other files.

        Each comes with the bytes that are wanted of it.
        """
        needed: dict[str, int] = {}
        for path, size in wanted:
            mount = self._mount_point(path)
            needed[mount] = needed.get(mount, 0) + size
        volumes = [(self.of(mount, others), size) for mount, size in needed.items()]
        return [(volume, size) for volume, size in volumes if size > volume.available_bytes]

    def _is_full(self) -> bool:
        return self._full_until is not None and self._clock.seconds() < self._full_until

    def _mount_point(self, path: str) -> str:
        whole = comparable(path)
        fitting = [m for m in self._sizes if _holds(comparable(m), whole)]
        if fitting:
            return max(fitting, key=len)
        return f"{path[:2]}\\" if path[1:2] == ":" else "/"


def _holds(mount: str, path: str) -> bool:
    separator = "\\" if "\\" in path or path[1:2] == ":" else "/"
    return path == mount or path.startswith(mount.rstrip(separator) + separator)
