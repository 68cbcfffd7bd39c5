"""Access keys: made at the first start, kept in one file that only its owner can read.

`keys.json` holds `{"master", "host": {name: key}, "system": {name: key}, "functions": {function:
{name: key}}}`. Any of them may be written there before the start; what is missing is made. Keys
are compared in constant time and are never logged.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from local.host.disk import sync_names
from local.host.errors import SettingsError

FILE_NAME = "keys.json"
DURABLE_KEY = "durabletask_extension"
EVENT_GRID_KEY = "eventgrid_extension"


class AuthLevel(str, Enum):
    """What key a request needs, as a function declares it."""

    ANONYMOUS = "ANONYMOUS"
    FUNCTION = "FUNCTION"
    ADMIN = "ADMIN"


class Keys:
    """The keys of one host. Function keys come into being when they are first asked for."""

    def __init__(self, path: Path) -> None:
        """Read the keys of `path`, and make those that are missing.

        Raises:
            SettingsError: the file is no valid key file.
        """
        self._path = path
        document = self._read()
        self.master: str = document.get("master") or _new_key()
        self.host: dict[str, str] = {"default": _new_key(), **document.get("host", {})}
        self.system: dict[str, str] = {
            DURABLE_KEY: _new_key(),
            EVENT_GRID_KEY: _new_key(),
            **document.get("system", {}),
        }
        self.functions: dict[str, dict[str, str]] = {**document.get("functions", {})}
        if self._document() != document:
            self._write()

    def values(self) -> list[str]:
        """Return all keys there are."""
        own = [key for keys in self.functions.values() for key in keys.values()]
        return [self.master, *self.host.values(), *self.system.values(), *own]

    def of_function(self, name: str) -> dict[str, str]:
        """Return the keys of the function itself, made now if there are none."""
        if name not in self.functions:
            self.functions[name] = {"default": _new_key()}
            self._write()
        return self.functions[name]

    def open_function(self, key: str | None, level: AuthLevel, function: str) -> bool:
        """Tell whether `key` opens an HTTP function of this auth level."""
        if level is AuthLevel.ANONYMOUS:
            return True
        if level is AuthLevel.ADMIN:
            return self.open_admin(key)
        own = self.functions.get(function, {})
        return _among(key, [self.master, *self.host.values(), *own.values()])

    def open_webhook(self, key: str | None, system_key: str) -> bool:
        """Tell whether `key` opens the webhook of the extension with this system key."""
        return _among(key, [self.master, self.system[system_key]])

    def open_admin(self, key: str | None) -> bool:
        """Tell whether `key` is the master key."""
        return _among(key, [self.master])

    def _document(self) -> dict[str, Any]:
        return {
            "master": self.master,
            "host": self.host,
            "system": self.system,
            "functions": self.functions,
        }

    def _read(self) -> dict[str, Any]:
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self._path} cannot be read: {error}") from error
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not _is_key_document(document):
            raise SettingsError(
                f"{self._path} is no key file",
                action="correct it, or delete it and new keys are made",
            )
        return dict(document)

    def _write(self) -> None:
        """Replace the file whole, so that a kill or power cut leaves the old or the new one."""
        new = self._path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._document(), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        sync_names(self._path.parent)


def _new_key() -> str:
    return secrets.token_urlsafe(40)


def _among(key: str | None, accepted: Iterable[str]) -> bool:
    """Compare with every key, so that the time taken tells nothing about which one was close."""
    given = (key or "").encode()
    matches = [hmac.compare_digest(given, one.encode()) for one in accepted if one]
    return any(matches)


def _is_key_document(document: object) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("master", ""), str):
        return False
    groups = [document.get("host", {}), document.get("system", {})]
    functions = document.get("functions", {})
    if not isinstance(functions, dict):
        return False
    groups.extend(functions.values())
    return all(
        isinstance(group, dict) and all(isinstance(key, str) for key in group.values())
        for group in groups
    )
