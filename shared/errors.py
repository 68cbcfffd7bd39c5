"""Every error this project raises, by who must act.

    BackhaulError
    ├── BackupFileError          the file: whoever made or uploaded the backup
    ├── RequestError             the request: whoever called the API or the command line
    ├── AppUnavailable           the app does not answer now: whoever runs it
    ├── ConfigurationError       the settings: whoever deployed the app
    ├── TargetError              the target server said no
    │   └── TargetUnavailable    ... for now; the same call may work later
    └── StorageError             blob or table storage said no
        └── StorageUnavailable   ... for now; the same call may work later

Each message says what happened, where, what was seen and what was expected; `action` says what
to do next. Activities let only the `...Unavailable` ones through, since a retry may cure them;
everything else is a result.
"""

from __future__ import annotations


class BackhaulError(Exception):
    """What happened, with the next step for the operator in `action`."""

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.action = action


class BackupFileError(BackhaulError):
    """A file that is no usable backup. `reason_code` is one of the codes users see.

    Source of the codes: the vocabulary of invalid files, see docs/status.md.
    """

    def __init__(
        self, reason_code: str, message: str, *, action: str, offset: int | None = None
    ) -> None:
        super().__init__(message, action=action)
        self.reason_code = reason_code
        self.offset = offset


class RequestError(BackhaulError):
    """A request that cannot be carried out as it stands. `status` is the HTTP status."""

    def __init__(self, status: int, code: str, message: str, *, action: str) -> None:
        super().__init__(message, action=action)
        self.status = status
        self.code = code


class AppUnavailable(BackhaulError):
    """The app does not answer, or says that it cannot now; the same request may work later."""


class ConfigurationError(BackhaulError):
    """A setting is missing or wrong; the message names it."""


class TargetError(BackhaulError):
    """The target server refused a statement. `number` is the SQL Server error number, if any."""

    def __init__(
        self, message: str, *, number: int | None = None, sqlstate: str = "", action: str = ""
    ) -> None:
        super().__init__(message, action=action)
        self.number = number
        self.sqlstate = sqlstate


class TargetUnavailable(TargetError):
    """The target cannot answer now: network, failover, a lock that will pass."""


class StorageError(BackhaulError):
    """Storage refused a request: missing container, no access, a blob that changed."""


class StorageUnavailable(StorageError):
    """Storage cannot answer now."""
