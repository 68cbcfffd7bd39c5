"""An ASGI application behind one HTTP trigger."""

import azure.functions as func
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def show(request: Request) -> PlainTextResponse:
    body = (await request.body()).decode()
    text = (
        f"{request.method} {request.url.path} {request.url.query} "
        f"{request.headers['x-test']} {body}"
    )
    return PlainTextResponse(text, 201)


asgi = Starlette(routes=[Route("/inside/{rest}", show, methods=["POST"])])
app = func.AsgiFunctionApp(app=asgi, http_auth_level=func.AuthLevel.ANONYMOUS)
