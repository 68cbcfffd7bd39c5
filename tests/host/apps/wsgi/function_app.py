"""A WSGI application behind one HTTP trigger."""

from collections.abc import Callable, Iterable
from typing import Any

import azure.functions as func


def show(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("201 Created", [("Content-Type", "text/plain")])
    body = environ["wsgi.input"].read().decode()
    text = (
        f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['QUERY_STRING']} "
        f"{environ['HTTP_X_TEST']} {body}"
    )
    return [text.encode()]


app = func.WsgiFunctionApp(app=show, http_auth_level=func.AuthLevel.ANONYMOUS)
