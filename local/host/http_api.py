"""HTTP triggers: which function a request is for, may it call it, and what comes back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.functions import HttpResponse
from azure.functions.http import HttpRequest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from local.host.app import App, Function, Trigger
from local.host.errors import AppError, Refused
from local.host.invocation import FunctionTimedOut, Runner, TraceContext
from local.host.keys import AuthLevel, Keys
from local.host.requests import given_key, read_body
from local.host.routes import RouteTemplate, parse_template

_LOG = logging.getLogger(__name__)
_WITHOUT_BODY = (204, 304)


@dataclass(frozen=True)
class Endpoint:
    """An HTTP trigger. `methods` is empty when it takes all of them."""

    function: Function
    template: RouteTemplate
    methods: frozenset[str]
    level: AuthLevel


def find_endpoints(app: App, prefix: str) -> list[Endpoint]:
    """Return the HTTP triggers of an app, the most specific route first.

    Raises:
        AppError: a route or auth level is not valid, or two functions have the same.
    """
    endpoints = []
    for function in app.triggered_by(Trigger.HTTP):
        binding = function.binding
        route = binding.get("route")
        text = function.name if route is None else str(route)
        try:
            template = parse_template(f"{prefix}/{text.lstrip('/')}".lstrip("/"))
            level = AuthLevel(str(binding.get("authLevel") or "FUNCTION").upper())
        except ValueError as error:
            raise AppError(f"function {function.name!r} cannot be served: {error}") from error
        methods = frozenset(str(one).upper() for one in binding.get("methods") or ())
        endpoints.append(Endpoint(function, template, methods, level))
    _check_distinct(endpoints)
    return sorted(endpoints, key=lambda one: one.template.precedence)


class HttpFunctions:
    """Serves the HTTP triggers of an app."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        keys: Keys,
        runner: Runner,
        headers: Mapping[str, str],
    ) -> None:
        """`headers` are those of host.json, which a function's own go before."""
        self._endpoints = list(endpoints)
        self._keys = keys
        self._runner = runner
        self._headers = headers

    async def handle(self, request: Request) -> Response:
        """Answer a request. Refused: 404 when no function wants it, 401, 413."""
        path = request.scope["path"]
        for endpoint in self._endpoints:
            if endpoint.methods and request.method not in endpoint.methods:
                continue
            parameters = endpoint.template.match(path)
            if parameters is not None:
                response = await self._call(request, endpoint, parameters)
                for name, value in self._headers.items():
                    response.headers.setdefault(name, value)
                return response
        raise Refused(404, f"no function is at {request.method} {path}")

    async def _call(
        self, request: Request, endpoint: Endpoint, parameters: dict[str, str]
    ) -> Response:
        function = endpoint.function
        if not self._keys.open_function(given_key(request), endpoint.level, function.name):
            raise Refused(401, f"function '{function.name}' needs a key")
        value = HttpRequest(
            request.method,
            str(request.url),
            headers=_joined(request.headers.items(), ", "),
            params=_joined(request.query_params.multi_items(), ","),
            route_params=parameters,
            body_type="bytes",
            body=await read_body(request),
        )
        trace = TraceContext(
            request.headers.get("traceparent", ""), request.headers.get("tracestate", "")
        )
        try:
            result = await self._runner.invoke(function, value, trace_context=trace)
            return _response(result)
        except FunctionTimedOut as error:
            return PlainTextResponse(str(error), 500)
        except Exception:
            _LOG.exception("function=%s failed", function.name)
            return PlainTextResponse(f"function '{function.name}' failed", 500)


def _check_distinct(endpoints: Iterable[Endpoint]) -> None:
    seen: dict[tuple[str, str], Endpoint] = {}
    for one in endpoints:
        for method in one.methods or {"*"}:
            other = seen.setdefault((one.template.text.lower(), method), one)
            if other is not one:
                raise AppError(
                    f"functions {other.function.name!r} and {one.function.name!r} both have "
                    f"the route {one.template.text!r} for {method}",
                    action="give one of them another route or method",
                )


def _joined(items: Iterable[tuple[str, str]], separator: str) -> dict[str, str]:
    """Join values of one name, as .NET shows them to functions."""
    values: dict[str, str] = {}
    for name, value in items:
        values[name] = f"{values[name]}{separator}{value}" if name in values else value
    return values


def _response(result: Any) -> Response:
    if result is None:
        return Response(status_code=204)
    if isinstance(result, str):
        return PlainTextResponse(result)
    if not isinstance(result, HttpResponse):
        raise TypeError(
            f"an HTTP function returned {type(result).__name__}, expected HttpResponse or str"
        )
    status = result.status_code
    if not 200 <= status <= 999:
        raise ValueError(f"an HTTP function returned status {status}, expected 200 to 999")
    response = Response(b"" if status in _WITHOUT_BODY else result.get_body(), status)
    names = set()
    for name, value in result.headers.items():
        names.add(name.lower())
        if name.lower() != "content-length":  # it is counted, whatever the function says
            response.headers.append(name, value)
    if "content-type" not in names:
        is_text = result.mimetype.startswith("text/")
        charset = f"; charset={result.charset}" if is_text else ""
        response.headers["content-type"] = f"{result.mimetype}{charset}"
    return response
