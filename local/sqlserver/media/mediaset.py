"""The devices of one statement as one media set: complete, and of one kind.

Source: Microsoft Learn, "Media Sets, Media Families, and Backup Sets" and the errors 3132, 3227,
3231, 3258.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from local.sqlserver.errors import SqlError, refuse
from local.sqlserver.media.device import Device, read_content
from shared.backupset import BackupContent, BackupHeader, DatabaseFile

OpenDevice = Callable[[str, str], Device]
"""Opens a device by its kind, DISK or URL, and its name."""


class MediaSet:
    """Open devices and what they hold. A context manager that closes them."""

    def __init__(self, names: Sequence[tuple[str, str]], open_device: OpenDevice) -> None:
        """Open and read the devices in order; raises SqlError for the first that fails."""
        if len({kind for kind, _ in names}) > 1:
            raise refuse(3011)
        self.devices: list[Device] = []
        self.contents: list[BackupContent] = []
        with ExitStack() as opened:
            for kind, name in names:
                device = open_device(kind, name)
                opened.callback(device.close)
                self.devices.append(device)
                self.contents.append(read_content(device))
            self._check_families()
            self._closing = opened.pop_all()

    def __enter__(self) -> MediaSet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.close()

    @property
    def size(self) -> int:
        """Bytes on all devices."""
        return sum(device.size for device in self.devices)

    def require_all_families(self) -> None:
        """Raise 3132 unless there is a device for each family of the media set."""
        families = self.contents[0].label.family_count
        if len(self.devices) < families:
            raise refuse(3132, families, len(self.devices))

    def backup_set(self, position: int) -> tuple[BackupHeader, tuple[DatabaseFile, ...]]:
        """Return the backup set at a position (FILE = n); raises SqlError 3254 or 3287."""
        sets = self.contents[0].sets
        if not sets:
            raise refuse(3254, self.devices[0].name)
        for header, files in sets:
            if header.position == position:
                return header, files
        raise refuse(3287, position, self.devices[0].name)

    def _check_families(self) -> None:
        seen: dict[int, str] = {}
        first = self.contents[0].label
        for device, content in zip(self.devices, self.contents, strict=True):
            label = content.label
            if label.family_count < len(self.devices):
                raise self._too_many(device, label.family_count)
            if label.media_set_id != first.media_set_id:
                raise refuse(3258, device.name)
            number = label.family_sequence_number
            if number in seen:
                raise refuse(3227, device.name, number, seen[number])
            seen[number] = device.name

    def _too_many(self, device: Device, families: int) -> SqlError:
        return refuse(3231, device.name, families, len(self.devices))
