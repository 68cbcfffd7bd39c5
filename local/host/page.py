"""The page under /admin/host: what runs, what waits, and how each instance came to where it is.

HTML made here, escaped by the templates, with nothing from the network. The key that opens it comes
in a form, or as `code` in the address and then goes out of it again at once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from local.host.inside import Inside
from local.host.instance import FINISHED
from local.host.keys import Keys
from local.host.requests import Query, given_key, read_body
from local.host.sessions import Sessions
from local.host.status import show_value
from local.host.timeline import Entry, parse_time, show_duration

PATH = "/admin/host"

_PAGES = Path(__file__).parent / "pages"
_MOST_ROWS = 100
_MOST_ENTRIES = 1000
_MOST_PAYLOAD = 20_000  # characters
_MOST_SUMMARY = 300  # characters
_MOST_PREFIX = 256  # characters, as in an id
_MOST_FORM_BYTES = 8192
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class HostPage:
    """Answers a browser. Reads only: whatever it may be tricked into asking changes nothing."""

    def __init__(self, inside: Inside, keys: Keys) -> None:
        self._inside = inside
        self._keys = keys
        self._sessions = Sessions(keys, PATH)

    def serves(self, method: str, words: Sequence[str]) -> bool:
        """Tell whether a path below /admin/host, in lower case, is one of the page."""
        match [method, *words]:
            case ["GET" | "HEAD"] | ["GET" | "HEAD", "" | "sign-in"]:
                return True
            case ["GET" | "HEAD", "instances", _] | ["POST", "sign-in" | "sign-out"]:
                return True
        return False

    async def handle(self, request: Request, segments: Sequence[str]) -> Response:
        """Answer a request that `serves` has agreed to. Refused: 413."""
        if request.method == "POST":
            return await self._sign(request, entering=segments[0].lower() == "sign-in")
        key = given_key(request)
        if key and "x-functions-key" not in request.headers and self._keys.open_admin(key):
            return self._enter(request, _without_code(request))
        if not (self._keys.open_admin(key) or self._sessions.is_open(request)):
            return self._ask_for_key(wrong=key is not None)
        if segments[:1] and segments[0].lower() == "instances":
            return await run_in_threadpool(self._show_instance, segments[1])
        if segments[:1] and segments[0].lower() == "sign-in":
            return RedirectResponse(PATH, 303, _HEADERS)
        query = Query(request)
        wanted = (query.text("status") or "").capitalize()
        known = wanted if wanted in (*FINISHED, "Live") else ""
        prefix = (query.text("prefix") or "")[:_MOST_PREFIX]
        return await run_in_threadpool(self._show_host, prefix, known)

    async def _sign(self, request: Request, *, entering: bool) -> Response:
        if not entering:
            response = RedirectResponse(PATH, 303, _HEADERS)
            self._sessions.end(request, response)
            return response
        body = await read_body(request, _MOST_FORM_BYTES)
        form = parse_qs(body.decode("utf-8", "replace"))
        if not self._keys.open_admin(form.get("key", [""])[0].strip()):
            return self._ask_for_key(wrong=True)
        return self._enter(request, PATH)

    def _enter(self, request: Request, address: str) -> Response:
        response = RedirectResponse(address, 303, _HEADERS)
        self._sessions.begin(request, response)
        return response

    def _ask_for_key(self, *, wrong: bool) -> Response:
        return _render("sign_in.html", 401, wrong=wrong, live=False)

    def _show_host(self, prefix: str, wanted: str) -> Response:
        live = [] if wanted in FINISHED else self._inside.live(prefix, _MOST_ROWS + 1)
        finished = [] if wanted == "Live" else self._inside.finished(prefix, wanted, _MOST_ROWS + 1)
        return _render(
            "host.html",
            queues=self._inside.queues(),
            parts=[("Not finished", live), ("Finished", finished)],
            most=_MOST_ROWS,
            prefix=prefix,
            wanted=wanted,
            choices=["Live", *FINISHED],
            live=True,
        )

    def _show_instance(self, instance_id: str) -> Response:
        found = self._inside.instance(instance_id)
        if found is None:
            return _render("missing.html", 404, instance_id=instance_id, live=False)
        instance, entries = found
        return _render(
            "instance.html",
            instance=instance,
            entries=entries[-_MOST_ENTRIES:],
            left_out=max(0, len(entries) - _MOST_ENTRIES),
            live=instance.is_live,
        )


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _without_code(request: Request) -> str:
    """Return the address of a request without its key."""
    rest = [
        f"{quote(name)}={quote(value)}"
        for name, value in request.query_params.multi_items()
        if name.lower() != "code"
    ]
    path = quote(request.scope["path"])
    return f"{path}?{'&'.join(rest)}" if rest else path


def _render(template: str, status: int = 200, **values: Any) -> Response:
    text = _templates().get_template(template).render(path=PATH, **values)
    headers = {**_HEADERS, "Content-Security-Policy": _policy()}
    return HTMLResponse(text, status, headers)


@cache
def _policy() -> str:
    """Return what a browser may do with the page: nothing but what stands in it, by its hash."""
    style, script = (
        base64.b64encode(hashlib.sha256(_file(name).encode()).digest()).decode()
        for name in ("page.css", "page.js")
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def _file(name: str) -> str:
    return (_PAGES / name).read_text("utf-8")


@cache
def _templates() -> Any:
    # Only now: who never opens the page need not wait for it at the start.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        age=_age, ago=_ago, payload=_payload, segment=_segment, summary=_summary, took=_took
    )
    environment.globals["style"] = Markup(_file("page.css"))  # noqa: S704 - our own file
    environment.globals["script"] = Markup(_file("page.js"))  # noqa: S704 - our own file
    return environment


def _visible(value: Any) -> Any:
    """Return text with what is not seen in print as an escape: names were chosen by others.

    Text that runs backwards or has no width could be taken for other text. Called by the templates
    for each value, before it is escaped for HTML.
    """
    if type(value) is not str or value.isprintable():
        return value
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in _UNSEEN and c not in "\n\t"
        else c
        for c in value
    )


def _age(instance: Any) -> str:
    """Return how long an instance has run, or took."""
    end = datetime.now(timezone.utc) if instance.is_live else parse_time(instance.updated)
    return show_duration(end - parse_time(instance.created))


def _ago(stored: str) -> str:
    return f"{show_duration(datetime.now(timezone.utc) - parse_time(stored))} ago"


def _took(entry: Entry) -> str:
    if entry.state == "open":
        return f"for {show_duration(datetime.now(timezone.utc) - entry.at)}"
    return "" if entry.took is None else show_duration(entry.took)


def _payload(text: str) -> str:
    """Return stored JSON as a person reads it, cut where it is long."""
    value = show_value(text)
    shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return _cut(shown, _MOST_PAYLOAD)


def _summary(text: str) -> str:
    value = show_value(text)
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _cut(shown, _MOST_SUMMARY)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} … ({len(text)} characters)"


def _segment(instance_id: str) -> str:
    return quote(instance_id, safe="", errors="replace")
