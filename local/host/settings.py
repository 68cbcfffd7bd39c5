"""host.json, local.settings.json and app settings. Read once, at the start.

Only the settings of host.json that mean something on one machine are read; others are ignored, as
they would be by a host that lacks the extension they configure.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import SettingsError

_LOG = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S = 30 * 60.0  # what Azure Functions does outside the Consumption plan

_LOG_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_TIME_SPANS = tuple(
    re.compile(form.replace("N", "([0-9]{1,5})").replace("S", r"([0-9]{1,2}(?:\.[0-9]{1,7})?)"))
    for form in (r"(?:N\.)?N:N(?::S)?", "N:N:N:S", "N(?::N:N)?")
)
# A string, or a comment, or a comma before a closing bracket: what JSON has no word for.
_LENIENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e]*")
_PLACEHOLDER = re.compile(r"%([^%\s]+)%")


@dataclass(frozen=True)
class HostSettings:
    """What host.json says, with the defaults of Azure Functions filled in.

    `function_timeout_s` is None when functions may run for ever. `response_headers` are added to
    what HTTP functions answer.
    """

    route_prefix: str
    hub_name: str
    default_version: str | None
    replaces_running: bool
    max_activities: int
    max_orchestrators: int
    max_entities: int
    function_timeout_s: float | None
    log_level: int
    response_headers: Mapping[str, str]


def load_app_settings(app_dir: Path, environ: MutableMapping[str, str]) -> None:
    """Put the Values of local.settings.json into `environ`, where it has none of that name.

    Raises:
        SettingsError: the file is not valid, or encrypted.
    """
    path = app_dir / "local.settings.json"
    document = _read_json(path)
    if document.get("IsEncrypted") is True:
        raise SettingsError(f"{path} is encrypted", action="decrypt it with: func settings decrypt")
    for name, value in _section(document, path, "Values").items():
        if isinstance(value, (dict, list)):
            raise SettingsError(f"{path}: Values.{name} is {value!r}, expected a text")
        environ.setdefault(name, "" if value is None else str(value))


def load_host_settings(app_dir: Path, environ: Mapping[str, str]) -> HostSettings:
    """Read host.json; a missing file means defaults, and app settings may override what it says.

    Raises:
        SettingsError: the file or one of the settings is not valid.
    """
    path = app_dir / "host.json"
    document = _read_json(path)
    _override(document, environ)
    http = _section(document, path, "extensions", "http")
    durable = _section(document, path, "extensions", "durableTask")
    levels = _section(document, path, "logging", "logLevel")
    per_core = 10 * (os.cpu_count() or 1)
    hub_name = expand(_text(durable, path, "hubName", "TestHubName"), environ)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,44}", hub_name):
        raise SettingsError(
            f"{path}: durableTask.hubName is {hub_name!r}, expected 3 to 45 letters and digits, "
            "beginning with a letter"
        )
    version = _value(durable, "defaultVersion")
    return HostSettings(
        route_prefix=_text(http, path, "routePrefix", "api").strip("/"),
        hub_name=hub_name,
        default_version=None if version is None else str(version),
        replaces_running=_replaces_running(durable, path),
        max_activities=_count(durable, path, "maxConcurrentActivityFunctions", per_core),
        max_orchestrators=_count(durable, path, "maxConcurrentOrchestratorFunctions", per_core),
        max_entities=_count(durable, path, "maxConcurrentEntityFunctions", per_core),
        function_timeout_s=_timeout(document, path),
        log_level=_log_level(levels, path),
        response_headers=_headers(http, path),
    )


def _headers(http: dict[str, Any], path: Path) -> dict[str, str]:
    headers = _section(http, path, "customHeaders")
    for name, value in headers.items():
        if not (isinstance(value, str) and _HEADER.fullmatch(f"{name}: {value}")):
            raise SettingsError(f"{path}: customHeaders has {name!r}: {value!r}, expected a header")
    return headers


def _override(document: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put app settings such as `AzureFunctionsJobHost__logging__logLevel__default` in place."""
    for name, text in environ.items():
        prefix, *parts = name.split("__")
        if prefix.lower() != "azurefunctionsjobhost" or not all(parts) or not parts:
            continue
        section = document
        for part in parts[:-1]:
            inner = section.setdefault(_spelled(section, part), {})
            if not isinstance(inner, dict):
                raise SettingsError(f"app setting {name}: {part} is no object in host.json")
            section = inner
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        section[_spelled(section, parts[-1])] = value


def _spelled(section: Mapping[str, Any], name: str) -> str:
    """Return how a section spells a name; case does not count in .NET's settings."""
    return next((known for known in section if known.lower() == name.lower()), name)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Replace each `%NAME%` by the app setting of that name.

    Raises:
        SettingsError: there is no such app setting.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environ:
            raise SettingsError(
                f"{text!r} names the app setting {name}, which is not set",
                action=f"set {name} in the environment or in local.settings.json",
            )
        return environ[name]

    return _PLACEHOLDER.sub(value, text)


def parse_time_span(text: str) -> float:
    """Return the seconds of a .NET time span: `[days.]hours:minutes[:seconds]`, or days alone.

    As in .NET, `24:00:00` is 24 days: where the first of three numbers is no hour of a day, it
    counts days, and no seconds follow.

    Raises:
        ValueError: it is none.
    """
    stripped = text.strip()
    for pattern in _TIME_SPANS:
        match = pattern.fullmatch(stripped)
        if match is None:
            continue
        days, hours, minutes, *seconds = (float(part or 0) for part in match.groups())
        if hours < 24 and minutes < 60 and all(part < 60 for part in seconds):
            return ((days * 24 + hours) * 60 + minutes) * 60 + sum(seconds)
    raise ValueError(f"{text!r} is no time span, expected [days.]hours:minutes:seconds")


def _read_json(path: Path) -> dict[str, Any]:
    """Parse a settings file as the Functions host does: comments and trailing commas are fine.

    What follows the end of the document is named and ignored: the host.json of some of Microsoft's
    own samples holds two documents.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    strict = _strict(_strict(text)).strip()  # twice: a comma may stand before a comment
    try:
        document, end = json.JSONDecoder().raw_decode(strict)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not valid JSON: {error}") from error
    if end < len(strict):
        _LOG.warning("%s goes on behind its JSON document; ignored: %.40r ...", path, strict[end:])
    if not isinstance(document, dict):
        raise SettingsError(f"{path} holds {type(document).__name__}, expected an object")
    return document


def _strict(text: str) -> str:
    return _LENIENT.sub(lambda match: match.group(1) or "", text)


def _section(document: dict[str, Any], path: Path, *names: str) -> dict[str, Any]:
    section = document
    for name in names:
        section = section.get(_spelled(section, name)) or {}
        if not isinstance(section, dict):
            raise SettingsError(f"{path}: {'.'.join(names)} is no object")
    return section


def _value(section: Mapping[str, Any], name: str, default: object = None) -> Any:
    """Return a setting, whatever the case of its name; null means that it is not set."""
    value = section.get(_spelled(section, name))
    return default if value is None else value


def _text(section: dict[str, Any], path: Path, name: str, default: str) -> str:
    value = _value(section, name, default)
    if not isinstance(value, str):
        raise SettingsError(f"{path}: {name} is {value!r}, expected a text")
    return value


def _count(section: dict[str, Any], path: Path, name: str, default: int) -> int:
    value = _value(section, name, default)
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        value = int(value)  # .NET reads all settings as texts
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingsError(f"{path}: {name} is {value!r}, expected a number from 1")
    return value


def _replaces_running(durable: dict[str, Any], path: Path) -> bool:
    name = "overridableExistingInstanceStates"
    value = _text(durable, path, name, "NonRunningStates")
    known = {"anystate": True, "nonrunningstates": False}
    if value.lower() not in known:
        raise SettingsError(
            f"{path}: durableTask.{name} is {value!r}, expected AnyState or NonRunningStates"
        )
    return known[value.lower()]


def _timeout(document: dict[str, Any], path: Path) -> float | None:
    value = _value(document, "functionTimeout")
    if value is None:
        return DEFAULT_TIMEOUT_S
    if str(value) == "-1":
        return None
    try:
        return parse_time_span(str(value))
    except ValueError as error:
        raise SettingsError(f"{path}: functionTimeout: {error}") from error


def _log_level(levels: dict[str, Any], path: Path) -> int:
    name = str(_value(levels, "default", "Information"))
    if name.lower() not in _LOG_LEVELS:
        raise SettingsError(
            f"{path}: logging.logLevel.default is {name!r}, expected one of "
            f"{', '.join(level.capitalize() for level in _LOG_LEVELS)}"
        )
    return _LOG_LEVELS[name.lower()]
