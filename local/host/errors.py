"""What can go wrong in the host, by who must act.

HostError                the operator: the host cannot start or go on
├── AppError             ... the function app cannot be loaded
├── SettingsError        ... host.json, local.settings.json or a key file is wrong
└── HubError             ... the task hub is in use, of another version, or unreadable
Refused                  the caller: this request cannot be carried out as it stands
NonDeterminism           the app's author: orchestrator code no longer fits its history

Whatever else is raised inside the host is a defect of the host.
"""

from __future__ import annotations


class HostError(Exception):
    """The host cannot start or go on; `action` is what the operator can do about it."""

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.action = action


class AppError(HostError):
    """The function app could not be loaded."""


class SettingsError(HostError):
    """A settings file is wrong; the message names the file and the setting."""


class HubError(HostError):
    """The task hub cannot be used."""


class Refused(Exception):
    """A request that the hub does not carry out. `status` is the HTTP status to answer with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class NonDeterminism(Exception):
    """The orchestrator asks for other work than its history says it asked for before."""
