"""Logs of the host and the app's functions, on stderr: one line an event, in UTC.

Two forms: for people, and as JSON lines for programs. What a message names as `key=%s` is a field
of the JSON line, so `"function=%s failed"` gives `{"function": ...}`; so is what comes as `extra`.
No line shows a key or a signature: what looks like one, or is one of this host, is starred out.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from types import TracebackType
from typing import Any

_LOG = logging.getLogger(__name__)
# They tell of each request, with addresses that hold keys or signatures.
_QUIET = ("azure", "aiohttp", "asyncio", "httpcore", "httpx", "urllib3", "uvicorn")
_SECRET = re.compile(
    r"((?:[?&](?:code|sig)|\bsig|\bAccountKey|\bSharedAccessSignature|\bSharedAccessKey|"
    r"\bPassword|\bPwd)=|\bx-functions-key['\"]?\s*[:=]\s*['\"]?)[^\s&;,'\"<>)\]}]+",
    re.IGNORECASE,
)
_HINTS = ("code=", "sig=", "signature=", "password=", "pwd=", "key")
"""One of these is in every text that the pattern fits; looking for them is ten times as quick."""

_PLACEHOLDER = re.compile(r"(?:(\w+)=)?%(?:%|[-#0 +]*\d*(?:\.\d+)?[a-zA-Z])")
_SHORTEST_KEY = 16  # characters; less could be any word
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogFormat(str, Enum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


def set_up_logs(level: int, form: LogFormat, keys: Callable[[], Iterable[str]]) -> None:
    """Log everything from `level` on, and of chatty libraries warnings only.

    `keys` gives what no line may show.
    """
    handler = logging.StreamHandler()
    kind = _JsonLines if form is LogFormat.JSON else _TextLines
    handler.setFormatter(kind(keys))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # The SDK warns of each external event that comes before its wait, which is quite usual.
    warnings.filterwarnings("ignore", message="Potential duplicate Task completion")
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_uncaught


class _TextLines(logging.Formatter):
    """`2026-11-23T03:01:06.749Z WARNING logger message`, and tracebacks below."""

    def __init__(self, keys: Callable[[], Iterable[str]]) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime
        self._keys = keys

    def format(self, record: logging.LogRecord) -> str:
        return _without_secrets(super().format(record), self._keys())


class _JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields, and any exception."""

    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def __init__(self, keys: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self.converter = time.gmtime
        self._keys = keys

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in (*_named(record), *_extra(record)):
            line.setdefault(name, _plain(value))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        keys = list(self._keys())
        hidden = {
            name: _without_secrets(value, keys) if isinstance(value, str) else value
            for name, value in line.items()
        }
        return json.dumps(hidden)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    return value if isinstance(value, int) else str(value)


def _named(record: logging.LogRecord) -> Iterable[tuple[str, Any]]:
    """Return what the message names as `key=%s`, read from the template and not from the text."""
    if not isinstance(record.msg, str) or not isinstance(record.args, tuple):
        return
    values = iter(record.args)
    for placeholder in _PLACEHOLDER.finditer(record.msg):
        if placeholder[0].endswith("%%"):
            continue
        value = next(values, None)
        if placeholder[1]:
            yield placeholder[1], value


def _extra(record: logging.LogRecord) -> Iterable[tuple[str, Any]]:
    return [(name, value) for name, value in vars(record).items() if name not in _STANDARD]


def _without_secrets(text: str, keys: Iterable[str]) -> str:
    for key in keys:
        if len(key) >= _SHORTEST_KEY and key in text:
            text = text.replace(key, "***")
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    return _SECRET.sub(r"\1***", text)


def _log_uncaught(raised: threading.ExceptHookArgs) -> None:
    """Log what ended a thread, in the form of all other lines."""
    if raised.exc_value is None or issubclass(raised.exc_type, SystemExit):
        return
    trace: TracebackType | None = raised.exc_traceback
    name = raised.thread.name if raised.thread else ""
    _LOG.critical("thread=%s ended", name, exc_info=(raised.exc_type, raised.exc_value, trace))
